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
  if (!isNear()) { event.preventDefault(); sendWhenNear(form, event.submitter); return; }
  for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-disabled", "true");
  unsaved.delete(form);
});
// A browser that cannot reach the house shows a page of its own, and what was typed is gone with the old one. So where
// nothing was heard for a while, it is asked first whether anybody is there; if not, the form stays.
async function sendWhenNear(form, button) {
  const isThere = await answers();
  delete form.dataset.sent;
  if (isThere) { reached(true, false); form.requestSubmit(button); return; }
  reached(false);
  told("unsent", true);
  away.scrollIntoView({ block: "nearest" });
}
window.addEventListener("pageshow", () => {
  for (const form of document.forms) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
  }
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
    try {
      const answer = await fetch("/drafts", { method: "POST", body, headers: { "X-CSRF-Token": csrf(), "HX-Request": "true" }, keepalive: true });
      reached(answer.status < 502, false);
    } catch { reached(false); }
  }
}
window.addEventListener("beforeunload", (event) => {
  if (unsaved.size > 0) { keepDrafts(); event.preventDefault(); }
});

// ---- who is leaving a page is not led away by what it had asked for before ---------------------------------------------
const LEAVING_MS = 5000;
let leftAt = -LEAVING_MS;
const isLeaving = () => performance.now() - leftAt < LEAVING_MS;
window.addEventListener("beforeunload", () => { leftAt = performance.now(); });
function toSignIn() { if (!isLeaving()) location.assign("/sign-in?over=yes"); }
document.addEventListener("htmx:beforeOnLoad", (event) => {
  if (isLeaving() && event.detail.xhr.getResponseHeader("HX-Redirect")) event.preventDefault();
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
    if (left < 0) toSignIn();
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

// ---- the house, or a part of it, cannot be reached: say so, keep what is there, go on by itself -------------------------
const NEAR_MS = 5000;
const away = document.getElementById("away");
let since = new Date();
let heardAt = Date.now();
let lacks = "";  // what is away: "house", "part", or nothing
let knocking = null;
function told(what, shown) {
  for (const each of away.querySelectorAll(`[data-away="${what}"]`)) each.hidden = !shown;
}
function lack(what) {
  lacks = what;
  away.hidden = !what;
  for (const each of ["house", "part"]) told(each, each === what);
  if (!what) told("unsent", false);
  for (const time of away.querySelectorAll("time")) time.textContent = since.toLocaleTimeString(document.documentElement.lang);
}
// isNews: whether the page shows now how things are.
function reached(yes, isNews = true) {
  if (!away) return;
  if (yes) {
    heardAt = Date.now();
    if (lacks === "part") return;
    if (isNews) since = new Date();
    if (lacks) { lack(""); keepDrafts(); }
    return;
  }
  if (lacks !== "house") lack("house");
  if (document.body.dataset.signedIn === "yes" && !knocking) knocking = setTimeout(knock, 3000);
}
// Whether the house was heard a moment ago; and whether it answers now.
const isNear = () => lacks !== "house" && navigator.onLine && Date.now() - heardAt < NEAR_MS;
async function answers() {
  try {
    const answer = await fetch(document.querySelector("link[rel=icon]").href, { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(NEAR_MS) });
    return answer.status < 500;
  } catch { return false; }
}
// Whether somebody answers again, and whether the session counts there.
async function knock() {
  knocking = null;
  const ending = new AbortController();
  try {
    const answer = await fetch("/live", { signal: ending.signal, headers: { Accept: "text/event-stream" } });
    ending.abort();
    if (answer.status === 401) toSignIn();
    else if (answer.ok) { reached(true, false); if (!listening || listening.readyState === EventSource.CLOSED) listen(); else tell(); }
    else reached(false);
  } catch { reached(false); }
}
window.addEventListener("offline", () => reached(false));
window.addEventListener("online", () => { if (lacks === "house") knock(); });

// ---- an answer that is none: what it says stands above the page, and what was asked for is asked for again -------------
const AGAIN_MS = 4000;
const missing = new Map();  // what to do again, by whoever asked
let asking = null;
// An answer came. status, kind and text: of it; who: has asked; again: asks once more, where that does no harm.
function took({ status, kind, text, who, again }) {
  const isPage = (kind || "").startsWith("text/html");
  if (status >= 500 && !isPage) { reached(false); return; }  // the gateway says that nobody is behind it
  if (status >= 500 && again) {
    missing.set(who, again);
    if (!lacks) lack("part");
    clearTimeout(asking);
    asking = setTimeout(askAgain, AGAIN_MS);
  } else {
    missing.delete(who);
    if (lacks === "part" && missing.size === 0) lack("");
    reached(true);
  }
  const isShown = status < 400 || [401, 409, 412, 422].includes(status);  // by whoever has asked
  if (!isShown && !(status >= 500 && who.matches("[data-live]"))) complain(isPage ? text : "", text);
  else if (trouble) trouble.hidden = true;
}
function askAgain() {
  for (const again of missing.values()) again();
  if (lacks === "part" && missing.size === 0) lack("");
}
const trouble = document.getElementById("trouble");
function complain(part, plain) {
  if (!trouble) return;
  if (part) trouble.innerHTML = part;
  else {
    trouble.replaceChildren(document.getElementById("trouble-plain").content.cloneNode(true));
    try { trouble.querySelector("code").textContent = JSON.parse(plain).request_id || ""; } catch { /* it has none */ }
  }
  trouble.hidden = false;
  trouble.scrollIntoView({ block: "nearest" });
}
document.addEventListener("htmx:sendError", () => reached(false));
document.addEventListener("htmx:timeout", () => reached(false));
document.addEventListener("htmx:afterRequest", (event) => {
  const { xhr, elt, target, requestConfig } = event.detail;
  if (!xhr || xhr.status === 0) return;
  const isLook = requestConfig.verb === "get" || !requestConfig.formData.has("_key");
  const again = () => { if (document.contains(elt)) htmx.ajax(requestConfig.verb.toUpperCase(), requestConfig.path, { source: elt, target, values: requestConfig.formData }); else missing.delete(elt); };
  took({ status: xhr.status, kind: xhr.getResponseHeader("Content-Type"), text: xhr.responseText, who: elt, again: isLook ? again : null });
});

// ---- live: ids of appointments that changed; whoever shows them listens for `changed` ----------------------------------
const SILENT_MS = 25000;
let listening = null;
let silence = null;
let telling = null;
function listen() {
  if (!document.querySelector("[data-live]")) return;
  if (listening) listening.close();
  const source = listening = new EventSource("/live");
  const heard = () => {
    reached(true);
    clearTimeout(silence);
    silence = setTimeout(() => { reached(false); source.close(); }, SILENT_MS);
  };
  source.addEventListener("ping", heard);
  source.addEventListener("appointment", () => { heard(); tell(); });
  source.addEventListener("lost", () => { heard(); tell(); });
  source.addEventListener("over", () => { source.close(); toSignIn(); });
  source.addEventListener("open", () => { heard(); tell(); });
  source.addEventListener("error", () => reached(false));
}
// What somebody reads or fills in is not taken away from under their hands: it is made new when they have left it.
function tell() {
  clearTimeout(telling);
  telling = setTimeout(() => {
    for (const part of document.querySelectorAll("[data-live]")) {
      if (part.offsetParent === null) continue;
      const typing = part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
      if (typing || part.querySelector("[role=alert]")) part.dataset.old = "yes";
      else htmx.trigger(part, "changed");
    }
  }, 150);
}
document.addEventListener("focusout", (event) => {
  const part = event.target.closest ? event.target.closest("[data-old]") : null;
  if (part) { delete part.dataset.old; tell(); }
});
window.addEventListener("pagehide", () => { if (listening) listening.close(); });
if (document.body.dataset.signedIn === "yes") listen();

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
