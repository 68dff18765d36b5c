// What a page is made of, where it leads, and what it offers to send.
() => {
  const whole = (address) => new URL(address ?? "", location.href).href;
  const all = (selector, attribute) => [...document.querySelectorAll(selector)].map((each) => whole(each.getAttribute(attribute)));
  const told = new Set(["class", "role", "type"]);
  const part = (each) => [each.localName, ...[...each.attributes].map(({ name, value }) => (told.has(name) ? `${name}=${value}` : name)).sort()].join(" ");
  return {
    links: all("a[href]", "href"),
    parts: all("[hx-get]", "hx-get"),
    sends: [...all("form[method=post]", "action"), ...all("[formaction]", "formaction"), ...all("[hx-post]", "hx-post")],
    made_of: [...new Set([...document.querySelectorAll("body *")].map((each) => `${part(each.parentElement)} > ${part(each)}`))],
  };
}
