// Undo and redo over whole states. States are plain immutable objects, so that keeping them costs little and the
// history can be stored beside the project.

const LIMIT = 200;
const PAUSE = 800; // ms: what follows sooner under the same key is one step, as a slider's drag is

export class History {
  constructor(state, past = [], future = []) {
    this.state = state;
    this.past = past;
    this.future = future;
    this.last = { key: null, time: 0 };
  }

  /** Take a new state. `label` says what was done ("Add a point"); steps with the same `key` in a row are one. */
  push(state, label, key = null) {
    const now = performance.now();
    const goesOn = key !== null && key === this.last.key && now - this.last.time < PAUSE && this.past.length > 0;
    if (!goesOn) this.past = [...this.past, { state: this.state, label }].slice(-LIMIT);
    this.last = { key, time: now };
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
    this.last = { key: null, time: 0 };
    return label;
  }
}
