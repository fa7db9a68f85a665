// Saturation (the option `strength`), vividness, trust in references, and method.

import { listMethods } from './api.js';
import { find, make } from './dom.js';
import { attempt } from './messages.js';

const SLIDERS = { strength: 'Change the saturation', vividness: 'Change the vividness', trust: 'Change the trust' };

export class Adjust {
  #methods = [];

  constructor(project) {
    this.project = project;
    for (const [name, label] of Object.entries(SLIDERS)) {
      const slider = find(`#${name}`);
      slider.addEventListener('input', () => project.setOptions(label, { [name]: Number(slider.value) }, name));
      slider.addEventListener('dblclick', () => project.setOptions(label, { [name]: 1 }));
    }
    find('#method').addEventListener('change', (event) => {
      project.setOptions('Choose a method', { method: event.target.value || null });
    });
    for (const type of ['change', 'photo']) project.addEventListener(type, () => this.show());
    this.load();
  }

  async load() {
    const methods = await attempt('adjust', listMethods(), { retry: () => this.load() });
    if (!methods) return;
    this.#methods = methods;
    const installed = methods.filter((method) => method.installed !== false);
    find('#method').append(...installed.map(({ name }) => make('option', { value: name }, name)));
    this.show();
  }

  show() {
    const { options } = this.project.state;
    for (const name of Object.keys(SLIDERS)) {
      find(`#${name}`).value = options[name];
      find(`#${name}-value`).textContent = `${Math.round(100 * options[name])} %`;
    }
    find('#method').value = options.method ?? '';
    const method = this.#methods.find(({ name }) => name === options.method);
    find('#method-told').textContent = method?.summary ?? 'The best one for what you give it.';
  }
}
