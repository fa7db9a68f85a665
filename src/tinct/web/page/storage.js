// The projects in the browser's own database, so that nothing is lost on reload. Each tab has a project of its own; a
// new tab begins with a copy of the one used last. Files (photographs, references) are written once, under ids that
// are never used again, together with the first state that names them: no state is kept without its files.

const NAME = 'tinct-studio';
const STORES = ['files', 'state'];
const TAB = 'tinct-project'; // in sessionStorage: which project is this tab's
const LAST = 'last used'; // beside the states: the id of the project that was saved last
const FIRST = 'current'; // the only project there was, before tabs had their own; its photograph is the file "photo"
const PROJECTS = 8; // as many are kept, for tabs that come back

let opening = null;
let claiming = null;

export const newId = (prefix) => `${prefix}${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10)}`;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => STORES.forEach((store) => request.result.createObjectStore(store));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

const answer = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** All of what `act` does with the stores, or, if any of it fails, nothing. */
async function run(mode, act) {
  const transaction = (await open()).transaction(STORES, mode);
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  ended.catch(() => {}); // it may be awaited too late, or not at all
  try {
    const found = await act(Object.fromEntries(STORES.map((name) => [name, transaction.objectStore(name)])));
    await ended;
    return found;
  } catch (error) {
    try {
      transaction.abort();
    } catch {
      // it has ended already
    }
    throw error;
  }
}

/** Which project is this tab's, and which it had before; another, where a copy of this tab holds that one. */
function claim() {
  claiming ??= (async () => {
    const before = sessionStorage.getItem(TAB);
    if (before && (await hold(before))) return { id: before, before };
    const id = newId('t');
    await hold(id);
    sessionStorage.setItem(TAB, id);
    return { id, before };
  })();
  return claiming;
}

/** False if another tab holds it: one that was duplicated has the same sessionStorage. Locks end with their tab. */
function hold(id) {
  if (!navigator.locks) return true; // plain HTTP to another machine
  return new Promise((resolve) => {
    navigator.locks.request(`${TAB} ${id}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {});
    });
  });
}

const photoOf = (kept) => kept.photoFile ?? 'photo';
const filesOf = (kept) => [photoOf(kept), ...(kept.referenceFiles ?? [])];

/** A file as its bytes: some browsers' private windows cannot store blobs. */
const recordOf = async (file) => ({ name: file.name, type: file.type, bytes: await file.arrayBuffer() });

/** Keep a state, which names its files as `photoFile` and `referenceFiles`, with those that are new: [id, file] each. */
export async function save(state, added = []) {
  const { id } = await claim();
  const records = await Promise.all(added.map(async ([key, file]) => [key, await recordOf(file)]));
  await run('readwrite', async (stores) => {
    for (const [key, record] of records) stores.files.put(record, key);
    put(stores, id, state);
    if (records.length) await tidy(stores);
  });
}

function put({ state }, id, kept) {
  state.put({ ...kept, saved: Date.now() }, id);
  state.put(id, LAST);
}

/** Let the oldest projects go, and the files that no project names. */
async function tidy({ files, state }) {
  const [keys, states] = await Promise.all([answer(state.getAllKeys()), answer(state.getAll())]);
  const all = states.map((kept, i) => ({ kept, key: keys[i] })).filter(({ key }) => key !== LAST);
  all.sort((a, b) => (b.kept.saved ?? 0) - (a.kept.saved ?? 0));
  for (const { key } of all.slice(PROJECTS)) state.delete(key);
  const used = new Set(all.slice(0, PROJECTS).flatMap(({ kept }) => filesOf(kept)));
  for (const key of await answer(files.getAllKeys())) if (!used.has(key)) files.delete(key);
}

/** What this tab had, or a copy of what was used last, with those of its files that are there; null for nothing. */
export async function load() {
  const { id, before } = await claim();
  const found = await run('readonly', async ({ files, state }) => {
    const own = before && (await answer(state.get(before)));
    const kept = own || (await answer(state.get((await answer(state.get(LAST))) ?? FIRST)));
    if (!kept) return null;
    const records = await Promise.all(filesOf(kept).map((file) => answer(files.get(file))));
    return { kept, records, copied: !own || before !== id };
  });
  if (!found) return null;
  const { kept, records, copied } = found;
  // At once, so that no other tab lets go of the copy's files; a full disk must not keep the project from coming back.
  if (copied) await run('readwrite', async (stores) => put(stores, id, { ...kept, photoFile: photoOf(kept) })).catch(() => {});
  const files = new Map(filesOf(kept).map((file, i) => [file, records[i]]).filter(([, record]) => record));
  for (const [file, { bytes, name, type }] of files) files.set(file, new File([bytes], name, { type }));
  return { ...kept, photoFile: photoOf(kept), files };
}
