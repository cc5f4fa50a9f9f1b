// The small runtime under every widget of the book: numbers, a figure with controls, plots with handles,
// and a stand-in for the Jupyter model on pages without a kernel. A widget's own file follows this text.

// ---------------------------------------------------------------------------------------------- numbers

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const sum = (values) => values.reduce((total, value) => total + value, 0);
const average = (values) => sum(values) / values.length;
const grid = (low, high, count) =>
  Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
const logNormal = (x, mean, std) =>
  -0.5 * ((x - mean) / std) ** 2 - Math.log(std) - 0.5 * Math.log(2 * Math.PI);
const normal = (x, mean, std) => Math.exp(logNormal(x, mean, std));
const logAddExp = (a, b) => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));

function logMeanExp(values) {
  const largest = Math.max(...values);
  return largest + Math.log(average(values.map((value) => Math.exp(value - largest))));
}

// The trapezoidal rule: for a smooth integrand that vanishes at both ends, its error is far below 1e-6.
function integrate(integrand, low, high, count = 600) {
  const step = (high - low) / (count - 1);
  let total = 0.5 * (integrand(low) + integrand(high));
  for (let i = 1; i < count - 1; i++) total += integrand(low + i * step);
  return total * step;
}

function fixed(value, digits = 2) {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "–";
  const text = Math.abs(value) < 0.5 * 10 ** -digits ? (0).toFixed(digits) : value.toFixed(digits);
  return text.replace("-", "−");
}

function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const digits = Math.max(0, -Math.floor(Math.log10(step)) + (step / power === 2.5 ? 1 : 0));
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => [(first + i) * step, fixed((first + i) * step, digits)]);
}

// ----------------------------------------------------------------------------------------------- figure

// Returns anywidget's render function. `state` names the traits that the reader changes and Home resets, `inputs`
// those that only Python changes. `build(figure)` makes plots and controls once and returns draw(), which paints a
// frame and returns the numbers shown; `describe(numbers)` puts them in a sentence.
function figure({ state, inputs = [], build, describe }) {
  return ({ model, el }) => {
    const self = new Figure(model, el, state, inputs);
    self.start(build(self), describe);
    return () => self.stop();
  };
}

class Figure {
  constructor(model, root, state, inputs) {
    Object.assign(this, { model, root, watched: [...state, ...inputs], plots: [], updates: [], frame: 0, task: null });
    root.replaceChildren();
    root.classList.add("gm-widget");
    this.abort = new AbortController();
    this.initial = Object.fromEntries(state.map((name) => [name, model.get(name)]));
  }

  start(draw, describe) {
    Object.assign(this, { draw, describe });
    const reset = this.button(this.footer ?? this.root.lastElementChild, "Reset", () => this.reset());
    reset.classList.add("gm-reset");
    reset.title = "Reset the figure (Home)";
    this.status = this.element("p", "gm-status", this.root, { role: "status", "aria-live": "polite" });
    this.redraw = () => (this.frame ||= requestAnimationFrame(() => this.paint()));
    this.retheme = () => ((this.theme = null), this.redraw());
    for (const name of this.watched) this.model.on(`change:${name}`, this.redraw);
    this.on(this.root, "keydown", (event) => {
      if (event.key === "Home") this.consume(event, () => this.reset());
    });
    this.observers = [new ResizeObserver(this.redraw), new MutationObserver(this.retheme)];
    this.observers[0].observe(this.root);
    const attributeFilter = ["data-theme", "data-mode", "data-jp-theme-light", "theme", "class", "style"];
    for (const node of [document.documentElement, document.body])
      this.observers[1].observe(node, { attributes: true, attributeFilter });
    this.on(matchMedia("(prefers-color-scheme: dark)"), "change", this.retheme);
    this.root.gm = { model: this.model, values: {}, milliseconds: 0 };
    this.paint();
    this.root.dataset.ready = "";
  }

  stop() {
    this.abort.abort();
    this.observers.forEach((observer) => observer.disconnect());
    for (const name of this.watched) this.model.off(`change:${name}`, this.redraw);
    cancelAnimationFrame(this.frame);
    clearTimeout(this.saying);
    this.frame = -1; // a late event finds a frame "under way" and asks for no other
  }

