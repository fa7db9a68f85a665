// Where the photograph lies on the stage: zoom and pan, and the way between screen and photograph.
// Sizes on the stage are CSS pixels; the photograph's are its own. A zoom of 1 shows one pixel of the photograph on
// one pixel of the screen, whatever the screen's density.

const MARGIN = 16;
const LARGEST = 16;

export class View {
  photo = [1, 1];
  stage = [1, 1];
  scale = 1; // CSS pixels per pixel of the photograph
  x = 0; // where the photograph's left edge lies
  y = 0;
  fitted = true;

  get density() {
    return window.devicePixelRatio || 1;
  }

  get zoom() {
    return this.scale * this.density;
  }

  get fitScale() {
    const margin = Math.min(MARGIN, this.stage[0] / 20, this.stage[1] / 20);
    const fits = this.photo.map((length, i) => (this.stage[i] - 2 * margin) / length);
    return Math.max(Math.min(...fits, 4), 1e-4);
  }

  /** Left, top, right, bottom of the photograph on the stage; it begins on a whole pixel of the screen, so that at
   * 100 % each pixel of the one is a pixel of the other. */
  get rectangle() {
    const [x, y] = [this.x, this.y].map((v) => Math.round(v * this.density) / this.density);
    return [x, y, x + this.photo[0] * this.scale, y + this.photo[1] * this.scale];
  }

  setPhoto(width, height) {
    this.photo = [width, height];
    this.fit();
  }

  setStage(width, height) {
    this.stage = [width, height];
    if (this.fitted) this.fit();
    else this.#keepInside();
  }

  fit() {
    this.fitted = true;
    this.scale = this.fitScale;
    this.x = (this.stage[0] - this.photo[0] * this.scale) / 2;
    this.y = (this.stage[1] - this.photo[1] * this.scale) / 2;
  }

  /** Zoom so that the place under (sx, sy) on the stage stays there. */
  zoomTo(zoom, sx = this.stage[0] / 2, sy = this.stage[1] / 2) {
    const smallest = this.fitScale;
    const scale = Math.min(Math.max(zoom / this.density, smallest), Math.max(LARGEST / this.density, smallest));
    if (scale <= smallest * 1.001) {
      this.fit();
      return;
    }
    const ratio = scale / this.scale;
    this.x = sx - (sx - this.x) * ratio;
    this.y = sy - (sy - this.y) * ratio;
    this.scale = scale;
    this.fitted = false;
    this.#keepInside();
  }

  pan(dx, dy) {
    if (this.fitted) return;
    this.x += dx;
    this.y += dy;
    this.#keepInside();
  }

  /** Pan until a place of the photograph is well inside the stage. */
  reveal(x, y) {
    const [sx, sy] = this.toStage(x, y);
    const inset = (value, length) => Math.min(Math.max(value, length * 0.1), length * 0.9) - value;
    this.pan(inset(sx, this.stage[0]), inset(sy, this.stage[1]));
  }

  /** Stage to photograph; the center of the first pixel is (0, 0). */
  toPhoto(sx, sy) {
    return [(sx - this.x) / this.scale - 0.5, (sy - this.y) / this.scale - 0.5];
  }

  toStage(x, y) {
    return [this.x + (x + 0.5) * this.scale, this.y + (y + 0.5) * this.scale];
  }

  contains(x, y) {
    return x >= -0.5 && y >= -0.5 && x < this.photo[0] - 0.5 && y < this.photo[1] - 0.5;
  }

  /** Nearest place inside the photograph. */
  clamp(x, y) {
    return [Math.min(Math.max(x, 0), this.photo[0] - 1), Math.min(Math.max(y, 0), this.photo[1] - 1)];
  }

  /** Smaller than the stage: centered; larger: no empty border wider than the margin. */
  #keepInside() {
    for (const [axis, name] of [[0, 'x'], [1, 'y']]) {
      const [length, room] = [this.photo[axis] * this.scale, this.stage[axis]];
      if (length <= room - 2 * MARGIN) this[name] = (room - length) / 2;
      else this[name] = Math.min(Math.max(this[name], room - length - MARGIN), MARGIN);
    }
  }
}
