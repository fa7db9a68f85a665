// Hints: points, strokes, rectangles and swatches, in pixels of the photograph (centers of pixels are whole numbers
// for points and strokes, boxes are left, top, right, bottom edges). The JSON is that of `tinct colorize --hints`.

import { readHex } from './color.js';

const LISTS = { point: 'points', stroke: 'strokes', rectangle: 'rectangles', swatch: 'swatches' };
const round = (v) => Math.round(v * 10) / 10;

let made = 0;
const newId = () => `h${Date.now().toString(36)}${(made += 1)}`;

export const makePoint = (x, y, color, radius = 0) => ({ id: newId(), kind: 'point', x: round(x), y: round(y), color, radius });

export const makeStroke = (points, color, width) => ({
  id: newId(),
  kind: 'stroke',
  points: points.map(([x, y]) => [round(x), round(y)]),
  color,
  width: round(width),
});

export const makeSwatch = (targetBox, referenceBox, reference) => ({
  id: newId(),
  kind: 'swatch',
  target_box: targetBox.map(Math.round),
  reference_box: referenceBox.map(Math.round),
  reference, // the reference's id on the page; its place in the list when sent
});

/** The hints as the server and the command line read them; swatches whose reference has gone are left out. */
export function hintsToJson(hints, referenceIds) {
  const json = {};
  const kinds = Object.keys(LISTS);
  const mixed = hints.some(({ kind }, i) => i > 0 && kinds.indexOf(kind) < kinds.indexOf(hints[i - 1].kind));
  hints.forEach(({ id, kind, ...hint }, order) => {
    if (kind === 'swatch') hint.reference = referenceIds.indexOf(hint.reference);
    if (hint.reference < 0) return;
    (json[LISTS[kind]] ??= []).push(mixed ? { ...hint, order } : hint); // lists by kind do not say what was painted last
  });
  return json;
}

/** The other way; what is written in percent ("50%") becomes pixels. Refuses what cannot be placed, in words. */
export function hintsFromJson(json, referenceIds, size) {
  const unknown = Object.keys(json).find((list) => !Object.hasOwn(READERS, list));
  if (unknown) throw new Error(`its hints have “${unknown}”, which is not understood; use ${Object.keys(READERS).join(', ')}.`);
  const placed = Object.entries(READERS).flatMap(([list, read]) => {
    const items = json[list] ?? [];
    if (!Array.isArray(items)) throw new Error(`its ${list} are not a list; write [...] even for a single one.`);
    return items.map((item, i) => [item?.order, readHint(read, item, referenceIds, size, `number ${i + 1} of its ${list}`)]);
  });
  const orders = placed.map(([order], i) => order ?? i);
  if (!orders.every(Number.isFinite)) throw new Error('its hints have an order that is not a number; save it again.');
  return placed.map(([, hint], i) => [orders[i], hint]).sort(([a], [b]) => a - b).map(([, hint]) => hint);
}

function readHint(read, item, referenceIds, size, where) {
  let hint = null;
  try {
    hint = read(item, size, referenceIds);
  } catch {
    // not in the form that is wanted
  }
  const fault = faultOf(hint, size);
  if (fault) throw new Error(`${where} ${fault}.`);
  return hint;
}

const READERS = {
  points: (item, size) => {
    const [x, y, color, radius = 0] = Array.isArray(item) ? item : [item.x, item.y, item.color, item.radius];
    return makePoint(coordinate(x, size[0], 1), coordinate(y, size[1], 1), readColor(color), radius);
  },
  strokes: ({ points, color, width = 5 }, size) =>
    makeStroke(points.map((place) => pair(place, size)), readColor(color), width),
  rectangles: ({ box, color }, size) => ({ id: newId(), kind: 'rectangle', box: edges(box, size), color: readColor(color) }),
  swatches: (item, size, referenceIds) =>
    makeSwatch(edges(item.target_box, size), item.reference_box, referenceIds[item.reference ?? 0] ?? null),
};

/** In pixels; in percent, 100 is the last pixel's center (`apart` is 1), or the edge behind it (0). */
function coordinate(value, pixels, apart) {
  const written = typeof value === 'string' && /^([+-]?(?:\d+\.?\d*|\.\d+))(%?)$/.exec(value.trim());
  if (!written) return value;
  return written[2] ? (Number(written[1]) / 100) * (pixels - apart) : Number(written[1]);
}

function pair([x, y, ...more], size) {
  if (more.length) throw new Error('more than two numbers');
  return [coordinate(x, size[0], 1), coordinate(y, size[1], 1)];
}

const edges = (box, size) => box.map((v, i) => coordinate(v, size[i % 2], 0));

/** "#rgb" or "#rrggbb" as "#rrggbb"; anything else as it is, for `faultOf` to name. */
const readColor = (color) => (typeof color === 'string' && color.trim().startsWith('#') && readHex(color)) || color;