  paint() {
    this.frame = 0;
    const start = performance.now();
    this.theme ??= this.readTheme();
    if (this.task && !this.task()) this.task = null;
    else if (this.task) this.redraw();
    const values = this.draw();
    for (const plot of this.plots) plot.placeHandles();
    for (const update of this.updates) update(values);
    if (this.unsaved) this.model.save_changes();
    this.unsaved = false;
    Object.assign(this.root.gm, { values, milliseconds: performance.now() - start });
    // Screen readers hear the numbers at most every 0.7 s, and always the last ones.
    this.saying ??= setTimeout(() => {
      this.saying = null;
      this.status.textContent = this.describe(this.root.gm.values);
    }, 700);
  }

  // The page decides the theme; the colour of its text tells which one it is, whoever the host may be.
  readTheme() {
    const style = getComputedStyle(this.root);
    const [red, green, blue] = style.color.match(/[\d.]+/g).map(Number);
    this.root.dataset.gmTheme = 0.3 * red + 0.59 * green + 0.11 * blue > 128 ? "dark" : "light";
    const theme = { ink: style.color, "ink-text": style.color, paper: style.getPropertyValue("--gm-paper").trim() };
    for (const name of ["blue", "orange", "green", "pink", "yellow", "sky", "grey"])
      for (const key of [name, `${name}-text`]) theme[key] = style.getPropertyValue(`--gm-${key}`).trim();
    return { ...theme, family: style.fontFamily };
  }

  // ---- state

  get(name) {
    return this.model.get(name);
  }

  // Sets a number, a list, or entry `index` of a list, within the limits that Python declared.
  set(name, value, index) {
    if (index !== undefined) value = this.get(name).map((old, i) => (i === index ? value : old));
    const limits = this.get("limits")[name];
    if (limits) value = Array.isArray(value) ? value.map((entry) => clamp(entry, ...limits)) : clamp(value, ...limits);
    this.task = null;
    this.unsaved = true;
    this.model.set(name, value);
    this.redraw();
  }

  reset() {
    for (const [name, value] of Object.entries(this.initial)) this.set(name, value);
  }

