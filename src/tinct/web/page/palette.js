// The color of the chosen hint: suggestions for its place, the wheel, recent colors, neutral, size, delete; and the
// list of all hints.

import { atLightness, colorName, readHex } from './color.js';
import { find, icon, make, refill, swatchButton } from './dom.js';
import { anchor } from './hints.js';
import { attempt, showError, clearError } from './messages.js';
import { Wheel } from './wheel.js';

const RECENT = 7;
const NAMES = { point: 'Point', stroke: 'Stroke', rectangle: 'Box', swatch: 'Matched region' };

export class Palette {
  wheel = new Wheel(find('#wheel'));
  #suggestedFor = null;
  #asking = null;
  #recent = [];

  constructor(project, stage, pictures, tools) {
    Object.assign(this, { project, stage, pictures, tools });
    for (const type of ['change', 'selection', 'photo']) project.addEventListener(type, () => this.show());
    tools.addEventListener('tool', () => this.show());
    this.wheel.addEventListener('color', (event) => this.choose(event.detail, 'wheel'));
    find('#hex').addEventListener('change', (event) => this.#typed(event.target));
    find('#neutral').addEventListener('click', () => this.choose('#808080'));
    find('#delete').addEventListener('click', () => this.#delete());
    find('#size').addEventListener('input', (event) => this.#resize(Number(event.target.value)));
    this.show();
  }

  get color() {
    return this.project.selectedHint?.color ?? this.tools.brushColor ?? '#808080';
  }

  /** Give the chosen hint this color; while strokes are painted and none is chosen, the brush. `key` is the continuous
   * control that is moved, null for a choice of its own. */
  choose(color, key = null) {
    clearError('color', 'said');
    const hint = this.project.selectedHint;
    if (this.tools.name === 'stroke') this.tools.brushColor = color;
    if (key === null) this.#remember(color);
    if (!hint || hint.kind === 'swatch') {
      this.tools.brushColor = color;
      this.show();
    } else if (hint.color !== color) {
      this.project.updateHint({ ...hint, color }, 'Change a color', key && `${key} ${hint.id}`);
      if (key !== null) this.#rememberSoon(color);
    }
  }

  show() {
    const hint = this.project.selectedHint;
    const brush = !hint && this.tools.name === 'stroke';
    find('#palette').hidden = !(hint && hint.kind !== 'swatch') && !brush;
    find('#palette-idle').hidden = Boolean(hint) || brush;
    find('#swatch-told').hidden = hint?.kind !== 'swatch';
    find('#hint-bar').hidden = !hint && !brush;
    find('#delete').hidden = !hint;
    this.#title(hint, brush);
    this.#list();
    if (!find('#palette').hidden) this.#showColor(hint);
    this.#suggest(hint);
  }

  #title(hint, brush) {
    const [x, y] = hint ? anchor(hint).map(Math.round) : [0, 0];
    const word = hint ? `${NAMES[hint.kind]} at ${x}, ${y}` : brush ? 'Brush' : '';
    find('#hint-title').textContent = word;
  }

  #showColor(hint) {
    const lightness = hint ? this.stage.lightnessAt(...anchor(hint)) : 62;
    this.wheel.set(this.color, lightness);
    const there = atLightness(this.color, lightness);
    find('#hex').value = this.color;
    find('#present').style.setProperty('--swatch', there);
    find('#color-name').textContent = colorName(there);
    const [least, most, value] = this.#sizeRange(hint);
    Object.assign(find('#size'), { min: least, max: most, value });
    find('#size-label').textContent = hint?.kind === 'point' ? 'Reach' : 'Brush width';
    find('#size-value').textContent = `${Math.round(value)} px`;
    find('#size-row').hidden = hint?.kind === 'rectangle';
    refill(find('#recent'), this.#recent.map((color) => this.#swatch(color)), find('#hex'));
    find('#recent-row').hidden = this.#recent.length === 0;
  }

  #swatch(color) {
    return swatchButton(color, `${colorName(color)}, ${color}`, () => this.choose(color));
  }

  /** Least, most and present size of a hint in pixels of the photograph. */
  #sizeRange(hint) {
    const longest = Math.max(...this.stage.view.photo);
    if (hint?.kind === 'point') return [0, Math.ceil(longest / 16), hint.radius];
    return [1, Math.ceil(longest / 8), hint?.width ?? this.tools.brushWidth / this.stage.view.scale];
  }

