// The references: thumbnails, weights, the eyedropper, and regions of them paired with regions of the photograph.

import { fetchFile, fetchPicture, referenceRules } from './api.js';
import { find, icon, make, refill } from './dom.js';
import { readWhole } from './files.js';
import { makeSwatch } from './hints.js';
import { attempt, clearError, say, showError } from './messages.js';
import { Viewer } from './viewer.js';

const THUMBNAIL = 128;
const SAMPLE = 32; // pixels of a side by which a file is found gray
const NAMED = 3; // names of what was left out that are listed
const STEPS = 6; // by which channels of a gray pixel may differ, of 255

export class References {
  viewer = new Viewer();
  #pictures = new Map(); // reference id -> bitmap

  constructor(project, pictures, palette, tools) {
    Object.assign(this, { project, pictures, palette, tools });
    project.addEventListener('change', () => this.show());
    project.addEventListener('photo', () => this.#showAnew());
    project.addEventListener('refusal', ({ detail: ids }) => this.#sayRefusals(ids));
    tools.addEventListener('region', (event) => this.pair(event.detail));
    find('#eyedropper').addEventListener('click', () => this.pickColor());
    find('#reference-suggest').addEventListener('click', () => this.suggest());
    find('#which-close').addEventListener('click', () => find('#which').close());
    find('#suggested-close').addEventListener('click', () => find('#suggested').close());
    this.rules = referenceRules().catch(() => ({ most: Infinity, album: false }));
    this.rules.then(({ album }) => { this.hasAlbum = album; this.show(); });
    this.show();
  }

  async add(files) {
    const { most } = await this.rules;
    let added = 0;
    const [gray, beyond] = [[], []];
    for (const file of files) {
      if (this.project.usableIds.length >= most) {
        beyond.push(file.name);
        continue;
      }
      const read = await attempt('references', readWhole(file), { about: 'file' });
      if (!read) continue;
      if (await isGray(read)) {
        gray.push(read.name);
        continue;
      }
      await this.project.addReference(read);
      added += 1;
    }
    if (added) say(added === 1 ? 'Reference added.' : `${added} references added.`);
    this.#leaveOut([gray.length && sayGray(gray), beyond.length && sayBeyond(beyond, this.project.usableIds.length, most)]);
  }

  /** Said at the stage, too: several gray photographs that are dropped there are one to colorize and no references. */
  #leaveOut(words) {
    const said = words.filter(Boolean).join(' ');
    if (said) for (const part of ['references', 'stage']) showError(part, said);
  }

  #sayRefusals(ids) {
    this.show();
    const stand = (id) => this.project.referenceIds.includes(id) && this.project.refusals.has(id);
    const names = ids.filter(stand).map((id) => this.project.files.get(id).file.name);
    const [are, them] = names.length === 1 ? ['is', 'it'] : ['are', 'them'];
    if (names.length) say(`${listed(names)} ${are} not used; why stands beside ${them}.`);
  }

