// Pointers, wheel and keys on the stage, turned into zoom, pan and what the tool does.

const CLICK = 5; // CSS pixels that a click may move

export class Gestures {
  #pointers = new Map();
  #mode = null; // "tool", "pan" or "pinch"
  #start = [0, 0];

  constructor(stage, tools) {
    this.stage = stage;
    this.tools = tools;
    this.spaceHeld = false;
    const { canvas } = stage;
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#moved(event));
    canvas.addEventListener('pointerup', (event) => this.#up(event));
    canvas.addEventListener('pointercancel', (event) => this.#up(event, true));
    canvas.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener('keydown', (event) => this.#key(event));
    canvas.addEventListener('blur', () => this.#hideCrosshair());
  }

  #at(event) {
    const box = this.stage.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #down(event) {
    if (!this.stage.pictures.gray) return;
    this.stage.canvas.setPointerCapture(event.pointerId);
    const at = this.#at(event);
    this.#pointers.set(event.pointerId, at);
    this.#hideCrosshair();
    if (this.#pointers.size > 1) {
      this.tools.cancel();
      this.#mode = 'pinch';
      return;
    }
    this.#start = at;
    const pans = event.button === 1 || this.spaceHeld;
    const reach = event.pointerType === 'touch' ? 24 : 14;
    if (event.button > 1) this.#mode = null;
    else this.#mode = !pans && this.tools.press(...this.stage.view.toPhoto(...at), reach) ? 'tool' : 'pan';
  }

  #moved(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const at = this.#at(event);
    if (this.#mode === 'pinch') this.#pinch(event.pointerId, before, at);
    this.#pointers.set(event.pointerId, at);
    if (this.#mode === 'tool') this.tools.drag(...this.stage.view.toPhoto(...at));
    if (this.#mode === 'pan') {
      this.stage.view.pan(at[0] - before[0], at[1] - before[1]);
      this.stage.moved();
    }
  }

  #pinch(id, before, at) {
    const other = [...this.#pointers].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const spread = (p) => Math.max(Math.hypot(p[0] - other[0], p[1] - other[1]), 1);
    const { view } = this.stage;
    view.zoomTo((view.zoom * spread(at)) / spread(before), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
    view.pan((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
    this.stage.moved();
  }

  #up(event, cancelled = false) {
    if (!this.#pointers.delete(event.pointerId)) return;
    const at = this.#at(event);
    const still = Math.hypot(at[0] - this.#start[0], at[1] - this.#start[1]) < CLICK;
    if (cancelled) this.tools.cancel();
    else if (this.#mode === 'tool') this.tools.release();
    else if (this.#mode === 'pan' && still && !this.spaceHeld && event.button === 0) {
      this.tools.click(...this.stage.view.toPhoto(...at));
    }
    if (this.#pointers.size === 0) this.#mode = null;
  }

  #wheel(event) {
    if (!this.stage.pictures.gray) return;
    event.preventDefault();
    const { view } = this.stage;
    const lines = event.deltaMode === 1 ? 16 : 1;
    view.zoomTo(view.zoom * Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 120 : 400)), ...this.#at(event));
    this.stage.moved();
  }

  /** Arrows move a crosshair (Shift: farther), Enter does what a click does there; see the help. */
  #key(event) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!this.stage.pictures.gray || event.ctrlKey || event.metaKey) return;
    if (event.key in arrows) this.#moveCrosshair(arrows[event.key], event.shiftKey, event.altKey);
    else if (event.key === 'Enter') this.#act();
    else if (event.key === 'Escape' && this.tools.drawing) this.tools.cancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #moveCrosshair([dx, dy], far, pans) {
    const { view } = this.stage;
    const step = (far ? 40 : 8) / view.scale;
    if (pans) view.pan(-dx * 60, -dy * 60);
    else {
      const [x, y] = this.stage.crosshair ?? view.toPhoto(view.stage[0] / 2, view.stage[1] / 2);
      this.stage.crosshair = view.clamp(x + dx * step, y + dy * step);
      view.reveal(...this.stage.crosshair);
      if (this.tools.drawing) this.tools.drag(...this.stage.crosshair);
    }
    this.stage.moved();
  }

  /** Enter begins and ends a stroke or a box; elsewhere it is a click. */
  #act() {
    const { view } = this.stage;
    this.stage.crosshair ??= view.clamp(...view.toPhoto(view.stage[0] / 2, view.stage[1] / 2));
    if (this.tools.drawing) this.tools.release();
    else this.tools.keyPress(...this.stage.crosshair);
    this.stage.draw();
  }

  #hideCrosshair() {
    this.stage.crosshair = null;
    this.tools.cancel();
  }
}
