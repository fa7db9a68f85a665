// The pictures on the stage, asked of the server: gray, preview, full resolution, confidence, where a hint would help.
// At most one preview is under way; while it is, only the latest wish is kept.

import { helpShade, unsureShade } from './drawing.js';
import { REFUSALS, Session } from './api.js';
import { attempt, clearError, showError, showNotes } from './messages.js';

const SETTLE = 350; // ms without a change before full resolution is asked for
const PROMPT = 150; // ms in which the picture shall follow the hand
const SIDE_STEP = 128; // previews come in these sizes, so that the server keeps few
const AT_ONCE = 1280; // the longer side of what the browser shows before the server answers
const PREVIEW_LIMIT = 2048; // the longest preview that the server makes
const LEAST_SIDE = 16; // the least longer side of a preview that the server is asked for; it enlarges nothing
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
  #placesRevision = -1;
  #settling = 0;
  #askingFull = null; // takes the question for full resolution back
  #changed = 0; // when the last change was made
  #pace = 1; // the share of the preview's side that keeps up with the hand; the whole comes when it rests

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
    showNotes([]);
    this.#revision += 1;
    const { photo } = this.project;
    this.session = photo && new Session(photo, this.project.refusals);
    if (!photo) return;
    const session = this.session;
    session.told = (notes) => session === this.session && showNotes(notes.map((note) => this.#named(note)));
    session.refused = (ids) => session === this.session && this.project.refuseReferences(ids);
    this.#showAtOnce(photo, session);
    this.project.refused = false;
    let refusal = null;
    const opening = session.open().catch((error) => {
      if (REFUSALS.includes(error.status)) refusal = error;
      throw error;
    });
    const opened = await attempt('stage', opening, { retry: () => this.#photo(), about: 'photograph' });
    if (session !== this.session) return;
    if (refusal && this.project.takeBack()) {
      showError('stage', `${refusal.message} ${this.project.photo.name} stays.`);
      return;
    }
    this.project.refused = !opened;
    if (!opened) return;
    this.project.opened([opened.width, opened.height]);
    this.previewSide = Math.max(opened.preview_width, opened.preview_height, LEAST_SIDE);
    this.stage.setPhoto(opened.width, opened.height);
    this.refresh();
    await this.#running; // color is what one waits for
    const asking = session.picture(`gray?longer_side=${this.previewSide}`);
    const gray = await attempt('stage', asking, { retry: () => this.#photo(), about: 'gray' });
    if (gray && session === this.session) this.stage.setPicture('gray', gray);
    this.project.save();
  }

  /** The server counts references, the page shows their names. */
  #named(note) {
    const { files, usableIds } = this.project;
    return note.replace(/^reference (\d+)/, (counted, number) => files.get(usableIds[number - 1])?.file.name ?? counted);
  }

  /** What the browser itself can show, until the server's picture comes; TIFF and 16 bit it often cannot. */
  async #showAtOnce(photo, session) {
    const bitmap = await createImageBitmap(photo).catch(() => null);
    if (!bitmap || session !== this.session || this.stage.pictures.gray) return;
    const scale = Math.min(AT_ONCE / Math.max(bitmap.width, bitmap.height), 1);
    const canvas = new OffscreenCanvas(Math.ceil(bitmap.width * scale), Math.ceil(bitmap.height * scale));
    const context = canvas.getContext('2d');
    context.filter = 'grayscale(1)';
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    if (!this.project.size) this.stage.setPhoto(bitmap.width, bitmap.height);
    this.stage.setPicture('gray', canvas);
  }

  /** The colors have to be found anew. */
  refresh() {
    this.#revision += 1;
    this.#changed = performance.now();
    this.#askingFull?.abort(); // the server need not make what nobody will see
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
      this.tellReferences();
      const began = this.#changed;
      const { request } = project;
      const side = this.#quickSide;
      const body = () => ({ ...request(), longer_side: side });
      const whole = side === this.#shownSide;
      const color = await this.#attempt('preview', session.picture('preview', body));
      if (session !== this.session) continue;
      if (color) this.#show(color, began, whole);
      this.#settle();
    }
  }

  /** On behalf of the stage; each kind of picture takes away only what was said of its own kind. */
  #attempt(about, asking) {
    return attempt('stage', asking, { retry: () => this.refresh(), about });
  }

  /** The session shall work with the references that are there now. */
  tellReferences() {
    const { state, files } = this.project;
    this.session.setReferences(state.references.map(({ id, weight }) => ({ key: id, weight, file: files.get(id).file })));
  }

  #show(color, began, whole) {
    const took = performance.now() - began;
    const first = !this.stage.pictures.color;
    this.stage.setPicture('color', color);
    requestAnimationFrame(() => performance.measure(first ? 'first picture' : 'picture after a change', { start: began }));
    if (!first && took > PROMPT) this.#pace = Math.max(this.#pace * 0.75, 0.25);
    else if (took < PROMPT / 2 && !whole) this.#pace = Math.min(this.#pace * 1.25, 1);
  }

  /** The longer side of a preview as fine as the screen shows it, in pixels. */
  get #shownSide() {
    return Math.min(Math.max(Math.ceil(this.stage.shownSide / SIDE_STEP), 2) * SIDE_STEP, this.previewSide);
  }

  /** The longer side of a preview that keeps up with the hand. */
  get #quickSide() {
    const steps = Math.round((this.#shownSide * this.#pace) / SIDE_STEP);
    return Math.min(Math.max(steps, 2) * SIDE_STEP, this.#shownSide);
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
    if (Math.max(color.width, color.height) < this.#shownSide - 1) await this.#sharpen(revision);
    if (this.confidenceShown && this.#confidenceRevision !== revision) await this.showConfidence();
    if (this.placesShown && this.#placesRevision !== revision) await this.showPlaces();
    if (revision === this.#revision && this.stage.needsFull) await this.#full(revision);
  }

  async #sharpen(revision) {
    const { request } = this.project;
    const side = this.#shownSide;
    const body = () => ({ ...request(), longer_side: side });
    const color = await this.#attempt('preview', this.session.picture('preview', body));
    if (color && revision === this.#revision) this.stage.setPicture('color', color);
  }

  async #full(revision) {
    const { session, project } = this;
    if (!this.stage.pictures.fullGray) {
      const gray = await this.#attempt('full', this.#large(() => ({ options: { strength: 0 } })));
      if (!gray || session !== this.session) return;
      this.stage.setPicture('fullGray', gray);
    }
    if (revision !== this.#revision || (this.#fullRevision === revision && this.stage.pictures.fullColor)) return;
    this.#askingFull = new AbortController();
    const color = await this.#attempt('full', this.#large(project.request, this.#askingFull.signal));
    if (!color || session !== this.session || revision !== this.#revision) return;
    this.#fullRevision = revision;
    this.stage.setPicture('fullColor', color);
  }

  /** At full resolution: a large preview where one is as large as the photograph, else the file that is saved. */
  async #large(request, signal = null) {
    const [width, height] = this.project.size;
    const longest = Math.max(width, height);
    if (longest <= PREVIEW_LIMIT) return this.session.picture('preview', () => ({ ...request(), longer_side: longest }), { signal });
    const response = await this.session.ask('render', () => ({ ...request(), format: 'jpg' }), { signal });
    const scale = Math.sqrt(MOST_PIXELS / (width * height));
    const smaller = scale < 1 ? { resizeWidth: Math.round(width * scale), resizeQuality: 'high' } : {};
    return createImageBitmap(await response.blob(), smaller);
  }

  async showConfidence() {
    this.confidenceShown = true;
    const { session } = this;
    this.#confidenceRevision = this.#revision;
    const map = await this.#attempt('confidence', session.picture('confidence', this.project.request));
    if (session === this.session && this.confidenceShown) this.stage.setPicture('confidence', map && unsureShade(map));
    return map !== null;
  }

  hideConfidence() {
    this.confidenceShown = false;
    this.stage.setPicture('confidence', null);
  }

  /** The numbered places where a hint would help most, and the map whose peaks they are. */
  async showPlaces() {
    this.placesShown = true;
    const { session } = this;
    const revision = (this.#placesRevision = this.#revision);
    const found = await this.#attempt('places', this.#askPlaces(session));
    if (session !== this.session || !this.placesShown || revision !== this.#placesRevision) return found !== null;
    if (!found) this.hidePlaces();
    else {
      this.stage.places = found.places;
      this.stage.setPicture('gains', helpShade(found.map));
    }
    this.stage.dispatchEvent(new Event('places'));
    return found !== null;
  }

  async #askPlaces(session) {
    const { request } = this.project;
    const { places } = await session.answer('where', () => ({ ...request(), count: 5 }));
    return { places, map: await session.picture('gains', request) };
  }

  hidePlaces() {
    this.placesShown = false;
    this.stage.places = [];
    this.stage.setPicture('gains', null);
  }
}