  /** Another photograph: what its session shows of files that the browser cannot, the one before may not have shown. */
  #showAnew() {
    find('#references').replaceChildren();
    this.show();
  }

  show() {
    const { references } = this.project.state;
    const list = find('#references');
    const shown = [...list.children].map((item) => item.dataset.id).join();
    if (shown !== references.map(({ id }) => id).join()) {
      refill(list, references.map((r) => this.#item(r)), find('#reference-add'));
      clearError('references', 'answer'); // what was said of one that may be gone
    }
    references.forEach((reference, i) => this.#mark(list.children[i], reference));
    references.forEach(({ id, weight }, i) => this.#showWeight(list.children[i], id, weight));
    find('#reference-suggest').hidden = !(this.hasAlbum && this.project.photo);
    const none = this.project.usableIds.length === 0;
    find('#eyedropper').hidden = none;
    find('#tool-pair').disabled = none;
    if (none && this.tools.name === 'pair') this.tools.choose('point');
  }

  /** The others stay as they are: a hand may be at one of their sliders. */
  #mark(item, reference) {
    if (item.classList.contains('refused') === this.project.refusals.has(reference.id)) return;
    const marked = this.#item(reference);
    const focused = item.contains(document.activeElement);
    item.replaceWith(marked);
    if (focused) marked.querySelector('.quiet').focus();
  }

  #item({ id }) {
    const { name } = this.project.files.get(id).file;
    const why = this.project.refusals.get(id);
    const canvas = make('canvas', { width: THUMBNAIL, height: THUMBNAIL, 'aria-hidden': 'true' });
    this.#thumbnail(id, canvas);
    const view = make('button', { type: 'button', class: 'thumbnail', 'aria-label': `Pick a color from ${name}`, disabled: Boolean(why) }, canvas);
    view.addEventListener('click', () => this.pickColor(id));
    const drop = () => this.project.removeReference(id);
    const remove = make('button', { type: 'button', class: 'quiet', 'aria-label': `Remove ${name}`, click: drop }, icon('close'));
    const about = why ? this.#refusal(name, why) : this.#weighing(id, name);
    return make('li', { 'data-id': id, class: why ? 'refused' : null }, view, make('div', { class: 'about' }, ...about), remove);
  }

  #weighing(id, name) {
    const slider = make('input', { type: 'range', id: `weight-${id}`, min: 0, max: 1, step: 0.05 });
    slider.addEventListener('input', () => this.project.weighReference(id, Number(slider.value)));
    const output = make('output', { for: slider.id });
    const label = make('label', { for: slider.id, class: 'name' }, name);
    return [label, make('div', { class: 'weight' }, make('span', {}, 'Weight'), slider, output)];
  }

  #refusal(name, why) {
    const reason = why.replace(`${name}: `, '').replace(`${name} is `, 'it is '); // the name stands above it
    return [make('span', { class: 'name' }, name), make('p', { class: 'why' }, make('b', {}, 'Not used: '), reason)];
  }

  #showWeight(item, id, weight) {
    if (this.project.refusals.has(id)) return;
    item.querySelector('input').value = weight;
    item.querySelector('output').textContent = `${Math.round(100 * weight)} %`;
  }

  async #thumbnail(id, canvas) {
    const bitmap = await this.#picture(id);
    if (!bitmap) return;
    drawFilling(canvas, bitmap);
  }

  /** The reference's picture: as the browser reads it, or, for kinds it cannot read, the server's thumbnail. */
  async #picture(id) {
    if (this.#pictures.has(id)) return this.#pictures.get(id);
    const entry = this.project.files.get(id);
    let bitmap = await createImageBitmap(entry.file).catch(() => null);
    if (bitmap) entry.size = [bitmap.width, bitmap.height];
    else bitmap = await this.#thumbnailOfServer(id);
    if (bitmap) this.#pictures.set(id, bitmap);
    return bitmap;
  }

  async #thumbnailOfServer(id) {
    const { session } = this.pictures;
    if (!session) return null;
    this.pictures.tellReferences(); // the server shows only what it has
    await session.synced().catch(() => null);
    const place = this.project.usableIds.indexOf(id);
    return place < 0 ? null : session.picture(`references/${place}.png`).catch(() => null);
  }

  /** The eyedropper: a color of a reference for the chosen hint or the brush. */
  async pickColor(id = this.project.usableIds[0]) {
    const bitmap = id && (await this.#picture(id));
    if (!bitmap) return;
    const { file } = this.project.files.get(id);
    const color = await this.viewer.pickColor(bitmap, [bitmap.width, bitmap.height], file.name);
    if (!color) return;
    this.palette.choose(color);
    say(`Picked ${color}.`);
  }

  /** A region of the photograph takes its colors from a region of a reference. */
  async pair(targetBox) {
    const ids = this.project.usableIds;
    const id = ids.length > 1 ? await this.#which(ids) : ids[0];
    const bitmap = id && (await this.#picture(id));
    if (!bitmap) return;
    const { file, size } = this.project.files.get(id);
    if (!size) {
      showError('references', `${file.name}: this browser cannot show such files; pair a PNG or JPEG reference.`);
      return;
    }
    const box = await this.viewer.pickRegion(bitmap, size, file.name);
    if (box) this.project.addHint(makeSwatch(targetBox, box, id), 'Pair a region');
  }

  /** The photographs of the server's album that are most like the photograph: a dialog with their thumbnails. */
  async suggest() {
    const answer = await attempt('references', this.pictures.session.answer('references/suggest', { count: 3 }));
    if (!answer) return;
    if (!answer.references.length) {
      say('No photograph of the album is alike enough.');
      return;
    }
    find('#suggested-list').replaceChildren(...answer.references.map((each) => this.#suggestion(each)));
    find('#suggested').showModal();
  }

  #suggestion({ name, likeness, thumbnail, file }) {
    const canvas = make('canvas', { width: THUMBNAIL, height: THUMBNAIL, 'aria-hidden': 'true' });
    fetchPicture(thumbnail).then((bitmap) => drawFilling(canvas, bitmap), () => {});
    const take = async () => {
      find('#suggested').close();
      const taken = await attempt('references', fetchFile(file, name.split('/').pop()));
      if (taken) await this.add([taken]);
    };
    const button = make('button', { type: 'button', class: 'thumbnail', 'aria-label': `Take colors from ${name}`, click: take }, canvas);
    return make('figure', {}, button, make('figcaption', {}, `${name} (likeness ${likeness.toFixed(2)})`));
  }

  /** Which reference: a dialog with their thumbnails. */
  #which(ids) {
    const dialog = find('#which');
    const choices = ids.map((id) => {
      const canvas = make('canvas', { width: THUMBNAIL, height: THUMBNAIL, 'aria-hidden': 'true' });
      this.#thumbnail(id, canvas);
      const { name } = this.project.files.get(id).file;
      return make('button', { type: 'button', class: 'thumbnail', 'aria-label': name, click: () => dialog.close(id) }, canvas);
    });
    find('#which-list').replaceChildren(...choices);
    dialog.returnValue = '';
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => resolve(dialog.returnValue || null), { once: true });
    });
  }
}

