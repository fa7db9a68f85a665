// The server's editing session: upload the photograph once, then ask by hints and options. A session that the server
// has let go (idle too long, restarted) is made anew without the page's noticing.

/** Statuses by which the server refuses a file, whenever it is asked. */
export const REFUSALS = [400, 413, 415, 422];

export class ServerError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
    this.silent = status === 0; // it did not answer at all
  }
}

/** Event "back": the server answers again after it did not. */
export const server = new EventTarget();
let silent = false;

const SILENT = 'The tinct server does not answer. Is “tinct serve” still running? Your work is kept in this browser.';

async function request(path, init = {}) {
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    silent = true;
    throw new ServerError(SILENT, 0);
  }
  if (silent) {
    silent = false;
    server.dispatchEvent(new Event('back'));
  }
  if (response.ok) return response;
  throw new ServerError(await reason(response), response.status);
}

async function reason(response) {
  if (response.status === 401) return 'The server asks for its token: open the address that “tinct serve” printed.';
  try {
    const { error, detail } = await response.json();
    if (typeof error === 'string') return error;
    if (typeof detail === 'string') return detail;
  } catch {
    // not JSON: a proxy's page or nothing at all
  }
  if (response.status === 413) return 'The file is larger than this server accepts.';
  if (response.status === 429) return 'The server is busy; trying again in a moment may help.';
  return `The server answered ${response.status} ${response.statusText}.`;
}

const json = (value) => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(value),
});

/** What the server has of references: which, and their weights. */
const signature = (references) => ({
  files: references.map(({ key }) => key).join(),
  weights: references.map(({ weight }) => weight).join(),
});

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What `act` gives; asked again, less and less often, as long as the server is full. */
async function patiently(act) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (error.status !== 429 || attempt === 4) throw error;
      await wait(400 * 2 ** attempt);
    }
  }
}

export async function listMethods() {
  const body = await (await request('api/methods')).json();
  return body.methods ?? body;
}

/** How many references the server takes, and whether it has an album of color photographs that it suggests some from. */
export async function referenceRules() {
  const { most_references: most = Infinity, album } = await (await request('api/methods')).json();
  return { most, album: album === true };
}

/** A file at an address the server gave, under a name of its own. */
export async function fetchFile(address, name) {
  const url = new URL(address, document.baseURI);
  if (url.origin !== location.origin) throw new ServerError('The server named a file on another host.', 0);
  const blob = await (await request(url)).blob();
  return new File([blob], name, { type: blob.type });
}

export class Session {
  /** `refusals` gets the reason of each reference that the server does not take, by its key. */
  constructor(photo, refusals = new Map()) {
    this.photo = photo;
    this.refusals = refusals;
    this.references = []; // [{ key, file, weight }]
    this.opening = null;
    this.closed = false;
    this.sent = null; // which references the server has
    this.refused = () => {}; // called with the keys of references that are refused, or no longer
    this.told = () => {}; // called with what the server noted: of the files as it read them, and of the last preview
    this.notes = { files: [], preview: [] };
  }

