// Fill one of the forms that send to these paths: scripts into its fields of text, something valid into the rest. `given`
// is what a field gets instead, null for something valid. Answers the names of the fields of text, and how it is sent.
([paths, script, given]) => {
  const to = (each) => new URL(each.getAttribute("hx-post") ?? each.getAttribute("action") ?? "", location.href).pathname;
  const isText = (each) => each.name && !each.disabled && ["text", "search", "tel", "url", "email", "textarea"].includes(each.type);
  const fieldsOf = (each) => (each.localName === "form" ? [...each.elements] : [each]);
  const form = [...document.querySelectorAll("form[method=post], [hx-post]")].find((each) => paths.includes(to(each)) && fieldsOf(each).some(isText));
  if (!form) return null;
  const valid = (each) => {
    if (each.type === "date") return each.name.includes("birth") ? "1984-11-05" : /until|last|end/.test(each.name) ? "2030-03-05" : "2030-03-04";
    return { "datetime-local": "2030-03-04T09:00", time: "09:00", number: "1", email: "a@example.org", tel: "+49 30 1234567" }[each.type] ?? each.defaultValue;
  };
  const texts = fieldsOf(form).filter(isText);
  for (const each of fieldsOf(form)) {
    if (texts.includes(each)) each.value = each.name in given ? given[each.name] ?? valid(each) : script;
    else if (each.localName === "select" && each.required && !each.value) each.value = [...each.options].find((option) => option.value)?.value ?? "";
    else if (["date", "datetime-local", "time", "number"].includes(each.type) && (each.required || each.value)) each.value = valid(each);
  }
  form.dataset.hostile = "yes";
  form.noValidate = true;
  const isLive = form.hasAttribute("hx-post");
  return { names: texts.map((each) => each.name), isLive };
}