function sayGray(names) {
  const [are, them] = names.length === 1 ? ['is', 'it was'] : ['are', 'they were'];
  return `${listed(names)} ${are} gray and ${are === 'is' ? 'has' : 'have'} no colors to give: ${them} not added. Photographs are colorized one at a time here; “tinct colorize” takes whole folders.`;
}

/** There may be at most so many references, and there are as many: what to do for those beyond. */
function sayBeyond(names, there, most) {
  const were = names.length === 1 ? 'was' : 'were';
  return `${there + names.length} references are more than the ${most} that this server takes: ${listed(names)} ${were} not added. Remove others first, then add again.`;
}

function listed(names) {
  const more = names.length - NAMED;
  return more > 1 ? `${names.slice(0, NAMED).join(', ')} and ${more} more` : names.join(', ');
}

/** Draw the middle of a picture so that it fills a thumbnail. */
function drawFilling(canvas, bitmap) {
  const scale = Math.max(THUMBNAIL / bitmap.width, THUMBNAIL / bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, (THUMBNAIL - width) / 2, (THUMBNAIL - height) / 2, width, height);
}

/** Turn the confidence overlay on or off, with its button. */
export async function toggleConfidence(pictures, button) {
  const shown = pictures.confidenceShown;
  button.setAttribute('aria-pressed', String(!shown));
  find('#confidence-told').hidden = shown;
  if (shown) pictures.hideConfidence();
  else if (!(await attempt('references', pictures.showConfidence()))) {
    button.setAttribute('aria-pressed', 'false');
    pictures.hideConfidence();
    find('#confidence-told').hidden = true;
  }
}

/** True for a file that the browser can show and that has no color anywhere; the server knows the rest. */
async function isGray(file) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return false;
  const context = new OffscreenCanvas(SAMPLE, SAMPLE).getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, SAMPLE, SAMPLE);
  const { data } = context.getImageData(0, 0, SAMPLE, SAMPLE);
  for (let i = 0; i < data.length; i += 4) {
    const channels = data.subarray(i, i + 3);
    if (data[i + 3] > 0 && Math.max(...channels) - Math.min(...channels) > STEPS) return false;
  }
  return true;
}
