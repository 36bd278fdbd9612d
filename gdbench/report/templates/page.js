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
      night, ink, soft: night ? "#a0a9b4" : "#57606a", grid: night ? "#2a3038" : "#e8ebef", paper: night ? "#14171b" : "#ffffff",
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
      legend: { orientation: "h", x: 0, xanchor: "left", y: -56 / Math.max(element.clientHeight - 110, 150), yanchor: "top",
        itemwidth: 34, font: { size: small ? 11.5 : 12.5 } },
      dragmode: small ? false : "zoom",
    };
    for (const [key, value] of Object.entries(more)) base[key] = /axis/.test(key) ? { ...axis, ...value } : value;
    return base;
  }

  // A log axis: a tick a decade, or at 1, 2 and 5 where the values span less than one and a half; seconds as "10 ms".
  function logAxis(values, title, kind) {
    const found = values.filter((value) => value !== null && value > 0);
    const [low, high] = [Math.min(...found), Math.max(...found)];
    const axis = { type: "log", title: { text: title, standoff: 8 }, dtick: 1 };
    if (found.length && Math.log10(high / low) < 1.5) {
      const first = Math.floor(Math.log10(low)) - 1;
      axis.tickvals = [0, 1, 2, 3, 4].flatMap((k) => [1, 2, 5].map((digit) => Number(`${digit}e${first + k}`)));
    }
    if (kind === "seconds") Object.assign(axis, { tickformat: "~s", ticksuffix: "s" });
    if (kind === "seconds" && axis.tickvals) axis.ticktext = axis.tickvals.map(secondsText);
    if (kind === "samples" || kind === "rows") axis.tickformat = "~s";
    return axis;
  }

  function secondsText(value) {
    const [factor, unit] = value >= 1 ? [1, "s"] : value >= 1e-3 ? [1e3, "ms"] : value >= 1e-6 ? [1e6, "µs"] : [1e9, "ns"];
    return `${Number((value * factor).toPrecision(3))}${unit}`;
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
    const band = y.low ? [{ ...hidden, y: y.low }, { ...hidden, y: y.high, fill: "tonexty", fillcolor: faint(colour, 0.16) }] : [];
    const line = { x, y: y.middle, name: text(solver.label), legendgroup: solver.label, line: stroke(solver, look), ...more };
    return [...band, line];
  }

  const AXES = { epochs: "epochs (passes over the data)", samples: "samples (rows seen)" };

  const figures = {
    convergence(element, problem, state) {
      const look = theme();
      const axis = state.axis || "epochs";
      const name = problem.axes[axis];
      const traces = chosen(problem, state.show || "featured").flatMap((solver) => banded(
        solver, solver.curve[axis], solver.curve, look,
        { mode: "lines", meta: text(solver.label), hovertemplate: `<b>%{meta}</b>${solver.rate ? ` at learning rate ${solver.rate}` : ""}<br>%{x:.3~s} ${name}<br>gap %{y:.2e}<extra></extra>` },
      ));
      const goals = problem.targets.map((y) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, layer: "below",
        line: { color: look.soft, width: 1, dash: "dot" }, opacity: 0.6 }));
      return Plotly.react(element, traces, layout(element, look, {
        xaxis: logAxis(traces.flatMap((trace) => trace.x), narrow(element) ? name : AXES[name] || name, axis),
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
        if (lost.length) traces.push({
          x: lost.map((i) => found.rate[i]), y: lost.map(() => shown.length - row), yaxis: "y2", mode: "markers", meta: text(solver.label),
          customdata: lost.map((i) => `${found.diverged[i]} of ${found.seeds[i]}`),
          marker: { color: colour, symbol: lost.map((i) => (found.diverged[i] === found.seeds[i] ? "x" : "x-open")), size: 8 },
          hovertemplate: "<b>%{meta}</b><br>diverged at %{x:.3~g} with %{customdata} seeds<extra></extra>",
          showlegend: false, legendgroup: solver.label,
        });
      });
      const any = traces.some((trace) => trace.yaxis === "y2");
      const strip = any ? Math.min(0.06 + 0.022 * shown.length, 0.4) : -0.02;
      return Plotly.react(element, traces, layout(element, look, {
        xaxis: { type: "log", title: { text: "learning rate", standoff: 8 }, dtick: 1, anchor: "y" },
        yaxis: { type: "log", title: { text: narrow(element) ? "" : "final relative gap", standoff: 8 }, domain: [0, 0.98 - strip], dtick: 1 },
        ...(any ? { yaxis2: { domain: [1 - strip, 1], range: [0.2, shown.length + 0.8], showticklabels: false, showgrid: false, ticks: "", fixedrange: true },
        shapes: [{ type: "rect", xref: "paper", yref: "paper", x0: 0, x1: 1, y0: 1 - strip, y1: 1, layer: "below", line: { width: 0 }, fillcolor: faint("#d55e00", 0.1) }],
        annotations: [{ xref: "paper", yref: "paper", x: 0.008, y: 1, xanchor: "left", yanchor: "top", text: "× diverged", showarrow: false, font: { color: look.soft, size: 12 } }] } : {}),
      }), config);
    },
  };

  // Lines of solvers over x, each with its band, as steps.
  function stairs(element, lines, look, more) {
    const traces = lines.flatMap((line) => banded(line, line.x, line.curve, look, {
      mode: "lines", meta: text(line.label), hovertemplate: "<b>%{meta}</b><br>%{x:.3~s}: %{y:.0%}<extra></extra>",
    })).map((trace) => ({ ...trace, line: { ...trace.line, shape: "hv" } }));
    return Plotly.react(element, traces, layout(element, look, more), config);
  }

  figures.profile = (element, all) => stairs(element, all.profile, theme(), {
    xaxis: { type: "log", title: { text: `τ: ${all.unit}, as a multiple of the best solver's`, standoff: 8 },
      tickvals: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1e4, 1e5], tickformat: "~s" },
    yaxis: { title: { text: narrow(element) ? "" : "share of problems", standoff: 8 }, range: [-0.02, 1.02], tickformat: ".0%" },
  });

  figures.distribution = (element, all) => stairs(element, all.distribution, theme(), {
    xaxis: logAxis(all.distribution[0].x, all.unit, all.unit),
    yaxis: { title: { text: narrow(element) ? "" : "share of targets reached", standoff: 8 }, range: [-0.02, 1.02], tickformat: ".0%" },
  });

  figures.ranks = (element, all) => {
    const look = theme();
    const found = all.ranks;
    const last = found.who.length;
    const rows = found.who.map((name, i) => `${text(name)}  (mean ${found.mean[i]})`);
    const small = narrow(element);
    const shade = [[0, look.night ? "#56b4e9" : "#0072b2"], [1, look.night ? "#1c2127" : "#eef4f9"]];
    const words = found.text.map((row, i) => row.map((cost, j) => ({
      x: j, y: i, text: small ? `${found.rank[i][j]}` : `<b>${found.rank[i][j]}</b>  ${cost}`, showarrow: false,
      font: { size: small ? 11 : 12.5, color: found.rank[i][j] < (1 + last) / 2 ? (look.night ? "#0d1013" : "#ffffff") : look.ink },
    }))).flat();
    return Plotly.react(element, [{ type: "heatmap", z: found.rank, zmin: 1, zmax: last, colorscale: shade, showscale: false, xgap: 3, ygap: 3,
      text: found.text, hovertemplate: "rank %{z}: %{text}<extra></extra>" }], layout(element, look, {
      margin: { l: small ? 140 : 250, r: 8, t: small ? 96 : 34, b: 8 },
      xaxis: { side: "top", tickangle: small ? -60 : 0, tickvals: found.problems.map((_, j) => j), ticktext: found.problems.map(text), showgrid: false, ticks: "", fixedrange: true },
      yaxis: { autorange: "reversed", tickvals: rows.map((_, i) => i), ticktext: small ? found.who.map(text) : rows, showgrid: false, ticks: "", fixedrange: true },
      annotations: words,
    }), config);
  };

  figures.targets = (element, problem, state) => {
    const look = theme();
    const goal = Number(state.target ?? problem.targets.indexOf(problem.headline));
    const by = problem.by;
    const shown = problem.solvers.filter((solver) => solver.costs[goal][by][0] !== null).reverse();
    const cost = (solver) => solver.costs[goal][by];
    const trace = {
      x: shown.map((solver) => cost(solver)[0]), y: shown.map((_, i) => i), mode: "markers", customdata: shown.map((solver) => text(solver.label)),
      marker: { size: 10, color: shown.map((solver) => look.colour(solver.colour)), symbol: shown.map((solver) => data.palette.variants[solver.baseline ? "baseline" : solver.variant]) },
      error_x: { type: "data", symmetric: false, thickness: 1.5, width: 3, color: look.soft,
        array: shown.map((solver) => (cost(solver)[2] === null ? 0 : cost(solver)[2] - cost(solver)[0])),
        arrayminus: shown.map((solver) => cost(solver)[0] - cost(solver)[1]) },
      hovertemplate: `<b>%{customdata}</b><br>%{x:.3~s} ${problem.unit}<extra></extra>`,
    };
    const small = narrow(element);
    element.style.height = `${100 + 25 * shown.length}px`;
    return Plotly.react(element, [trace], layout(element, look, {
      margin: { l: small ? 140 : 190, r: 12, t: 14, b: 48 },
      xaxis: logAxis(trace.x, `${problem.unit} to the target`, by),
      yaxis: { tickvals: shown.map((_, i) => i), ticktext: shown.map((solver) => text(solver.label)), range: [-0.7, shown.length - 0.3], ticks: "", fixedrange: true },
      showlegend: false,
    }), config);
  };

  figures.steps = (element, problem) => {
    const look = theme();
    const small = narrow(element);
    const panels = [["seconds", "seconds an update"], ["floor", "gap it ends at"], ["cost", `${problem.unit} to the target`]]
      .filter(([key]) => problem.steps.some((line) => line[key].some((value) => value !== null)));
    const traces = panels.flatMap(([key, title], k) => problem.steps.map((line) => ({
      x: line.rows, y: line[key], xaxis: `x${k + 1}`, yaxis: `y${k + 1}`, mode: "lines+markers", name: text(line.label), legendgroup: line.label,
      showlegend: k === 0, line: { color: look.colour(line.colour), width: 2 }, marker: { symbol: data.palette.marks[line.mark], size: 7 }, meta: text(line.label),
      hovertemplate: `<b>%{meta}</b>, %{x} rows a step<br>${title} %{y:.3~g}<extra></extra>`,
    })));
    const gap = small ? 0.13 : 0.09;
    const size = (1 - gap * (panels.length - 1)) / panels.length;
    const axes = {};
    const titles = panels.map(([, title], k) => {
      const span = [k * (size + gap), k * (size + gap) + size];
      const down = [1 - span[1], 1 - span[0] - 0.05];
      const last = !small || k === panels.length - 1;
      axes[`xaxis${k + 1}`] = { ...logAxis(problem.steps.flatMap((line) => line.rows), last ? "rows a step" : "", "rows"), domain: small ? [0, 1] : span, anchor: `y${k + 1}` };
      const kind = panels[k][0] === "cost" ? problem.by : panels[k][0];
      axes[`yaxis${k + 1}`] = { ...logAxis(problem.steps.flatMap((line) => line[panels[k][0]]), "", kind), domain: small ? down : [0, 0.92], anchor: `x${k + 1}` };
      return { text: `<b>${title}</b>`, showarrow: false, xref: "paper", yref: "paper", xanchor: "left", yanchor: "bottom", x: small ? 0 : span[0], y: small ? down[1] + 0.005 : 0.94 };
    });
    return Plotly.react(element, traces, layout(element, look, { ...axes, annotations: titles, ...(small ? { legend: { orientation: "h", x: 0, y: -0.1, yanchor: "top" } } : {}) }), config);
  };

  figures.bandwidth = (element, all, state) => {
    const look = theme();
    const names = [...new Set(all.bandwidth.map((row) => row.problem))].reverse();
    const small = narrow(element);
    const kinds = ["batch", "mini-batch", "stochastic", "baseline"];
    const hues = { batch: "blue", "mini-batch": "vermillion", stochastic: "green", baseline: "ink" };
    const traces = kinds.map((kind) => {
      const rows = all.bandwidth.filter((row) => row.kind === kind && row.gb_s > 0);
      return { name: kind, mode: "markers", x: rows.map((row) => row.gb_s), y: rows.map((row) => names.indexOf(row.problem)), customdata: rows.map((row) => text(row.label)),
        marker: { size: 9, symbol: data.palette.variants[kind], color: look.colour(hues[kind]), opacity: 0.85 }, hovertemplate: "<b>%{customdata}</b><br>%{x:.3~g} GB/s<extra></extra>" };
    }).filter((trace) => trace.x.length);
    const limit = Number(element.dataset.limit);
    return Plotly.react(element, traces, layout(element, look, {
      margin: { l: small ? 100 : 130, r: 12, t: 30, b: 48 },
      xaxis: logAxis(all.bandwidth.map((row) => row.gb_s), "GB of data a second"),
      yaxis: { tickvals: names.map((_, i) => i), ticktext: names.map(text), range: [-0.6, names.length - 0.4], ticks: "", fixedrange: true },
      shapes: limit ? [{ type: "line", xref: "x", yref: "paper", x0: limit, x1: limit, y0: 0, y1: 1, line: { color: look.soft, dash: "dash", width: 1.5 } }] : [],
      annotations: limit ? [{ x: Math.log10(limit), y: 1, yref: "paper", yanchor: "bottom", xanchor: "right", text: "memory, one core", showarrow: false, font: { color: look.soft, size: 12 } }] : [],
    }), config);
  };

  // A row a name: heights, and an axis whose names are text.
  function rowsOf(element, names, each, small, wide) {
    element.style.height = `${110 + each * names.length}px`;
    return { margin: { l: narrow(element) ? small : wide, r: 12, t: 14, b: 48 },
      yaxis: { tickvals: names.map((_, i) => i), ticktext: names.map(text), range: [names.length - 0.4, -0.6], ticks: "", fixedrange: true } };
  }

  // A line that stands at x.
  const upright = (x, look, dash) => ({ type: "line", xref: "x", yref: "paper", x0: x, x1: x, y0: 0, y1: 1, layer: "below", line: { color: dash ? look.soft : look.ink, width: 1.2, dash: dash || "solid" } });

  figures.peers = (element, all) => {
    const look = theme();
    const pairs = all.pairs;
    const trace = { mode: "markers", x: pairs.map((pair) => pair.ratio), y: pairs.map((_, i) => i), marker: { size: 10, color: look.colour("blue") },
      customdata: pairs.map((pair) => [`${text(pair.work)}: ${text(pair.peer)}`, secondsText(pair.ours), secondsText(pair.theirs)]),
      error_x: { type: "data", symmetric: false, color: look.soft, thickness: 1.5, width: 3, array: pairs.map((pair) => pair.high - pair.ratio), arrayminus: pairs.map((pair) => pair.ratio - pair.low) },
      hovertemplate: "<b>%{customdata[0]}</b><br>%{x:.3~g} times as long: %{customdata[2]} against %{customdata[1]}<extra></extra>" };
    const small = narrow(element);
    const rows = rowsOf(element, pairs.map((pair) => `${pair.work}: ${pair.peer}`), small ? 38 : 26, 190, 340);
    if (small) rows.yaxis.ticktext = pairs.map((pair) => `${text(pair.work)}<br>${text(pair.peer)}`);
    return Plotly.react(element, [trace], layout(element, look, { ...rows, showlegend: false,
      xaxis: { ...logAxis(pairs.flatMap((pair) => [pair.low, pair.high, 1]), "times as long as gdbench"), tickformat: "~g" }, shapes: [upright(1, look)],
    }), config);
  };

  figures.noise = (element, all) => {
    const look = theme();
    const least = 1e-4;
    const points = all.noise.flatMap((one, i) => one.excess.map((value) => [Math.max(value, least), i]));
    const traces = [
      { mode: "markers", name: "a solver, timed twice", x: points.map(([x]) => x), y: points.map(([, i]) => i), marker: { size: 8, color: look.colour("blue"), opacity: 0.55 }, hovertemplate: "%{x:.2~%}<extra></extra>" },
      { mode: "markers", name: "nine of ten stay under", x: all.noise.map((one) => Math.max(one.bound, least)), y: all.noise.map((_, i) => i),
        marker: { symbol: "line-ns", size: 18, line: { width: 3, color: look.colour("vermillion") } }, hovertemplate: "nine of ten under %{x:.2~%}<extra></extra>" },
    ];
    return Plotly.react(element, traces, layout(element, look, {
      ...rowsOf(element, all.noise.map((one) => one.problem), 34, 110, 140),
      xaxis: { type: "log", title: { text: "slower run over the faster", standoff: 8 }, dtick: 1, tickformat: "~%" },
    }), config);
  };

  figures.difference = (element, all) => {
    const look = theme();
    const { who, mean, critical } = all.difference;
    const bars = who.map((one, i) => ({ type: "line", xref: "x", yref: "y", x0: mean[i] - critical / 2, x1: mean[i] + critical / 2, y0: i, y1: i, layer: "below",
      line: { color: faint(look.colour(one.colour), 0.4), width: 6 } }));
    const trace = { mode: "markers", x: mean, y: who.map((_, i) => i), customdata: who.map((one) => text(one.label)),
      marker: { size: 11, color: who.map((one) => look.colour(one.colour)), symbol: who.map((one) => data.palette.variants[one.baseline ? "baseline" : one.variant]) },
      hovertemplate: "<b>%{customdata}</b><br>average rank %{x:.3~g}<extra></extra>" };
    const rows = rowsOf(element, who.map((one) => one.label), 27, 140, 190);
    return Plotly.react(element, [trace], layout(element, look, {
      ...rows, yaxis: { ...rows.yaxis, showgrid: false }, showlegend: false,
      xaxis: { title: { text: "average rank", standoff: 8 }, range: [Math.min(...mean) - critical / 2 - 0.3, Math.max(...mean) + critical / 2 + 0.3] },
      shapes: [...bars, upright(mean[0] + critical / 2, look, "dot")],
    }), config);
  };

  // What changed, worse before better, and as much of the rest as makes a figure; or all, in the order of the suite.
  const FILLED = 20;
  function largest(rows) {
    const place = { worse: 0, better: 1 };
    const rank = (row) => place[row.verdict] ?? 2;
    const sorted = [...rows].sort((a, b) => rank(a) - rank(b) || Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)));
    return sorted.slice(0, Math.max(FILLED, rows.filter((row) => rank(row) < 2).length));
  }

  figures.forest = (element, all, state) => {
    const look = theme();
    const small = narrow(element);
    const known = all.rows.filter((row) => row.ratio !== null);
    const rows = (state.rows === "all" ? known : largest(known)).reverse();
    const hues = { better: "green", worse: "vermillion" };
    const colours = rows.map((row) => (hues[row.verdict] ? look.colour(hues[row.verdict]) : look.soft));
    const names = rows.map((row) => (small ? `${text(row.problem)}, ${row.measure}<br>${text(row.label)}` : text(`${row.problem}: ${row.label}, ${row.measure}`)));
    element.style.height = `${110 + (small ? 38 : 22) * rows.length}px`;
    const trace = { mode: "markers", x: rows.map((row) => row.ratio), y: rows.map((_, i) => i), customdata: names,
      marker: { size: 9, color: colours, symbol: rows.map((row) => ({ better: "triangle-left", worse: "triangle-right" })[row.verdict] || "circle") },
      error_x: { type: "data", symmetric: false, color: look.soft, thickness: 1.5, width: 3, array: rows.map((row) => row.high - row.ratio), arrayminus: rows.map((row) => row.ratio - row.low) },
      hovertemplate: "<b>%{customdata}</b><br>%{x:.3~g}<extra></extra>" };
    return Plotly.react(element, [trace], layout(element, look, {
      margin: { l: small ? 190 : 320, r: 12, t: 14, b: 48 }, showlegend: false,
      xaxis: { ...logAxis(rows.flatMap((row) => [row.low, row.high, 1]), "B ⁄ A"), tickformat: "~g" },
      yaxis: { tickvals: rows.map((_, i) => i), ticktext: names, range: [-0.7, rows.length - 0.3], ticks: "", fixedrange: true },
      shapes: [{ type: "line", xref: "x", yref: "paper", x0: 1, x1: 1, y0: 0, y1: 1, layer: "below", line: { color: look.ink, width: 1 } }],
    }), config);
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
  window.gdbench = { figures, theme, layout, config, text, faint, narrow, stroke, data, draw, stateOf, plots };

  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "300px" });
  plots.forEach((element) => watcher.observe(element));

  // A switch may have been moved before this ran, by hand or by a browser that restores a page.
  document.querySelectorAll("input[data-key]:checked").forEach(({ dataset, value }) => { stateOf(dataset.problem)[dataset.key] = value; });

  document.addEventListener("change", (event) => {
    const { key, problem } = event.target.dataset;
    if (!key) return;
    stateOf(problem)[key] = event.target.value;
    plots.filter((element) => drawn.has(element) && element.dataset.problem === problem).forEach(draw);
  });
  dark.addEventListener("change", () => drawn.forEach(draw));
  window.gdbench.print = () => {
    printing = true;
    document.querySelectorAll("details").forEach((element) => { element.open = true; });
    plots.forEach((element) => { watcher.unobserve(element); draw(element); });
  };
  addEventListener("afterprint", () => { printing = false; drawn.forEach(draw); });
})();
