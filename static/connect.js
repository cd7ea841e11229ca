// The signup page: the question, Meta's window, the card. The server decides; this page shows.

import { Acts } from "./acts.js";
import { remember } from "./address.js";
import { Card } from "./card.js";
import { allowLaunch, choose, chosen, hint, revealLaunch, showFor } from "./choose.js";
import { Elsewhere } from "./elsewhere.js";
import { Outbox } from "./outbox.js";
import { Picker } from "./picker.js";
import { initSdk, listen, loadSdk, openWindow } from "./signup.js";
import { Telling } from "./telling.js";
import { ThisTab } from "./this_tab.js";
import { Troubles, unfit } from "./troubles.js";
import { isShown, showView } from "./views.js";
import { Handle, WindowCard } from "./window.js";

const $ = (selector) => document.querySelector(selector);
const config = JSON.parse($("#page-config").textContent);
const texts = $("#texts").dataset;
// A window that was left longer ago is hardly open any more.
const LEFT_AFTER_MS = 30 * 60_000;

let launch = null; // what FB.login needs, from the server
let attempt = config.onboarding; // the onboarding that messages belong to
let attemptOpen = config.state === "started" || config.state === "cancelled";
const opened = new WeakMap(); // Meta's windows that this page holds, each with its attempt and turn
let launched = config.waiting_for; // whose window may be open still, beside the attempt in hand
let sdk = null; // a promise once it is asked for
let sdkReady = false;
let preparing = 0;
let opening = 0; // the launches that were prepared or opened; the end of an older one says nothing

const troubles = new Troubles(config.site_url, texts);
const telling = new Telling(troubles, { show });

const outbox = new Outbox(config, {
  onAnswer(id, told, isOld) {
    // It may have been asked before the link was ended: then the card says whether it is open now.
    if (card.isOut && card.id) card.lookNow();
    else troubles.settle();
    if (id !== attempt && !turnsTo(id, told.state, isOld)) return;
    // Other ids than the first ones open a new onboarding: the page follows it.
    if (told.id) attempt = told.id;
    if (told.state && told.state !== "started") follow(told.state);
    else if (isShown("progress")) card.look();
  },
  onTrouble: (kind, error) => telling.unsent(kind, error),
});

const card = new Card(config, {
  isSaid: () => telling.isOutside,
  onReached() {
    if (!outbox.isWaiting) troubles.settle();
  },
  onEnded: (how) => telling.end(how),
  onChange(state) {
    offerErrors();
    if (state === "connected" || state === "rejected") {
      attemptOpen = false;
      if (launched === attempt) launched = null;
    }
    // Beside the open window the card is read unseen: what the server learns elsewhere counts too.
    if (isShown("window") && state !== "started") follow(state);
  },
});

Object.assign(telling, { card, outbox });

const windowCard = new WindowCard({ onUnseen: () => troubles.show("unseen") });

const picker = new Picker({
  texts,
  onSay: (said) => {
    tellError(said);
    showCard(attempt);
  },
  onClose() {
    // What was held back while somebody was reading.
    const { id, state } = card.shown?.dataset ?? {};
    if (id === attempt && state !== "started") showCard(attempt, state);
  },
});

const elsewhere = new Elsewhere(config.elsewhere_url, {
  outbox,
  onTrouble: () => troubles.show("failed", { focus: true }),
});

// --- What is shown --------------------------------------------------------------------------------

function show(name) {
  showView(name);
  if (name !== "window") windowCard.leave();
  elsewhere.hide();
}

function showCard(id, state) {
  if (troubles.kind === "unseen") troubles.hide();
  picker.close();
  show("progress");
  remember(id);
  card.watch(id, state);
  offerErrors();
}

// A window that ended without a word may have shown an error all the same.
function offerErrors() {
  const { id, reason } = card.shown?.dataset ?? {};
  const isMute = ["no_confirmation", "meta_cancelled"].includes(reason);
  $("#ended-help").hidden = !isMute || id !== attempt;
}

// It ends the attempt: the next window needs a launch of its own.
function tellError(said) {
  launch = null;
  return outbox.post(attempt, said);
}

// The attempt stands elsewhere now. Who reads about an error goes on reading.
function follow(state) {
  if (state === "cancelled" && picker.isOpen) launch = null;
  else showCard(attempt, state);
}

// An older attempt's window has finished while nothing is open here: the page turns to it.
function turnsTo(id, state, isOld) {
  if (isOld || !state || ["started", "cancelled"].includes(state)) return false;
  if (isShown("window")) return false;
  preparing += 1;
  launch = null;
  attempt = id;
  return true;
}

