// The project in the browser's own database, so that nothing is lost on reload. Files (the photograph, references)
// are written once; the state, which is small, after each change.

const NAME = 'tinct-studio';
const STORES = ['files', 'state'];

let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => STORES.forEach((store) => request.result.createObjectStore(store));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

async function run(store, mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode);
    const request = act(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error ?? request.error);
  });
}

/** Each file as its bytes: some browsers' private windows cannot store blobs. */
export async function saveFile(id, file) {
  const record = { name: file.name, type: file.type, bytes: await file.arrayBuffer() };
  return run('files', 'readwrite', (store) => store.put(record, id));
}

export async function loadFile(id) {
  const record = await run('files', 'readonly', (store) => store.get(id));
  return record ? new File([record.bytes], record.name, { type: record.type }) : null;
}

export async function keepOnly(ids) {
  const keys = await run('files', 'readonly', (store) => store.getAllKeys());
  for (const key of keys) if (!ids.includes(key)) await run('files', 'readwrite', (store) => store.delete(key));
}

export const saveState = (state) => run('state', 'readwrite', (store) => store.put(state, 'current'));
export const loadState = () => run('state', 'readonly', (store) => store.get('current'));
export const clearState = () => run('state', 'readwrite', (store) => store.delete('current'));
