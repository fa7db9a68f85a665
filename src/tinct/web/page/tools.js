// What a click or drag on the photograph does: points, strokes, the neutral brush, pairing a region, moving.

import { hexFromLab, labFromRgb } from './color.js';
import { hintAt, makePoint, makeStroke, moveHint, simplifyLine } from './hints.js';
import { say } from './messages.js';

const REACH = 14; // CSS pixels within which a hint is hit
const moving = (hint) => `move ${hint.id}`; // the key of its steps
export const TOOLS = ['move', 'point', 'stroke', 'neutral', 'pair'];

/** Events: "tool" (another tool), "region" (detail: a box dragged with the pair tool). */
export class Tools extends EventTarget {
  name = 'point';
  brushColor = null; // what strokes paint; null paints what is there
  brushWidth = 12; // CSS pixels
  #held = null;

  constructor(project, stage) {
    super();
    this.project = project;
    this.stage = stage;
  }

  choose(name) {
    this.cancel();
    this.name = name;
    this.dispatchEvent(new Event('tool'));
  }

  get paints() {
    return this.name === 'stroke' || this.name === 'neutral';
  }

  /** Begin at a place of the photograph; false if the stage shall pan instead. */
  press(x, y, reach = REACH) {
    const hits = this.stage.hintsShown ? this.project.state.hints : [];
    const hint = hintAt(hits, x, y, reach / this.stage.view.scale);
    const grabs = hint && !(this.paints && hint.kind !== 'point') && this.name !== 'pair';
    if (grabs) this.#held = { hint, from: [x, y], moved: false };
    else if (!this.stage.view.contains(x, y)) return false;
    else if (this.paints) this.#held = { line: [[x, y]] };
    else if (this.name === 'pair') this.#held = { corner: [x, y] };
    else return false;
    return true;
  }

  drag(x, y) {
    if (this.#held?.hint) this.#move(x, y);
    else if (this.#held?.line) this.#paint(x, y);
    else if (this.#held?.corner) this.stage.draft = { box: this.#boxTo(x, y) };
    this.stage.draw();
  }

  release() {
    const held = this.#drop();
    if (held?.hint) this.project.select(held.hint.id);
    else if (held?.line) this.#finishStroke(held.line);
    else if (held?.box) this.dispatchEvent(new CustomEvent('region', { detail: held.box }));
  }

  /** Let go as if nothing had been begun: a hint is where it was at the press. True if there was something to undo. */
  cancel() {
    const held = this.#drop();
    if (held?.moved) this.project.abandon(moving(held.hint));
    return Boolean(held?.moved || held?.line || held?.corner);
  }

  #drop() {
    const held = this.#held;
    this.#held = null;
    this.stage.draft = null;
    this.stage.draw();
    return held;
  }

  /** A click that hit nothing: a point where the tool makes points, else nothing is selected any more. */
  click(x, y) {
    if (this.name === 'point' && this.stage.view.contains(x, y)) this.addPoint(x, y);
    else this.project.select(null);
  }

  /** A point in the color that is there now: it changes nothing until another color is chosen, and then keeps it. */
  addPoint(x, y) {
    if (!this.#knowsColors()) return;
    const [px, py] = this.stage.view.clamp(Math.round(x), Math.round(y));
    this.project.addHint(makePoint(px, py, this.#present(px, py)), 'Add a point');
  }

  /** For keyboards: the first press begins a stroke or box, further ones go on, the last place ends it. */
  keyPress(x, y) {
    if (this.#held) this.drag(x, y);
    else if (!this.press(x, y)) this.click(x, y);
    else if (this.#held.hint) this.release();
  }

  get drawing() {
    return this.#held !== null;
  }

  /** False, and says so, while the color that a hint begins with has not come yet. */
  #knowsColors() {
    if (this.stage.pictures.color) return true;
    say('The colors are on their way; try again when they are there.');
    return false;
  }

  #present(x, y) {
    const rgb = this.stage.colorAt(x, y);
    return rgb ? hexFromLab(...labFromRgb(rgb.map((v) => v / 255))) : '#808080';
  }

  #move(x, y) {
    const held = this.#held;
    const [dx, dy] = [x - held.from[0], y - held.from[1]];
    if (!held.moved && Math.hypot(dx, dy) * this.stage.view.scale < 4) return;
    held.moved = true;
    this.project.select(held.hint.id);
    this.project.updateHint(moveHint(held.hint, dx, dy, this.stage.view.photo), 'Move a hint', moving(held.hint));
  }

  #paint(x, y) {
    this.#held.line.push(this.stage.view.clamp(x, y));
    this.stage.draft = { points: this.#held.line, ...this.#brush(this.#held.line[0]) };
  }

  #boxTo(x, y) {
    const [cx, cy] = this.#held.corner;
    const [ex, ey] = this.stage.view.clamp(x, y);
    const box = [Math.min(cx, ex), Math.min(cy, ey), Math.max(cx, ex) + 1, Math.max(cy, ey) + 1].map(Math.round);
    this.#held.box = box[2] - box[0] > 2 && box[3] - box[1] > 2 ? box : null;
    return box;
  }

  #brush([x, y]) {
    const color = this.name === 'neutral' ? '#808080' : (this.brushColor ?? this.#present(x, y));
    return { color, width: Math.max(this.brushWidth / this.stage.view.scale, 1) };
  }

  #finishStroke(line) {
    if (this.name === 'stroke' && !this.brushColor && !this.#knowsColors()) return;
    const { color, width } = this.#brush(line[0]);
    const points = simplifyLine(line, 0.7 / this.stage.view.scale);
    const label = this.name === 'neutral' ? 'Keep neutral' : 'Paint a stroke';
    this.project.addHint(makeStroke(points, color, width), label);
  }
}