  // Calls step() once a frame until it returns false; all at once where motion is not wanted.
  animate(step) {
    const run = () => {
      const going = step();
      this.task = going ? run : null; // step() sets state, which cancels the task
      return going;
    };
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) for (let i = 0; i < 500 && step(); i++);
    else this.task = run;
    this.redraw();
  }

  // ---- page elements

  on(target, type, listener) {
    target.addEventListener(type, listener, { signal: this.abort.signal });
  }

  consume(event, action) {
    event.preventDefault();
    event.stopPropagation(); // the notebook around us has shortcuts of its own
    action();
  }

  element(tag, name, parent, attributes = {}, html = "") {
    const node = document.createElement(tag);
    node.className = name;
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.innerHTML = html;
    parent.append(node);
    return node;
  }

  row(parent = this.root) {
    return this.element("div", "gm-row", parent);
  }

  column(parent, basis = 220) {
    return this.element("div", "gm-column", parent, { style: `flex-basis:${basis}px` });
  }

  plot(parent, options) {
    const plot = new Plot(this, parent, options);
    this.plots.push(plot);
    return plot;
  }

  button(parent, html, action) {
    const node = this.element("button", "gm-button", parent, { type: "button" }, html);
    this.on(node, "click", action);
    return node;
  }

  // A slider over a trait, or entry `index` of one; `log` gives every decade the same length, and a list of `values`
  // gives every value the same.
  slider(parent, { trait, index, symbol, label, log = false, values, step = values ? 1 : 0.01, digits = 2 }) {
    const box = this.element("label", "gm-slider", parent, {}, `<span>${symbol}</span>`);
    const input = this.element("input", "", box, { type: "range", "aria-label": label, step: "any" });
    const output = this.element("span", "gm-number", box, { "aria-hidden": "true" }); // the input speaks the value
    const [to, from] = values
      ? [(value) => values.indexOf(value), (place) => values[clamp(place, 0, values.length - 1)]]
      : log ? [Math.log, Math.exp] : [(value) => value, (value) => value];
    [input.min, input.max] = this.get("limits")[trait].map(to);
    const move = (position) => this.set(trait, from(position), index);
    this.on(input, "input", () => {
      const stride = log ? 0.01 : step;
      move(Math.round(input.value / stride) * stride);
    });
    this.on(input, "keydown", (event) => {
      const sign = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      const stride = (event.shiftKey ? 10 : 1) * (log ? 0.05 : step);
      const now = index === undefined ? this.get(trait) : this.get(trait)[index];
      if (sign) this.consume(event, () => move(to(now) + sign * stride));
    });
    this.updates.push(() => {
      const value = index === undefined ? this.get(trait) : this.get(trait)[index];
      input.value = to(value);
      input.style.setProperty("--gm-part", `${(100 * (input.value - input.min)) / (input.max - input.min)}%`);
      output.textContent = fixed(value, digits);
      input.setAttribute("aria-valuetext", fixed(value, digits));
    });
    return input;
  }

  // Radio buttons that look like one switch; options is {value: html} or a list of [value, html]. Returns the buttons.
  choice(parent, { trait, label, options }) {
    const box = this.element("div", "gm-choice", parent, { role: "radiogroup", "aria-label": label });
    const buttons = (Array.isArray(options) ? options : Object.entries(options)).map(([value, html]) => {
      const node = this.element("button", "", box, { type: "button", role: "radio" }, html);
      this.on(node, "click", () => this.set(trait, value));
      return [value, node];
    });
    this.on(box, "keydown", (event) => {
      const sign = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (!sign) return;
      const now = buttons.findIndex(([value]) => value === this.get(trait));
      const [value, node] = buttons[(now + sign + buttons.length) % buttons.length];
      this.consume(event, () => (this.set(trait, value), node.focus()));
    });
    this.updates.push(() => {
      for (const [value, node] of buttons) {
        node.setAttribute("aria-checked", value === this.get(trait));
        node.tabIndex = value === this.get(trait) ? 0 : -1;
      }
    });
    return buttons.map(([, node]) => node);
  }

  // Numbers with labels: {name: [html, colour, unit]}; `name` is a key of what draw() returns.
  // With `bars`, each also shows as a bar, all on one scale.
  readout(parent, items, { digits = 3, bars = false } = {}) {
    const box = this.element("div", bars ? "gm-readout gm-bars" : "gm-readout", parent);
    const cells = Object.entries(items).map(([name, [html, colour, unit]]) => {
      const item = this.element("div", "", box, { style: `--gm-key:var(--gm-${colour})` });
      this.element("span", "gm-name", item, { style: `color:var(--gm-${colour}-text)` }, html);
      const bar = bars && this.element("span", "gm-bar", item, { "aria-hidden": "true" });
      return [name, this.element("span", "gm-value", item, {}, `<b></b> ${unit}`).firstChild, bar];
    });
    this.updates.push((values) => {
      const largest = Math.max(1, ...cells.map(([name]) => values[name]));
      for (const [name, number, bar] of cells) {
        number.textContent = fixed(values[name], digits);
        if (bar) bar.style.setProperty("--gm-part", `${(100 * Math.max(0, values[name])) / largest}%`);
      }
    });
  }
}

// ------------------------------------------------------------------------------------------------- plot

const DASHES = { solid: [], dashed: [8, 5], dotted: [2, 4] };

class Plot {
  constructor(owner, parent, options) {
    const margins = { left: 40, right: 18, top: 26, bottom: 40, tickGap: 7 };
    Object.assign(this, { owner, handles: [], height: 240, basis: 300, xCount: 6, yCount: 4 }, margins, options);
    const name = this.square ? "gm-plot gm-equal" : "gm-plot";
    this.box = owner.element("div", name, parent, { style: `flex-basis:${this.basis}px` });
    this.canvas = owner.element("canvas", "", this.box, { role: "img", "aria-label": this.label });
    this.context = this.canvas.getContext("2d");
    this.listen();
  }

  // ---- scales, from data to CSS pixels and back

  along(range, log, value) {
    const [low, high] = log ? range.map(Math.log) : range;
    return ((log ? Math.log(value) : value) - low) / (high - low);
  }
  px(x) {
    return this.left + this.along(this.xRange, this.xLog, x) * (this.width - this.left - this.right);
  }
  py(y) {
    return this.height - this.bottom - this.along(this.yRange, false, y) * (this.height - this.top - this.bottom);
  }
  invert(px, py) {
    const [low, high] = this.xLog ? this.xRange.map(Math.log) : this.xRange;
    const x = low + ((px - this.left) / (this.width - this.left - this.right)) * (high - low);
    const part = (this.height - this.bottom - py) / (this.height - this.top - this.bottom);
    return [this.xLog ? Math.exp(x) : x, this.yRange[0] + part * (this.yRange[1] - this.yRange[0])];
  }

