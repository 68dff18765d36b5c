// Shows one contract at a time. The token that was pasted stays in the memory of this page, for all contracts alike.
"use strict";

(async () => {
  const select = document.getElementById("contract");
  const link = document.getElementById("document");

  const contracts = await (await fetch(new URL("contracts.json", document.currentScript.src))).json();
  for (const each of contracts) {
    select.add(new Option(each.title, each.url));
  }
  const wanted = new URLSearchParams(location.search).get("contract");
  const start = contracts.find((each) => each.service === wanted) || contracts[0];
  select.value = start.url;
  link.href = start.url;

  const ui = SwaggerUIBundle({
    url: start.url,
    domNode: document.getElementById("page"),
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    filter: true,
    validatorUrl: null,
  });

  select.addEventListener("change", () => {
    const chosen = contracts.find((each) => each.url === select.value);
    link.href = chosen.url;
    history.replaceState(null, "", `?contract=${chosen.service}`);
    ui.specActions.updateUrl(chosen.url);
    ui.specActions.download(chosen.url);
  });
})();
