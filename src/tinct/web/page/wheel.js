// A wheel of the colors that sRGB has at one lightness: hue around, chroma outward, neutral in the middle. The rim is
// the most chroma there is of each hue, so that every place of the wheel is a color that can be had, and none is left
// out. Two sliders beside it do the same for keyboards and readers.

import { bytesFromLab, hexFromLab, labFromHex, maxChroma } from './color.js';

const SIZE = 360; // pixels of the picture; CSS shows it smaller
const RIM = SIZE / 2 - 2;
const HUES = 360; // at which the rim is found; between them it is interpolated

/** Event "color" (detail: "#rrggbb") whenever a person chooses; `set` does not send it. */
export class Wheel extends EventTarget {
  lightness = 60;
  hue = 0;
  chroma = 0;
  #picture = null; // drawn for one lightness

  constructor(root) {
    super();
    this.canvas = root.querySelector('canvas');
    this.canvas.width = this.canvas.height = SIZE;
    this.hueSlider = root.querySelector('#hue');
    this.chromaSlider = root.querySelector('#chroma');
    this.canvas.addEventListener('pointerdown', (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.#point(event);
    });
    this.canvas.addEventListener('pointermove', (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) this.#point(event);
    });
    for (const slider of [this.hueSlider, this.chromaSlider]) slider.addEventListener('input', () => this.#slid());
  }

  get color() {
    return hexFromLab(this.lightness, this.chroma * Math.cos(this.hue), this.chroma * Math.sin(this.hue));
  }

  /** Show a color at a lightness (0..100); a neutral one keeps the hue that was there. */
  set(color, lightness) {
    const [, a, b] = labFromHex(color);
    this.lightness = Math.min(Math.max(lightness, 1), 99.5);
    this.chroma = Math.hypot(a, b);
    if (this.chroma > 1.5) this.hue = Math.atan2(b, a);
    this.chroma = Math.min(this.chroma, maxChroma(this.lightness, this.hue));
    this.#show();
  }

  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width - 0.5, 0.5 - (event.clientY - box.top) / box.height];
    this.hue = Math.atan2(y, x);
    const share = Math.min((Math.hypot(x, y) * SIZE) / RIM, 1);
    this.#choose(share * maxChroma(this.lightness, this.hue));
  }

  #slid() {
    this.hue = (Number(this.hueSlider.value) * Math.PI) / 180;
    this.#choose((Number(this.chromaSlider.value) / 100) * maxChroma(this.lightness, this.hue));
  }

  #choose(chroma) {
    this.chroma = chroma;
    this.#show();
    this.dispatchEvent(new CustomEvent('color', { detail: this.color }));
  }

  #show() {
    const context = this.canvas.getContext('2d');
    const lightness = Math.round(this.lightness);
    if (this.#picture?.lightness !== lightness) this.#picture = { lightness, image: this.#render(context, lightness) };
    context.putImageData(this.#picture.image, 0, 0);
    this.#mark(context);
    this.#showSliders();
  }

  /** One picture for a lightness; its edge fades over one pixel. */
  #render(context, lightness) {
    const image = context.createImageData(SIZE, SIZE);
    const most = Array.from({ length: HUES + 1 }, (_, i) => maxChroma(lightness, (i * 2 * Math.PI) / HUES));
    for (let row = 0, i = 0; row < SIZE; row += 1) {
      for (let column = 0; column < SIZE; column += 1, i += 4) {
        const [x, y] = [column + 0.5 - SIZE / 2, SIZE / 2 - row - 0.5];
        const radius = Math.hypot(x, y);
        if (radius > RIM + 1) continue;
        const at = ((Math.atan2(y, x) / (2 * Math.PI) + 1) % 1) * HUES;
        const [low, part] = [Math.floor(at), at % 1];
        const unit = (most[low] * (1 - part) + most[low + 1] * part) / RIM;
        image.data.set(bytesFromLab(lightness, x * unit, y * unit), i);
        image.data[i + 3] = 255 * Math.min(RIM + 1 - radius, 1);
      }
    }
    return image;
  }

  #mark(context) {
    const most = maxChroma(this.lightness, this.hue);
    const radius = most > 0 ? Math.min(this.chroma / most, 1) * (RIM - 12) : 0;
    const [x, y] = [SIZE / 2 + radius * Math.cos(this.hue), SIZE / 2 - radius * Math.sin(this.hue)];
    for (const [width, color] of [[9, 'rgba(0, 0, 0, .65)'], [5, '#fff']]) {
      context.beginPath();
      context.arc(x, y, 14, 0, 2 * Math.PI);
      context.lineWidth = width;
      context.strokeStyle = color;
      context.stroke();
    }
  }

  #showSliders() {
    const degrees = Math.round(((this.hue * 180) / Math.PI + 360) % 360);
    const most = maxChroma(this.lightness, this.hue);
    this.hueSlider.value = degrees;
    this.chromaSlider.value = most > 0 ? Math.round((100 * this.chroma) / most) : 0;
    const at = (share, hue) => hexFromLab(this.lightness, share * Math.cos(hue), share * Math.sin(hue));
    const hues = Array.from({ length: 13 }, (_, i) => (i * Math.PI) / 6);
    const even = Math.min(...hues.map((hue) => maxChroma(this.lightness, hue)));
    this.hueSlider.style.setProperty('--track', `linear-gradient(to right, ${hues.map((h) => at(even, h)).join()})`);
    const steps = [0, 0.25, 0.5, 0.75, 1].map((t) => at(t * most, this.hue));
    this.chromaSlider.style.setProperty('--track', `linear-gradient(to right, ${steps.join()})`);
  }
}
