"use strict";
// What pages do beyond being read and sent. No handler stands in a page: they are all here, found by data attributes.

const csrf = () => document.querySelector('meta[name="csrf"]').content;

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = csrf();
});

// ---- one form is sent once ------------------------------------------------------------------------------------------
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent === "yes") { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-disabled", "true");
  unsaved.delete(form);
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest ? event.target.closest("form") : null;
  if (form) delete form.dataset.sent;
});
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form && "autoSubmit" in form.dataset) form.requestSubmit();
});

// ---- a question before what cannot be taken back: in the words of the page, with the keyboard on the way back ----------
document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-ask]");
  const dialog = document.getElementById("ask");
  if (!asked || !dialog || asked.dataset.answered === "yes") return;
  event.preventDefault();
  event.stopImmediatePropagation();
  document.getElementById("ask-text").textContent = asked.dataset.ask;
  const yes = document.getElementById("ask-yes");
  yes.textContent = asked.textContent.trim();
  yes.onclick = () => {
    asked.dataset.answered = "yes";
    bootstrap.Modal.getOrCreateInstance(dialog).hide();
    asked.click();
    delete asked.dataset.answered;
  };
  bootstrap.Modal.getOrCreateInstance(dialog).show();
}, true);

// ---- fields that do more: a password that can be shown, a thing that is looked for and picked ---------------------------
document.addEventListener("click", (event) => {
  const reveal = event.target.closest("[data-reveal]");
  if (reveal) {
    const field = document.getElementById(reveal.dataset.reveal);
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    reveal.setAttribute("aria-pressed", String(shown));
  }
  const pick = event.target.closest("[data-pick]");
  if (pick) {
    const lookup = pick.closest("[data-lookup]");
    const field = lookup.querySelector("input[type=search]");
    lookup.querySelector("input[type=hidden]").value = pick.dataset.pick;
    field.value = pick.textContent;
    closePicks(lookup);
    field.focus();
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
});
function closePicks(lookup) {
  lookup.querySelector(".picks").replaceChildren();
  lookup.querySelector("input[type=search]").setAttribute("aria-expanded", "false");
}
document.addEventListener("htmx:afterSwap", (event) => {
  const lookup = event.target.closest("[data-lookup]");
  if (lookup) lookup.querySelector("input[type=search]").setAttribute("aria-expanded", "true");
});
document.addEventListener("input", (event) => {
  const lookup = event.target.closest("[data-lookup]");
  if (lookup) lookup.querySelector("input[type=hidden]").value = "";  // what is typed is not yet what is meant
});
document.addEventListener("keydown", (event) => {
  const lookup = event.target.closest ? event.target.closest("[data-lookup]") : null;
  if (!lookup) return;
  const picks = [...lookup.querySelectorAll("[data-pick]")];
  if (event.key === "Escape") { closePicks(lookup); lookup.querySelector("input[type=search]").focus(); }
  if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || picks.length === 0) return;
  event.preventDefault();
  picks[(picks.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1) + picks.length) % picks.length].focus();
});

// ---- drafts: what was typed is kept at the house every few seconds, and offered again --------------------------------
const unsaved = new Set();
let saving = null;
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form || !form.dataset.draft) return;
  unsaved.add(form);
  clearTimeout(saving);
  saving = setTimeout(keepDrafts, 1500);
});
async function keepDrafts() {
  for (const form of unsaved) {
    const body = new FormData(form);
    body.set("_form", form.dataset.draft);
    try { await fetch("/drafts", { method: "POST", body, headers: { "X-CSRF-Token": csrf() }, keepalive: true }); } catch { /* it is on the screen still */ }
  }
}
window.addEventListener("beforeunload", (event) => {
  if (unsaved.size > 0) { keepDrafts(); event.preventDefault(); }
});

// ---- somebody who is away too long is signed out ---------------------------------------------------------------------
const idleSeconds = Number(document.body.dataset.idleS || 0);
if (document.body.dataset.signedIn === "yes" && idleSeconds > 0) {
  let asked = Date.now();
  const dialog = document.getElementById("idle");
  const stay = () => { asked = Date.now(); fetch("/stay", { method: "POST", headers: { "X-CSRF-Token": csrf() } }); };
  document.addEventListener("htmx:afterRequest", () => { asked = Date.now(); });
  document.querySelector("[data-stay]").addEventListener("click", () => { stay(); bootstrap.Modal.getOrCreateInstance(dialog).hide(); });
  setInterval(() => {
    const left = idleSeconds - (Date.now() - asked) / 1000;
    if (left < 0) location.assign("/sign-in?over=yes");
    else if (left < 120 && !dialog.classList.contains("show")) bootstrap.Modal.getOrCreateInstance(dialog).show();
  }, 5000);
}

// ---- keyboard: Ctrl-K finds; arrows go through what was found ---------------------------------------------------------
document.addEventListener("keydown", (event) => {
  const dialog = document.getElementById("command");
  if (dialog && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    bootstrap.Modal.getOrCreateInstance(dialog).show();
  }
  const found = event.target.closest ? event.target.closest("#command") : null;
  if (found && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const all = [...found.querySelectorAll(".found a")];
    if (all.length === 0) return;
    event.preventDefault();
    const now = all.indexOf(document.activeElement);
    all[(now + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length].focus();
  }
});
document.addEventListener("shown.bs.modal", (event) => {
  const first = event.target.querySelector("input[type=search], [autofocus]");
  if (first) first.focus();
});

// ---- the house cannot be reached: say so, keep what is there, go on by itself -----------------------------------------
const away = document.getElementById("away");
let since = new Date();
function reached(yes) {
  if (!away) return;
  if (yes) { since = new Date(); away.hidden = true; return; }
  document.getElementById("away-since").textContent = since.toLocaleTimeString(document.documentElement.lang);
  away.hidden = false;
}
document.addEventListener("htmx:sendError", () => reached(false));
document.addEventListener("htmx:timeout", () => reached(false));
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.xhr && event.detail.xhr.status > 0) reached(event.detail.xhr.status < 502); });
window.addEventListener("offline", () => reached(false));

// ---- live: ids of appointments that changed; whoever shows them listens for `infirmary:changed` ------------------------
if (document.body.dataset.signedIn === "yes" && document.querySelector("[data-live]")) {
  const source = new EventSource("/live");
  const tell = (detail) => document.dispatchEvent(new CustomEvent("infirmary:changed", { detail }));
  source.addEventListener("appointment", (event) => tell(JSON.parse(event.data)));
  source.addEventListener("lost", () => tell({ id: null }));
  source.addEventListener("over", () => { source.close(); location.assign("/sign-in?over=yes"); });
  source.addEventListener("open", () => { reached(true); tell({ id: null }); });
  source.addEventListener("error", () => reached(false));
  let waiting = null;
  document.addEventListener("infirmary:changed", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { for (const part of document.querySelectorAll("[data-live]")) htmx.trigger(part, "changed"); }, 150);
  });
}

// ---- focus goes to what matters ---------------------------------------------------------------------------------------
function focusOn(root) {
  const wanted = root.querySelector("[data-focus]") || root.querySelector("[aria-invalid=true]");
  if (wanted) wanted.focus();
}
document.addEventListener("htmx:afterSwap", (event) => focusOn(event.target));
focusOn(document);

document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) window.print(); });

// ---- light or dark: the button says what it would make ------------------------------------------------------------------
const theme = document.querySelector("[data-theme-switch]");
if (theme) theme.value = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