  #resize(pixels) {
    const hint = this.project.selectedHint;
    if (!hint) this.tools.brushWidth = pixels * this.stage.view.scale;
    else {
      const size = hint.kind === 'point' ? { radius: pixels } : { width: pixels };
      this.project.updateHint({ ...hint, ...size }, 'Change a size', `size ${hint.id}`);
    }
    find('#size-value').textContent = `${Math.round(pixels)} px`;
  }

  #typed(input) {
    const color = readHex(input.value);
    if (color) {
      this.choose(color);
      this.show(); // the color as it is written everywhere
    } else showError('color', `“${input.value}” is not a color; write it as #7a9bc4.`);
  }

  /** Ask once per place: suggestions are for where the hint is, whatever its color. */
  async #suggest(hint) {
    const place = hint && hint.kind !== 'swatch' ? anchor(hint).map(Math.round) : null;
    find('#suggestions-row').hidden = place === null;
    const key = place && `${hint.id} ${place}`;
    if (key === this.#suggestedFor) return;
    this.#suggestedFor = key;
    this.#asking?.abort();
    clearError('color'); // what was said of another place
    const row = find('#suggestions');
    if (key === null) return;
    row.replaceChildren(...Array.from({ length: 6 }, () => make('span', { class: 'swatch waiting' })));
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    // What is likely here besides this hint itself, which would only suggest its own color.
    const request = this.project.requestWithout(hint.id);
    const body = () => ({ ...request(), x: place[0], y: place[1], count: 6 });
    const asking = this.pictures.session.answer('suggest', body, { signal });
    const answer = await attempt('color', asking, { retry: () => this.#suggest(this.project.selectedHint) });
    if (key !== this.#suggestedFor) return;
    row.replaceChildren(...(answer?.suggestions ?? []).map((each) => this.#suggestion(each)));
    find('#suggestions-row').hidden = !answer;
    if (!answer) this.#suggestedFor = ''; // so that it is asked again
  }

  #suggestion({ color, probability }) {
    const percent = probability === undefined ? '' : `, ${Math.round(100 * probability)} % likely`;
    return swatchButton(color, `${colorName(color)}, ${color}${percent}`, () => this.choose(color));
  }

  #remember(color) {
    this.#recent = [color, ...this.#recent.filter((each) => each !== color)].slice(0, RECENT);
  }

  #rememberSoon(color) {
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => this.#remember(color), 600);
  }

  /** The button goes with the hint: the focus goes on to the photograph. */
  #delete() {
    this.project.removeHint(this.project.selected);
    find('#photograph').focus();
  }

  #list() {
    const { hints } = this.project.state;
    find('#hints').hidden = hints.length === 0;
    find('#hints-count').textContent = hints.length === 1 ? '1 hint' : `${hints.length} hints`;
    refill(find('#hint-list'), hints.map((hint) => this.#item(hint)), find('#photograph'));
  }

  #item(hint) {
    const [x, y] = anchor(hint).map(Math.round);
    const what = hint.kind === 'swatch' ? '' : `, ${colorName(hint.color)}`;
    const name = `${NAMES[hint.kind]} at ${x}, ${y}${what}`;
    const pick = make('button', { type: 'button', class: 'row', click: () => this.project.select(hint.id) });
    if (hint.id === this.project.selected) pick.setAttribute('aria-current', 'true');
    const dot = make('span', { class: 'dot', 'aria-hidden': 'true' });
    dot.style.setProperty('--swatch', hint.color ?? 'transparent');
    pick.append(dot, name);
    const remove = () => this.project.removeHint(hint.id);
    const away = make('button', { type: 'button', class: 'quiet', 'aria-label': `Delete ${name}`, click: remove });
    away.append(icon('close'));
    return make('li', {}, pick, away);
  }
}
