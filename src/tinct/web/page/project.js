// The project: photograph, references, hints and options, with undo. Everything else on the page listens to it.
//
// State is immutable: { hints: [...], options: {...}, references: [{ id, weight }] }. Files stay beside it by id.

import { History } from './history.js';
import { faultOf, hintsToJson } from './hints.js';
import { DEFAULT_OPTIONS, hintsOfProject, soundOptions } from './projectfile.js';
import * as storage from './storage.js';

const EMPTY = { hints: [], options: DEFAULT_OPTIONS, references: [] };

/** Events: "photo" (another photograph), "change" (hints, options or references), "selection", "refusal" (of references), "unkept" (the browser's
 * database refuses). */
export class Project extends EventTarget {
  photo = null; // File
  size = null; // [width, height] once known
  refused = false; // the server did not open the photograph
  files = new Map(); // reference id -> { file, size }
  refusals = new Map(); // reference id -> why the server does not take it
  selected = null; // a hint's id
  history = new History(EMPTY);
  #photoFile = null; // the photograph's id in the database
  #before = null; // what comes back if the server refuses the photograph
  #stored = new Set(); // ids of files that the database has
  #refused = new Set(); // and of those that it did not take
  #saving = Promise.resolve();
  #next = null; // the save that waits for the one under way

  get state() {
    return this.history.state;
  }

  get selectedHint() {
    return this.state.hints.find((hint) => hint.id === this.selected) ?? null;
  }

  get referenceIds() {
    return this.state.references.map(({ id }) => id);
  }

  /** Ids of the references that the server takes, in their order: hints name them by their place. */
  get usableIds() {
    return this.#usable(this.referenceIds);
  }