  /** Upload the photograph; gives the server's description: id, width, height, preview_width, preview_height. */
  async open() {
    this.opening ??= patiently(() => this.#upload()).catch((error) => {
      this.opening = null;
      throw error;
    });
    return this.whileOpen(this.opening);
  }

  /** What a promise gives or fails with; once the session is closed nobody wants to hear of either. */
  async whileOpen(promise) {
    const [result] = await Promise.allSettled([promise]);
    if (this.closed) throw new DOMException('another photograph was opened', 'AbortError');
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  }

  async #upload() {
    const form = new FormData();
    form.append('photo', this.photo, this.photo.name);
    this.sent = Promise.resolve(signature([]));
    const described = await (await request('api/sessions', { method: 'POST', body: form })).json();
    this.#note('files', described.notes);
    return described;
  }

  async close() {
    this.closed = true;
    const opened = await this.opening?.catch(() => null);
    if (opened) await fetch(`api/sessions/${opened.id}`, { method: 'DELETE', keepalive: true }).catch(() => {});
  }

  setReferences(references) {
    this.references = references;
  }

  /** The server has the references that it takes. */
  synced() {
    return this.whileOpen(this.open().then(({ id }) => patiently(() => this.#syncReferences(id))));
  }

  /** Bring the server's references to the page's; one after the other, so that the last word stands. */
  async #syncReferences(id) {
    const wanted = this.references;
    const before = this.sent;
    this.sent = (async () => this.#putUsable(id, wanted, await before.catch(() => null)))();
    await this.sent.catch((error) => {
      error.part = 'references';
      throw error;
    });
  }

  /** What the server has afterwards. Where it refuses all at once, for their size say, the last that came goes first;
   * where one was removed, there may be room for those that were refused. */
  async #putUsable(id, wanted, there) {
    const isWanted = (key) => wanted.some((each) => each.key === key);
    if (there?.files && !there.files.split(',').every(isWanted)) this.#reconsider(wanted);
    for (;;) {
      const usable = wanted.filter(({ key }) => !this.refusals.has(key));
      const { files, weights } = signature(usable);
      if (there?.files === files && there.weights === weights) return there;
      try {
        const refused = await this.#put(id, usable, there?.files !== files);
        if (refused.length) this.#refuse(refused.map(({ number, error }) => [usable[number].key, error]));
        return signature(usable.filter(({ key }) => !this.refusals.has(key)));
      } catch (error) {
        const added = usable.filter(({ key }) => !there?.files.split(',').includes(key));
        if (!REFUSALS.includes(error.status) || !added.length) throw error;
        this.#refuse([[added.at(-1).key, error.message]]);
      }
    }
  }

  #reconsider(references) {
    const again = references.filter(({ key }) => this.refusals.delete(key)).map(({ key }) => key);
    if (again.length) this.refused(again);
  }

  /** Send references, with their files or their weights alone; gives what the server left out of them. */
  async #put(id, references, withFiles) {
    const form = new FormData();
    if (withFiles) for (const { file } of references) form.append('reference', file, file.name);
    if (withFiles) form.append('partial', 'true');
    form.append('weights', JSON.stringify(references.map(({ weight }) => weight)));
    const described = await (await request(`api/sessions/${id}/references`, { method: 'PUT', body: form })).json();
    this.#note('files', described.notes);
    return described.refused;
  }

  #refuse(refused) {
    for (const [key, reason] of refused) this.refusals.set(key, reason);
    this.refused(refused.map(([key]) => key));
  }

  /** Ask the session, with the references in place; once again if the session has gone or the server is full.
   *
   * A body that depends on which references the server takes is a function that gives it.
   */
  ask(path, body, options) {
    return this.whileOpen(this.#ask(path, body, options));
  }

  async #ask(path, body, { signal } = {}, again = true) {
    const { id } = await this.open();
    try {
      return await patiently(async () => {
        await this.#syncReferences(id);
        const init = body === undefined ? {} : json(typeof body === 'function' ? body() : body);
        return request(`api/sessions/${id}/${path}`, { ...init, signal });
      });
    } catch (error) {
      if (error.status !== 404 || !again) throw error;
      this.opening = null;
      return this.#ask(path, body, { signal }, false);
    }
  }

  async picture(path, body, options) {
    const answer = await this.ask(path, body, options);
    if (path === 'preview') this.#note('preview', JSON.parse(answer.headers.get('Tinct-Notes') ?? '[]'));
    return createImageBitmap(await answer.blob());
  }

  #note(part, notes = []) {
    if (this.notes[part].join() === notes.join()) return;
    this.notes[part] = notes;
    this.told([...this.notes.files, ...this.notes.preview]);
  }

  async answer(path, body, options) {
    return (await this.ask(path, body, options)).json();
  }
}

/** A picture at an address the server gave; addresses are the server's own, never another host's. */
export async function fetchPicture(address) {
  const url = new URL(address, document.baseURI);
  if (url.origin !== location.origin) throw new ServerError('The server named a picture on another host.', 0);
  return createImageBitmap(await (await request(url)).blob());
}
