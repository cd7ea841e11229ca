// The signup page: the question, Meta's window, the card. The server decides; this page shows.

import { Acts } from "./acts.js";
import { Card } from "./card.js";
import { allowLaunch, choose, chosen, hint, revealLaunch, showFor } from "./choose.js";
import { Elsewhere } from "./elsewhere.js";
import { Outbox } from "./outbox.js";
import { Picker } from "./picker.js";
import { initSdk, listen, loadSdk, openWindow } from "./signup.js";
import { Troubles, unfit } from "./troubles.js";
import { Handle, WindowCard } from "./window.js";

const $ = (selector) => document.querySelector(selector);
const config = JSON.parse($("#page-config").textContent);
const texts = $("#texts").dataset;
// A window that was left longer ago is hardly open any more.
const LEFT_AFTER_MS = 30 * 60_000;
const views = {
  choose: $("#choose"),
  ready: $("#ready"),
  window: $("#window"),
  progress: $("#progress"),
};

let launch = null; // what FB.login needs, from the server
let attempt = config.onboarding; // the onboarding that messages belong to
let attemptOpen = config.state === "started" || config.state === "cancelled";
let sdk = null; // a promise once it is asked for
let sdkReady = false;
let preparing = 0;
let opening = 0; // how many times the window was opened; the last one counts

const troubles = new Troubles(config.site_url, texts);

const outbox = new Outbox(config, {
  onAnswer(id, told) {
    troubles.settle();
    // Other ids than the first ones open a new onboarding: the page follows it.
    if (told.id && told.id !== attempt && id === attempt) attempt = told.id;
    if (told.state && told.state !== "started") follow(told.state);
    else if (views.progress.hidden === false) card.look();
  },
  onTrouble(kind, error) {
    if (kind === "refused") showError(error);
    else troubles.show(kind, { passes: true });
  },
});

const card = new Card(config, {
  onChange(state) {
    if (state === "connected" || state === "rejected") attemptOpen = false;
    // Beside the open window the card is read unseen: what the server learns elsewhere counts too.
    if (!views.window.hidden && state !== "started") follow(state);
  },
});

const windowCard = new WindowCard({ onUnseen: () => troubles.show("unseen") });

const picker = new Picker({
  texts,
  onPick(said, isUnknown) {
    launch = null; // it ends the attempt: the next window needs a launch of its own
    outbox.post(attempt, said);
    if (isUnknown) showCard(attempt);
  },
  onClose(hasTold) {
    if (hasTold) showCard(attempt);
  },
});

const elsewhere = new Elsewhere(config.elsewhere_url, {
  outbox,
  onTrouble: () => troubles.show("failed", { focus: true }),
});

// --- What is shown --------------------------------------------------------------------------------

function show(name) {
  for (const [each, section] of Object.entries(views)) section.hidden = each !== name;
  $("#another").hidden = name !== "progress";
  if (name !== "window") windowCard.leave();
  elsewhere.hide();
}

function showCard(id) {
  if (troubles.kind === "unseen") troubles.hide();
  picker.close();
  show("progress");
  remember(id);
  card.watch(id);
}

// The attempt stands elsewhere now. Who reads about an error that they told goes on reading.
function follow(state) {
  if (state === "cancelled" && picker.isOpen) return;
  showCard(attempt);
}

function remember(id) {
  const address = new URL(location.href);
  address.searchParams.set("onboarding", id);
  address.searchParams.delete("new");
  history.replaceState(null, "", address);
}

// A kind of trouble, or a sentence of the card's.
function showTrouble(said) {
  if (troubles.knows(said)) troubles.show(said);
  else showError({ message: said });
}

function hideTrouble() {
  troubles.hide();
}

function showError(error) {
  troubles.show("failed", { error: error ?? {} });
}

// --- The question ---------------------------------------------------------------------------------

function updateButton() {
  const isReady = Boolean(launch && sdkReady);
  allowLaunch(isReady);
  const asked = chosen() || !views.ready.hidden;
  hint(isReady ? "" : asked ? texts.preparing : texts.choose);
}

// Ask for the attempt and load the SDK; only then can the button open the window in its click.
async function prepare() {
  const input = chosen();
  showFor(input?.value);
  launch = null;
  updateButton();
  if (!input || !$("#launch")) return;
  const turn = ++preparing;
  hideTrouble();
  if (!isFit()) return;
  try {
    const told = await begun(input.dataset.mode);
    if (turn !== preparing) return;
    attempt = told.id;
    await ready(told.launch);
  } catch (problem) {
    if (turn !== preparing) return;
    if (problem.status === 401) troubles.show("signed-out");
    else if (problem.error) showError(problem.error);
    else troubles.show("offline", { passes: true });
    hint(texts.above);
  }
}

