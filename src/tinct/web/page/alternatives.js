// A strip of different plausible colorizations; picking one sets the seed, and work goes on from there.

import { fetchPicture } from './api.js';
import { find, make } from './dom.js';
import { attempt, clearError } from './messages.js';

const COUNT = 5;
const SIDE = 240;

export class Alternatives {
  #shownFor = null;

  constructor(project, pictures) {
    Object.assign(this, { project, pictures });
    find('#alternatives-show').addEventListener('click', () => this.ask());
    project.addEventListener('photo', () => this.#clear());
    project.addEventListener('change', () => this.#mark());
  }

  async ask() {
    const { session } = this.pictures;
    if (!session) return;
    const asked = JSON.stringify(this.#question);
    const found = await attempt('alternatives', session.whileOpen(this.#ask(session)), { retry: () => this.ask() });
    if (!found || session !== this.pictures.session) return;
    this.#shownFor = asked;
    find('#alternatives').replaceChildren(...found.map((each, i) => this.#choice(each, i)));
    find('#alternatives').hidden = false;
    // Its button goes: the focus goes on to what it brought.
    if (document.activeElement === find('#alternatives-show')) find('#alternatives').focus();
    this.#mark();
  }

  /** The first is what tinct does by itself; seeds are the server's to choose. */
  async #ask(session) {
    const { request } = this.project;
    const question = () => ({ ...asFirst(request()), longer_side: SIDE });
    const { alternatives } = await session.answer('alternatives', () => ({ ...question(), count: COUNT }));
    const others = alternatives.map(async ({ seed, preview }) => ({ seed, bitmap: await fetchPicture(preview) }));
    const first = session.picture('preview', question).then((bitmap) => ({ seed: 0, bitmap }));
    return (await Promise.all([first, ...others])).filter(({ seed }, i) => i === 0 || seed !== 0);
  }

  get #question() {
    return asFirst(this.project.request());
  }

  #choice({ seed, bitmap }, i) {
    const canvas = make('canvas', { width: bitmap.width, height: bitmap.height, 'aria-hidden': 'true' });
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    const name = i === 0 ? 'Most likely' : `Alternative ${i}`;
    const pick = () => this.project.setOptions(i === 0 ? 'Go back to the most likely' : `Choose ${name.toLowerCase()}`, { seed });
    const button = make('button', { type: 'button', class: 'alternative', 'data-seed': seed, click: pick }, canvas, make('span', {}, name));
    return make('li', {}, button);
  }

  #mark() {
    const { seed } = this.project.state.options;
    for (const button of find('#alternatives').querySelectorAll('button')) {
      button.setAttribute('aria-pressed', String(Number(button.dataset.seed) === seed));
    }
    const stale = this.#shownFor !== null && this.#shownFor !== JSON.stringify(this.#question);
    find('#alternatives-show').textContent = this.#shownFor === null ? 'Show alternatives' : 'Show them anew';
    find('#alternatives-show').hidden = this.#shownFor !== null && !stale;
  }

  #clear() {
    clearError('alternatives');
    this.#shownFor = null;
    find('#alternatives').replaceChildren();
    find('#alternatives').hidden = true;
    this.#mark();
  }
}

/** A question with the seed of what tinct does by itself. */
const asFirst = ({ hints, options }) => ({ hints, options: { ...options, seed: 0 } });
