// A wheel of the colors that sRGB has at one lightness: hue around, chroma outward, and nothing where the screen has
// no such color. Two sliders beside it do the same for keyboards and readers.

import { bytesFromLab, hexFromLab, inGamut, labFromHex, maxChroma } from './color.js';

const SIZE = 360; // pixels of the picture; CSS shows it smaller
const EDGE = 6;

/** Event "color" (detail: "#rrggbb") whenever a person chooses; `set` does not send it. */
export class Wheel extends EventTarget {
  lightness = 60;
  hue = 0;
  chroma = 0;
  #reach = 100; // chroma at the wheel's rim
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
    const chroma = (Math.hypot(x, y) * SIZE * this.#reach) / (SIZE / 2 - EDGE);
    this.#choose(Math.min(chroma, maxChroma(this.lightness, this.hue)));
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

  /** One picture for a lightness; half a pixel at the gamut's edge is softened by the canvas's size on screen. */
  #render(context, lightness) {
    const image = context.createImageData(SIZE, SIZE);
    this.#reach = 0;
    for (let degrees = 0; degrees < 360; degrees += 5) {
      this.#reach = Math.max(this.#reach, maxChroma(lightness, (degrees * Math.PI) / 180));
    }
    const unit = this.#reach / (SIZE / 2 - EDGE);
    for (let row = 0, i = 0; row < SIZE; row += 1) {
      for (let column = 0; column < SIZE; column += 1, i += 4) {
        const [a, b] = [(column + 0.5 - SIZE / 2) * unit, (SIZE / 2 - row - 0.5) * unit];
        if (!inGamut(lightness, a, b)) continue;
        image.data.set(bytesFromLab(lightness, a, b), i);
        image.data[i + 3] = 255;
      }
    }
    return image;
  }

  #mark(context) {
    const radius = (this.chroma / this.#reach) * (SIZE / 2 - EDGE);
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
