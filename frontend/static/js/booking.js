"use strict";
// A place that is kept is given back when somebody leaves the page without booking it. The list of free times that they
// go back to was asked for at the same moment, so it is asked for once more.
(() => {
  const GIVEN_BACK = "infirmary.given-back";
  const places = document.getElementById("places");
  if (places && sessionStorage.getItem(GIVEN_BACK)) {
    sessionStorage.removeItem(GIVEN_BACK);
    setTimeout(() => htmx.ajax("GET", location.href, { target: places }), 500);
  }
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
    sessionStorage.setItem(GIVEN_BACK, "yes");
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
})();