/** Why a hint cannot be placed on a photograph, in words that follow its name; null if it can. */
export function faultOf(hint, size) {
  const numbers = hint && numbersOf(hint);
  if (!numbers) return 'is not in the form that is wanted';
  if (!numbers.every(Number.isFinite)) return 'has a place or a size that is not a number';
  if ((hint.radius ?? hint.width ?? 0) < 0) return 'has a size below 0';
  if (hint.kind !== 'swatch' && !/^#[0-9a-f]{6}$/i.test(hint.color)) {
    return `has ${hint.color === undefined ? 'no color' : `the color ${JSON.stringify(hint.color)}`}; write one as #7a9bc4`;
  }
  const boxes = [hint.box, hint.target_box, hint.reference_box].filter(Boolean);
  if (boxes.some(([left, top, right, bottom]) => left >= right || top >= bottom)) return 'has an empty box';
  return covers(hint, size) ? null : `lies outside the photograph of ${size.join('x')} pixels`;
}

/** What of a hint has to be a number; null if parts are missing. */
function numbersOf({ kind, x, y, radius, points, width, ...hint }) {
  const isBox = (box) => Array.isArray(box) && box.length === 4;
  if (kind === 'point') return [x, y, radius];
  if (kind === 'rectangle') return isBox(hint.box) ? hint.box : null;
  if (kind === 'swatch') {
    return isBox(hint.target_box) && isBox(hint.reference_box) ? [...hint.target_box, ...hint.reference_box] : null;
  }
  const isLine = kind === 'stroke' && Array.isArray(points) && points.length > 0;
  return isLine && points.every((place) => Array.isArray(place) && place.length === 2) ? [width, ...points.flat()] : null;
}

/** Whether a hint lies on the photograph: a point's center, a part of anything else. */
function covers(hint, [width, height]) {
  const [left, top, right, bottom] = bounds(hint);
  if (hint.kind === 'point') return left >= -0.5 && left < width - 0.5 && top >= -0.5 && top < height - 0.5;
  const reach = hint.kind === 'stroke' ? hint.width / 2 : 0;
  const shift = hint.kind === 'stroke' ? 0.5 : 0; // centers of pixels against their edges
  return right + shift + reach > 0 && bottom + shift + reach > 0 && left + shift - reach < width && top + shift - reach < height;
}

/** A hint moved by (dx, dy) pixels and kept within the photograph. */
export function moveHint(hint, dx, dy, [width, height]) {
  const [left, top, right, bottom] = bounds(hint);
  const edge = boxOf(hint) ? 0 : 1;
  const x = Math.min(Math.max(dx, -left), width - edge - right);
  const y = Math.min(Math.max(dy, -top), height - edge - bottom);
  if (hint.kind === 'point') return { ...hint, x: round(hint.x + x), y: round(hint.y + y) };
  if (hint.kind === 'stroke') return { ...hint, points: hint.points.map(([px, py]) => [round(px + x), round(py + y)]) };
  const name = hint.kind === 'swatch' ? 'target_box' : 'box';
  return { ...hint, [name]: hint[name].map((v, i) => Math.round(v + (i % 2 ? y : x))) };
}

/** Left, top, right, bottom of what a hint covers, without its thickness. */
export function bounds(hint) {
  if (hint.kind === 'point') return [hint.x, hint.y, hint.x, hint.y];
  if (boxOf(hint)) return boxOf(hint);
  const [xs, ys] = [hint.points.map((p) => p[0]), hint.points.map((p) => p[1])];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

export const boxOf = (hint) => hint.box ?? hint.target_box ?? null;

/** Where a hint is held: a point's place, a stroke's middle point, a box's center. */
export function anchor(hint) {
  if (hint.kind === 'stroke') return hint.points[Math.floor(hint.points.length / 2)];
  const [left, top, right, bottom] = bounds(hint);
  return [(left + right) / 2, (top + bottom) / 2];
}

/** The topmost hint within `reach` pixels of a place, or null; points win over strokes, strokes over boxes. */
export function hintAt(hints, x, y, reach) {
  const order = ['point', 'stroke', 'rectangle', 'swatch'];
  const hit = hints.filter((hint) => distance(hint, x, y) <= reach);
  hit.sort((p, q) => order.indexOf(p.kind) - order.indexOf(q.kind) || hints.indexOf(q) - hints.indexOf(p));
  return hit[0] ?? null;
}

function distance(hint, x, y) {
  if (hint.kind === 'point') return Math.max(Math.hypot(hint.x - x, hint.y - y) - hint.radius, 0);
  const box = boxOf(hint);
  if (box) {
    const inside = x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3];
    const edge = Math.min(Math.abs(x - box[0]), Math.abs(x - box[2]), Math.abs(y - box[1]), Math.abs(y - box[3]));
    return inside ? Math.min(edge, 1) : Infinity;
  }
  let least = Infinity;
  hint.points.forEach((end, i) => {
    least = Math.min(least, toSegment(x, y, hint.points[Math.max(i - 1, 0)], end));
  });
  return Math.max(least - hint.width / 2, 0);
}

function toSegment(x, y, [x0, y0], [x1, y1]) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const t = length ? Math.min(Math.max(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0), 1) : 0;
  return Math.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0));
}

/** Leave out points of a line that lie within `slack` pixels of it (Ramer, Douglas and Peucker). */
export function simplifyLine(points, slack) {
  if (points.length < 3) return points;
  let [farthest, at] = [0, 0];
  points.forEach((p, i) => {
    const away = toSegment(p[0], p[1], points[0], points.at(-1));
    if (away > farthest) [farthest, at] = [away, i];
  });
  if (farthest <= slack) return [points[0], points.at(-1)];
  return [...simplifyLine(points.slice(0, at + 1), slack).slice(0, -1), ...simplifyLine(points.slice(at), slack)];
}
