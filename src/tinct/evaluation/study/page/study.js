// The page of a study: asks, shows, sends votes. It knows places, never methods.

const $ = (id) => document.getElementById(id);
const KEPT = "tinct-study-session"; // a reload goes on where it was
const BLANK_MS = 600; // between two timed trials, so that one picture does not mask the next
// What a picture's frame takes beside and below it, what stands below them all, and how small they may become.
const BESIDE_PX = 32, LABEL_PX = 64, BELOW_PX = 110, SMALLEST_PX = 100;
const CONTEXT = { gray: "The photograph", reference: "The reference" };

let state = null;
let choose = () => {}; // what a click or key does now
let takeBack = () => {}; // what Backspace does now
let proceed = null; // what Enter or Space does now, where only going on is possible

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function ask(path, body, method = body === undefined ? "GET" : "POST") {
  const options = body === undefined ? { method } : {
    method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  };
  const response = await fetch(path, options);
  const content = await response.json().catch(() => null);
  if (response.ok && content === null) throw new Error("the answer is damaged");
  if (!response.ok) throw Object.assign(new Error(content?.detail ?? response.statusText), { status: response.status });
  return content;
}

async function begin() {
  const token = localStorage.getItem(KEPT);
  if (token) {
    try {
      return await ask(`sessions/${encodeURIComponent(token)}`);
    } catch (error) {
      if (error.status !== 404) throw error;
    }
  }
  const fresh = await ask("sessions", {});
  localStorage.setItem(KEPT, fresh.token);
  return fresh;
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function describeProgress() {
  const { answered, trials, practice } = state;
  const left = answered < practice;
  const [at, of] = left ? [answered + 1, practice] : [answered - practice + 1, trials - practice];
  $("progress").textContent = answered >= trials ? "Done" : `${left ? "Practice " : ""}${at} of ${of}`;
  $("bar").max = trials;
  $("bar").value = answered;
}

function clear() {
  for (const id of ["pictures", "answers", "context"]) $(id).replaceChildren();
  $("context").hidden = true;
  $("keys").textContent = $("told").textContent = "";
  choose = takeBack = () => {};
  $("back").hidden = true;
  proceed = null;
}

async function loaded(url) {
  const image = element("img", { src: url, alt: "" });
  await image.decode();
  return image;
}

// --- one trial -----------------------------------------------------------------------------------------------------

async function runTrial() {
  const trial = state.ahead[0];
  clear();
  describeProgress();
  $("question").textContent = state.question;
  const images = await Promise.all(trial.pictures.map(loaded));
  await showContext(trial.context);
  const single = trial.pictures.length === 1;
  const places = images.map((image, place) => placeOf(image, place, single));
  $("pictures").append(...places);
  arrange();
  if (state.ahead[1]) state.ahead[1].pictures.forEach((url) => { new Image().src = url; });
  if (state.seconds > 0) await (state.tookBack ? veil(places) : showEachForAMoment(places)); // nobody looks twice
  openVote(trial, places, single);
}

function placeOf(image, place, single) {
  if (single) return element("div", { className: "picture" }, image);
  const label = element("span", { className: "place", textContent: String(place + 1), ariaHidden: "true" });
  const button = element("button", { className: "picture", type: "button", disabled: true }, image, label);
  button.setAttribute("aria-label", `Picture ${place + 1}`);
  button.addEventListener("click", () => choose(place));
  return button;
}

// Every picture of a trial is as large as the window lets all of them be, at most twice its own size: nobody should have
// to scroll to compare.
function arrange() {
  const images = [...document.querySelectorAll("#pictures img")];
  if (!images.length) return;
  const count = images.length;
  const { naturalWidth: w, naturalHeight: h } = images[0];
  const width = $("pictures").clientWidth;
  const height = innerHeight - $("pictures").getBoundingClientRect().top - scrollY - BELOW_PX;
  const scale = (columns) => Math.min(
    2, (width / columns - BESIDE_PX) / w, (height / Math.ceil(count / columns) - LABEL_PX) / h,
  );
  const every = images.map((_, i) => i + 1);
  const columns = every.reduce((a, b) => (scale(b) > scale(a) ? b : a));
  const wide = Math.max(scale(columns) * w, SMALLEST_PX);
  $("pictures").style.setProperty("--columns", columns);
  $("pictures").style.setProperty("--wide", `${Math.floor(wide)}px`);
}

async function showContext(context) {
  const entries = Object.entries(context);
  if (!entries.length) return;
  const figures = entries.map(async ([what, url]) => {
    const image = Object.assign(await loaded(url), { alt: CONTEXT[what] });
    return element("figure", {}, image, element("figcaption", { textContent: CONTEXT[what] }));
  });
  $("context").append(...(await Promise.all(figures)));
  $("context").hidden = false;
}

function veil(places) {
  places.forEach((place) => place.classList.add("veiled"));
}

async function showEachForAMoment(places) {
  veil(places);
  if (!state.started) await waitForGo("Each picture is seen for a moment only. Look closely.", "Begin");
  state.started = true;
  await pause(BLANK_MS);
  for (const place of places) {
    place.classList.remove("veiled");
    await pause(state.seconds * 1000);
    place.classList.add("veiled");
  }
}

function openVote(trial, places, single) {
  const since = performance.now();
  const buttons = single ? ["Real", "Computed"].map(answerButton) : places;
  if (single) $("answers").append(...buttons);
  buttons.forEach((button) => { button.disabled = false; });
  const keys = buttons.map((_, i) => i + 1).join(", ").replace(/, (\d)$/, " or $1");
  $("keys").textContent = `Click, or press ${keys}.`;
  offerTakingBack();
  choose = async (choice) => {
    if (choice >= buttons.length) return;
    choose = takeBack = () => {};
    $("back").hidden = true;
    buttons.forEach((button) => { button.disabled = true; });
    await send(trial, choice, Math.round(performance.now() - since), places, single);
  };
}

function answerButton(text, place) {
  const button = element("button", { type: "button", textContent: `${text} (${place + 1})`, disabled: true });
  button.addEventListener("click", () => choose(place));
  return button;
}

async function send(trial, choice, milliseconds, places, single) {
  const { started } = state;
  const path = `sessions/${encodeURIComponent(state.token)}/trials/${trial.index}/vote`;
  try {
    state = { ...(await ask(path, { choice, milliseconds })), started };
  } catch (error) {
    if (error.status !== 409) return retry(() => send(trial, choice, milliseconds, places, single), error);
    state = { ...(await begin()), started }; // answered in another tab: go on from there
  }
  if (state.right !== undefined) await tellPractice(places, single);
  await next();
}

// One step back: the last answer is asked for once more.
function offerTakingBack() {
  if (!state.can_take_back || state.tookBack) return;
  if ($("keys").textContent) $("keys").textContent += " Backspace takes the last answer back.";
  $("back").hidden = false;
  takeBack = async () => {
    const { started, token, answered } = state;
    clear();
    const path = `sessions/${encodeURIComponent(token)}/trials/${answered - 1}/vote`;
    try {
      state = { ...(await ask(path, undefined, "DELETE")), started, tookBack: true };
    } catch (error) {
      if (error.status !== 409) return retry(next, error);
      state = { ...(await begin()), started }; // gone on in another tab: go on from there
    }
    await next();
  };
}

async function tellPractice(places, single) {
  places.forEach((place) => place.classList.remove("veiled"));
  const truth = single ? `these colors are ${state.fake ? "computed" : "real"}` : `${state.fake + 1} has computed colors`;
  if (!single) places[state.fake].classList.add("fake");
  $("answers").replaceChildren();
  await waitForGo(`${state.right ? "Right" : "Wrong"}: ${truth}.`, "Next");
  clear();
}

// --- the session -----------------------------------------------------------------------------------------------------

function waitForGo(text, label) {
  $("told").textContent = text;
  $("keys").textContent = "Click, or press Enter.";
  return new Promise((done) => {
    const go = () => {
      proceed = null;
      button.remove();
      $("told").textContent = $("keys").textContent = "";
      done();
    };
    const button = element("button", { type: "button", textContent: label, onclick: go });
    $("answers").append(button);
    button.focus();
    proceed = go;
  });
}

function retry(action, error) {
  $("told").textContent = `Not sent (${error.message}).`;
  const button = element("button", { type: "button", textContent: "Try again" });
  button.onclick = () => { button.remove(); $("told").textContent = ""; action(); };
  $("answers").append(button);
  button.focus();
}

async function next() {
  if (state.answered >= state.trials) return finish();
  try {
    await runTrial();
  } catch (error) {
    clear();
    retry(next, error);
  }
}

function finish() {
  clear();
  describeProgress();
  $("question").textContent = "Thank you, that was all.";
  const again = element("button", { type: "button", textContent: "Begin as another person" });
  again.onclick = () => { localStorage.removeItem(KEPT); start(); };
  $("answers").append(again);
  offerTakingBack();
}

async function start() {
  try {
    state = await begin();
    await next();
  } catch (error) {
    retry(start, error);
  }
}

addEventListener("resize", arrange);
$("back").addEventListener("click", () => takeBack());

addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[1-9]$/.test(event.key)) choose(Number(event.key) - 1);
  else if (event.key === "Backspace") takeBack();
  else if (event.key === "Enter" && proceed && event.target.tagName !== "BUTTON") proceed();
});

start();
