"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const options = { responsive: true, displayModeBar: false };
  const variable = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function layout(extra) {
    const axis = { gridcolor: variable("--line"), linecolor: variable("--line"),
                   zerolinecolor: variable("--line"), automargin: true };
    const base = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: variable("--ink"), size: 12 },
      margin: { l: 8, r: 8, t: 8, b: 8 },
      legend: { orientation: "h", x: 1, xanchor: "right", y: 1.02, yanchor: "bottom" },
      dragmode: false,
    };
    return { ...base, ...extra,
             xaxis: { ...axis, ...extra.xaxis }, yaxis: { ...axis, ...extra.yaxis } };
  }

  function lines(target, chart) {
    const values = chart.series.flatMap((one) => one.y).filter((v) => v > 0);
    const wide = values.length && Math.max(...values) > 100 * Math.min(...values);
    const few = Math.max(0, ...chart.series.flatMap((one) => one.x)) <= 12;
    const dashes = { original: "solid", candidate: "dash" };
    const palette = ["#3467c4", "#c9570c", "#2a8f5b", "#9a4fb5", "#b8860b", "#1b9aaa", "#c0396b"];
    const traces = chart.series.map((one, at) => ({
      type: "scatter", mode: one.x.length > 60 ? "lines" : "lines+markers",
      name: one.name, x: one.x, y: wide ? one.y.map((v) => (v > 0 ? v : null)) : one.y,
      line: { color: dashes[one.name] ? variable("--" + one.name) : palette[at % palette.length],
              width: 2, dash: dashes[one.name] || (at < palette.length ? "solid" : "dot") },
      marker: { size: 5 },
    }));
    Plotly.react(target, traces, layout({
      xaxis: { title: { text: chart.x }, rangemode: "tozero", ...(few ? { dtick: 1 } : {}) },
      yaxis: { title: { text: chart.y }, type: wide ? "log" : "linear",
               rangemode: "tozero", exponentformat: "power" },
      hovermode: "x unified", showlegend: chart.series.length > 1,
    }), options);
  }

  function map(target, chart, side) {
    const z = chart[side];
    if (!z) {
      Plotly.purge(target);
      target.textContent = "a map of another size";
      return;
    }
    const [rows, columns] = chart.size;
    Plotly.react(target, [{
      type: "heatmap", x: chart.x, y: chart.y, z: z, zmin: chart.low, zmax: chart.high,
      colorscale: "Viridis", colorbar: { thickness: 10, outlinewidth: 0 },
      hovertemplate: "y %{y}, x %{x}: %{z}<extra></extra>",
    }], layout({
      xaxis: { range: [-0.5, columns - 0.5], constrain: "domain", showgrid: false, zeroline: false },
      yaxis: { range: [rows - 0.5, -0.5], showgrid: false, zeroline: false,
               ...(rows > 1 ? { scaleanchor: "x", constrain: "domain" } : {}) },
    }), options);
  }

  function draw() {
    for (const target of document.querySelectorAll("[data-chart]")) {
      lines(target, data[target.dataset.chart]);
    }
    for (const figure of document.querySelectorAll(".maps")) {
      const chart = data[figure.querySelector("select").value];
      for (const target of figure.querySelectorAll("[data-side]")) {
        map(target, chart, target.dataset.side);
      }
    }
  }

  for (const select of document.querySelectorAll(".maps select")) {
    select.addEventListener("change", draw);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
})();