  #usable(ids) {
    return ids.filter((id) => !this.refusals.has(id));
  }

  /** What every question to the server carries, of now; a function, as the server may yet refuse a reference. */
  get request() {
    return this.requestWithout(null);
  }

  /** The same as if one hint were not there. */
  requestWithout(id) {
    const { state, referenceIds } = this;
    const hints = state.hints.filter((hint) => hint.id !== id);
    return () => ({ hints: hintsToJson(hints, this.#usable(referenceIds)), options: state.options });
  }

  /** The server does not take some references, and `refusals` says why, or it is asked again. */
  refuseReferences(ids) {
    this.#emit('refusal', ids);
  }

  /** Begin with another photograph; references and options stay, hints belong to the old one. */
  async setPhoto(file) {
    if (this.size) this.#before = { photo: this.photo, photoFile: this.#photoFile, size: this.size, history: this.history };
    this.photo = file;
    this.#photoFile = storage.newId('p');
    this.size = null;
    this.refused = false;
    this.selected = null;
    const { options, references } = this.state;
    this.history = new History({ hints: [], options: { ...options, seed: 0 }, references });
    this.#emit('photo');
    await this.save();
  }

  /** The server opened the photograph: what was there before is forgotten. */
  opened(size) {
    this.size = size;
    if (!this.#before) return;
    this.#before = null;
    for (const id of this.files.keys()) if (!this.referenceIds.includes(id)) this.files.delete(id);
  }

  /** The server refused the photograph: the one before comes back, with its hints; references that came meanwhile stay.
   * False if there was none. */
  takeBack() {
    if (!this.#before) return false;
    const { references } = this.state;
    Object.assign(this, { photo: this.#before.photo, size: this.#before.size, history: this.#before.history, selected: null });
    this.#photoFile = this.#before.photoFile;
    this.#stored.delete(this.#photoFile); // the database let it go
    this.#before = null;
    this.#emit('photo');
    const added = references.filter(({ id }) => !this.referenceIds.includes(id));
    if (added.length) this.change('Add a reference', { references: [...this.state.references, ...added] });
    this.save();
    return true;
  }

  /** Change parts of the state; `label` is what undo will name, steps with one `key` in a row are one step. */
  change(label, parts, key = null) {
    if (this.history.push({ ...this.state, ...parts }, label, key)) this.#changed();
  }

  /** Take back the change that goes on under a key, as if it had not begun. */
  abandon(key) {
    if (this.history.abandon(key)) this.#changed();
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
    if (!this.state.hints.some((hint) => hint.id === id)) return;
    if (this.selected === id) this.selected = null;
    this.change('Delete a hint', { hints: this.state.hints.filter((hint) => hint.id !== id) });
  }

  async addReference(file, weight = 1) {
    const id = storage.newId('r');
    this.files.set(id, { file, size: null });
    this.change('Add a reference', { references: [...this.state.references, { id, weight }] });
    await this.save();
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

  /** Take hints, options and references from a checked project file, or refuse it and change nothing; its references
   * are those that are here with the same bytes. Gives the names of those that are not.
   *
   * `hashes` has the SHA-256 of each reference by id; where one is not known, the name counts.
   */
  applyFile(content, hashes) {
    const written = content.references ?? [];
    const ids = [];
    for (const each of written) ids.push(this.#referenceOf(each, hashes, ids));
    const weights = new Map(ids.map((id, i) => [id, written[i].weight ?? 1]));
    const hints = hintsOfProject(content, ids, this.size);
    this.change('Open a project file', {
      hints: hints.filter((hint) => hint.kind !== 'swatch' || hint.reference),
      options: soundOptions(content.options),
      references: [...new Set(ids.filter(Boolean))].map((id) => ({ id, weight: weights.get(id) })),
    });
    return written.filter((_, i) => !ids[i]).map(({ name }) => name);
  }

  /** The reference with these bytes, or of this name where they are not known; one that is not `taken` yet, if there is. */
  #referenceOf({ name, sha256 }, hashes, taken) {
    const same = (id) => hashes.get(id) === sha256.toLowerCase();
    const named = (id) => !hashes.get(id) && this.files.get(id).file.name === name;
    const fresh = (is) => this.referenceIds.find((id) => is(id) && !taken.includes(id));
    return fresh(same) ?? fresh(named) ?? this.referenceIds.find(same) ?? this.referenceIds.find(named);
  }

  /** Bring back what the browser kept; null if there was no photograph, else the names of the references it lost. */
  async restore() {
    const kept = await storage.load();
    const photo = kept?.files.get(kept.photoFile);
    if (!photo || this.photo) return null; // one that was opened meanwhile stays
    this.photo = photo;
    this.#photoFile = kept.photoFile;
    this.size = kept.size;
    this.#stored = new Set(kept.files.keys());
    this.files = new Map();
    for (const id of kept.referenceFiles) if (kept.files.has(id)) this.files.set(id, { file: kept.files.get(id), size: null });
    const sound = ({ state, label }) => ({ state: this.#sound(state), label });
    this.history = new History(this.#sound(kept.state), kept.past.map(sound), kept.future.map(sound));
    this.#emit('photo');
    return kept.referenceFiles.filter((id) => !this.files.has(id)).map((id) => kept.names?.[id] ?? 'a reference');
  }

  /** A state without what cannot be there: references without a file, swatches on them, hints that cannot be placed. */
  #sound({ hints, options, references }) {
    const size = this.size ?? [Infinity, Infinity];
    const stands = (hint) => !faultOf(hint, size) && (hint.kind !== 'swatch' || this.files.has(hint.reference));
    return {
      hints: hints.filter(stands),
      options: soundOptions(options),
      references: references.filter(({ id }) => this.files.has(id)),
    };
  }

  #changed() {
    if (!this.selectedHint) this.selected = null;
    this.#emit('change');
    this.save();
  }

  /** Keep what is there once the save under way has ended. */
  save() {
    this.#next ??= this.#saving.then(() => {
      this.#next = null;
      this.#saving = this.#store();
      return this.#saving;
    });
    return this.#next;
  }

  /** The state with each file that the database does not have yet; a full disk or a private window must not stop the
   * work, only its keeping. Without the photograph nothing is kept: what was kept before is worth more than half. */
  async #store() {
    if (!this.photo || this.#refused.has(this.#photoFile)) return;
    const all = [[this.#photoFile, this.photo], ...[...this.files].map(([id, { file }]) => [id, file])];
    const added = all.filter(([id]) => !this.#stored.has(id) && !this.#refused.has(id));
    const record = this.#record();
    try {
      await storage.save(record, added);
      for (const [id] of added) this.#stored.add(id);
    } catch (error) {
      for (const [id] of added) this.#refused.add(id);
      this.#emit('unkept', error);
      if (added.length) await this.#store(); // the hints at least
    }
  }

  #record() {
    const { state, past, future } = this.history;
    const referenceFiles = [...this.files.keys()];
    const names = Object.fromEntries([...this.files].map(([id, { file }]) => [id, file.name]));
    return { state, past, future, size: this.size, photoFile: this.#photoFile, referenceFiles, names };
  }

  #emit(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
