// A project file's content, checked as a whole before anything of it is taken, by the rules that the command line has.

import { hintsFromJson } from './hints.js';

const VERSION = 1;
export const DEFAULT_OPTIONS = { method: null, size: null, strength: 1, vividness: 1, seed: 0, trust: 1 };

const between = (low, high) => (v) => typeof v === 'number' && v >= low && v <= high;
const whole = (low, high) => (v) => Number.isSafeInteger(v) && v >= low && v <= high;
const orNull = (holds) => (v) => v === null || holds(v);
const OPTIONS = {
  method: [orNull((v) => typeof v === 'string'), 'a name that “tinct methods” lists'],
  size: [orNull(whole(32, 2048)), '32 to 2048 pixels'],
  strength: [between(0, 2), '0 to 2'],
  vividness: [between(0, 2), '0 to 2'],
  trust: [between(0, 3), '0 to 3'],
  seed: [whole(0, Number.MAX_SAFE_INTEGER), 'a whole number, 0 or more'],
  chroma_only: [(v) => typeof v === 'boolean', 'true or false'],
};
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);

/** Refuse what is no project, in words that say why: the rest of “it is not opened: …”. */
export function checkProject(content) {
  if (!isObject(content) || !('photo' in content)) throw new Error('it is not a project; choose a file that tinct saved.');
  const { version, photo, references = [], hints, options } = content;
  if (version !== VERSION) throw new Error(`it has version ${version ?? 'none'}, and this tinct reads ${VERSION}; update tinct.`);
  checkNamed(photo, 'photograph');
  if (![photo.width, photo.height].every(whole(1, Number.MAX_SAFE_INTEGER))) {
    throw new Error('it does not say how large its photograph is; save it again.');
  }
  if (!Array.isArray(references)) throw new Error('its references are not a list; save it again.');
  for (const reference of references) checkReference(reference);
  if (hints && !isObject(hints)) throw new Error('its hints are not an object of lists; save it again.');
  if (options && !isObject(options)) throw new Error('its options are not an object; save it again.');
  for (const [name, value] of Object.entries(options ?? {})) checkOption(name, value);
}

function checkNamed(file, what) {
  const named = isObject(file) && typeof file.name === 'string' && file.name !== '';
  if (!named) throw new Error(`it does not name its ${what}; save it again.`);
  if (!/^[0-9a-f]{64}$/i.test(file.sha256)) throw new Error(`it has no SHA-256 of ${file.name}; save it again.`);
}

function checkReference(reference) {
  checkNamed(reference, 'reference');
  const { name, weight = 1 } = reference;
  if (!between(0, 1)(weight)) throw new Error(`the weight of ${name} is ${JSON.stringify(weight)}; it must be 0 to 1.`);
}

function checkOption(name, value) {
  if (!Object.hasOwn(OPTIONS, name)) throw new Error(`“${name}” is not an option; save it again.`);
  const [holds, wanted] = OPTIONS[name];
  if (!holds(value)) throw new Error(`${name} is ${JSON.stringify(value)}; it must be ${wanted}.`);
}

/** The hints of a checked project for a photograph of its size. */
export function hintsOfProject({ photo, hints }, referenceIds, [width, height]) {
  if (photo.width !== width || photo.height !== height) {
    throw new Error(`it says that ${photo.name} is ${photo.width}x${photo.height}, and it is ${width}x${height}; save it again.`);
  }
  return hintsFromJson(hints ?? {}, referenceIds, [width, height]);
}

/** The page's options of any: those it has and that hold, the others at their defaults. */
export function soundOptions(options) {
  const names = Object.keys(DEFAULT_OPTIONS);
  const holds = (name) => isObject(options) && Object.hasOwn(options, name) && OPTIONS[name][0](options[name]);
  return Object.fromEntries(names.map((name) => [name, holds(name) ? options[name] : DEFAULT_OPTIONS[name]]));
}
