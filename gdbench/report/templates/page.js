// Draws the figures of a page from the JSON in it, each when it comes into sight.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let printing = false;

  // Plotly reads markup in names; a name is text.
  const text = (name) => String(name).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  function theme() {
    const night = dark.matches && !printing;
    const ink = night ? "#e6e9ed" : "#1b1f24";
    return {
      ink, soft: night ? "#a0a9b4" : "#57606a", grid: night ? "#2a3038" : "#e8ebef", paper: night ? "#14171b" : "#ffffff",
      raised: night ? "#1c2127" : "#f6f7f9",
      colour: (name) => (name === "ink" ? ink : data.palette[night ? "dark" : "light"][name]),
    };
  }

  function faint(hex, share) {
    const value = parseInt(hex.slice(1), 16);
    return `rgba(${value >> 16},${(value >> 8) & 255},${value & 255},${share})`;
  }

  const narrow = (element) => element.clientWidth < 560;

  function layout(element, look, more) {
    const small = narrow(element);
    const axis = { gridcolor: look.grid, linecolor: look.grid, zeroline: false, ticks: "outside", ticklen: 4,
      tickcolor: look.grid, exponentformat: "power", title: { standoff: 8 } };
    const base = {
      font: { family: getComputedStyle(document.body).fontFamily, size: small ? 11.5 : 13, color: look.ink },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: small ? 52 : 66, r: small ? 8 : 20, t: 14, b: 48 },
      hovermode: "closest",
      hoverlabel: { bgcolor: look.raised, bordercolor: look.grid, font: { color: look.ink } },
      legend: { orientation: "h", x: 0, xanchor: "left", y: small ? -0.2 : -0.17, yanchor: "top",
        itemwidth: 34, font: { size: small ? 11.5 : 12.5 } },
      dragmode: small ? false : "zoom",
    };
    for (const [key, value] of Object.entries(more)) base[key] = /axis/.test(key) ? { ...axis, ...value } : value;
    return base;
  }

  const config = { responsive: true, displaylogo: false, displayModeBar: false, scrollZoom: false };

  // Which of a problem's solvers its switch has chosen.
  function chosen(problem, show) {
    if (show === "featured") return problem.solvers.filter((solver) => solver.featured);
    if (show === "all") return problem.solvers;
    return problem.solvers.filter((solver) => solver.variant === show || (solver.baseline && solver.featured));
  }

  function stroke(solver, look) {
    return { color: look.colour(solver.colour), width: solver.baseline ? 3 : 2,
      dash: data.palette.dashes[solver.baseline ? "baseline" : solver.variant] };
  }

  // A line over seeds with its band; the band is drawn only where seeds differ.
  function banded(solver, x, y, look, more) {
    const colour = look.colour(solver.colour);
    const hidden = { x, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false, legendgroup: solver.label };
    const band = [{ ...hidden, y: y.low }, { ...hidden, y: y.high, fill: "tonexty", fillcolor: faint(colour, 0.16) }];
    const line = { x, y: y.middle, name: text(solver.label), legendgroup: solver.label, line: stroke(solver, look), ...more };
    return [...band, line];
  }

  const AXES = { epochs: "epochs (passes over the data)", samples: "samples (rows seen)", seconds: "seconds" };

  const figures = {
    convergence(element, problem, state) {
      const look = theme();
      const axis = state.axis || "epochs";
      const traces = chosen(problem, state.show || "featured").flatMap((solver) => banded(
        solver, solver.curve[axis], solver.curve, look,
        { mode: "lines", meta: text(solver.label), hovertemplate: `<b>%{meta}</b> at ${solver.rate}<br>%{x:.3~s} ${axis}<br>gap %{y:.2e}<extra></extra>` },
      ));
      const goals = problem.targets.map((y) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, layer: "below",
        line: { color: look.soft, width: 1, dash: "dot" }, opacity: 0.6 }));
      return Plotly.react(element, traces, layout(element, look, {
        xaxis: { type: "log", title: { text: AXES[axis], standoff: 8 }, dtick: 1 },
        yaxis: { type: "log", title: { text: narrow(element) ? "" : "relative gap to the optimum", standoff: 8 }, dtick: 1 },
        shapes: goals,
      }), config);
    },

    rates(element, problem, state) {
      const look = theme();
      const shown = chosen(problem, state.show || "featured");
      const traces = [];
      shown.forEach((solver, row) => {
        const found = solver.rates;
        const colour = look.colour(solver.colour);
        traces.push(...banded(solver, found.rate, found, look, {
          mode: "lines+markers", meta: text(solver.label),
          marker: { color: colour, symbol: data.palette.marks[solver.mark], line: { color: look.ink, width: found.rate.map((rate) => (rate === solver.rate ? 2 : 0)) },
            size: found.rate.map((rate) => (rate === solver.rate ? 12 : 7)) },
          hovertemplate: "<b>%{meta}</b><br>learning rate %{x:.3~g}<br>final gap %{y:.2e}<extra></extra>",
        }));
        const lost = found.rate.map((_, i) => i).filter((i) => found.diverged[i] > 0);
        traces.push({
          x: lost.map((i) => found.rate[i]), y: lost.map(() => shown.length - row), yaxis: "y2", mode: "markers", meta: text(solver.label),
          customdata: lost.map((i) => `${found.diverged[i]} of ${found.seeds[i]}`),
          marker: { color: colour, symbol: lost.map((i) => (found.diverged[i] === found.seeds[i] ? "x" : "x-open")), size: 8 },
          hovertemplate: "<b>%{meta}</b><br>diverged at %{x:.3~g} with %{customdata} seeds<extra></extra>",
          showlegend: false, legendgroup: solver.label,
        });
      });
      const strip = Math.min(0.06 + 0.022 * shown.length, 0.4);
      return Plotly.react(element, traces, layout(element, look, {
        xaxis: { type: "log", title: { text: "learning rate", standoff: 8 }, dtick: 1, anchor: "y" },
        yaxis: { type: "log", title: { text: narrow(element) ? "" : "final relative gap", standoff: 8 }, domain: [0, 0.98 - strip], dtick: 1 },
        yaxis2: { domain: [1 - strip, 1], range: [0.2, shown.length + 0.8], showticklabels: false, showgrid: false, ticks: "", fixedrange: true },
        shapes: [{ type: "rect", xref: "paper", yref: "paper", x0: 0, x1: 1, y0: 1 - strip, y1: 1, layer: "below", line: { width: 0 }, fillcolor: faint("#d55e00", 0.1) }],
        annotations: [{ xref: "paper", yref: "paper", x: 0.008, y: 1, xanchor: "left", yanchor: "top", text: "× diverged", showarrow: false, font: { color: look.soft, size: 12 } }],
      }), config);
    },
  };

  // One state a problem: what its switches have chosen.
  const states = new Map();
  const stateOf = (key) => states.get(key) || states.set(key, {}).get(key);
  const plots = [...document.querySelectorAll(".plot")];
  const drawn = new Set();

  function draw(element) {
    drawn.add(element);
    const key = element.dataset.problem;
    const subject = key === undefined ? data : data.problems[Number(key)];
    return figures[element.dataset.figure](element, subject, stateOf(key));
  }
  window.gdbench = { figures, theme, layout, config, text, faint, narrow, stroke, data, draw };

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "300px" });
  plots.forEach((element) => watcher.observe(element));

  document.addEventListener("change", (event) => {
    const { key, problem } = event.target.dataset;
    if (!key) return;
    stateOf(problem)[key] = event.target.value;
    plots.filter((element) => drawn.has(element) && element.dataset.problem === problem).forEach(draw);
  });
  dark.addEventListener("change", () => drawn.forEach(draw));
  addEventListener("beforeprint", () => {
    printing = true;
    document.querySelectorAll("details").forEach((element) => { element.open = true; });
    plots.forEach((element) => { watcher.unobserve(element); draw(element); });
  });
  addEventListener("afterprint", () => { printing = false; drawn.forEach(draw); });
})();
