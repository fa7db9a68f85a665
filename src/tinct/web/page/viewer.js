// A reference seen large, in a dialog: the eyedropper, or the region that belongs to a region of the photograph.

import { find } from './dom.js';
import { drawBox, drawCrosshair } from './drawing.js';
import { View } from './view.js';

export class Viewer {
  dialog = find('#viewer');
  canvas = find('#viewer-canvas');
  view = new View();
  #answer = null; // called with a color, a box, or null
  #mode = 'color';
  #pressed = false;
  #corner = null;
  #cursor = null;
  #picture = null;

  constructor() {
    this.dialog.addEventListener('close', () => this.#finish(null));
    find('#viewer-close').addEventListener('click', () => this.dialog.close());
    this.canvas.addEventListener('pointerdown', (event) => this.#down(event));
    this.canvas.addEventListener('pointermove', (event) => this.#move(event));
    this.canvas.addEventListener('pointerup', (event) => this.#up(event));
    this.canvas.addEventListener('pointercancel', () => this.#letGo());
    // No click comes of the touch that closes the dialog: it would press what lies beneath.
    this.canvas.addEventListener('touchend', (event) => event.preventDefault());
    this.canvas.addEventListener('keydown', (event) => this.#key(event));
    new ResizeObserver(() => this.#paint()).observe(this.canvas);
  }

  /** Gives a color that was clicked ("#rrggbb"), or null. */
  pickColor(picture, size, name) {
    return this.#open('color', picture, size, `Pick a color from ${name}`);
  }

  /** Gives a box that was dragged, in pixels of the reference, or null. */
  pickRegion(picture, size, name) {
    return this.#open('region', picture, size, `Drag over the matching region in ${name}`);
  }

  #open(mode, picture, size, title) {
    this.#mode = mode;
    this.#picture = picture;
    this.#letGo();
    this.#cursor = null;
    find('#viewer-title').textContent = title;
    find('#viewer-color').hidden = mode === 'region';
    this.view.photo = size;
    this.dialog.showModal();
    this.canvas.focus();
    this.#paint();
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  #finish(value) {
    const answer = this.#answer;
    this.#answer = null;
    if (this.dialog.open) this.dialog.close();
    answer?.(value);
  }

  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    return this.view.clamp(...this.view.toPhoto(event.clientX - box.left, event.clientY - box.top));
  }

  #down(event) {
    if (!event.isPrimary || event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.#pressed = true;
    this.#begin(this.#place(event));
    this.#paint();
  }

  #begin(place) {
    this.#cursor = place;
    if (this.#mode === 'region') this.#corner = place;
  }

  #move(event) {
    if (!event.isPrimary) return;
    this.#cursor = this.#place(event);
    if (this.#mode === 'color') find('#viewer-color').style.setProperty('--swatch', this.#colorAt(...this.#cursor));
    this.#paint();
  }

  /** Only now may the dialog close: one that goes at the press leaves the rest of it to what lies beneath. */
  #up(event) {
    if (!this.#pressed || !event.isPrimary) return;
    this.#cursor = this.#place(event);
    this.#end();
  }

  #end() {
    if (this.#mode === 'color') this.#finish(this.#colorAt(...this.#cursor));
    else this.#finishRegion();
    this.#letGo();
  }

  #finishRegion() {
    const box = this.#box();
    if (box && box[2] - box[0] > 2 && box[3] - box[1] > 2) this.#finish(box);
  }

  #letGo() {
    this.#pressed = false;
    this.#corner = null;
    this.#paint();
  }

  #key(event) {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in arrows) {
      const step = (event.shiftKey ? 40 : 8) / this.view.scale;
      const [x, y] = this.#cursor ?? this.view.photo.map((length) => length / 2);
      this.#cursor = this.view.clamp(x + arrows[event.key][0] * step, y + arrows[event.key][1] * step);
      if (this.#mode === 'color') find('#viewer-color').style.setProperty('--swatch', this.#colorAt(...this.#cursor));
    } else if (event.key === 'Enter' && this.#cursor) {
      if (this.#mode === 'color' || this.#corner) this.#end();
      else this.#begin(this.#cursor);
    } else return;
    event.preventDefault();
    this.#paint();
  }

  /** Left, top, right, bottom between the corner where the drag began and where it is. */
  #box() {
    if (!this.#corner || !this.#cursor) return null;
    const [[x0, y0], [x1, y1]] = [this.#corner, this.#cursor];
    return [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1) + 1, Math.max(y0, y1) + 1].map(Math.round);
  }

  /** The mean of 3x3 pixels: one alone may be noise. */
  #colorAt(x, y) {
    const context = new OffscreenCanvas(1, 1).getContext('2d');
    const [sx, sy] = [this.#picture.width / this.view.photo[0], this.#picture.height / this.view.photo[1]];
    context.imageSmoothingQuality = 'high';
    context.drawImage(this.#picture, Math.max(x * sx - 1, 0), Math.max(y * sy - 1, 0), 3, 3, 0, 0, 1, 1);
    const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
    return `#${[r, g, b].map((v) => v.toString(16).padStart(2, '0')).join('')}`;
  }

  #paint() {
    if (!this.dialog.open || !this.#picture) return;
    const { clientWidth, clientHeight } = this.canvas;
    this.canvas.width = clientWidth * this.view.density;
    this.canvas.height = clientHeight * this.view.density;
    this.view.fitted = true;
    this.view.setStage(clientWidth, clientHeight);
    const context = this.canvas.getContext('2d');
    context.setTransform(this.view.density, 0, 0, this.view.density, 0, 0);
    context.imageSmoothingQuality = 'high';
    const [left, top, right, bottom] = this.view.rectangle;
    context.drawImage(this.#picture, left, top, right - left, bottom - top);
    const box = this.#box();
    if (box) drawBox(context, this.view, box, null, true);
    else if (this.#cursor && document.activeElement === this.canvas) {
      drawCrosshair(context, ...this.view.toStage(...this.#cursor));
    }
  }
}
