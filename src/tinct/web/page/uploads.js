// How files come in: dropped, pasted, picked; photographs, references, and project files.

import { find } from './dom.js';
import { isProject, readWhole, sha256 } from './files.js';
import { attempt, say, showError } from './messages.js';
import { checkProject } from './projectfile.js';

export class Uploads {
  #opened = 0; // how often a photograph was chosen
  #depth = 0; // dragenter and dragleave come for each element passed

  constructor(project, references) {
    Object.assign(this, { project, references });
    this.#picker('#photo-file', (files) => this.photograph(files));
    this.#picker('#reference-file', (files) => this.references.add(files));
    for (const id of ['#open', '#choose']) find(id).addEventListener('click', () => find('#photo-file').click());
    find('#reference-add').addEventListener('click', () => find('#reference-file').click());
    document.addEventListener('paste', (event) => this.#pasted(event));
    this.#listenToDrops();
  }

  #picker(selector, take) {
    const input = find(selector);
    input.addEventListener('change', () => {
      const files = [...input.files];
      input.value = '';
      if (files.length) take(files);
    });
  }

  /** A photograph, maybe with a project file; further pictures beside it are references. */
  async photograph(files) {
    const written = files.find(isProject);
    const [photo, ...others] = await photographFirst(files.filter((file) => !isProject(file)), written);
    if (photo && !(await this.#open(photo))) return;
    const beside = this.project.photo;
    if (others.length) await this.references.add(others);
    if (written) await attempt('stage', this.#openProject(written, beside), { about: 'project' });
  }

  /** False if it stays closed: the hand kept the one before, it cannot be read, or another was chosen meanwhile. */
  async #open(photo) {
    if (!this.#mayReplace(photo)) return false;
    const turn = (this.#opened += 1);
    const read = await attempt('stage', readWhole(photo), { about: 'file' });
    if (read && turn === this.#opened) this.project.setPhoto(read);
    return read !== null && turn === this.#opened;
  }

  #mayReplace(photo) {
    const { length } = this.project.state.hints;
    const hints = length === 1 ? 'the hint' : `the ${length} hints`;
    return length === 0 || window.confirm(`Open ${photo.name}? This forgets ${hints} on ${this.project.photo.name}.`);
  }

  async #openProject(file, photo) {
    const content = await this.#readProject(file);
    if (!photo) throw new Error(`${file.name} belongs to ${content.photo.name}; open both together.`);
    await this.#sized();
    if (this.project.refused || photo !== this.project.photo) return; // which is said where the photograph would be
    const own = await sha256(photo);
    if (own && own !== content.photo.sha256.toLowerCase()) {
      throw new Error(`${file.name} was made with another file than ${photo.name}; open ${content.photo.name} with it.`);
    }
    const hashes = await this.#hashes();
    if (photo !== this.project.photo) return; // another was opened meanwhile
    const missing = said(file, () => this.project.applyFile(content, hashes));
    if (missing.length) showError('references', `The project also uses ${missing.join(', ')}; add it, then open the project again.`);
    say(`Opened ${file.name}.`);
  }

  async #readProject(file) {
    const text = await (await readWhole(file)).text();
    return said(file, () => {
      let content;
      try {
        content = JSON.parse(text);
      } catch {
        throw new Error('it is not JSON; choose a project that tinct saved.');
      }
      checkProject(content);
      return content;
    });
  }

  /** The SHA-256 of each reference by its id. */
  async #hashes() {
    const { files, referenceIds } = this.project;
    return new Map(await Promise.all(referenceIds.map(async (id) => [id, await sha256(files.get(id).file)])));
  }

  /** What is in the project is placed by the photograph's size, which the server tells if it opens the photograph. */
  async #sized() {
    const waits = () => this.project.photo && !this.project.size && !this.project.refused;
    while (waits()) await new Promise((resolve) => setTimeout(resolve, 30));
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    const named = files.map((file) => (file.name ? file : new File([file], 'pasted.png', { type: file.type })));
    if (this.project.photo && event.target.closest?.('#references-part')) this.references.add(named);
    else this.photograph(named);
  }

  #listenToDrops() {
    const zones = find('#drop');
    const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
    const show = (change) => {
      this.#depth = Math.max(this.#depth + change, 0);
      zones.hidden = this.#depth === 0;
      zones.classList.toggle('with-photo', Boolean(this.project.photo));
    };
    addEventListener('dragenter', (event) => carriesFiles(event) && show(1));
    addEventListener('dragleave', (event) => carriesFiles(event) && show(-1));
    addEventListener('dragover', (event) => carriesFiles(event) && event.preventDefault());
    addEventListener('drop', (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      show(-this.#depth);
      this.#dropped([...event.dataTransfer.files], event.target);
    });
  }

  #dropped(files, target) {
    const asReference = target.closest('#drop-reference, #references-part') && this.project.photo;
    if (asReference && !files.some(isProject)) this.references.add(files);
    else this.photograph(files);
  }
}

/** Pictures with the one first that a project file was made with, by its bytes or, where they cannot be hashed, its name;
 * as they are without such a file. */
async function photographFirst(pictures, written) {
  if (!written || pictures.length < 2) return pictures;
  const own = await written.text().then((text) => JSON.parse(text).photo).catch(() => null);
  const isOwn = async (file) => {
    const hash = await sha256(file).catch(() => null);
    return hash ? hash === String(own?.sha256).toLowerCase() : file.name === own?.name;
  };
  const found = await Promise.all(pictures.map(isOwn));
  const at = found.indexOf(true);
  return at < 0 ? pictures : [pictures[at], ...pictures.filter((_, i) => i !== at)];
}

/** What `act` gives; what it refuses is said of the file. */
function said(file, act) {
  try {
    return act();
  } catch (error) {
    throw new Error(`${file.name} is not opened: ${error.message}`);
  }
}
