// What is drawn over the photograph: hints, places worth a click, the keyboard's crosshair, a region being dragged.
// All of it is legible on any picture: light lines in dark casings.

import { anchor, boxOf } from './hints.js';

const LIGHT = '#fff';
const DARK = 'rgba(0, 0, 0, .65)';

export function drawHints(context, view, hints, selected) {
  for (const hint of hints) {
    const chosen = hint.id === selected;
    if (hint.kind === 'point') drawPoint(context, view, hint, chosen);
    else if (hint.kind === 'stroke') drawStroke(context, view, hint, chosen);
    else drawBox(context, view, boxOf(hint), hint.color ?? null, chosen);
  }
}

function drawPoint(context, view, hint, chosen) {
  const [x, y] = view.toStage(hint.x, hint.y);
  const reach = hint.radius * view.scale;
  if (reach > 8) ring(context, x, y, reach, chosen ? [4, 3] : []);
  disk(context, x, y, chosen ? 9 : 7, hint.color);
  if (chosen) ring(context, x, y, 14, []);
}

function disk(context, x, y, radius, color) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = color;
  context.fill();
  cased(context, 2.5);
}

function ring(context, x, y, radius, dashes) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.setLineDash(dashes);
  cased(context, 1.5);
  context.setLineDash([]);
}

/** Stroke the path in light on a dark casing. */
function cased(context, width) {
  context.lineWidth = width + 2;
  context.strokeStyle = DARK;
  context.stroke();
  context.lineWidth = width;
  context.strokeStyle = LIGHT;
  context.stroke();
}

export function drawStroke(context, view, hint, chosen) {
  context.save();
  context.lineCap = context.lineJoin = 'round';
  tracePath(context, view, hint.points);
  if (chosen) {
    context.globalAlpha = 0.45;
    context.lineWidth = Math.max(hint.width * view.scale, 1);
    context.strokeStyle = hint.color;
    context.stroke();
    context.globalAlpha = 1;
  }
  for (const [width, color] of [[7, DARK], [5, LIGHT], [3, hint.color]]) {
    context.lineWidth = width;
    context.strokeStyle = color;
    context.stroke();
  }
  context.restore();
  if (chosen) disk(context, ...view.toStage(...anchor(hint)), 7, hint.color);
}

function tracePath(context, view, points) {
  context.beginPath();
  points.forEach((point, i) => {
    const [x, y] = view.toStage(...point);
    if (i) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  if (points.length === 1) context.lineTo(...view.toStage(points[0][0] + 0.01, points[0][1]));
}

/** A box in edges of pixels: left, top, right, bottom. */
export function drawBox(context, view, [left, top, right, bottom], color, chosen) {
  const [x0, y0] = view.toStage(left - 0.5, top - 0.5);
  const [x1, y1] = view.toStage(right - 0.5, bottom - 0.5);
  context.beginPath();
  context.rect(x0, y0, x1 - x0, y1 - y0);
  if (!chosen) context.setLineDash([6, 4]);
  cased(context, 2);
  context.setLineDash([]);
  if (color) disk(context, (x0 + x1) / 2, (y0 + y1) / 2, 7, color);
}

/** Places worth a click, best first. */
export function drawPlaces(context, view, places) {
  places.forEach(({ x, y }, i) => numbered(context, ...view.toStage(x, y), i + 1));
}

function numbered(context, x, y, number) {
  disk(context, x, y, 12, '#161616');
  context.fillStyle = LIGHT;
  context.font = '600 13px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(String(number), x, y + 0.5);
}

export function drawCrosshair(context, sx, sy) {
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    context.moveTo(sx + 5 * dx, sy + 5 * dy);
    context.lineTo(sx + 16 * dx, sy + 16 * dy);
  }
  cased(context, 2);
}

/** Confidence (white: sure) as a shade: the less sure, the darker. A shade leaves hues as they are. */
export const unsureShade = (confidence) => shade(confidence, (share) => 0.8 * (1 - share));

/** How much a hint would help (white: most) as a shade that leaves light where to click. */
export const helpShade = (gains) => shade(gains, (share, least) => (0.68 * (1 - share)) / Math.max(1 - least, 0.05));

/** A black picture whose opacity, 0..1, follows from a gray map's values and the least of them. */
function shade(map, opacity) {
  const { width, height } = map;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(map, 0, 0);
  const image = context.getImageData(0, 0, width, height);
  let least = 255;
  for (let i = 0; i < image.data.length; i += 4) least = Math.min(least, image.data[i]);
  for (let i = 0; i < image.data.length; i += 4) {
    const opaque = opacity(image.data[i] / 255, least / 255);
    image.data[i] = image.data[i + 1] = image.data[i + 2] = 0;
    image.data[i + 3] = 255 * opaque;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
