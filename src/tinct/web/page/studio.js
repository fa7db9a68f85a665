// The studio: its parts are made here and told of each other; what they do is in their own files.

import { Adjust } from './adjust.js';
import { Alternatives } from './alternatives.js';
import { server } from './api.js';
import { Divider } from './divider.js';
import { find, make, refill } from './dom.js';
import { Gestures } from './gestures.js';
import { moveHint } from './hints.js';
import { Uploads } from './uploads.js';
import { listenToKeys } from './keyboard.js';
import { endSilence, say, showError } from './messages.js';
import { Palette } from './palette.js';
import { Pictures } from './pictures.js';
import { Project } from './project.js';
import { References, toggleConfidence } from './references.js';
import { Save } from './save.js';
import { Stage } from './stage.js';
import { TOOLS, Tools } from './tools.js';

const project = new Project();
const stage = new Stage(project);
const tools = new Tools(project, stage);
const pictures = new Pictures(project, stage);
const palette = new Palette(project, stage, pictures, tools);
const references = new References(project, pictures, palette, tools);
const divider = new Divider(stage);
const gestures = new Gestures(stage, tools);
const save = new Save(project, pictures);
new Uploads(project, references);
new Adjust(project);
new Alternatives(project, pictures);

// The bar

function showBar() {
  document.body.classList.toggle('empty', !project.photo);
  document.title = project.photo ? `${project.photo.name} – tinct studio` : 'tinct studio';
  find('#name').textContent = project.photo?.name ?? '';
  find('#save-open').disabled = !project.photo;
  for (const [id, label, word] of [['undo', project.history.undoLabel, 'Undo'], ['redo', project.history.redoLabel, 'Redo']]) {
    const button = find(`#${id}`);
    button.disabled = label === null;
    button.title = label === null ? word : `${word}: ${label.toLowerCase()}`;
  }
}

/** What is being drawn or dragged is the last step, as long as it goes on. */
function step(word) {
  if (tools.cancel() && word === 'Undo') return;
  const label = word === 'Undo' ? project.undo() : project.redo();
  if (label) say(`${word}: ${label.toLowerCase()}.`);
}

for (const [id, other, word] of [['#undo', '#redo', 'Undo'], ['#redo', '#undo', 'Redo']]) {
  find(id).addEventListener('click', () => {
    step(word);
    if (find(id).disabled) find(other).focus(); // not lost with a button that has nothing left to do
  });
}
find('#save-open').addEventListener('click', () => save.open());
find('#help-open').addEventListener('click', () => find('#help').showModal());

// The tools

function showTool() {
  document.body.dataset.tool = tools.name;
  for (const button of document.querySelectorAll('[data-tool].tool')) {
    button.setAttribute('aria-pressed', String(button.dataset.tool === tools.name));
  }
}

for (const button of document.querySelectorAll('[data-tool].tool')) {
  button.addEventListener('click', () => tools.choose(button.dataset.tool));
}
tools.addEventListener('tool', showTool);

// The stage's own bar

function showZoom() {
  find('#zoom-level').firstElementChild.textContent = `${Math.round(100 * stage.view.zoom)} %`;
}

function zoom(factor) {
  stage.view.zoomTo(stage.view.zoom * factor);
  stage.moved();
}

function zoomTo(level) {
  if (level === 'fit') stage.view.fit();
  else stage.view.zoomTo(level, ...(stage.crosshair ? stage.view.toStage(...stage.crosshair) : []));
  stage.moved();
}

function toggleHints() {
  stage.hintsShown = !stage.hintsShown;
  find('#hints-shown').setAttribute('aria-pressed', String(stage.hintsShown));
  stage.draw();
}

async function togglePlaces() {
  if (!pictures.session) return;
  if (pictures.placesShown) pictures.hidePlaces();
  else await pictures.showPlaces();
  showPlaces();
}

