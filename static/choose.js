// The question and what depends on its answer: the checklist, the notice, the button's hint.

const $$ = (selector) => document.querySelectorAll(selector);

export function chosen() {
  return document.querySelector('input[name="use"]:checked');
}

// Everything on the page that is for some answers only; `use` is new, app or other.
export function showFor(use) {
  const list = document.querySelector("#ready-list");
  list.hidden = !use;
  for (const item of $$("[data-for]")) {
    item.hidden = !item.dataset.for.split(" ").includes(use);
  }
}

// On a small screen the button is held at the edge: bring it there if the choices pushed it below.
export function revealLaunch() {
  if (!matchMedia("(max-width: 480px)").matches) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const bar = document.querySelector("#then .go");
  bar?.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
}

// Take the answer as given: the one that was chosen, if it is of this mode.
export function choose(mode) {
  const now = chosen();
  const input =
    now?.dataset.mode === mode
      ? now
      : document.querySelector(`input[name="use"][data-mode="${mode}"]`);
  if (input) input.checked = true;
  return input;
}

export function allowLaunch(isReady) {
  for (const button of $$("#launch, #launch-ready")) button.disabled = !isReady;
}

export function hint(text) {
  for (const place of $$(".hint")) place.textContent = text;
}
