"use strict";
// Puts a placeholder where the writing mark stands, and shows those of details only while they may be named.

const wording = document.getElementById("wording");
const fields = [...wording.querySelectorAll("#f-subject, #f-text")];
let last = document.getElementById("f-text");
for (const field of fields) field.addEventListener("focus", () => { last = field; });

wording.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  last.focus();
  last.setRangeText(button.dataset.insert, last.selectionStart, last.selectionEnd, "end");
  last.dispatchEvent(new Event("input", { bubbles: true }));
});

const tick = document.getElementById("f-names_details");
const details = wording.querySelector("[data-details]");
const showDetails = () => { details.hidden = !tick.checked; };
tick.addEventListener("change", showDetails);
showDetails();
