// Hints: points, strokes, rectangles and swatches, in pixels of the photograph (centers of pixels are whole numbers
// for points and strokes, boxes are left, top, right, bottom edges). The JSON is that of `tinct colorize --hints`.

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
  for (const { id, kind, ...hint } of hints) {
    if (kind === 'swatch') {
      hint.reference = referenceIds.indexOf(hint.reference);
      if (hint.reference < 0) continue;
    }
    (json[LISTS[kind]] ??= []).push(hint);
  }
  return json;
}

/** The other way; what is written in percent ("50%") becomes pixels. */
export function hintsFromJson(json, referenceIds, [width, height]) {
  const place = (value, axis, edge) => {
    const size = axis ? height : width;
    return typeof value === 'string' ? (parseFloat(value) / 100) * (edge ? size : size - 1) : value;
  };
  const box = (values) => values.map((v, i) => place(v, i % 2, true));
  const hints = [];
  for (const p of json.points ?? []) hints.push(makePoint(place(p.x, 0), place(p.y, 1), p.color, p.radius ?? 0));
  for (const s of json.strokes ?? []) {
    hints.push(makeStroke(s.points.map(([x, y]) => [place(x, 0), place(y, 1)]), s.color, s.width ?? 5));
  }
  for (const r of json.rectangles ?? []) hints.push({ id: newId(), kind: 'rectangle', box: box(r.box), color: r.color });
  for (const s of json.swatches ?? []) {
    hints.push(makeSwatch(box(s.target_box), s.reference_box, referenceIds[s.reference ?? 0] ?? null));
  }
  return hints;
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
