"use strict";
// Draws what stands as JSON in the page, in the colours of the page; the table below it says the same in numbers.

for (const canvas of document.querySelectorAll("[data-plot]")) draw(canvas, JSON.parse(document.getElementById(canvas.dataset.plot).textContent));

function draw(canvas, told) {
  const plot = new Chart(canvas, {
    type: "bar",
    data: { labels: told.labels, datasets: told.series.map((each) => ({ label: each.label, data: each.values })) },
    options: {
      animation: false,
      maintainAspectRatio: false,
      layout: { padding: { left: isRtl() && !told.days ? 32 : 0 } },  // slanted words reach beyond the first one
      locale: document.documentElement.lang,
      plugins: {
        legend: { display: told.series.length > 1, position: "bottom", rtl: isRtl(), textDirection: document.documentElement.dir },
        tooltip: { rtl: isRtl(), textDirection: document.documentElement.dir, callbacks: told.unit ? { label: (item) => `${item.dataset.label}: ${item.formattedValue} ${told.unit}` } : {} },
      },
      scales: {
        x: { stacked: told.stacked, reverse: isRtl(), ticks: { maxRotation: told.days ? 0 : 60, autoSkip: told.days || told.labels.length > 24, autoSkipPadding: 12 } },
        y: { stacked: told.stacked, beginAtZero: true, position: isRtl() ? "right" : "left", ticks: { precision: told.unit ? 1 : 0, callback(value) { return told.unit ? `${value} ${told.unit}` : value.toLocaleString(document.documentElement.lang); } } },
      },
    },
  });
  paint(plot, document.documentElement);
  new MutationObserver(() => paint(plot, document.documentElement)).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
  const paper = document.createElement("div");  // paper is light, whatever the screen is
  paper.dataset.bsTheme = "light";
  paper.hidden = true;
  document.body.append(paper);
  matchMedia("print").addEventListener("change", (event) => {
    paint(plot, event.matches ? paper : document.documentElement);
    event.matches ? plot.resize(700, 320) : plot.resize();
  });
}

function paint(plot, themed) {
  const style = getComputedStyle(themed);
  const colour = (name) => style.getPropertyValue(name).trim();
  plot.data.datasets.forEach((each, index) => { each.backgroundColor = colour(`--plot-${index % 8 + 1}`); });
  plot.options.plugins.legend.labels = { color: colour("--ink"), boxWidth: 14 };
  for (const scale of [plot.options.scales.x, plot.options.scales.y]) {
    scale.ticks.color = colour("--ink-soft");
    scale.grid = { color: colour("--line") };
    scale.border = { color: colour("--line") };
  }
  plot.options.font = { family: getComputedStyle(document.body).fontFamily };
  plot.update();
}

function isRtl() { return document.documentElement.dir === "rtl"; }
