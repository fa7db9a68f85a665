// Making elements, and the icons that index.html holds.

/** An element with attributes, properties (functions become listeners) and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const find = (selector) => document.querySelector(selector);

/** Put other items in a list; the focus stays at its place in it, or goes to `otherwise` where nothing is left. */
export function refill(list, items, otherwise) {
  const focused = document.activeElement;
  const at = [...list.children].findIndex((item) => item.contains(focused));
  const within = at < 0 ? -1 : focusable(list.children[at]).indexOf(focused);
  list.replaceChildren(...items);
  if (at < 0) return;
  const item = items[Math.min(at, items.length - 1)];
  ((item && focusable(item)[within]) ?? otherwise).focus();
}

const focusable = (item) => [item, ...item.querySelectorAll('button, input')].filter((each) => each.matches('button, input'));

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('aria-hidden', 'true');
  svg.classList.add('icon');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows a color and says it in words. */
export function swatchButton(color, label, onClick) {
  const button = make('button', { type: 'button', class: 'swatch', 'aria-label': label, title: label, click: onClick });
  button.style.setProperty('--swatch', color);
  return button;
}

export function downloadFile(blob, name) {
  const address = URL.createObjectURL(blob);
  make('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
