"use strict";
// Draws the data of this page. Texts become text nodes, never markup: they come from guests.
const data = JSON.parse(document.getElementById("data").textContent);
const LEFT = 66, RIGHT = 10, TIERS = ["Device", "DRAM", "Spill"];

const $ = (id) => document.getElementById(id);
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const svg = (tag, attributes = {}, ...children) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
  let unit = 0;
  while (count >= 1023.5 && unit < units.length - 1) { count /= 1024; unit += 1; }
  const digits = unit === 0 || count >= 99.95 ? 0 : count >= 9.995 ? 1 : 2;
  return `${count.toFixed(digits)} ${units[unit]}`;
}
function time(ms) {
  if (ms < 0.9995) return `${Math.round(ms * 1000)} µs`;
  if (ms < 999.5) return `${ms.toPrecision(3)} ms`;
  if (ms < 59995) return `${(ms / 1000).toPrecision(3)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}
const round = (text) => text.replace(/(\.\d*?)0+ /, "$1 ").replace(". ", " ");
const count = (number) => number.toLocaleString("en");

const colours = new Map(data.layers.names.map((name, index) => [name, `var(--p${index})`]));
if (data.layers.rest) colours.set(data.layers.names.at(-1), "var(--rest)");
const colour = (plugin) => colours.get(plugin) ?? "var(--rest)";
const swatch = (fill) => make("i", { class: "swatch", style: `background:${fill}` });

// What was moved: up or down says whether it came nearer to the operations, the shade where
// its other end is, and it is paler where it did not touch the device.
const PLACES = ["DRAM", "model file", "spill"];
const look = (way) => {
  const [from, to] = way.name.split(" → "), touches = from === "device" || to === "device";
  const far = touches ? (from === "device" ? to : from) : (way.closer ? from : to);
  return { fill: `var(--m${Math.max(0, PLACES.indexOf(far))})`, opacity: touches ? 1 : 0.55 };
};
const shade = (way) => {
  const { fill, opacity } = look(way);
  return `color-mix(in srgb, ${fill} ${opacity * 100}%, transparent)`;
};

function head() {
  document.title = `${data.workflow} · Berth report`;
  $("title").textContent = data.workflow;
  const ends = { done: "done in", failed: "failed after", stopped: "stopped after" };
  $("subtitle").append(`offload mode ${data.mode} · `, make("span", { class: data.end }, `${ends[data.end]} ${time(data.seconds * 1000)}`),
    ` · ${count(data.nodes.length)} node runs`);
  const cards = $("summary");
  const card = (what, figure, more, part) => {
    const card = make("div", { class: "card" }, make("div", { class: "what" }, what), make("div", { class: "figure" }, figure));
    if (more) card.append(make("div", { class: "more" }, more));
    if (part !== undefined) card.append(make("div", { class: "gauge" }, make("i", { style: `width:${Math.min(100, part * 100)}%` })));
    cards.append(card);
  };
  const moved = data.moves.ways.reduce((sum, way) => sum + (way.name.endsWith("→ device") ? way.ahead : 0), 0);
  data.tiers.forEach((tier, index) => {
    if (index === 2 && !tier.peak) return;
    const of = tier.limit === null ? "no limit" : `of ${bytes(tier.limit)} (${Math.round(tier.peak / tier.limit * 100)}%)`;
    card(`${TIERS[index]} peak`, bytes(tier.peak), of, tier.limit ? tier.peak / tier.limit : undefined);
  });
  const ahead = data.moved.to_device && moved ? `${Math.round(moved / data.moved.to_device * 100)}% ahead of use` : "when it was needed";
  card("Moved to device", bytes(data.moved.to_device), data.moved.to_device ? ahead : "");
  card("Moved to DRAM", bytes(data.moved.to_host), data.moved.to_spill ? `and ${bytes(data.moved.to_spill)} to spill` : "from the device");
  card("Evictions", count(data.evictions), `${count(data.waits)} waits for room`);
  if (data.shelved || data.lost) card("Cached results", bytes(data.shelved), data.lost ? `${bytes(data.lost)} lost` : "none lost");
  const notes = [];
  if (data.dropped) notes.push(`The recording was full: its last ${count(data.dropped)} events are missing here.`);
  if (!data.layers.tiers.some((points) => points.length)) notes.push("Nothing was recorded of memory; only nodes are shown.");
  $("note").hidden = notes.length === 0;
  $("note").textContent = notes.join(" ");
  const legend = make("div");
  data.layers.names.forEach((name) => legend.append(make("span", {}, swatch(colour(name)), name)));
  if (data.tiers.some((tier) => tier.limit !== null)) legend.append(make("span", {}, make("i", { class: "swatch line" }), "limit"));
  const ways = make("div");
  data.moves.ways.forEach((way) => ways.append(make("span", {}, make("b", {}, way.closer ? "↑" : "↓"), swatch(shade(way)), `${way.name} ${bytes(way.bytes)}`)));
  if (data.layers.names.length) $("legend").append(make("b", {}, "In use"), legend);
  if (data.moves.ways.length) $("legend").append(make("b", {}, "Moves"), ways);
}

function tables() {
  const fill = (table, titles, rows) => {
    table.append(make("thead", {}, make("tr", {}, ...titles.map((title) => make("th", { scope: "col", class: title.toLowerCase() }, title)))));
    table.append(make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells))));
  };
  const cell = (value, show = bytes) => value === null || value === undefined ? make("td", { class: "none" }, "–") : make("td", {}, show(value));
  const bar = (value, most, show) => make("td", { class: "bar", style: `--part:${most ? value / most * 100 : 0}%` }, show(value));
  const name = (plugin, ...texts) => make("td", {}, swatch(colour(plugin)), ...texts);
  const longest = Math.max(0, ...data.nodes.map((node) => node.ended - node.began));
  const widest = Math.max(0, ...data.nodes.map((node) => node.to_device));
  fill($("nodes"), ["Node", "Plugin", "Time", "Device peak", "DRAM peak", "Moved to device", "Moved to DRAM"], data.nodes.map((node) => [
    name(node.plugin, node.end === "done" ? node.label : `${node.label}: ${node.end}`, make("small", {}, node.plugin)), make("td", { class: "plugin" }, node.plugin),
    bar(node.ended - node.began, longest, time), cell(node.device_peak), cell(node.dram_peak),
    bar(node.to_device, widest, bytes), cell(node.to_dram)]));
  fill($("plugins"), ["Plugin", "Device peak", "Device now", "Quota", "Share", "DRAM peak", "DRAM now", "Spill peak"], data.plugins.map((plugin) => [
    name(plugin.name, plugin.name), cell(plugin.peak[0]), cell(plugin.charge[0]), cell(plugin.quota[0]), cell(plugin.share),
    cell(plugin.peak[1]), cell(plugin.charge[1]), cell(plugin.peak[2])]));
}

// The last point at or before a time, by halving.
function at(points, when) {
  let low = 0, high = points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] <= when) low = middle + 1; else high = middle;
  }
  return points[low - 1];
}
function ticks(most, wanted, steps) {
  const step = steps(most / wanted);
  const found = [];
  for (let value = 0; value <= most * 1.0001; value += step) found.push(value);
  return found;
}
const binary = (least) => 2 ** Math.ceil(Math.log2(Math.max(1, least * 0.7)));
function decimal(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * 0.999);
}

let scene = null;

function draw() {
  const width = Math.max(320, $("chart").clientWidth), inner = width - LEFT - RIGHT, total = data.total;
  const x = (ms) => LEFT + ms / total * inner;
  const root = svg("svg", { width, role: "img", "aria-label": "Memory over time" });
  const marks = ticks(total, Math.max(3, inner / 110), decimal);
  let top = 0;

  const panel = (title, height, note) => {
    const text = svg("text", { class: "panel", x: LEFT, y: top + 14 }, title);
    root.append(text);
    if (note) root.append(svg("text", { class: note.of ?? "", x: width - RIGHT, y: top + 14, "text-anchor": "end" }, note.text));
    const from = top + 24, to = from + height;
    top = to + 14;
    for (const mark of marks) root.append(svg("line", { class: "grid", x1: x(mark), x2: x(mark), y1: from, y2: to }));
    return [from, to];
  };
  const levels = (most, from, to, y) => {
    for (const level of ticks(most, Math.max(2, (to - from) / 42), binary)) {
      root.append(svg("line", { class: level ? "grid" : "axis", x1: LEFT, x2: width - RIGHT, y1: y(level), y2: y(level) }));
      root.append(svg("text", { x: LEFT - 7, y: y(level) + 4, "text-anchor": "end" }, level ? round(bytes(level)) : "0"));
    }
  };

  data.layers.tiers.forEach((points, index) => {
    const { limit } = data.tiers[index];
    const highest = points.reduce((high, point) => point[1] > high[1] ? point : high, [0, 0]);
    if (!points.length || (index > 0 && highest[1] === 0)) return;
    // A limit far above what was used would press all of it to the ground.
    const shown = limit !== null && limit <= highest[1] * 2.5;
    const note = limit === null ? undefined : { text: `limit ${bytes(limit)}${shown ? "" : ", beyond this scale"}`, of: "limit-text" };
    const [from, to] = panel(TIERS[index], [210, 120, 80][index], note);
    const most = Math.max(1, highest[1] * (index ? 1.3 : 1.15), shown ? limit * 1.08 : 0);
    const y = (count) => to - count / most * (to - from);
    levels(most, from, to, y);
    // What is not known any more is not drawn.
    const until = data.dropped ? points.at(-1)[0] : total;
    const edges = points.map((point, place) => [x(point[0]), x(points[place + 1]?.[0] ?? until)]);
    let base = points.map(() => 0);
    data.layers.names.forEach((name, layer) => {
      const upper = base.map((value, place) => value + points[place][2][layer]);
      const out = upper.map((value, place) => `${place ? "L" : "M"}${edges[place][0].toFixed(1)},${y(value).toFixed(1)}H${edges[place][1].toFixed(1)}`);
      const back = base.map((value, place) => `L${edges[place][1].toFixed(1)},${y(value).toFixed(1)}H${edges[place][0].toFixed(1)}`);
      root.append(svg("path", { d: `${out.join("")}${back.reverse().join("")}Z`, fill: colour(name), "fill-opacity": 0.85 }));
      base = upper;
    });
    const line = points.map((point, place) => `${place ? "L" : "M"}${edges[place][0].toFixed(1)},${y(point[1]).toFixed(1)}H${edges[place][1].toFixed(1)}`);
    root.append(svg("path", { class: "total", d: line.join("") }));
    if (shown) root.append(svg("line", { class: "limit", x1: LEFT, x2: width - RIGHT, y1: y(limit), y2: y(limit) }));
    const [left, high] = [x(highest[0]), y(highest[1])];
    // Above the point, where nothing is drawn but the limit.
    const clear = !shown || Math.abs(high - 11 - y(limit)) > 9;
    const side = clear ? "middle" : left > width - 170 ? "end" : "start";
    const place = { middle: Math.min(Math.max(left, LEFT + 45), width - RIGHT - 45), start: left + 9, end: left - 9 }[side];
    root.append(svg("circle", { class: "peak", cx: left, cy: high, r: 4 }));
    root.append(svg("text", { class: "halo", x: place, y: clear ? high - 8 : high + 15, "text-anchor": side }, `peak ${bytes(highest[1])}`));
  });

  if (data.moves.ways.length) moves(root, panel, inner, width);
  nodes(root, panel, x, width);
  for (const mark of marks) root.append(svg("text", { x: x(mark), y: top, "text-anchor": x(mark) > width - 40 ? "end" : "middle" }, mark ? round(time(mark)) : "0"));
  root.setAttribute("height", top + 6);
  const cursor = svg("line", { class: "cursor", y1: 0, y2: top - 12, x1: -9, x2: -9 });
  root.append(cursor);
  $("chart").replaceChildren(root);
  scene = { cursor, x, inner, width };
}

function moves(root, panel, inner, width) {
  const { ways, slices, evicted, lost } = data.moves;
  const sums = [true, false].map((closer) => Array.from({ length: slices }, (_, slice) =>
    ways.reduce((sum, way) => sum + (way.closer === closer ? way.slices[slice] : 0), 0)));
  const [up, down] = sums.map((sum) => Math.max(...sum));
  const [from, to] = panel("Moves", up && down ? 130 : 90, { text: `in each ${time(data.total / slices)}; upwards: nearer to the operations` });
  const strip = evicted.some((count) => count) ? 14 : 0;
  const middle = from + (to - from - strip) * (up / Math.max(1, up + down)), scale = (to - from - strip) / Math.max(1, up + down);
  for (const [most, sign] of [[up, -1], [down, 1]]) {
    if (!most) continue;
    root.append(svg("text", { x: LEFT - 7, y: middle + sign * most * scale + (sign < 0 ? 9 : 0), "text-anchor": "end" }, bytes(most)));
  }
  const wide = inner / slices;
  const next = [new Array(slices).fill(middle), new Array(slices).fill(middle)];
  for (const way of ways) {
    const place = next[way.closer ? 0 : 1], d = [];
    way.slices.forEach((count, slice) => {
      if (!count) return;
      const high = Math.max(0.75, count * scale), left = LEFT + slice * wide;
      const y = way.closer ? place[slice] - high : place[slice];
      d.push(`M${left.toFixed(2)},${y.toFixed(2)}h${Math.max(0.6, wide - 0.5).toFixed(2)}v${high.toFixed(2)}h${-Math.max(0.6, wide - 0.5).toFixed(2)}z`);
      place[slice] += way.closer ? -high : high;
    });
    root.append(svg("path", { d: d.join(""), fill: look(way).fill, "fill-opacity": look(way).opacity }));
  }
  root.append(svg("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: middle, y2: middle }));
  const often = Math.max(1, ...evicted);
  evicted.forEach((count, slice) => {
    if (count) root.append(svg("rect", { x: LEFT + slice * wide, y: to - 6, width: wide, height: 6, fill: "var(--accent)", "fill-opacity": 0.25 + 0.75 * count / often }));
  });
  if (strip) root.append(svg("text", { x: LEFT - 7, y: to + 1, "text-anchor": "end" }, "evictions"));
  lost.forEach((count, slice) => {
    const left = LEFT + (slice + 0.5) * wide;
    if (count) root.append(svg("path", { class: "lost", d: `M${left - 5},${from}h10l-5,8z` }, svg("title", {}, `${count} cached results lost`)));
  });
}

function nodes(root, panel, x, width) {
  const rows = [...new Set(data.nodes.map((node) => node.id))], high = 21;
  const [from] = panel("Nodes", Math.max(1, rows.length) * high);
  const row = new Map(rows.map((id, index) => [id, index]));
  rows.forEach((_, index) => {
    if (index % 2 === 0) root.append(svg("rect", { class: "row", x: LEFT, y: from + index * high, width: width - LEFT - RIGHT, height: high }));
  });
  const named = new Set();
  for (const node of data.nodes) {
    const left = x(node.began), right = Math.max(left + 2, x(node.ended)), y = from + row.get(node.id) * high;
    root.append(svg("rect", { class: node.end === "done" ? "" : "failed", x: left, y: y + 4, width: right - left, height: high - 8, rx: 2.5, fill: colour(node.plugin) }));
    if (named.has(node.id)) continue;
    named.add(node.id);
    const text = `${node.label} · ${time(node.ended - node.began)}`, room = 6.1 * text.length + 8;
    const inside = right + room >= width - RIGHT && left - room <= LEFT;
    const place = inside ? [left + 10, "start"] : right + room < width - RIGHT ? [right + 6, "start"] : [left - 6, "end"];
    if (inside) root.append(svg("rect", { class: "plate", x: left + 5, y: y + 4, width: room, height: high - 8 }));
    root.append(svg("text", { class: "halo", x: place[0], y: y + high / 2 + 4, "text-anchor": place[1] }, text));
  }
}

function point(when) {
  const { cursor, x, width } = scene, left = x(when);
  cursor.setAttribute("x1", left);
  cursor.setAttribute("x2", left);
  const list = make("dl"), tip = $("tip");
  const line = (what, value, fill, kind = "") => list.append(make("dt", { class: kind }, ...(fill ? [swatch(fill)] : []), what), make("dd", { class: kind }, value));
  data.layers.tiers.forEach((points, index) => {
    const found = at(points, when);
    if (!found || (index > 0 && !points.some((point) => point[1]))) return;
    line(TIERS[index], bytes(found[1]), null, "head");
    data.layers.names.forEach((name, layer) => { if (found[2][layer]) line(name, bytes(found[2][layer]), colour(name)); });
  });
  const slice = Math.min(data.moves.slices - 1, Math.floor(when / data.total * data.moves.slices));
  const moving = data.moves.ways.filter((way) => way.slices[slice]);
  if (moving.length || data.moves.evicted[slice] || data.moves.lost[slice]) line(`Moves within ${time(data.total / data.moves.slices)}`, "", null, "head");
  moving.forEach((way) => line(way.name, bytes(way.slices[slice]), shade(way)));
  if (data.moves.evicted[slice]) line("evictions", count(data.moves.evicted[slice]), "var(--accent)");
  if (data.moves.lost[slice]) line("cached results lost", count(data.moves.lost[slice]), "var(--limit)");
  const running = data.nodes.filter((node) => node.began <= when && when <= node.ended);
  if (running.length) line(running.length > 1 ? "Nodes" : "Node", "", null, "head");
  running.slice(0, 8).forEach((node) => line(node.label, "", colour(node.plugin)));
  tip.replaceChildren(make("b", {}, time(when)), list);
  tip.hidden = false;
  const offset = $("chart").offsetLeft + left;
  tip.style.left = `${left > width / 2 ? offset - tip.offsetWidth - 14 : offset + 14}px`;
  scene.when = when;
}

function listen() {
  const chart = $("chart");
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    const when = (event.clientX - box.left - LEFT) / scene.inner * data.total;
    if (when < 0 || when > data.total) return leave();
    point(when);
    const high = $("tip").offsetHeight, place = event.clientY - box.top + chart.offsetTop - high / 2;
    $("tip").style.top = `${Math.max(4, Math.min(place, chart.offsetTop + box.height - high - 4))}px`;
  });
  const leave = () => { $("tip").hidden = true; scene.cursor.setAttribute("x1", -9); scene.cursor.setAttribute("x2", -9); };
  chart.addEventListener("pointerleave", leave);
  chart.addEventListener("blur", leave);
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    point(Math.max(0, Math.min(data.total, (scene.when ?? 0) + step * data.total / data.moves.slices)));
    $("tip").style.top = `${chart.offsetTop + 30}px`;
  });
  let width = 0;
  new ResizeObserver(() => {
    if (chart.clientWidth === width) return;
    width = chart.clientWidth;
    draw();
  }).observe(chart);
}

head();
tables();
draw();
listen();