  // ---- a frame: begin(), then curves and marks, inside() for those that must not leave the axes

  begin() {
    this.width = this.box.clientWidth || 300;
    if (this.square) this.height = this.width - this.left - this.right + this.top + this.bottom;
    const scale = Math.min(3, window.devicePixelRatio || 1), { canvas, context } = this;
    if (canvas.width !== Math.round(this.width * scale) || canvas.height !== Math.round(this.height * scale)) {
      canvas.width = Math.round(this.width * scale);
      canvas.height = Math.round(this.height * scale);
      canvas.style.height = `${this.height}px`;
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    context.lineJoin = "round";
    this.font = null;
    this.axes();
  }

  axes() {
    const [left, right] = [this.left, this.width - this.right], [top, bottom] = [this.top, this.height - this.bottom];
    const xTicks = this.xTicks ?? ticks(...this.xRange, Math.min(this.xCount, Math.floor((right - left) / 44)));
    const yTicks = this.yTicks ?? ticks(...this.yRange, this.yCount);
    for (const [value, text] of yTicks) {
      const y = this.py(value);
      this.line([[left, y], [right, y]], { colour: "ink", alpha: 0.09 });
      this.write(text, left - 7, y, { align: "right", baseline: "middle" });
    }
    for (const [value, text] of xTicks) {
      const x = this.px(value);
      this.line([[x, bottom], [x, bottom + 4]], { colour: "ink", alpha: 0.5 });
      this.write(text, x, bottom + this.tickGap, { baseline: "top" });
    }
    this.line([[left, bottom], [right, bottom]], { colour: "ink", alpha: 0.5 });
    if (this.xLabel) this.write(this.xLabel, right, bottom + this.tickGap + 15, { align: "right", baseline: "top" });
    if (this.yLabel) this.write(this.yLabel, 2, 3, { align: "left", baseline: "top" });
  }

  inside(paint) {
    const { context } = this;
    context.save();
    context.beginPath();
    const [width, height] = [this.width - this.left - this.right, this.height - this.top - this.bottom];
    context.rect(this.left, this.top - 2, width, height + 3);
    context.clip();
    paint();
    context.restore();
    this.font = null; // restore() brought the old font back
  }

  // Paints what rarely changes into a canvas of its own, once for each `key`, size and theme.
  cached(key, paint) {
    const { canvas, context } = this, full = [...key, canvas.width, canvas.height, this.owner.theme];
    if (full.some((part, i) => part !== this.layer?.key[i])) {
      const copy = canvas.cloneNode();
      this.context = copy.getContext("2d");
      this.context.setTransform(context.getTransform());
      this.font = null;
      paint();
      Object.assign(this, { context, font: null, layer: { key: full, copy } });
    }
    context.drawImage(this.layer.copy, 0, 0, this.width, this.height);
  }

  // Lines and labels in CSS pixels; everything below them is in data units.
  line(points, { colour = "ink", width = 1, dash = "solid", alpha = 1, fill = 0, close = false } = {}) {
    const { context } = this;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    if (close) context.closePath();
    context.strokeStyle = context.fillStyle = this.owner.theme[colour];
    if (fill) {
      context.globalAlpha = fill;
      context.fill();
    }
    context.globalAlpha = alpha;
    context.lineWidth = width;
    context.setLineDash(DASHES[dash]);
    if (width) context.stroke();
    context.globalAlpha = 1;
  }

  setFont(size, italic) {
    const font = `${italic ? "italic 600 " : ""}${size}px ${this.owner.theme.family}`;
    if (font !== this.font) this.context.font = this.font = font; // to set it costs as much as to draw a letter
  }

  write(text, x, y, { align = "center", baseline = "alphabetic", colour, size = 12.5, italic, halo } = {}) {
    const { context } = this, { theme } = this.owner;
    this.setFont(size, italic);
    context.textAlign = align;
    context.textBaseline = baseline;
    if (halo) {
      context.setLineDash([]);
      context.strokeStyle = theme.paper;
      context.lineWidth = 4;
      context.strokeText(text, x, y);
    }
    context.globalAlpha = colour ? 1 : 0.72;
    context.fillStyle = theme[`${colour ?? "ink"}-text`];
    context.fillText(text, x, y);
    context.globalAlpha = 1;
  }

  curve(xs, ys, options) {
    this.line(xs.map((x, i) => [this.px(x), this.py(ys[i])]), { width: 2.25, ...options });
  }

  area(xs, ys, { colour, alpha = 0.16, base = 0 }) {
    const [first, last] = [xs[0], xs[xs.length - 1]].map((x) => [this.px(x), this.py(base)]);
    const points = [first, ...xs.map((x, i) => [this.px(x), this.py(ys[i])]), last];
    this.line(points, { colour, width: 0, fill: alpha });
  }

  segment(x0, y0, x1, y1, options) {
    this.line([[this.px(x0), this.py(y0)], [this.px(x1), this.py(y1)]], options);
  }

  rectangle(x0, y0, x1, y1, options) {
    const [a, b, c, d] = [this.px(x0), this.px(x1), this.py(y0), this.py(y1)];
    this.line([[a, c], [b, c], [b, d], [a, d]], { ...options, close: true });
  }

  // A label that stays on the canvas: its anchor is pulled in by its own width.
  text(text, x, y, { dx = 0, dy = 0, ...options } = {}) {
    this.setFont(options.size ?? 13.5, options.italic);
    const half = this.context.measureText(text).width * { left: 0, center: 0.5, right: 1 }[options.align ?? "center"];
    const rest = this.context.measureText(text).width - half;
    const at = clamp(this.px(x) + dx, 2 + half, this.width - 2 - rest);
    this.write(text, at, this.py(y) + dy, { size: 13.5, colour: "ink", halo: true, ...options });
  }

  mark(x, y, shape, { colour = "ink", size = 5, fill = 1 } = {}) {
    const [cx, cy] = [this.px(x), this.py(y)];
    const polygon = {
      circle: grid(0, 2 * Math.PI, 25).map((a) => [Math.cos(a), Math.sin(a)]),
      square: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
      diamond: [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]],
      triangle: [[0, -1.1], [1.1, 0.9], [-1.1, 0.9]],
    }[shape];
    const points = polygon.map(([dx, dy]) => [cx + size * dx, cy + size * dy]);
    this.line(points, { colour, width: 1.75, fill, close: true });
  }

