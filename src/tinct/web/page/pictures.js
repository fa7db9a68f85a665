// The pictures on the stage, asked of the server: grey, preview, full resolution, confidence, places worth a click.
// At most one preview is under way; while it is, only the latest wish is kept.

import { unsureShade } from './drawing.js';
import { Session } from './api.js';
import { attempt, clearError } from './messages.js';

const SETTLE = 350; // ms without a change before full resolution is asked for
const PROMPT = 150; // ms in which the picture shall follow the hand
const PREVIEW_LIMIT = 2048; // the longest preview that the server makes
const MOST_PIXELS = 60_000_000; // what a browser shows at once; what is saved is always full size

export class Pictures {
  session = null;
  confidenceShown = false;
  placesShown = false;
  #wanted = false;
  #running = null;
  #revision = 0;
  #fullRevision = -1;
  #confidenceRevision = -1;
  #settling = 0;
  #quickSide = 0; // what follows the hand at once; the whole preview comes when it rests

  constructor(project, stage) {
    this.project = project;
    this.stage = stage;
    project.addEventListener('photo', () => this.#photo());
    project.addEventListener('change', () => this.refresh());
    stage.addEventListener('view', () => this.#settle());
  }

  async #photo() {
    this.session?.close();
    this.stage.clear();
    clearError('stage');
    this.#revision += 1;
    const { photo } = this.project;
    this.session = photo && new Session(photo);
    if (!photo) return;
    const session = this.session;
    this.#showAtOnce(photo, session);
    const opened = await attempt('stage', session.open(), { retry: () => this.#photo() });
    if (!opened || session !== this.session) return;
    this.project.size = [opened.width, opened.height];
    this.previewSide = this.#quickSide = Math.max(opened.preview_width, opened.preview_height);
    this.stage.setPhoto(opened.width, opened.height);
    this.refresh();
    const gray = await attempt('stage', session.picture(`gray?longer_side=${this.previewSide}`));
    if (gray && session === this.session) this.stage.setPicture('gray', gray);
    this.project.save();
  }

  /** What the browser itself can show, until the server's picture comes; TIFF and 16 bit it often cannot. */
  async #showAtOnce(photo, session) {
    const bitmap = await createImageBitmap(photo).catch(() => null);
    if (!bitmap || session !== this.session || this.stage.pictures.gray) return;
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context.filter = 'grayscale(1)';
    context.drawImage(bitmap, 0, 0);
    if (!this.project.size) this.stage.setPhoto(bitmap.width, bitmap.height);
    this.stage.setPicture('gray', canvas);
  }

  /** The colors have to be found anew. */
  refresh() {
    this.#revision += 1;
    this.stage.places = [];
    this.#wanted = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  async #run() {
    while (this.#wanted) {
      this.#wanted = false;
      if (!this.session || !this.project.size) return;
      const { session, project } = this;
      session.setReferences(project.state.references.map(({ id, weight }) => ({ key: id, weight, file: project.files.get(id).file })));
      const began = performance.now();
      const body = { ...project.request, longer_side: this.#quickSide };
      const color = await attempt('stage', session.picture('preview', body), { retry: () => this.refresh() });
      if (session !== this.session) continue;
      if (color) this.#show(color, performance.now() - began);
      this.#settle();
    }
  }

  #show(color, took) {
    const first = !this.stage.pictures.color;
    this.stage.setPicture('color', color);
    if (!first && took > PROMPT) this.#quickSide = Math.max(Math.round(this.#quickSide * 0.7), Math.min(this.previewSide, 320));
  }

  #settle() {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#follow(), SETTLE);
    if (this.#fullRevision !== this.#revision) this.stage.pictures.fullColor = null;
  }

  /** What is asked for once the hand rests: overlays, and full resolution where the screen shows it. */
  async #follow() {
    if (!this.session || this.#running || !this.stage.pictures.color) return;
    const revision = this.#revision;
    const { color } = this.stage.pictures;
    if (Math.max(color.width, color.height) < this.previewSide - 1) await this.#sharpen(revision);
    if (this.confidenceShown && this.#confidenceRevision !== revision) await this.showConfidence();
    if (this.placesShown && this.stage.places.length === 0) await this.showPlaces();
    if (revision === this.#revision && this.stage.needsFull) await this.#full(revision);
  }

  async #sharpen(revision) {
    const body = { ...this.project.request, longer_side: this.previewSide };
    const color = await attempt('stage', this.session.picture('preview', body));
    if (color && revision === this.#revision) this.stage.setPicture('color', color);
  }

  async #full(revision) {
    const { session, project } = this;
    if (!this.stage.pictures.fullGray) {
      const gray = await attempt('stage', this.#large({ options: { strength: 0 } }));
      if (!gray || session !== this.session) return;
      this.stage.setPicture('fullGray', gray);
    }
    if (revision !== this.#revision || (this.#fullRevision === revision && this.stage.pictures.fullColor)) return;
    const color = await attempt('stage', this.#large(project.request));
    if (!color || session !== this.session || revision !== this.#revision) return;
    this.#fullRevision = revision;
    this.stage.setPicture('fullColor', color);
  }

  /** At full resolution: a large preview where one is as large as the photograph, else the file that is saved. */
  async #large(request) {
    const [width, height] = this.project.size;
    const longest = Math.max(width, height);
    if (longest <= PREVIEW_LIMIT) return this.session.picture('preview', { ...request, longer_side: longest });
    const response = await this.session.ask('render', { ...request, format: 'jpg' });
    const scale = Math.sqrt(MOST_PIXELS / (width * height));
    const smaller = scale < 1 ? { resizeWidth: Math.round(width * scale), resizeQuality: 'high' } : {};
    return createImageBitmap(await response.blob(), smaller);
  }

  async showConfidence() {
    this.confidenceShown = true;
    const { session } = this;
    this.#confidenceRevision = this.#revision;
    const map = await attempt('stage', session.picture('confidence', this.project.request));
    if (session === this.session && this.confidenceShown) this.stage.setPicture('confidence', map && unsureShade(map));
    return map !== null;
  }

  hideConfidence() {
    this.confidenceShown = false;
    this.stage.setPicture('confidence', null);
  }

  async showPlaces() {
    this.placesShown = true;
    const revision = this.#revision;
    const found = await attempt('stage', this.session.answer('where', { ...this.project.request, count: 5 }));
    if (!found) this.placesShown = false;
    else if (revision === this.#revision && this.placesShown) {
      this.stage.places = found.places;
      this.stage.draw();
      this.stage.dispatchEvent(new Event('places'));
    }
    return found !== null;
  }

  hidePlaces() {
    this.placesShown = false;
    this.stage.places = [];
    this.stage.draw();
  }
}
