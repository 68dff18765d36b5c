"use strict";
// A file that is too large is told of where it is chosen, before anything is sent.
document.addEventListener("change", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || input.type !== "file" || !input.dataset.most) return;
  const file = input.files[0];
  input.setCustomValidity(file && file.size > Number(input.dataset.most) ? input.dataset.mostSaid : "");
  input.reportValidity();
});
