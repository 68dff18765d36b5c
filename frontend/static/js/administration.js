"use strict";
// What is shown once can be copied; a form that gives a file leaves its page where it is, so it can be sent again.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const shown = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(shown.textContent.trim());
  } catch { // without HTTPS there is no clipboard: it is marked instead, for Ctrl-C
    const range = document.createRange();
    range.selectNodeContents(shown);
    const chosen = getSelection();
    chosen.removeAllRanges();
    chosen.addRange(range);
    if (!document.execCommand("copy")) return;
  }
  const label = button.querySelector("span");
  label.textContent = button.dataset.copied;
  label.setAttribute("role", "status");
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if ("file" in form.dataset) setTimeout(() => { delete form.dataset.sent; }, 2000);
});
