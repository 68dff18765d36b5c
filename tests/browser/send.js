// Send what was filled: a field that asks while one types, or a form with its button.
() => {
  const form = document.querySelector("[data-hostile]");
  const button = form.localName === "form" ? form.querySelector("button:not([type=button]), input[type=submit]") : null;
  if (form.hasAttribute("hx-post") && !/submit/.test(form.getAttribute("hx-trigger") ?? (button ? "submit" : ""))) {
    for (const each of form.localName === "form" ? form.elements : [form]) each.dispatchEvent(new Event("input", { bubbles: true }));
  } else form.requestSubmit(button);
}
