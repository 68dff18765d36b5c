"use strict";
// What a link in a mail holds behind `#` goes into the form, and out of the address bar and the history.
const held = new URLSearchParams(location.hash.slice(1));
for (const field of document.querySelectorAll("[data-from-link]")) {
  if (held.has(field.dataset.fromLink)) field.value = held.get(field.dataset.fromLink);
  document.getElementById("no-link").hidden = field.value !== "";
}
if (location.hash) history.replaceState(null, "", location.pathname);
