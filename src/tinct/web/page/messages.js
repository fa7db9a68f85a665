// Progress for what takes longer than 300 ms, and errors in words beside the thing that failed.

import { find, icon, make } from './dom.js';

const PATIENCE = 300;
const SILENCE = 'silence'; // about it are all errors of a server that does not answer, whatever it was asked
const busy = new Map(); // part -> how many are under way for longer than that
const retries = new WeakMap(); // alert -> what tries again what it tells of

/** Await a promise on behalf of a part of the page (an element with [data-part]).
 *
 * Shows the part's progress bar after 300 ms, and what went wrong in its [role=alert]; gives null when it failed.
 * Success takes away only what an earlier attempt at the same thing (`about`) said. An error that knows better where it
 * belongs says so in its `part`.
 */
export async function attempt(part, promise, { retry = null, about = 'answer' } = {}) {
  let waiting = false;
  const timer = setTimeout(() => {
    waiting = true;
    countBusy(part, 1);
  }, PATIENCE);
  try {
    const result = await promise;
    clearError(part, about);
    return result;
  } catch (error) {
    if (error.name !== 'AbortError') tell(part, error, retry, about);
    return null;
  } finally {
    clearTimeout(timer);
    if (waiting) countBusy(part, -1);
  }
}

/** Say it where the error knows that it belongs, and where it was asked for, as that may be out of sight from there. */
function tell(part, { part: where = part, message, silent }, retry, about) {
  for (const each of new Set([where, part])) {
    showError(each, message, retry, silent ? SILENCE : each === part ? about : 'answer');
  }
}

const placeOf = (part) => find(`[data-part="${part}"]`);

function countBusy(part, change) {
  const count = (busy.get(part) ?? 0) + change;
  busy.set(part, count);
  const place = placeOf(part);
  place.setAttribute('aria-busy', String(count > 0));
  place.querySelector('.progress').hidden = count === 0;
}

export function showError(part, message, retry = null, about = 'said') {
  const alert = find(`[data-part="${part}"] [role=alert]`);
  const close = make('button', { type: 'button', class: 'quiet', 'aria-label': 'Dismiss', click: () => clearError(part) });
  close.append(icon('close'));
  alert.dataset.about = about;
  alert.replaceChildren(make('span', {}, message));
  retries.set(alert, retry);
  if (retry) {
    const again = () => {
      clearError(part);
      retry();
    };
    alert.append(make('button', { type: 'button', class: 'small', click: again }, 'Try again'));
  }
  alert.append(close);
}

/** Take an error away: any, or only one about the thing named. */
export function clearError(part, about = null) {
  const alert = find(`[data-part="${part}"] [role=alert]`);
  if (about === null || alert.dataset.about === about) empty(alert);
}

function empty(alert) {
  alert.replaceChildren();
  delete alert.dataset.about;
}

/** The server answers again: what it was asked in vain is asked once more, and no longer an error. */
export function endSilence() {
  for (const alert of document.querySelectorAll(`[role=alert][data-about="${SILENCE}"]`)) {
    empty(alert);
    retries.get(alert)?.();
  }
}

/** What the server decided as it read the files, and which wishes it cannot meet, as long as they are so. */
export function showNotes(notes) {
  const line = find('#notes');
  line.textContent = notes.join(' · ');
  line.hidden = notes.length === 0;
  line.tabIndex = line.scrollHeight > line.clientHeight ? 0 : -1; // keys reach what is scrolled
}

let hiding = 0;

/** A short word on what was done, read out too. */
export function say(message) {
  const line = find('#said');
  line.textContent = message;
  line.classList.add('shown');
  clearTimeout(hiding);
  hiding = setTimeout(() => line.classList.remove('shown'), 4000);
}
