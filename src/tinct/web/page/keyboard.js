// Keys for everything; the help lists them from this same table.

import { find, make } from './dom.js';

/** Each: keys as they are shown, what it does in words, whether the event is it, the action's name. */
const plain = (key) => (event) => !event.ctrlKey && !event.metaKey && !event.altKey && typed(event) === key;
const command = (key, shift = false) => (event) =>
  (event.ctrlKey || event.metaKey) && event.shiftKey === shift && typed(event) === key;

const LATIN = /^[\0-\u024f]*$/;
const BRACKETS = { BracketLeft: '[', BracketRight: ']' };

/** What a key types; where that is a letter of another script, what it would type on a Latin keyboard. */
function typed({ key, code }) {
  if (LATIN.test(key)) return key.toLowerCase();
  return BRACKETS[code] ?? /^Key([A-Z])$/.exec(code)?.[1].toLowerCase() ?? key;
}

/** Shift and a digit; a sign that some keyboards type with it keeps its own meaning, and so does a digit if no places
 * are shown. */
function isPlace({ shiftKey, code, key }) {
  if (!shiftKey || !/^Digit[1-5]$/.test(code) || ['+', '=', '-', '?'].includes(key)) return false;
  return !/^\d$/.test(key) || !find('#places').hidden;
}

export const KEYS = [
  ['Ctrl O', 'Open a photograph', command('o'), 'open'],
  ['Ctrl S', 'Save', command('s'), 'save'],
  ['Ctrl Z', 'Undo', command('z'), 'undo'],
  ['Ctrl Shift Z', 'Redo', (event) => command('z', true)(event) || command('y')(event), 'redo'],
  ['V', 'Move: hints and the view', plain('v'), 'move'],
  ['P', 'Point: say what color something is', plain('p'), 'point'],
  ['S', 'Stroke: paint a color', plain('s'), 'stroke'],
  ['N', 'Neutral: paint what stays gray', plain('n'), 'neutral'],
  ['R', 'Region: pair it with a reference', plain('r'), 'pair'],
  ['I', 'Pick a color from a reference', plain('i'), 'eyedropper'],
  ['W', 'Where shall I click?', plain('w'), 'where'],
  ['Shift 1 … 5', 'Put a point at a numbered place', isPlace, 'place'],
  ['U', 'Show where the match is sure', plain('u'), 'confidence'],
  ['C', 'Compare with gray', plain('c'), 'compare'],
  ['H', 'Hide or show hints', plain('h'), 'hints'],
  ['+ −', 'Zoom in and out', (event) => ['+', '=', '-'].includes(event.key) && !event.ctrlKey && !event.metaKey, 'zoom'],
  ['0', 'Fit the photograph', plain('0'), 'fit'],
  ['1', 'One pixel to one pixel (100 %)', plain('1'), 'actual'],
  ['[ ]', 'Choose the hint before or after', (event) => ['[', ']'].includes(typed(event)) && !event.metaKey && (!event.ctrlKey || event.altKey), 'next'],
  ['Alt Shift arrows', 'Move the chosen hint', (event) => event.altKey && event.shiftKey && event.key.startsWith('Arrow'), 'nudge'],
  ['Delete', 'Delete the chosen hint', (event) => ['Delete', 'Backspace'].includes(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey, 'delete'],
  ['Escape', 'Leave a text field; choose no hint', plain('escape'), 'deselect'],
  ['?', 'This help', (event) => event.key === '?', 'help'],
];

const ON_PHOTOGRAPH = [
  ['Arrows', 'Move a crosshair (Shift: farther)'],
  ['Enter', 'What a click does there; strokes and regions begin and end with it'],
  ['Alt arrows', 'Move the view'],
  ['Space drag', 'Move the view'],
];

/** Call `actions[name](event)` for each key above, unless somebody is writing or a dialog is open. */
export function listenToKeys(actions) {
  document.addEventListener(
    'keydown',
    (event) => {
      const found = KEYS.find(([, , matches]) => matches(event));
      if (document.querySelector('dialog[open]')) {
        if (found?.[3] === 'save') event.preventDefault(); // the browser would save the page
        return;
      }
      if (event.defaultPrevented) return;
      const writes = isWriting(event.target) && !['open', 'save'].includes(found?.[3]);
      if (writes && event.key === 'Escape') find('#photograph').focus(); // so that letters are keys again
      if (!found || writes) return;
      event.preventDefault();
      event.stopPropagation();
      actions[found[3]](event);
    },
    true,
  );
  fillHelp();
}

/** In text fields letters are letters; in lists and sliders arrows and digits stay theirs. */
function isWriting(target) {
  return target.matches('input:not([type=range]):not([type=file]), textarea, select');
}

function fillHelp() {
  const rows = (keys) => keys.map(([shown, words]) => make('tr', {}, make('th', { scope: 'row' }, make('kbd', {}, shown)), make('td', {}, words)));
  find('#keys').append(...rows(KEYS));
  find('#keys-photograph').append(...rows(ON_PHOTOGRAPH));
  find('#help-close').addEventListener('click', () => find('#help').close());
}
