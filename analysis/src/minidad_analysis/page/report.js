// SPDX-License-Identifier: BSD-3-Clause
// Lets a pointer read the figures, and look closer: hover or tap for values, drag to zoom, double-click to go back.
"use strict";
const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (parent) parent.append(made);
  return made;
}

function text(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-3)) return value.toExponential(3);
  return size >= 1000 ? value.toLocaleString("en", { maximumFractionDigits: 0 }) : String(Number(value.toPrecision(4)));
}

// An axis: what is at a place from 0 to 1 along it, and where a value is.
class Scale {
  constructor([low, high, log, label]) {
    this.log = log;
    this.label = label;
    this.low = log ? Math.log10(low) : low;
    this.high = log ? Math.log10(high) : high;
  }
  value(place) {
    const v = this.low + place * (this.high - this.low);
    return this.log ? 10 ** v : v;
  }
  place(value) {
    return ((this.log ? Math.log10(value) : value) - this.low) / (this.high - this.low);
  }
  // Round values between two places, some five of them.
  ticks(from, to) {
    const [a, b] = [from, to].map((p) => this.value(p)).sort((p, q) => p - q);
    if (this.log && b / a > 30) {
      const powers = [];
      for (let e = Math.ceil(Math.log10(a)); 10 ** e <= b; ++e) powers.push(10 ** e);
      return powers;
    }
    const rough = (b - a) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough);
    const round = [];
    for (let k = Math.ceil(a / step); k * step <= b; ++k) round.push(Number((k * step).toPrecision(10)));
    return round;
  }
}

class Panel {
  constructor(figure, svg, data) {
    Object.assign(this, data);
    this.figure = figure;
    this.svg = svg;
    this.xScale = new Scale(data.x);
    this.yScale = new Scale(data.y);
    this.view = [0, 1, 0, 1];  // places of left, right, bottom, top
  }

  // Places along both axes of a point of the drawing.
  placeOf([px, py]) {
    const [x0, y0, x1, y1] = this.box, [left, right, bottom, top] = this.view;
    return [left + (right - left) * (px - x0) / (x1 - x0), bottom + (top - bottom) * (y1 - py) / (y1 - y0)];
  }
  holds([px, py]) {
    const [x0, y0, x1, y1] = this.box;
    return px >= x0 && px <= x1 && py >= y0 && py <= y1;
  }

  // What there is to say about a point: a head, and rows of [colour, name, value].
  read(point) {
    const [u, v] = this.placeOf(point);
    if (this.bars.length) return this.readBars(u, v);
    const head = [], rows = [];
    let at = this.xScale.value(u);
    for (const { extent: [left, right, bottom, top], values } of this.images) {
      const row = Math.floor(values.length * (this.yScale.value(v) - top) / (bottom - top));
      const column = Math.floor(values[0].length * (at - left) / (right - left));
      if (row in values && column in values[row])
        rows.push(["", `${this.y[3]} ${Math.round(this.yScale.value(v))}`, values[row][column]]);
    }
    let nearest = Infinity, found = null;
    for (const line of this.lines)
      for (const x of line.x) {
        const away = Math.abs(this.xScale.place(x) - u);
        if (away < nearest) [nearest, found] = [away, x];
      }
    if (found !== null) at = found;
    const reach = 0.02 * (this.view[1] - this.view[0]);
    for (const line of this.lines) {
      let best = -1, least = reach;
      line.x.forEach((x, i) => {
        const away = Math.abs(this.xScale.place(x) - this.xScale.place(at));
        if (away < least) [best, least] = [i, away];
      });
      if (best >= 0 && line.y[best] !== null) rows.push([line.colour, line.name, line.y[best]]);
    }
    head.push(`${this.x[3]} ${text(at)}`);
    return { head, rows, hair: this.xScale.place(at) };
  }
  readBars(u, v) {
    const lies = this.bars[0].lies, at = lies ? this.yScale.value(v) : this.xScale.value(u);
    const middles = this.bars[0].at;
    let best = 0;
    middles.forEach((m, i) => { if (Math.abs(m - at) < Math.abs(middles[best] - at)) best = i; });
    const rows = this.bars.map((bar) => [bar.colour, bar.name, bar.value[best]]).filter((row) => row[2]);
    return { head: [lies ? this.names[best] : `${this.x[3]} ${text(middles[best])}`], rows };
  }

