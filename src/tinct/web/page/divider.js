// The before/after slider: a line over the photograph, gray on its left. It is a slider for keyboards and readers too.

import { find } from './dom.js';

export class Divider {
  handle = find('#divider');
  #last = 0.5;

  constructor(stage) {
    this.stage = stage;
    stage.addEventListener('painted', () => this.#follow());
    this.handle.addEventListener('pointerdown', (event) => this.#grab(event));
    this.handle.addEventListener('pointermove', (event) => this.#drag(event));
    this.handle.addEventListener('keydown', (event) => this.#key(event));
  }

  set(share) {
    this.stage.divider = Math.min(Math.max(share, 0), 1);
    this.stage.draw();
  }

  /** Between all color and the comparison. */
  toggle() {
    if (this.stage.divider > 0.01) {
      this.#last = this.stage.divider;
      this.glide(0);
    } else this.glide(this.#last > 0.01 ? this.#last : 0.5);
  }

  /** Move there in a fifth of a second, or at once where motion is not wanted. */
  glide(share) {
    const from = this.stage.divider;
    const start = performance.now();
    const duration = matchMedia('(prefers-reduced-motion: reduce)').matches ? 1 : 200;
    const step = (now) => {
      const t = Math.min(Math.max((now - start) / duration, 0), 1);
      this.set(from + (share - from) * t * (2 - t));
      if (t < 1) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  #grab(event) {
    event.preventDefault();
    this.handle.focus();
    this.handle.setPointerCapture(event.pointerId);
  }

  #drag(event) {
    if (!this.handle.hasPointerCapture(event.pointerId)) return;
    const [left, right] = this.stage.visibleSpan;
    this.set((event.clientX - this.stage.canvas.getBoundingClientRect().left - left) / (right - left));
  }

  #key(event) {
    const steps = { ArrowLeft: -0.02, ArrowDown: -0.02, ArrowRight: 0.02, ArrowUp: 0.02, PageUp: 0.1, PageDown: -0.1 };
    if (event.key in steps) this.set(this.stage.divider + steps[event.key]);
    else if (event.key === 'Home') this.set(0);
    else if (event.key === 'End') this.set(1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #follow() {
    const { stage, handle } = this;
    const [, top, , bottom] = stage.view.rectangle;
    handle.hidden = !stage.pictures.color;
    handle.style.left = `${stage.dividerX}px`;
    handle.style.top = `${Math.max(top, 0)}px`;
    handle.style.height = `${Math.min(bottom, stage.view.stage[1]) - Math.max(top, 0)}px`;
    const percent = Math.round(100 * stage.divider);
    handle.setAttribute('aria-valuenow', percent);
    handle.setAttribute('aria-valuetext', `${percent} percent gray, the rest in color`);
  }
}
