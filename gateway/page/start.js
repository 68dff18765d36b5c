// Shows one contract at a time. The token that was pasted stays in the memory of this page, for all contracts alike.
"use strict";

(async () => {
  const list = new URL("contracts.json", document.currentScript.src);
  const select = document.getElementById("contract");
  const link = document.getElementById("document");
  let token = null;

  // Remembers what "Authorize" was given, and forgets it at "Logout".
  const remember = () => ({
    statePlugins: {
      auth: {
        wrapActions: {
          authorize: (original) => (payload) => {
            token = payload.bearer ? payload.bearer.value : token;
            return original(payload);
          },
          logout: (original) => (names) => {
            token = null;
            return original(names);
          },
        },
      },
    },
  });

  const show = (url) => {
    link.href = url;
    const ui = SwaggerUIBundle({
      url,
      domNode: document.getElementById("page"),
      presets: [SwaggerUIBundle.presets.apis],
      plugins: [remember],
      layout: "BaseLayout",
      deepLinking: true,
      displayRequestDuration: true,
      docExpansion: "list",
      defaultModelsExpandDepth: 0,
      filter: true,
      validatorUrl: null,
      onComplete: () => {
        if (token !== null) {
          ui.preauthorizeApiKey("bearer", token);
        }
      },
    });
  };

  const contracts = await (await fetch(list)).json();
  for (const each of contracts) {
    select.add(new Option(each.name, each.url));
  }
  const wanted = new URLSearchParams(location.search).get("contract");
  const start = contracts.find((each) => each.url === `/docs/openapi/${wanted}.json`) || contracts[0];
  select.value = start.url;
  select.addEventListener("change", () => {
    const name = select.value.split("/").pop().replace(".json", "");
    history.replaceState(null, "", `?contract=${name}`);
    show(select.value);
  });
  show(start.url);
})();