  // ---- handles: focusable elements of 44 × 44 px over the canvas, so that keyboard, touch and screen reader work

  // at() gives the place in data units, move(x, y) is asked to take it there, step is one arrow key (a factor on a
  // logarithmic axis). `axis` says which of the two coordinates count; value() is what a screen reader hears.
  handle({ label, shape = "circle", colour = "ink", at, move, step = [0.05, 0.05], axis = "x", value }) {
    const node = this.owner.element("div", `gm-handle gm-${shape}`, this.box, {
      role: "slider", tabindex: 0, "aria-label": label, style: `--gm-key:var(--gm-${colour})`, "data-axis": axis,
    });
    const handle = { node, at, move, axis, value };
    this.owner.on(node, "keydown", (event) => {
      const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!arrow) return;
      const both = arrow[0] + arrow[1], [x, y] = at(); // a handle on a line obeys all four arrows
      const much = event.shiftKey ? 10 : 1, way = { x: [both, 0], y: [0, both], xy: arrow }[axis];
      const [dx, dy] = way.map((d, i) => d * step[i] * much);
      this.owner.consume(event, () => move(this.xLog ? x * Math.exp(dx) : x + dx, y + dy));
    });
    this.handles.push(handle);
  }

  // Two handles on the density N(mean, std²) of two traits: the peak moves the mean, the flank the std. Returns a
  // function that draws the name beside the flank. `side` is the flank to prefer; it changes where space ends.
  gaussian({ name, mean, std, colour, shape, side = 1 }) {
    const now = () => [this.owner.get(mean), this.owner.get(std)];
    const flank = () => {
      const [m, s] = now(), [low, high] = this.xRange, margin = 0.04 * (high - low);
      return m + side * s > high - margin || m + side * s < low + margin ? -side : side;
    };
    this.handle({
      label: `Mean of ${name}`, colour, shape, at: () => [now()[0], normal(0, 0, now()[1])],
      move: (x) => this.owner.set(mean, x),
    });
    this.handle({
      label: `Standard deviation of ${name}`, colour, shape: `${shape} gm-ring`, value: () => now()[1],
      at: () => [now()[0] + flank() * now()[1], normal(1, 0, 1) / now()[1]],
      move: (x) => this.owner.set(std, Math.abs(x - now()[0])),
    });
    return () => {
      const [m, s] = now(), to = flank();
      this.text(name, m + to * s, normal(1, 0, 1) / s, { colour, italic: true, size: 17, dx: to * 20, dy: -8 });
    };
  }

  placeHandles() {
    for (const { node, at, axis, value } of this.handles) {
      const [x, y] = at(), [low, high] = axis === "y" ? this.yRange : this.xRange;
      node.style.transform = `translate(${this.px(x) - 22}px, ${this.py(y) - 22}px)`;
      const spoken = value ? [value()] : { x: [x], y: [y], xy: [x, y] }[axis];
      node.setAttribute("aria-valuemin", low);
      node.setAttribute("aria-valuemax", high);
      node.setAttribute("aria-valuenow", spoken[0].toFixed(3));
      node.setAttribute("aria-valuetext", spoken.map((number) => fixed(number)).join(", "));
    }
  }

  // Handles may overlap, so a press takes the nearest one. `jump`: a press elsewhere calls the handle there.
  listen() {
    let grip = null;
    const { owner, box } = this;
    const place = (event) => {
      const bounds = box.getBoundingClientRect();
      return [event.clientX - bounds.left, event.clientY - bounds.top];
    };
    owner.on(box, "pointerdown", (event) => {
      if (event.button !== 0 || !this.handles.length) return;
      const [x, y] = place(event);
      const ranked = this.handles
        .map((handle) => ({ handle, dx: this.px(handle.at()[0]) - x, dy: this.py(handle.at()[1]) - y }))
        .sort((a, b) => Math.hypot(a.dx, a.dy) - Math.hypot(b.dx, b.dy));
      const nearest = ranked[0], hit = Math.max(Math.abs(nearest.dx), Math.abs(nearest.dy)) <= 22;
      if (!hit && !(this.jump && event.pointerType === "mouse")) return;
      grip = hit ? nearest : { ...nearest, dx: 0, dy: 0 };
      event.preventDefault();
      grip.handle.node.focus({ preventScroll: true });
      grip.handle.node.dataset.held = "";
      box.setPointerCapture(event.pointerId);
      if (!hit) grip.handle.move(...this.invert(x, y));
    });
    owner.on(box, "pointermove", (event) => {
      const [x, y] = place(event);
      if (grip) grip.handle.move(...this.invert(x + grip.dx, y + grip.dy));
    });
    const release = () => {
      if (grip) delete grip.handle.node.dataset.held;
      grip = null;
    };
    owner.on(box, "pointerup", release);
    owner.on(box, "pointercancel", release);
    // A tap (not a swipe, which scrolls the page) jumps too.
    owner.on(box, "click", (event) => {
      if (this.jump && event.pointerType === "touch" && event.target === this.canvas)
        this.handles[0].move(...this.invert(...place(event)));
    });
  }
}

// --------------------------------------------------------------------------------- pages without a kernel

// What anywidget's model offers, over a plain object.
function createModel(state) {
  const listeners = new Map();
  const model = {
    get: (name) => state[name],
    set(name, value) {
      if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
      state[name] = value;
      for (const listener of listeners.get(`change:${name}`) ?? []) listener(model, value);
    },
    on: (type, listener) => listeners.set(type, [...(listeners.get(type) ?? []), listener]),
    off: (type, listener) => listeners.set(type, (listeners.get(type) ?? []).filter((other) => other !== listener)),
    save_changes() {},
  };
  return model;
}

// Several widgets, or one widget twice, may stand on a page: each script takes the roots nobody took.
function mountStatic(name, render) {
  for (const root of document.querySelectorAll(`.gm-widget[data-widget="${name}"]:not([data-mounted])`)) {
    root.dataset.mounted = "";
    const state = JSON.parse(root.querySelector("script").textContent);
    for (const [key, value] of Object.entries(state))
      if (value?.base64 !== undefined)
        state[key] = new DataView(Uint8Array.from(atob(value.base64), (byte) => byte.charCodeAt(0)).buffer);
    render({ model: createModel(state), el: root });
  }
}

// ------------------------------------------------------------------------------------------- this widget
