// Undo and redo over whole states. States are plain immutable objects, so that keeping them costs little and the
// history can be stored beside the project.

const LIMIT = 200;
const PAUSE = 800; // ms: what keys do sooner under the same key is one step, as a slider that an arrow key moves is

let presses = 0;
let held = 0; // the number of the press of a pointer that is held down, 0 for none
addEventListener('pointerdown', () => (held = presses += 1), true);
for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => (held = 0), true);

export class History {
  constructor(state, past = [], future = []) {
    this.state = state;
    this.past = past;
    this.future = future;
    this.last = { key: null, time: 0, press: 0 };
  }

  /**
   * Take a new state. `label` says what was done ("Add a point"); steps in a row under the same `key` are one: those of
   * one press of a pointer, however slow it moves, and what keys do without a pause.
   */
  push(state, label, key = null) {
    const [now, last] = [performance.now(), this.last];
    const together = held && last.press ? held === last.press : now - last.time < PAUSE;
    const goesOn = key !== null && key === last.key && together && this.past.length > 0;
    if (!goesOn) this.past = [...this.past, { state: this.state, label }].slice(-LIMIT);
    this.last = { key, time: now, press: held };
    this.future = [];
    this.state = state;
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
    this.last = { key: null, time: 0, press: 0 };
    return label;
  }
}
