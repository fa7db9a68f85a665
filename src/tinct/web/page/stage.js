// The canvas: gray left of the divider, color right of it, overlays above. It draws once per frame at most.

import { labFromRgb } from './color.js';
import * as drawing from './drawing.js';
import { find } from './dom.js';
import { View } from './view.js';

const FINE = 3; // from this zoom on single pixels are shown as squares

export class Stage extends EventTarget {
  view = new View();
  canvas = find('#photograph');
  pictures = { gray: null, color: null, fullGray: null, fullColor: null, confidence: null, gains: null };
  places = [];
  hintsShown = true;
  divider = 0.5; // share of the visible photograph that is gray
  crosshair = null; // in pixels of the photograph
  draft = null; // a stroke or box being drawn
  #asked = 0;
  #samples = new Map();

  constructor(project) {
    super();
    this.project = project;
    new ResizeObserver(() => this.#resized()).observe(find('#stage'));
    for (const type of ['change', 'selection']) project.addEventListener(type, () => this.draw());
    this.#resized();
  }

  setPicture(name, bitmap) {
    this.pictures[name] = bitmap;
    this.#samples.delete(name);
    this.draw();
  }

  setPhoto(width, height) {
    this.view.setPhoto(width, height);
    this.moved();
  }

  clear() {
    for (const name of Object.keys(this.pictures)) this.setPicture(name, null);
    this.places = [];
    this.crosshair = null;
    this.draft = null;
  }

  draw() {
    this.#asked ||= requestAnimationFrame(() => {
      this.#asked = 0;
      this.#paint();
    });
  }

  /** After zoom or pan. */
  moved() {
    this.draw();
    this.dispatchEvent(new Event('view'));
  }

  /** True when the preview is coarser than the screen shows the photograph. */
  get needsFull() {
    const { color } = this.pictures;
    return color !== null && this.view.photo[0] * this.view.zoom > color.width * 1.1 && color.width < this.view.photo[0];
  }

  /** The longer side of the whole photograph as the screen shows it, in its pixels. */
  get shownSide() {
    return Math.max(...this.view.photo) * this.view.zoom;
  }

  /** Left and right end of the visible photograph on the stage. */
  get visibleSpan() {
    const [left, , right] = this.view.rectangle;
    return [Math.max(left, 0), Math.min(right, this.view.stage[0])];
  }

  get dividerX() {
    const [left, right] = this.visibleSpan;
    return left + this.divider * (right - left);
  }

  /** L* 0..100 of the photograph at a place. */
  lightnessAt(x, y) {
    const sample = this.#sample('gray', x, y) ?? [119, 119, 119];
    return labFromRgb(sample.map((v) => v / 255))[0];
  }

  /** The color shown at a place now, as bytes; null before there is one. */
  colorAt(x, y) {
    return this.#sample('color', x, y);
  }

  #sample(name, x, y) {
    const bitmap = this.pictures[name];
    if (!bitmap) return null;
    if (!this.#samples.has(name)) {
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', { willReadFrequently: true });
      context.drawImage(bitmap, 0, 0);
      this.#samples.set(name, context);
    }
    const place = [x, y].map((v, i) => Math.floor(((v + 0.5) / this.view.photo[i]) * [bitmap.width, bitmap.height][i]));
    return [...this.#samples.get(name).getImageData(...place, 1, 1).data.slice(0, 3)];
  }

  #resized() {
    const { clientWidth, clientHeight } = find('#stage');
    this.view.setStage(clientWidth, clientHeight);
    this.canvas.width = Math.max(Math.round(clientWidth * this.view.density), 1);
    this.canvas.height = Math.max(Math.round(clientHeight * this.view.density), 1);
    this.#paint();
    this.dispatchEvent(new Event('view'));
  }

  #paint() {
    const context = this.canvas.getContext('2d');
    const { density } = this.view;
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, ...this.view.stage);
    if (!this.pictures.gray) return;
    context.imageSmoothingQuality = 'high';
    context.imageSmoothingEnabled = this.view.zoom < FINE;
    this.#paintPhotograph(context);
    context.imageSmoothingEnabled = true;
    this.#paintOverlays(context);
    this.dispatchEvent(new Event('painted'));
  }

  #paintPhotograph(context) {
    const { gray, color, fullGray, fullColor } = this.pictures;
    this.#place(context, (this.needsFull && fullGray) || gray);
    if (!color || this.divider >= 1) return;
    context.save();
    context.beginPath();
    context.rect(this.dividerX, 0, this.view.stage[0], this.view.stage[1]);
    context.clip();
    if (this.needsFull && fullColor) this.#place(context, fullColor);
    else {
      // Until the full picture comes: the preview's hue and saturation on the photograph's own detail.
      if (this.needsFull && fullGray) context.globalCompositeOperation = 'color';
      this.#place(context, color);
    }
    context.restore();
  }

  #paintOverlays(context) {
    const { project, view } = this;
    for (const shade of [this.pictures.confidence, this.pictures.gains]) if (shade) this.#place(context, shade);
    if (this.places.length) drawing.drawPlaces(context, view, this.places);
    if (this.hintsShown) drawing.drawHints(context, view, project.state.hints, project.selected);
    if (this.draft?.box) drawing.drawBox(context, view, this.draft.box, null, true);
    else if (this.draft) drawing.drawStroke(context, view, this.draft, true);
    if (this.crosshair) drawing.drawCrosshair(context, ...view.toStage(...this.crosshair));
  }

  #place(context, picture) {
    const [left, top, right, bottom] = this.view.rectangle;
    context.drawImage(picture, left, top, right - left, bottom - top);
  }
}
