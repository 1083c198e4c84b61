"use strict";

/* The inverse of packing.py: cells in a byte by their digits, lowest first. */
function cellsInAByte(states) {
  let count = 1;
  while (Math.pow(Math.max(states, 2), count + 1) <= 256) count++;
  return count;
}

function unpack(text, states, length) {
  const bytes = atob(text), base = Math.max(states, 2), count = cellsInAByte(states), cells = new Uint8Array(length);
  for (let i = 0, at = 0; at < length; i++) {
    let value = bytes.charCodeAt(i);
    for (let j = 0; j < count && at < length; j++) {
      cells[at++] = value % base;
      value = Math.floor(value / base);
    }
  }
  return cells;
}

/* What a link says: which step, how fast, and by which command the run was made. */
function readHash(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const whole = (name) => (/^\d+$/.test(given.get(name) || "") ? Number(given.get(name)) : null);
  return { step: whole("step"), speed: whole("speed"), run: given.get("run") };
}

function writeHash(step, speed, run) {
  return "#" + new URLSearchParams({ step, speed, run }).toString();
}

/* The picture that is shown at a step: the last one taken at or before it. */
function frameAt(steps, step) {
  let low = 0, high = steps.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (steps[middle] <= step) low = middle; else high = middle - 1;
  }
  return low;
}

