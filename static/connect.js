// The signup page: the question, Meta's window, the card. The server decides; this page shows.

import { Acts } from "./acts.js";
import { Card } from "./card.js";
import { Outbox } from "./outbox.js";
import { initSdk, listen, loadSdk, openWindow } from "./signup.js";

const $ = (selector) => document.querySelector(selector);
const config = JSON.parse($("#page-config").textContent);
const texts = $("#texts").dataset;
const BLOCKED_AFTER_MS = 5_000;
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
let watchdog = 0;
let preparing = 0;
let troublePasses = false;

const outbox = new Outbox(config, {
  onAnswer(id, told) {
    if (troublePasses) hideTrouble();
    // Other ids than the first ones open a new onboarding: the page follows it.
    if (told.id && told.id !== attempt && id === attempt) attempt = told.id;
    if (told.state && told.state !== "started") showCard(attempt);
    else if (views.progress.hidden === false) card.look();
  },
  onTrouble(kind, error) {
    if (kind === "refused") showError(error);
    else showTrouble(kind === "offline" ? texts.offline : texts.signedOut, true);
  },
});

const card = new Card(config, {
  onChange(state) {
    if (state === "connected" || state === "rejected") attemptOpen = false;
  },
});

// --- What is shown --------------------------------------------------------------------------------

function show(name) {
  for (const [each, section] of Object.entries(views)) section.hidden = each !== name;
  $("#another").hidden = name !== "progress";
}

function showCard(id) {
  clearTimeout(watchdog);
  show("progress");
  remember(id);
  card.watch(id);
}

function remember(id) {
  const address = new URL(location.href);
  address.searchParams.set("onboarding", id);
  address.searchParams.delete("new");
  history.replaceState(null, "", address);
}

// `passes`: over as soon as the server answers again.
function showTrouble(text, passes = false) {
  troublePasses = passes;
  $("#trouble").textContent = text;
  $("#trouble").hidden = false;
}

function hideTrouble() {
  $("#trouble").hidden = true;
}

function showError(error) {
  const parts = [error?.message || texts.failed, error?.remedy];
  if (error?.request_id) parts.push(`${texts.reference}: ${error.request_id}`);
  showTrouble(parts.filter(Boolean).join(" "));
}

// --- The question ---------------------------------------------------------------------------------

function chosenUse() {
  return document.querySelector('input[name="use"]:checked');
}

function showReadyList() {
  const use = chosenUse()?.value;
  $("#ready-list").hidden = !use;
  for (const item of document.querySelectorAll("[data-for]")) {
    item.hidden = !item.dataset.for.split(" ").includes(use);
  }
}

function hint(text) {
  for (const place of [$("#launch-hint"), $("#ready-hint")]) {
    if (place) place.textContent = text;
  }
}

function updateButton() {
  const isReady = Boolean(launch && sdkReady);
  for (const button of [$("#launch"), $("#launch-ready")]) {
    if (button) button.disabled = !isReady;
  }
  const asked = chosenUse() || !views.ready.hidden;
  hint(isReady ? texts.opens : asked ? texts.preparing : texts.choose);
}

// Ask for the attempt and load the SDK; only then can the button open the window in its click.
async function prepare() {
  const input = chosenUse();
  showReadyList();
  launch = null;
  updateButton();
  if (!input || !$("#launch")) return;
  const turn = ++preparing;
  hideTrouble();
  try {
    const told = await outbox.ask("", {
      connection_mode: input.dataset.mode,
      tenant: config.tenant,
    });
    if (turn !== preparing) return;
    attempt = told.id;
    await ready(told.launch);
  } catch (problem) {
    if (turn !== preparing) return;
    if (problem.status === 401) showTrouble(texts.signedOut);
    else if (problem.error) showError(problem.error);
    else showTrouble(texts.offline);
    hint(texts.failed);
  }
}