// --- The question ---------------------------------------------------------------------------------

function updateButton() {
  const isReady = Boolean(launch && sdkReady);
  allowLaunch(isReady);
  const asked = chosen() || isShown("ready");
  hint(isReady ? "" : asked ? texts.preparing : texts.choose);
}

// Ask for the attempt and load the SDK; only then can the button open the window in its click.
async function prepare(isRepeated = false) {
  const input = chosen();
  showFor(input?.value);
  launch = null;
  attempt = null; // the one of another answer is not to be gone on with
  updateButton();
  if (!input || !$("#launch")) return;
  const turn = ++preparing;
  opening += 1;
  if (!isRepeated) telling.hide();
  if (!isFit()) return;
  try {
    const told = await begun(input.dataset.mode);
    if (turn !== preparing) return;
    attempt = told.id;
    troubles.settle();
    await ready(told.launch, turn);
  } catch (problem) {
    if (turn !== preparing) return;
    telling.failed(problem, () => prepare(true));
    hint(texts.above);
  }
}

function begun(mode) {
  return outbox.ask("", { connection_mode: mode, tenant: config.tenant });
}

// `turn`: of the preparing; another one may have begun while the SDK was loading.
async function ready(told, turn) {
  if (!isFit()) return;
  sdk ??= loadSdk(told.sdk_url, config.sdk_timeout_seconds);
  try {
    await sdk;
  } catch {
    sdk = null;
    if (turn !== preparing) return;
    troubles.show("sdk");
    hint(texts.above);
    return;
  }
  if (!sdkReady) initSdk(told); // once a page: the SDK complains about a second time
  sdkReady = true;
  if (turn !== preparing) return;
  launch = told;
  updateButton();
}

function isFit() {
  const fault = unfit(config.site_url);
  if (!fault) return true;
  troubles.show(fault.kind, fault);
  hint(texts.above);
  return false;
}

// --- Meta's window --------------------------------------------------------------------------------

// Everything here runs synchronously in the click, FB.login last.
function open() {
  telling.hide();
  picker.close();
  attemptOpen = true;
  const id = attempt;
  launched = id;
  const turn = ++opening;
  outbox.post(id, { event: "LAUNCHED" });
  remember(id);
  show("window");
  $("#window-title").focus();
  const handle = new Handle();
  try {
    handle.during(() => openWindow(launch, (answer) => answered(id, turn, handle, answer)));
  } catch {
    sdkFailed();
    return;
  }
  if (handle.window) opened.set(handle.window, { id, turn });
  if (handle.isBlocked) blocked();
  else if (turn === opening && isShown("window")) watch(id, handle);
}

function answered(id, turn, handle, answer) {
  // The launch in hand answers for itself; the end of an older one's window says nothing of it.
  if (!answer.code && turn !== opening) return;
  // Nothing opened, so nothing was closed: the trouble is told, the attempt stays as it is.
  if (!answer.code && (handle.isBlocked || handle.isClosedAtOnce)) return;
  windowCard.stopTimers();
  outbox.post(id, answer);
  if (answer.login_status === "connected_without_code") troubles.show("no-code");
}

function watch(id, handle) {
  windowCard.opened(handle);
  card.watch(id);
}

function blocked() {
  show("");
  troubles.show("popup", { focus: true });
}

function sdkFailed() {
  show("");
  troubles.show("sdk", { focus: true });
}

function again() {
  if (launch && sdkReady) open();
  else acts.startAgain(attempt);
}

listen(config.message_hosts, config.sandbox_origin, (body, source) => {
  const held = opened.get(source);
  const id = held?.id ?? (attemptOpen && attempt ? attempt : launched);
  if (id && !(held && isOver(held) && ["CANCEL", "ERROR"].includes(body.event))) outbox.post(id, body);
});

// Another launch of the window's attempt was prepared since: what it finished still counts, how it
// ended does not. (Without an attempt in hand the one that is being prepared may be the same.)
function isOver({ id, turn }) {
  return turn !== opening && (!attempt || attempt === id);
}

// One certain number (again): nothing to ask, but the window needs a click of its own.
async function openFor(number, address, { body, isRepeated = false } = {}) {
  if ($("#unready")) {
    startOver(); // there it says why no window can be opened
    return;
  }
  if (!isRepeated) telling.hide();
  launch = null;
  const turn = ++preparing;
  opening += 1;
  updateButton();
  try {
    const told = await outbox.ask(address, body);
    if (turn !== preparing) return;
    troubles.settle();
    attempt = told.id;
    await offer(number, told.launch, turn);
  } catch (problem) {
    if (turn !== preparing) return;
    telling.failed(problem, () => openFor(number, address, { body, isRepeated: true }));
  }
}