function showPlaces() {
  find('#where').setAttribute('aria-pressed', String(pictures.placesShown));
  find('#places').hidden = !pictures.placesShown;
  const put = (place) => () => tools.addPoint(place.x, place.y);
  const button = (place, i) => make('button', { type: 'button', class: 'small', 'aria-label': `Put a point at place ${i + 1}`, click: put(place) }, String(i + 1));
  refill(find('#places'), [make('span', { class: 'soft' }, 'A hint helps most at'), ...stage.places.map(button)], find('#photograph'));
}

find('#zoom-in').addEventListener('click', () => zoom(1.5));
find('#zoom-out').addEventListener('click', () => zoom(1 / 1.5));
find('#zoom-level').addEventListener('click', () => zoomTo(1));
find('#fit').addEventListener('click', () => zoomTo('fit'));
find('#compare').addEventListener('click', () => divider.toggle());
find('#hints-shown').addEventListener('click', toggleHints);
find('#where').addEventListener('click', togglePlaces);
find('#confidence').addEventListener('click', (event) => toggleConfidence(pictures, event.currentTarget));
stage.addEventListener('view', showZoom);
stage.addEventListener('places', showPlaces);
stage.addEventListener('painted', () => find('#compare').setAttribute('aria-pressed', String(stage.divider > 0.01)));

// Keys

function nudge(event) {
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const hint = project.selectedHint;
  if (!hint) return;
  const step = 4 / stage.view.scale;
  const [dx, dy] = arrows[event.key].map((v) => v * step);
  project.updateHint(moveHint(hint, dx, dy, stage.view.photo), 'Move a hint', `nudge ${hint.id}`);
}

function chooseNext(event) {
  const ids = project.state.hints.map(({ id }) => id);
  if (!ids.length) return;
  const at = ids.indexOf(project.selected);
  const next = event.key === ']' ? at + 1 : at < 0 ? ids.length - 1 : at - 1;
  project.select(ids[(next + ids.length) % ids.length]);
}

listenToKeys({
  ...Object.fromEntries(TOOLS.map((name) => [name, () => find(`[data-tool="${name}"].tool`).disabled || tools.choose(name)])),
  open: () => find('#photo-file').click(),
  save: () => save.open(),
  undo: () => step('Undo'),
  redo: () => step('Redo'),
  eyedropper: () => references.pickColor(),
  where: togglePlaces,
  place: ({ code }) => {
    const place = stage.places[Number(code.slice(-1)) - 1];
    if (place) tools.addPoint(place.x, place.y);
  },
  confidence: () => project.photo && toggleConfidence(pictures, find('#confidence')),
  compare: () => divider.toggle(),
  hints: toggleHints,
  zoom: (event) => zoom(event.key === '-' ? 1 / 1.25 : 1.25),
  fit: () => zoomTo('fit'),
  actual: () => zoomTo(1),
  next: chooseNext,
  nudge,
  delete: () => {
    tools.cancel();
    project.removeHint(project.selected);
  },
  deselect: () => (tools.drawing ? tools.cancel() : project.select(null)),
  help: () => find('#help').showModal(),
});

for (const type of ['keydown', 'keyup']) {
  document.addEventListener(type, (event) => {
    if (event.code !== 'Space') return;
    gestures.spaceHeld = type === 'keydown';
    if (event.target === stage.canvas) event.preventDefault();
  });
}

// Beginning

for (const type of ['change', 'photo']) project.addEventListener(type, showBar);
project.addEventListener('photo', () => {
  find('#places').hidden = true;
  find('#where').setAttribute('aria-pressed', 'false');
});
project.addEventListener('unkept', () => {
  showError('stage', 'This browser does not keep the project over a reload (private window or full disk): save before you leave.');
});
showTool();
showBar();
server.addEventListener('back', endSilence);
project.restore().catch(() => null).then((lost) => {
  if (lost) say('Your last project is back.');
  if (lost?.length) showError('references', `This browser did not keep ${lost.join(', ')}; add it again.`);
});