async function ready(told) {
  if (!inSecureContext()) return;
  sdk ??= loadSdk(told.sdk_url, config.sdk_timeout_seconds);
  try {
    await sdk;
  } catch {
    sdk = null;
    showTrouble(texts.sdkBlocked);
    hint(texts.failed);
    return;
  }
  if (!sdkReady) initSdk(told); // once a page: the SDK complains about a second time
  sdkReady = true;
  launch = told;
  updateButton();
}

function inSecureContext() {
  const inApp = /FBAN|FBAV|Instagram|; wv\)/.test(navigator.userAgent);
  if (inApp) showTrouble(texts.inApp);
  else if (!window.isSecureContext) showTrouble(texts.insecure);
  else return true;
  hint(texts.failed);
  return false;
}

// --- Meta's window --------------------------------------------------------------------------------

// Everything here runs synchronously in the click, FB.login last.
function open() {
  hideTrouble();
  attemptOpen = true;
  const id = attempt;
  outbox.post(id, { event: "LAUNCHED" });
  remember(id);
  show("window");
  $("#help-blocked").hidden = true;
  $("#window-title").focus();
  let answered = false;
  clearTimeout(watchdog);
  watchdog = setTimeout(() => {
    // No answer, no message, and this page never lost the focus: the window did not open.
    if (!answered && document.hasFocus()) $("#help-blocked").hidden = false;
  }, BLOCKED_AFTER_MS);
  openWindow(launch, (answer) => {
    answered = true;
    // A window that was opened again answers for itself; the first one's end says nothing.
    outbox.post(id, answer);
    if (answer.login_status === "connected_without_code") showTrouble(texts.noCode);
  });
}

listen(config.message_hosts, config.sandbox_origin, (body) => {
  if (!attemptOpen || !attempt) return;
  outbox.post(attempt, body);
});

// One certain number (again): nothing to ask, but the window needs a click of its own.
async function openFor(number, address) {
  hideTrouble();
  launch = null;
  updateButton();
  try {
    const told = await outbox.ask(address);
    card.stop();
    attempt = told.id;
    remember(attempt);
    $("#ready-number").textContent = number;
    show("ready");
    updateButton();
    $("#ready-title").focus();
    await ready(told.launch);
  } catch (problem) {
    if (problem.error) showError(problem.error);
    else showTrouble(texts.offline);
  }
}

// "Start again" asks the question again with the same answer.
function startOver(mode) {
  card.stop();
  show("choose");
  const input = document.querySelector(`input[name="use"][data-mode="${mode}"]`);
  if (input) {
    input.checked = true;
    prepare();
  }
  (input ?? $("#question")).focus();
}

const acts = new Acts(card, outbox, { openFor, startOver, showError, showTrouble, hideTrouble });

$("#choose-form").addEventListener("change", prepare);
$("#choose-form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (launch && sdkReady) open();
});
$("#launch-ready").addEventListener("click", () => {
  if (launch && sdkReady) open();
});
$("#again").addEventListener("click", () => {
  if (launch && sdkReady) open();
  else acts.startAgain();
});
$("#closed").addEventListener("click", () => {
  outbox.post(attempt, { login_status: "unknown" });
});
$("#saw-error").addEventListener("click", (event) => {
  const form = $("#error-form");
  form.hidden = !form.hidden;
  event.currentTarget.setAttribute("aria-expanded", String(!form.hidden));
  if (!form.hidden) $("#error-text").focus();
});
$("#error-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("#error-text").value.trim();
  const code = text.match(/[0-9]{3,10}/)?.[0];
  outbox.post(attempt, { event: "ERROR", error_message: text, ...(code && { error_code: code }) });
});

// --- The start ------------------------------------------------------------------------------------

function begin() {
  if (!config.onboarding) {
    show("choose");
    updateButton();
    if (chosenUse()) prepare(); // browsers keep the choice over a reload
  } else if (config.state === "started" && config.launched) {
    // Reloaded while the window is open: its messages still reach this page.
    show("window");
  } else {
    showCard(config.onboarding);
  }
}

begin();