function offer(number, told, turn, { wasLeft = false } = {}) {
  card.stop();
  remember(attempt);
  $("#ready-number").textContent = number ?? "";
  $("#ready-one").hidden = !number;
  $("#ready-left").hidden = !wasLeft || Boolean(number);
  show("ready");
  updateButton();
  $("#ready-title").focus();
  return ready(told, turn);
}

// "Start again" asks the question again with the same answer.
function startOver(mode = chosen()?.dataset.mode ?? config.connection_mode) {
  card.stop();
  opening += 1;
  show("choose");
  const input = choose(mode);
  if (input) prepare();
  ($("#unready-title") ?? input ?? $("#question")).focus();
}

const acts = new Acts(card, outbox, {
  openFor,
  startOver,
  telling,
});

// --- What the customer presses --------------------------------------------------------------------

const deeds = {
  again,
  retry: () => (isShown("choose") ? prepare() : acts.startAgain(attempt)),
  "try-now": () => {
    telling.tryNow();
    if (!card.underway) card.lookNow();
  },
  dismiss: () => troubles.hide(),
  copy: (button) => troubles.copy(button),
  "this-tab": () => thisTab.go(),
  elsewhere: (button) => elsewhere.toggle(button, attempt),
  "saw-this": () => picker.say(),
  async "start-again"(button) {
    button.setAttribute("aria-disabled", "true");
    await tellError(picker.read); // first: it would end the new launch
    button.removeAttribute("aria-disabled");
    if (!picker.isOpen) return;
    picker.close();
    acts.startAgain(attempt);
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest('[data-do]:not([aria-disabled="true"])');
  if (button) deeds[button.dataset.do](button);
});

const thisTab = new ThisTab({
  token: () => outbox.token,
  attempt: () => attempt,
  async begin() {
    const input = chosen();
    if (!input) return null;
    hint(texts.preparing);
    attempt = (await begun(input.dataset.mode)).id;
    return attempt;
  },
  onTrouble: (problem) => telling.undone(problem),
});

$("#choose-form").addEventListener("change", () => {
  prepare();
  revealLaunch();
  thisTab.answered();
});
$("#choose-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (launch && sdkReady) open();
});
$("#launch-ready")?.addEventListener("click", () => {
  if (launch && sdkReady) open();
});
$("#again").addEventListener("click", again);
$("#closed").addEventListener("click", () => {
  if (picker.read) picker.say(); // who closed it over an error that they were reading of
  else outbox.post(attempt, { login_status: "unknown" });
});
addEventListener("online", () => telling.tryNow());
addEventListener("focus", () => telling.tryNow());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) telling.tryNow();
});

// --- The start ------------------------------------------------------------------------------------

function begin() {
  showFor(chosen()?.value);
  if (!config.onboarding) {
    show("choose");
    updateButton();
    if (isFit() && chosen()) prepare(); // browsers keep the choice over a reload
  } else if (config.state === "started") {
    comeBack(config.launched_at && new Date(config.launched_at));
  } else {
    showCard(config.onboarding);
  }
}

// The page was read anew, so it holds no window: the one of before may be open, or is long gone.
// Its messages still reach this page. Reading a page is no launch, so the server has said with it
// what opens the window again in its click.
function comeBack(launchedAt) {
  if (!config.launch) {
    showCard(attempt);
  } else if (!launchedAt) {
    offerAgain();
  } else if (Date.now() - launchedAt > LEFT_AFTER_MS) {
    offer(card.shown?.dataset.number, config.launch, preparing, { wasLeft: true });
  } else {
    showFor(chosen()?.value ?? (config.connection_mode === "business_app" ? "app" : "new"));
    show("window");
    windowCard.found(launchedAt);
    card.watch(attempt);
    if (isFit()) ready(config.launch, preparing);
  }
}

// Begun again before the page was read anew, and not opened since: the same answer, ready to go.
function offerAgain() {
  const number = card.shown?.dataset.number;
  const input = number ? null : choose(config.connection_mode);
  if (!input) {
    offer(number, config.launch, preparing);
    return;
  }
  show("choose");
  showFor(input.value);
  updateButton();
  ready(config.launch, preparing);
}

begin();