function filled(words, values) {
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/* Numbers along an axis: about five, at 1, 2 or 5 times a power of ten. */
function ticks(most) {
  const rough = most / 5, power = Math.pow(10, Math.floor(Math.log10(rough || 1)));
  const step = [1, 2, 5, 10].map((x) => x * power).find((x) => x >= rough) || 1;
  const found = [];
  for (let at = 0; at <= most * (1 + 1e-9); at += step) found.push(at);
  return found;
}

const SHAPES = { quiet: "dot", out: "dot", "first-quiet": "dot", "second-quiet": "dot", jailed: "hollow", officer: "diamond", empty: "none" };
const INKS = { out: "quiet", joined: "active", place: "soft", reached: "quiet", now: "active" };
const HUES = { active: 0, jailed: 1, quiet: 2, arrests: 3, first: 2, second: 5, killed_first: 6, killed_second: 3, born: 4, died: 1 };
const SPEEDS = [1, 2, 4, 8, 15, 30];
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

function start(data, document, window) {
  const $ = (id) => document.getElementById(id);
  const language = document.documentElement.lang, words = data.words;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const cells = data.kind === "grid" ? unpack(data.cells, data.states.length, data.count * data.rows * data.columns) : null;
  const shown = data.series.map((series) => data.kind === "grid" || series.key === data.main);
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  let step = 0, speed = still ? 2 : 8, playing = false, last = 0, due = 0, ink = {};

  function inks() {
    const style = window.getComputedStyle(document.documentElement);
    const named = ["ink", "soft", "line", "paper", "mark", "land", "empty", "quiet", "active", "jailed", "officer",
      "first-quiet", "first-active", "second-quiet", "second-active"];
    ink = Object.fromEntries(named.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
    ink.series = data.series.map((series, i) => {
      const fixed = data.kind === "grid" ? HUES[series.key] : undefined;
      return style.getPropertyValue("--s" + (fixed === undefined ? i % 7 : fixed)).trim();
    });
  }

  function ready(canvas, ratio) {
    const wide = Math.max(16, canvas.clientWidth), tall = canvas.dataset.state ? wide : Math.round(wide * ratio);
    const dots = window.devicePixelRatio || 1;
    canvas.style.height = tall + "px";
    if (canvas.width !== Math.round(wide * dots) || canvas.height !== Math.round(tall * dots)) {
      canvas.width = Math.round(wide * dots);
      canvas.height = Math.round(tall * dots);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.clearRect(0, 0, wide, tall);
    return [pen, wide, tall];
  }

  function shape(pen, kind, x, y, size) {
    const middle = size / 2;
    if (kind === "none") return;
    if (size < 5 || kind === "full") pen.rect(x, y, Math.max(size - (size < 5 ? 0 : 1), 0.7), Math.max(size - (size < 5 ? 0 : 1), 0.7));
    else if (kind === "dot") { pen.moveTo(x + size * 0.8, y + middle); pen.arc(x + middle, y + middle, size * 0.3, 0, 7); }
    else if (kind === "hollow") {
      const edge = Math.max(1.2, size * 0.16), inner = size - 1 - 2 * edge;
      pen.rect(x, y, size - 1, size - 1);
      pen.rect(x + edge + inner, y + edge, -inner, inner);
    } else if (kind === "diamond") {
      pen.moveTo(x + middle, y); pen.lineTo(x + size, y + middle); pen.lineTo(x + middle, y + size); pen.lineTo(x, y + middle);
    }
  }

  function drawGrid() {
    const { rows, columns } = data, [pen, wide] = ready($("picture"), rows / columns), size = wide / columns;
    const offset = frameAt(data.steps, step) * rows * columns;
    pen.fillStyle = ink.empty;
    pen.fillRect(0, 0, wide, size * rows);
    data.states.forEach((state, value) => {
      const kind = SHAPES[state.key] || "full";
      if (kind === "none") return;
      pen.beginPath();
      for (let i = 0; i < rows * columns; i++)
        if (cells[offset + i] === value) shape(pen, kind, (i % columns) * size, Math.floor(i / columns) * size, size);
      pen.fillStyle = ink[INKS[state.key] || state.key];
      pen.fill("nonzero");
    });
  }

  const frame = data.kind === "map" ? extent(data.places) : null;

  function extent(places) {
    const east = places.map((place) => place.at[0]), north = places.map((place) => place.at[1]);
    const [west, far, south, top] = [Math.min(...east), Math.max(...east), Math.min(...north), Math.max(...north)];
    const squeeze = Math.cos(((south + top) / 2) * Math.PI / 180);
    const [width, height] = [Math.max((far - west) * squeeze, 0.2), Math.max(top - south, 0.2)];
    const margin = 0.08 * Math.max(width, height);
    return { west, top, squeeze, width, height, margin };
  }

  function drawMap() {
    const whole = [frame.width + 2 * frame.margin, frame.height + 2 * frame.margin];
    const ratio = Math.min(1.1, Math.max(0.5, whole[1] / whole[0]));
    const [pen, wide, tall] = ready($("picture"), ratio), scale = Math.min(wide / whole[0], tall / whole[1]);
    const left = (wide - whole[0] * scale) / 2, above = (tall - whole[1] * scale) / 2;
    const put = ([x, y]) => [
      left + ((x - frame.west) * frame.squeeze + frame.margin) * scale, above + (frame.top - y + frame.margin) * scale,
    ];
    pen.fillStyle = ink.land;
    pen.strokeStyle = ink.line;
    for (const ring of data.outlines) {
      pen.beginPath();
      ring.forEach((point, i) => (i ? pen.lineTo(...put(point)) : pen.moveTo(...put(point))));
      pen.closePath(); pen.fill(); pen.stroke();
    }
    const reached = new Set();
    for (let day = 1; day <= step; day++) for (const [place] of data.circles[day]) reached.add(place);
    const dot = (place, radius, colour, opacity) => {
      pen.beginPath(); pen.arc(...put(data.places[place].at), radius, 0, 7);
      pen.globalAlpha = opacity; pen.fillStyle = colour; pen.fill(); pen.globalAlpha = 1;
    };
    data.places.forEach((place, i) => dot(i, reached.has(i) ? 3.2 : 1.6, reached.has(i) ? ink.quiet : ink.soft, 1));
    const most = Math.max(10, wide / 22);
    for (const [place, value] of data.circles[step])
      dot(place, Math.max(3.2, most * Math.sqrt(value / data.most)), ink.active, 0.75);
  }

  function drawChart() {
    const small = window.innerWidth <= 720, [pen, wide, tall] = ready($("chart"), small ? 0.52 : data.kind === "map" ? 0.85 : 0.78);
    const [left, right, top, bottom] = [46, 10, data.starts && data.starts.steps.length ? 26 : 12, 30];
    const most = Math.max(1, ...data.series.map((series, i) => (shown[i] ? Math.max(...series.values) : 0)));
    const x = (at) => left + ((wide - left - right) * at) / Math.max(1, data.periods);
    const y = (value) => tall - bottom - ((tall - top - bottom) * value) / most;
    pen.font = "11px system-ui, sans-serif";
    pen.lineWidth = 1;
    pen.textBaseline = "middle";
    for (const value of ticks(most)) {
      pen.strokeStyle = ink.line;
      pen.beginPath(); pen.moveTo(left, y(value)); pen.lineTo(wide - right, y(value)); pen.stroke();
      pen.fillStyle = ink.soft; pen.textAlign = "right"; pen.fillText(number.format(value), left - 6, y(value));
    }
    pen.textAlign = "center";
    for (const at of ticks(data.periods)) pen.fillText(number.format(at), x(at), tall - bottom + 12);
    pen.textAlign = "right";
    pen.fillText(words.axis, wide - right, tall - 7);
    if (data.starts) {
      pen.fillStyle = ink.ink;
      for (const at of data.starts.steps) {
        pen.beginPath(); pen.moveTo(x(at), top - 4); pen.lineTo(x(at) - 4, top - 11); pen.lineTo(x(at) + 4, top - 11); pen.fill();
      }
    }
    data.series.forEach((series, i) => {
      if (!shown[i]) return;
      pen.strokeStyle = ink.series[i];
      pen.setLineDash(DASHES[i % 4]);
      for (const [end, opacity, width] of [[data.periods, 0.3, 1], [step, 1, 2]]) {
        pen.beginPath();
        for (let at = 1; at <= end; at++) pen.lineTo(x(at), y(series.values[at - 1]));
        pen.globalAlpha = opacity; pen.lineWidth = width; pen.stroke();
      }
    });
    pen.globalAlpha = 1; pen.setLineDash([]); pen.lineWidth = 1;
    pen.strokeStyle = ink.ink;
    pen.beginPath(); pen.moveTo(x(step), top - 2); pen.lineTo(x(step), tall - bottom); pen.stroke();
    return { left, right, wide };
  }

  function keys() {
    document.querySelectorAll("canvas[data-state]").forEach((canvas) => {
      const state = data.states[Number(canvas.dataset.state)], [pen, wide] = ready(canvas, 1);
      pen.beginPath();
      pen.fillStyle = ink[INKS[state.key] || state.key];
      if (data.kind === "map") pen.arc(wide / 2, wide / 2, { place: 2, reached: 4, now: 7 }[state.key], 0, 7);
      else shape(pen, SHAPES[state.key] || "full", 2, 2, wide - 4);
      pen.fill("nonzero");
    });
    document.querySelectorAll("canvas[data-series]").forEach((canvas) => {
      const i = Number(canvas.dataset.series), [pen, wide, tall] = ready(canvas, 1);
      pen.strokeStyle = ink.series[i]; pen.lineWidth = 2.5; pen.setLineDash(DASHES[i % 4].map((x) => x / 2));
      pen.beginPath(); pen.moveTo(0, tall / 2); pen.lineTo(wide, tall / 2); pen.stroke();
    });
  }

  function draw() {
    (data.kind === "grid" ? drawGrid : drawMap)();
    drawChart();
    $("scrubber").value = step;
    const said = step ? filled(words.step, { step: number.format(step), last: number.format(data.periods) }) : words.before;
    $("scrubber").setAttribute("aria-valuetext", said);
    $("now").textContent = said;
    data.series.forEach((series, i) => {
      $("count-" + i).textContent = step ? number.format(series.values[step - 1]) : "–";
    });
  }

  function remember() {
    try { window.history.replaceState(null, "", writeHash(step, speed, data.command)); } catch (refused) { /* an old browser, from disk */ }
  }

  function go(to) {
    step = Math.min(Math.max(0, to), data.periods);
    draw();
    if (!playing) remember();
  }

  function play(wanted) {
    if (wanted && step >= data.periods) step = 0;
    playing = wanted;
    last = window.performance.now(); due = 0;
    $("play").textContent = playing ? words.pause : words.play;
    $("now").setAttribute("aria-live", playing ? "off" : "polite");
    if (playing) window.requestAnimationFrame(beat); else remember();
    draw();
  }

  function beat(now) {
    if (!playing) return;
    due += ((now - last) / 1000) * speed;
    last = now;
    const whole = Math.floor(due);
    if (whole > 0) {
      due -= whole;
      step = Math.min(step + Math.min(whole, 4), data.periods);
      draw();
      if (step === data.periods) return play(false);
    }
    window.requestAnimationFrame(beat);
  }

  function copy(text) {
    const done = () => { $("now").textContent = words.copied; };
    if (window.navigator.clipboard && window.isSecureContext) window.navigator.clipboard.writeText(text).then(done, () => {});
    else {
      const field = document.createElement("textarea");
      field.value = text; document.body.append(field); field.select();
      if (document.execCommand("copy")) done();
      field.remove();
    }
  }

  function build() {
    $("scrubber").max = data.periods;
    for (const value of SPEEDS) {
      const option = document.createElement("option");
      option.value = value; option.textContent = filled(words["steps-a-second"], { speed: value });
      $("speed").append(option);
    }
    data.series.forEach((series, i) => {
      const item = document.createElement("li"), label = document.createElement("label");
      const box = document.createElement("input"), key = document.createElement("canvas"), count = document.createElement("span");
      box.type = "checkbox"; box.checked = shown[i]; key.dataset.series = i; count.id = "count-" + i;
      count.className = "count"; key.setAttribute("aria-hidden", "true");
      label.append(box, key, document.createTextNode(series.label), count);
      item.append(label); $("series").append(item);
      box.addEventListener("change", () => { shown[i] = box.checked; draw(); });
    });
    if (data.starts) {
      const item = document.createElement("li");
      item.textContent = "▾ " + data.starts.label + " (" + number.format(data.starts.steps.length) + ")";
      $("series").append(item);
    }
  }

  function listen() {
    $("play").addEventListener("click", () => play(!playing));
    $("back").addEventListener("click", () => { play(false); go(step - 1); });
    $("on").addEventListener("click", () => { play(false); go(step + 1); });
    $("scrubber").addEventListener("input", () => go(Number($("scrubber").value)));
    $("speed").addEventListener("change", () => { speed = Number($("speed").value); remember(); });
    $("copy").addEventListener("click", () => copy(data.command));
    $("link").addEventListener("click", () => { remember(); copy(window.location.href.split("#")[0] + writeHash(step, speed, data.command)); });
    const drag = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const box = $("chart").getBoundingClientRect();
      go(Math.round(((event.clientX - box.left - 46) / (box.width - 56)) * data.periods));
    };
    $("chart").addEventListener("pointerdown", drag);
    $("chart").addEventListener("pointermove", drag);
    document.addEventListener("keydown", (event) => {
      const typing = /^(SELECT|TEXTAREA)$/.test(event.target.tagName), range = event.target.type === "range";
      if (typing || event.altKey || event.ctrlKey || event.metaKey) return;
      const moves = { ArrowLeft: step - 1, ArrowRight: step + 1, PageDown: step + 10, PageUp: step - 10, Home: 0, End: data.periods };
      const faster = { "+": 1, "-": -1 }[event.key];
      if (event.key === " " && !/^(BUTTON|SUMMARY)$/.test(event.target.tagName) && event.target.type !== "checkbox") play(!playing);
      else if (event.key in moves && !range) { play(false); go(moves[event.key]); }
      else if (faster) {
        speed = SPEEDS[Math.min(Math.max(0, SPEEDS.indexOf(speed) + faster), SPEEDS.length - 1)];
        $("speed").value = speed;
      } else return;
      event.preventDefault();
    });
    window.addEventListener("resize", () => { keys(); draw(); });
    window.addEventListener("hashchange", follow);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { inks(); keys(); draw(); });
  }

  function follow() {
    const link = readHash(window.location.hash);
    if (SPEEDS.includes(link.speed)) speed = link.speed;
    $("speed").value = speed;
    const other = link.run !== null && link.run !== data.command;
    $("notice").hidden = !other;
    if (other) $("notice").textContent = filled(words.other, { command: link.run });
    if (link.step !== null) go(link.step);
    return link.step !== null;
  }

  build();
  inks();
  listen();
  keys();
  if (!follow()) { if (still) draw(); else play(true); }
}

if (typeof document !== "undefined") start(JSON.parse(document.getElementById("data").textContent), document, window);