function begun(mode) {
  return outbox.ask("", { connection_mode: mode, tenant: config.tenant });
}

async function ready(told) {
  if (!isFit()) return;
  sdk ??= loadSdk(told.sdk_url, config.sdk_timeout_seconds);
  try {
    await sdk;
  } catch {
    sdk = null;
    troubles.show("sdk");
    hint(texts.above);
    return;
  }
  if (!sdkReady) initSdk(told); // once a page: the SDK complains about a second time
  sdkReady = true;
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
  hideTrouble();
  picker.close();
  attemptOpen = true;
  const id = attempt;
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
  if (handle.isBlocked) blocked();
  else if (turn === opening && !views.window.hidden) watch(id, handle);
}

function answered(id, turn, handle, answer) {
  // A window that was opened again answers for itself; the first one's end says nothing.
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

listen(config.message_hosts, config.sandbox_origin, (body) => {
  if (!attemptOpen || !attempt) return;
  outbox.post(attempt, body);
});

// One certain number (again): nothing to ask, but the window needs a click of its own.
async function openFor(number, address, body) {
  hideTrouble();
  launch = null;
  updateButton();
  try {
    const told = await outbox.ask(address, body);
    card.stop();
    attempt = told.id;
    remember(attempt);
    $("#ready-number").textContent = number ?? "";
    $("#ready-one").hidden = !number;
    $("#ready-left").hidden = Boolean(number || body); // who restarts had finished the window
    show("ready");
    updateButton();
    $("#ready-title").focus();
    await ready(told.launch);
  } catch (problem) {
    if (problem.error) showError(problem.error);
    else showTrouble("offline");
  }
}

// "Start again" asks the question again with the same answer.
function startOver(mode = chosen()?.dataset.mode ?? config.connection_mode) {
  card.stop();
  show("choose");
  const input = choose(mode);
  if (input) prepare();
  (input ?? $("#question")).focus();
}

const acts = new Acts(card, outbox, { openFor, startOver, showError, showTrouble, hideTrouble });

// --- What the customer presses --------------------------------------------------------------------

const deeds = {
  again,
  retry: () => (views.choose.hidden ? acts.startAgain(attempt) : prepare()),
  dismiss: () => troubles.hide(),
  copy: (button) => troubles.copy(button),
  elsewhere: (button) => elsewhere.toggle(button, attempt),
  "start-again": () => {
    picker.close();
    acts.startAgain(attempt);
  },
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) deeds[button.dataset.do](button);
});

// The form of "Continue in this tab" needs the attempt; where none was begun, this begins it.
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-this-tab]");
  if (!form) return;
  const field = form.elements.onboarding;
  if (attempt) field.value = attempt;
  if (field.value) return;
  event.preventDefault();
  const input = chosen();
  if (!input) {
    hint(texts.choose);
    document.querySelector('input[name="use"]')?.focus();
    return;
  }
  try {
    attempt = field.value = (await begun(input.dataset.mode)).id;
    form.submit();
  } catch (problem) {
    if (problem.error) showError(problem.error);
    else troubles.show("offline", { passes: true });
  }
});

$("#choose-form").addEventListener("change", () => {
  prepare();
  revealLaunch();
});
$("#choose-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (launch && sdkReady) open();
});
$("#launch-ready").addEventListener("click", () => {
  if (launch && sdkReady) open();
});
$("#again").addEventListener("click", again);
$("#closed").addEventListener("click", () => {
  outbox.post(attempt, { login_status: "unknown" });
});
addEventListener("online", () => {
  if (troubles.kind === "offline" && !views.choose.hidden) prepare();
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
// Its messages still reach this page.
function comeBack(launchedAt) {
  if (!launchedAt) {
    showCard(attempt);
    return;
  }
  if (Date.now() - launchedAt > LEFT_AFTER_MS) {
    openFor(card.shown?.dataset.number, `${attempt}/launch/`).then(() => {
      if (views.ready.hidden) showCard(attempt); // refused: the trouble says why
    });
    return;
  }
  showFor(chosen()?.value ?? (config.connection_mode === "business_app" ? "app" : "new"));
  show("window");
  windowCard.found(launchedAt);
  card.watch(attempt);
  // So that "Open it again" opens it in its click.
  if (isFit()) {
    outbox.ask(`${attempt}/launch/`).then((told) => ready(told.launch)).catch(() => {});
  }
}

begin();