  // Shows what is between two points; without points everything.
  zoom(a, b) {
    const whole = !a;
    if (whole) {
      this.view = [0, 1, 0, 1];
    } else {
      const [p, q] = [this.placeOf(a), this.placeOf(b)];
      this.view = [Math.min(p[0], q[0]), Math.max(p[0], q[0]), Math.min(p[1], q[1]), Math.max(p[1], q[1])];
    }
    this.prepare();
    const [x0, y0, x1, y1] = this.box, [left, right, bottom, top] = this.view;
    const sx = 1 / (right - left), sy = 1 / (top - bottom);
    const tx = x0 - sx * (x0 + left * (x1 - x0)), ty = y1 - sy * (y1 - bottom * (y1 - y0));
    this.moving.setAttribute("transform", `matrix(${sx} 0 0 ${sy} ${tx} ${ty})`);
    for (const mark of this.moving.querySelectorAll("use")) {  // dots stay round
      const [x, y] = ["x", "y"].map((name) => Number(mark.getAttribute(name)));
      mark.setAttribute("transform", `translate(${x} ${y}) scale(${1 / sx} ${1 / sy}) translate(${-x} ${-y})`);
    }
    this.drawTicks(whole);
    let button = this.figure.querySelector(".reset");
    if (whole && button) button.remove();
    if (!whole && !button) {
      button = document.createElement("button");
      button.className = "reset";
      button.textContent = "whole picture";
      button.onclick = () => this.zoom();
      this.figure.append(button);
    }
  }
  // Once: what moves is put into a group, inside one that cuts it off at the axes.
  prepare() {
    if (this.moving) return;
    const key = this.figure.id, [x0, y0, x1, y1] = this.box;
    const data = [...this.svg.querySelectorAll(`[id^="${key}-data${this.axis}-"]`)];
    if (!data.length) return;
    const clip = element("clipPath", { id: `${key}-cut${this.axis}` }, this.svg);
    element("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0 }, clip);
    const still = element("g", { "clip-path": `url(#${clip.id})` });
    this.axes = data[0].closest(`[id^="${key}-axes_"]`);
    let first = data[0];
    while (first.parentNode !== this.axes) first = first.parentNode;
    this.redrawn = element("g", { class: "redrawn" });
    first.before(this.redrawn, still);
    this.moving = element("g", { class: "zoomed" }, still);
    for (const one of data) {
      this.moving.append(one);
      for (const part of [one, ...one.querySelectorAll("[clip-path]")]) part.removeAttribute("clip-path");
    }
  }
  drawTicks(whole) {
    const key = this.figure.id;
    for (const tick of this.axes.querySelectorAll(`[id^="${key}-xtick_"], [id^="${key}-ytick_"]`))
      tick.style.display = whole ? "" : "none";
    this.redrawn.replaceChildren();
    if (whole) return;
    const [x0, y0, x1, y1] = this.box, [left, right, bottom, top] = this.view;
    for (const value of this.xScale.ticks(left, right)) {
      const x = x0 + (x1 - x0) * (this.xScale.place(value) - left) / (right - left);
      element("line", { x1: x, x2: x, y1: y0, y2: y1 }, this.redrawn);
      element("text", { x, y: y1 + 13, "text-anchor": "middle" }, this.redrawn).textContent = text(value);
    }
    for (const value of this.yScale.ticks(bottom, top)) {
      const y = y1 - (y1 - y0) * (this.yScale.place(value) - bottom) / (top - bottom);
      element("line", { x1: x0, x2: x1, y1: y, y2: y }, this.redrawn);
      element("text", { x: x0 - 5, y: y + 3.5, "text-anchor": "end" }, this.redrawn).textContent = text(value);
    }
  }
}

// Tooltip, hair line and rubber band of one figure.
class Reader {
  constructor(figure) {
    this.figure = figure;
    this.svg = figure.querySelector("svg");
    const { size, panels } = JSON.parse(figure.querySelector("script").textContent);
    this.size = size;
    this.panels = panels.map((data) => new Panel(figure, this.svg, data));
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointerup", (event) => this.release(event));
    this.svg.addEventListener("pointerleave", () => this.clear());
    this.svg.addEventListener("dblclick", () => this.panels.forEach((panel) => panel.moving && panel.zoom()));
  }
  point(event) {
    const box = this.svg.getBoundingClientRect();
    return [(event.clientX - box.left) * this.size[0] / box.width, (event.clientY - box.top) * this.size[1] / box.height];
  }
  panelAt(point) {
    return this.panels.find((panel) => panel.holds(point));
  }
  press(event) {
    this.move(event);
    const from = this.point(event), panel = this.panelAt(from);
    if (panel && event.pointerType === "mouse" && !panel.bars.length) {
      event.preventDefault();
      this.drag = { panel, from };
      this.svg.setPointerCapture(event.pointerId);
    }
  }
  release(event) {
    const drag = this.drag;
    this.drag = null;
    if (this.rubber) this.rubber.remove();
    this.rubber = null;
    if (!drag) return;
    const [x, y] = this.inside(drag.panel, this.point(event)), [a, b] = drag.from;
    if (Math.abs(x - a) < 6) return;
    const [, y0, , y1] = drag.panel.box;  // a flat band zooms along the steps only
    const flat = Math.abs(y - b) < 12;
    drag.panel.zoom([a, flat ? y0 : b], [x, flat ? y1 : y]);
  }
  inside({ box: [x0, y0, x1, y1] }, [x, y]) {
    return [Math.min(x1, Math.max(x0, x)), Math.min(y1, Math.max(y0, y))];
  }
  move(event) {
    const point = this.point(event);
    if (this.drag) {
      const [x, y] = this.inside(this.drag.panel, point), [a, b] = this.drag.from;
      this.rubber = this.rubber || element("rect", { class: "rubber" }, this.svg);
      const where = { x: Math.min(a, x), y: Math.min(b, y), width: Math.abs(x - a), height: Math.abs(y - b) };
      for (const key in where) this.rubber.setAttribute(key, where[key]);
      return;
    }
    const panel = this.panelAt(point), said = panel && panel.read(point);
    if (!said || !said.rows.length) return this.clear();
    this.show(panel, said, event);
  }
  show(panel, { head, rows, hair }, event) {
    this.tip = this.tip || this.figure.appendChild(document.createElement("div"));
    this.tip.className = "tip";
    this.tip.replaceChildren(...head.map((line) => {
      const bold = document.createElement("b");
      bold.textContent = line;
      return bold;
    }), ...rows.map(([colour, name, value]) => {
      const row = document.createElement("div"), patch = document.createElement("i");
      patch.style.background = colour;
      row.append(...(colour ? [patch] : []), `${name}: ${text(value)}`);
      return row;
    }));
    const box = this.figure.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const width = this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(box.width - width, x > box.width / 2 ? x - width - 14 : x + 14))}px`;
    this.tip.style.top = `${Math.max(0, y - this.tip.offsetHeight - 10)}px`;
    if (hair === undefined) return;
    const [x0, y0, x1, y1] = panel.box, [left, right] = panel.view;
    const at = x0 + (x1 - x0) * (hair - left) / (right - left);
    this.hair = this.hair || element("line", { class: "hair" }, this.svg);
    for (const [key, value] of [["x1", at], ["x2", at], ["y1", y0], ["y2", y1]]) this.hair.setAttribute(key, value);
  }
  clear() {
    for (const name of ["tip", "hair"]) {
      if (this[name]) this[name].remove();
      this[name] = null;
    }
  }
}

for (const figure of document.querySelectorAll("figure.drawn")) new Reader(figure);
