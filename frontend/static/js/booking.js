"use strict";
// A place that is kept is given back when somebody leaves the page without booking it.
(() => {
  const kept = document.querySelector("[data-hold]");
  if (!kept) return;
  let isSent = false;
  document.addEventListener("submit", (event) => { if (!event.target.hasAttribute("hx-post")) isSent = true; });
  window.addEventListener("pagehide", () => {
    if (isSent) return;
    const body = new FormData();
    body.set("_csrf", csrf());
    body.set("hold_id", kept.dataset.hold);
    body.set("quiet", "yes");
    navigator.sendBeacon("/booking/release", body);
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
