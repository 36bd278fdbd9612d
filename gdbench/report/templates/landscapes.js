// Landscapes: the map, the surface and the value of each walk, up to a step.
(() => {
  "use strict";
  const { figures, theme, layout, config, text, narrow, data, draw, stateOf, plots } = window.gdbench;

  const chosen = (problem, state) => problem.walks.filter((walk) => (state.rate && state.rate !== "best" ? walk.rate === Number(state.rate) : walk.best));
  const last = (problem) => Math.max(...problem.walks.map((walk) => walk.value.length)) - 1;
  const upTo = (values, state) => (state.step === undefined ? values : values.slice(0, state.step + 1));
  const height = (problem, value) => Math.log10(Math.max(value - problem.lowest, 0) + problem.smallest);
  const shade = (look) => (look.night ? [[0, "#0d1013"], [1, "#56616e"]] : [[0, "#ffffff"], [1, "#8c98a5"]]);

  function walked(walk, state, look, x, y, more) {
    const colour = look.colour(walk.colour);
    const end = Math.min(state.step === undefined ? Infinity : state.step, x.length - 1);
    const hover = { meta: text(walk.label), hovertemplate: `<b>%{meta}</b> at ${walk.rate}<extra></extra>` };
    return [
      { x: upTo(x, state), y: upTo(y, state), mode: "lines+markers", name: text(walk.label) + (walk.left ? " (left the map)" : ""), legendgroup: walk.label,
        line: { color: colour, width: 2.5 }, marker: { color: colour, size: 4 }, ...hover, ...more },
      { x: [x[end]], y: [y[end]], mode: "markers", showlegend: false, legendgroup: walk.label, marker: { color: colour, size: 12, symbol: data.palette.marks[walk.mark], line: { color: look.ink, width: 1.5 } }, ...hover },
    ];
  }

  function places(problem, look, heights) {
    const y = (point, value) => (heights ? value : point[1]);
    const size = (found) => (found.value <= problem.lowest + 1e-9 ? 17 : 11);
    const base = { mode: "markers", showlegend: false, hoverinfo: "skip" };
    return [
      { ...base, x: problem.minima.map((found) => found.x[0]), y: problem.minima.map((found) => y(found.x, found.value)),
        marker: { symbol: "star", size: problem.minima.map(size), color: look.paper, line: { color: look.ink, width: 1.5 } } },
      ...(heights ? [] : [{ ...base, x: problem.saddles.map((point) => point[0]), y: problem.saddles.map((point) => point[1]), marker: { symbol: "x-thin", size: 10, line: { color: look.ink, width: 2.5 } } },
        { ...base, x: [problem.start[0]], y: [problem.start[1]], marker: { symbol: "circle-open", size: 15, line: { color: look.ink, width: 2.5 }, color: look.ink } }]),
    ];
  }

  figures.map = (element, problem, state) => {
    const look = theme();
    const flat = problem.axes.length === 1;
    const [xs, ys] = problem.axes;
    const ground = flat
      ? { x: xs, y: problem.value[0], mode: "lines", line: { color: look.soft, width: 2 }, hoverinfo: "skip", showlegend: false }
      : { type: "contour", x: xs, y: ys, z: problem.value.map((row) => row.map((value) => height(problem, value))), colorscale: shade(look), showscale: false,
        ncontours: 24, line: { width: 0.6, color: look.soft }, hoverinfo: "skip" };
    const walks = chosen(problem, state).flatMap((walk) => walked(walk, state, look, walk.x[0], flat ? walk.value : walk.x[1]));
    const range = (values) => [values[0], values[values.length - 1]];
    const tops = flat ? [Math.min(...problem.value[0]), Math.max(...problem.value[0])] : null;
    return Plotly.react(element, [ground, ...places(problem, look, flat), ...walks], layout(element, look, {
      xaxis: { range: range(xs), title: { text: "x", standoff: 6 } },
      yaxis: { range: flat ? [tops[0] - 0.06 * (tops[1] - tops[0]), tops[1]] : range(ys), title: { text: narrow(element) ? "" : flat ? "f(x)" : "y", standoff: 6 } },
    }), config);
  };

  figures.surface = (element, problem, state) => {
    const look = theme();
    const z = problem.value.map((row) => row.map((value) => height(problem, value)));
    const ground = { type: "surface", x: problem.axes[0], y: problem.axes[1], z, colorscale: shade(look), showscale: false, hoverinfo: "skip", opacity: 0.92, lighting: { ambient: 0.75, specular: 0.05 } };
    const [low, high] = problem.axes.map((axis) => [axis[0], axis[axis.length - 1]]);
    const walks = chosen(problem, state).map((walk) => {
      const count = upTo(walk.value, state).length;
      const kept = [...Array(count).keys()].filter((k) => walk.x[0][k] >= low[0] && walk.x[0][k] <= low[1] && walk.x[1][k] >= high[0] && walk.x[1][k] <= high[1]);
      const colour = look.colour(walk.colour);
      return { type: "scatter3d", mode: "lines+markers", x: kept.map((k) => walk.x[0][k]), y: kept.map((k) => walk.x[1][k]), z: kept.map((k) => height(problem, walk.value[k]) + 0.03),
        name: text(walk.label), line: { color: colour, width: 7 }, marker: { color: colour, size: kept.map((_, i) => (i === kept.length - 1 ? 7 : 2.5)) }, hoverinfo: "name" };
    });
    const axis = { color: look.soft, gridcolor: look.grid, showspikes: false };
    return Plotly.react(element, [ground, ...walks], layout(element, look, {
      margin: { l: 0, r: 0, t: 0, b: 0 }, uirevision: "keep",
      scene: { aspectmode: "manual", aspectratio: { x: 1, y: 1, z: 0.65 }, camera: { eye: { x: -0.98, y: -1.06, z: 0.72 }, center: { x: 0, y: 0, z: -0.18 } },
        xaxis: { ...axis, title: { text: "x" } }, yaxis: { ...axis, title: { text: "y" } }, zaxis: { ...axis, title: { text: "" }, showticklabels: false } },
      legend: { orientation: "h", x: 0, y: 0, font: { size: 12 } },
    }), config);
  };

  figures.value = (element, problem, state) => {
    const look = theme();
    const bounded = problem.minima.length > 0;
    const traces = chosen(problem, state).flatMap((walk) => {
      const steps = walk.value.map((_, k) => k);
      const above = bounded ? walk.value.map((value) => Math.max(value - problem.lowest, 1e-12)) : walk.value;
      return walked(walk, state, look, steps, above, { mode: "lines" });
    });
    return Plotly.react(element, traces, layout(element, look, {
      xaxis: { range: [0, last(problem)], title: { text: "step", standoff: 6 } },
      yaxis: { type: bounded ? "log" : "linear", title: { text: narrow(element) ? "" : bounded ? "f − lowest f" : "f", standoff: 6 }, nticks: 7 },
    }), config);
  };

  // The slider and the Play button of each landscape.
  let asked = null;
  function show(index, step) {
    stateOf(String(index)).step = step;
    document.querySelector(`[data-step="${index}"]`).value = step;
    document.querySelector(`[data-shown="${index}"]`).textContent = step;
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => plots.filter((element) => element.dataset.problem === String(index) && element.data).forEach(draw));
  }
  document.addEventListener("input", (event) => {
    if (event.target.dataset.step !== undefined) show(Number(event.target.dataset.step), Number(event.target.value));
  });

  let playing = null;
  function stop() {
    clearInterval(playing);
    playing = null;
    document.querySelectorAll("[data-play]").forEach((button) => { button.textContent = "Play"; button.setAttribute("aria-pressed", "false"); });
  }
  document.addEventListener("click", (event) => {
    const index = event.target.dataset.play;
    if (index === undefined) return;
    const going = event.target.getAttribute("aria-pressed") === "true";
    stop();
    if (going) return;
    const end = last(data.problems[Number(index)]);
    let step = stateOf(index).step === undefined || stateOf(index).step >= end ? 0 : stateOf(index).step;
    event.target.textContent = "Pause";
    event.target.setAttribute("aria-pressed", "true");
    playing = setInterval(() => {
      show(Number(index), step);
      step += Math.max(1, Math.round(end / 100));
      if (step > end) { show(Number(index), end); stop(); }
    }, 60);
  });
})();
