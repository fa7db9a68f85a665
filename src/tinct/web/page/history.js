// Undo and redo over whole states. States are plain immutable objects, so that keeping them costs little and the
// history can be stored beside the project.

const LIMIT = 200;
const PAUSE = 800; // ms: what keys do sooner under the same key is one step, as a slider that an arrow key moves is
const NOTHING = { key: null, time: 0, press: 0, future: [] };

let presses = 0;
let held = 0; // the number of the press of a pointer that is held down, 0 for none
addEventListener('pointerdown', () => (held = presses += 1), true);
for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => (held = 0), true);

/** Whether two plain values say the same. */
function same(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => name in b && same(a[name], b[name]));
}

export class History {
  constructor(state, past = [], future = []) {
    // What was left out of stored states may have been all that a step changed.
    const changes = ({ state: other }, i, steps) => !same(other, steps[i + 1]?.state ?? state);
    this.state = state;
    this.past = past.filter(changes);
    this.future = future.filter(changes);
    this.last = NOTHING;
  }

  /**
   * Take a new state; false if it is the one that is there. `label` says what was done ("Add a point"); steps in a row
   * under the same `key` are one: those of one press of a pointer, however slow it moves, and what keys do without a
   * pause. Keys are for what is moved continuously; each single choice is a step of its own.
   */
  push(state, label, key = null) {
    if (same(state, this.state)) return false;
    const [now, last] = [performance.now(), this.last];
    const together = held && last.press ? held === last.press : now - last.time < PAUSE;
    const goesOn = key !== null && key === last.key && together && this.past.length > 0;
    if (goesOn && same(state, this.past.at(-1).state)) return this.abandon(key);
    if (!goesOn) this.past = [...this.past, { state: this.state, label }].slice(-LIMIT);
    this.last = { key, time: now, press: held, future: goesOn ? last.future : this.future };
    this.future = [];
    this.state = state;
    return true;
  }

  /** Take back the step that goes on under a key, as if it had not begun; false if none does. */
  abandon(key) {
    if (this.last.key !== key) return false;
    this.state = this.past.at(-1).state;
    this.past = this.past.slice(0, -1);
    this.future = this.last.future;
    this.last = NOTHING;
    return true;
  }

  get undoLabel() {
    return this.past.at(-1)?.label ?? null;
  }

  get redoLabel() {
    return this.future.at(-1)?.label ?? null;
  }

  undo() {
    return this.#step('past', 'future');
  }

  redo() {
    return this.#step('future', 'past');
  }

  #step(from, to) {
    if (this[from].length === 0) return null;
    const { state, label } = this[from].at(-1);
    this[from] = this[from].slice(0, -1);
    this[to] = [...this[to], { state: this.state, label }];
    this.state = state;
    this.last = NOTHING;
    return label;
  }
}
