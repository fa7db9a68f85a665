// Saving: the photograph at full resolution, its color layer alone, and the project file.

import { downloadFile, find } from './dom.js';
import { attempt, clearError, say } from './messages.js';

export class Save {
  dialog = find('#save');
  #opened = 0; // how often the dialog was

  constructor(project, pictures) {
    Object.assign(this, { project, pictures });
    find('#save-close').addEventListener('click', () => this.dialog.close());
    find('#save-photograph').addEventListener('click', () => this.photograph(false));
    find('#save-layer').addEventListener('click', () => this.photograph(true));
    find('#save-project').addEventListener('click', () => this.projectFile());
  }

  open() {
    if (!this.project.size || this.dialog.open) return;
    clearError('save'); // of another time
    this.#opened += 1;
    this.dialog.showModal();
  }

  get #stem() {
    return this.project.photo.name.replace(/\.[^.]+$/, '') || 'photograph';
  }

  async photograph(chromaOnly) {
    const { request } = this.project;
    const format = find('#format').value || undefined;
    const body = () => {
      const { hints, options } = request();
      return { hints, options: { ...options, chroma_only: chromaOnly }, format };
    };
    const fallback = `${this.#stem}-${chromaOnly ? 'chroma' : 'color'}`;
    await this.#deliver(this.pictures.session.ask('render', body), fallback);
  }

  async projectFile() {
    await this.#deliver(this.pictures.session.ask('project', this.project.request), `${this.#stem}.tinct.json`);
  }

  async #deliver(asking, fallback) {
    const opened = this.#opened;
    const buttons = [...this.dialog.querySelectorAll('button.wide')];
    buttons.forEach((button) => (button.disabled = true));
    const response = await attempt('save', asking);
    const blob = response && (await attempt('save', response.blob()));
    buttons.forEach((button) => (button.disabled = false));
    if (!blob) return;
    const name = fileName(response.headers.get('Content-Disposition')) ?? named(fallback, blob.type);
    downloadFile(blob, name);
    if (opened === this.#opened) this.dialog.close(); // opened again meanwhile, it is for something else
    say(`Saved ${name}.`);
  }
}

/** The name a server gives (RFC 6266: filename* before filename), or null. */
export function fileName(disposition) {
  const encoded = /filename\*\s*=\s*UTF-8''([^;]+)/i.exec(disposition ?? '');
  if (encoded) return decodeURIComponent(encoded[1]);
  return /filename\s*=\s*"?([^";]+)"?/i.exec(disposition ?? '')?.[1] ?? null;
}

function named(stem, type) {
  const ending = /^image\/(\w+)/.exec(type)?.[1]?.replace('jpeg', 'jpg');
  return ending && !stem.includes('.tinct') ? `${stem}.${ending}` : stem;
}
