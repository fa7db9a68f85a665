// The project: photograph, references, hints and options, with undo. Everything else on the page listens to it.
//
// State is immutable: { hints: [...], options: {...}, references: [{ id, weight }] }. Files stay beside it by id.

import { History } from './history.js';
import { hintsFromJson, hintsToJson } from './hints.js';
import * as storage from './storage.js';

export const DEFAULT_OPTIONS = { method: null, size: null, strength: 1, vividness: 1, seed: 0, trust: 1 };
const EMPTY = { hints: [], options: DEFAULT_OPTIONS, references: [] };

/** Events: "photo" (another photograph), "change" (hints, options or references), "selection". */
export class Project extends EventTarget {
  photo = null; // File
  size = null; // [width, height] once known
  files = new Map(); // reference id -> { file, size }
  selected = null; // a hint's id
  history = new History(EMPTY);
  #saving = Promise.resolve();

  get state() {
    return this.history.state;
  }

  get selectedHint() {
    return this.state.hints.find((hint) => hint.id === this.selected) ?? null;
  }

  get referenceIds() {
    return this.state.references.map(({ id }) => id);
  }

  /** What every question to the server carries. */
  get request() {
    return { hints: hintsToJson(this.state.hints, this.referenceIds), options: this.state.options };
  }

  /** The same as if one hint were not there. */
  requestWithout(id) {
    const hints = this.state.hints.filter((hint) => hint.id !== id);
    return { ...this.request, hints: hintsToJson(hints, this.referenceIds) };
  }

  /** Begin with another photograph; references and options stay, hints belong to the old one. */
  async setPhoto(file) {
    this.photo = file;
    this.size = null;
    this.selected = null;
    const { options, references } = this.state;
    this.history = new History({ hints: [], options: { ...options, seed: 0 }, references });
    this.#emit('photo');
    await this.#keepFile('photo', file);
  }

  /** Change parts of the state; `label` is what undo will name, steps with one `key` in a row are one step. */
  change(label, parts, key = null) {
    this.history.push({ ...this.state, ...parts }, label, key);
    this.#changed();
  }

  setOptions(label, options, key = null) {
    this.change(label, { options: { ...this.state.options, ...options } }, key);
  }

  addHint(hint, label) {
    this.selected = hint.id;
    this.change(label, { hints: [...this.state.hints, hint] });
  }

  /** Replace the hint of the same id. */
  updateHint(hint, label, key = null) {
    this.change(label, { hints: this.state.hints.map((each) => (each.id === hint.id ? hint : each)) }, key);
  }

  removeHint(id) {
    if (this.selected === id) this.selected = null;
    this.change('Delete a hint', { hints: this.state.hints.filter((hint) => hint.id !== id) });
  }

  async addReference(file, weight = 1) {
    const id = `r${Date.now().toString(36)}${this.files.size}`;
    this.files.set(id, { file, size: null });
    this.change('Add a reference', { references: [...this.state.references, { id, weight }] });
    await this.#keepFile(id, file);
    return id;
  }

  removeReference(id) {
    const hints = this.state.hints.filter((hint) => hint.reference !== id);
    this.change('Remove a reference', { references: this.state.references.filter((r) => r.id !== id), hints });
  }

  weighReference(id, weight) {
    const references = this.state.references.map((r) => (r.id === id ? { ...r, weight } : r));
    this.change('Weigh a reference', { references }, `weight ${id}`);
  }

  select(id) {
    if (this.selected === id) return;
    this.selected = id;
    this.#emit('selection');
  }

  undo() {
    return this.#stepped(this.history.undo());
  }

  redo() {
    return this.#stepped(this.history.redo());
  }

  #stepped(label) {
    if (label !== null) this.#changed();
    return label;
  }

  /** Take hints and options from a project file; its references are those that are here with the same bytes.
   *
   * `hashes` has the SHA-256 of each reference by id; where one or the project's own is not known, the name counts.
   */
  applyFile(content, hashes) {
    const written = content.references ?? [];
    const ids = written.map((each) => this.#referenceOf(each, hashes));
    const weights = new Map(ids.map((id, i) => [id, written[i].weight ?? 1]));
    const kept = ids.filter(Boolean).map((id) => ({ id, weight: weights.get(id) }));
    const known = Object.keys(DEFAULT_OPTIONS).filter((name) => name in (content.options ?? {}));
    const options = Object.fromEntries(known.map((name) => [name, content.options[name]]));
    this.change('Open a project file', {
      hints: hintsFromJson(content.hints ?? {}, ids, this.size),
      options: { ...DEFAULT_OPTIONS, ...options },
      references: kept.length ? kept : this.state.references,
    });
    return written.filter((_, i) => !ids[i]).map(({ name }) => name);
  }

  #referenceOf({ name, sha256 }, hashes) {
    const same = sha256 && this.referenceIds.find((id) => hashes.get(id) === sha256);
    const named = (id) => !(sha256 && hashes.get(id)) && this.files.get(id).file.name === name;
    return same || this.referenceIds.find(named);
  }

  /** Bring back what the browser kept; true if there was a photograph. */
  async restore() {
    const kept = await storage.loadState();
    const photo = kept ? await storage.loadFile('photo') : null;
    if (!photo) return false;
    for (const id of kept.referenceFiles) {
      const file = await storage.loadFile(id);
      if (file) this.files.set(id, { file, size: null });
    }
    this.photo = photo;
    this.size = kept.size;
    this.history = new History(kept.state, kept.past, kept.future);
    this.#emit('photo');
    return true;
  }

  /** Forget everything, in the browser's database too. */
  async clear() {
    this.photo = null;
    this.files.clear();
    this.selected = null;
    this.history = new History(EMPTY);
    this.#emit('photo');
    await storage.clearState();
    await storage.keepOnly([]);
  }

  #changed() {
    if (!this.selectedHint) this.selected = null;
    this.#emit('change');
    this.save();
  }

  async #keepFile(id, file) {
    await this.#write(() => storage.saveFile(id, file));
    await this.save();
  }

  save() {
    if (!this.photo) return this.#saving;
    const { state, past, future } = this.history;
    const { size } = this;
    const referenceFiles = [...this.files.keys()];
    return this.#write(() => storage.saveState({ state, past, future, size, referenceFiles }));
  }

  /** One after the other; a full disk or a private window must not stop the work, only its keeping. */
  #write(act) {
    this.#saving = this.#saving.then(act).catch((error) => this.#emit('unkept', error));
    return this.#saving;
  }

  #emit(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
