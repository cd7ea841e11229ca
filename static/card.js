// The card: asks the server how it stands, shows its answer, tells screen readers what changed.

import { clock, tickTimes } from "./times.js";

const SLOWEST_MS = 60_000;
const PATIENCE_MS = 20_000;
const REMEMBERED_MS = 60_000;
const TOLD_AFTER = 2; // failures: one alone is nothing to speak of
const ENDS = { 401: "signedOut", 404: "gone" };

const texts = document.querySelector("#card-texts").dataset;

export class Card {
  // `onChange(state)` after each new card, `onReached()` after each answer of the server.
  // `onEnded(how)`: the guest's link was ended, or replaced. `isSaid()`: whether the page says
  // already that its reader is let in no more.
  constructor(config, { onChange, onReached, onEnded, isSaid }) {
    this.config = config;
    this.onChange = onChange;
    this.onReached = onReached;
    this.onEnded = onEnded;
    this.isSaid = isSaid;
    this.place = document.querySelector("#card-place");
    this.etag = "";
    this.failures = 0;
    this.readAt = new Date();
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.lookNow();
    });
    addEventListener("pageshow", (event) => event.persisted && this.lookNow());
    addEventListener("online", () => this.lookNow());
    setInterval(() => tickTimes(document), 10_000);
    tickTimes(document);
  }

  get shown() {
    return this.place.querySelector("#card");
  }

  // Beside Meta's window the card is read behind the scenes: then nobody is told of it yet.
  get isSeen() {
    return !this.place.closest("[hidden]");
  }

  // `state`, where it is known: a card from before Meta's window is not shown for it.
  watch(id, state = "started") {
    const { shown } = this;
    const isOld = shown?.dataset.state === "started" && state !== "started";
    if (this.id !== id || isOld) this.etag = "";
    this.id = id;
    if (shown?.dataset.id !== id || isOld) this.showWaiting();
    else if (this.isUnread && this.isSeen) this.announce(this.shown.dataset, true);
    this.lookNow();
  }

  stop() {
    this.id = null;
    clearTimeout(this.timer);
  }

  lookNow() {
    this.isWanted = this.underway;
    if (this.id) this.look();
  }

  async look() {
    clearTimeout(this.timer);
    const id = this.id;
    if (!id || this.underway) return;
    this.underway = true;
    try {
      await this.read(id);
      this.succeeded();
    } catch (problem) {
      if (this.id === id) this.failed(problem);
    }
    this.underway = false;
    if (this.id !== id || this.isWanted) {
      this.lookNow();
      return;
    }
    if (this.isOut) return;
    const seconds = Number(this.shown?.dataset.poll ?? 2);
    // A connected number may be lost, which only who looks has to see at once.
    const rests = document.hidden && this.shown?.dataset.state === "connected";
    // Where the server is away even a final card is asked for until it answers.
    if ((seconds > 0 && !rests) || this.failures) {
      const slow = document.hidden ? 5 : 1;
      const wait = Math.max(seconds, 1) * 1000 * slow * 2 ** Math.min(this.failures, 5);
      this.timer = setTimeout(() => this.look(), Math.min(wait, SLOWEST_MS));
    }
  }

  async read(id) {
    const address = this.config.card_url.replace("00000000-0000-0000-0000-000000000000", id);
    const headers = this.etag && this.shown?.dataset.id === id ? { "If-None-Match": this.etag } : {};
    const answer = await fetch(address, {
      headers,
      credentials: "same-origin",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.status === 304) return;
    if (!answer.ok) {
      const how = answer.headers.get("X-Signup-Link");
      throw Object.assign(new Error("no card"), { status: answer.status, how });
    }
    const html = await answer.text();
    if (this.id !== id) return;
    this.etag = answer.headers.get("ETag") || "";
    this.show(html);
  }

  // --- When the server cannot be reached -----------------------------------------------------------

  succeeded() {
    if (this.troubled) document.querySelector("#announce").textContent = texts.back;
    this.failures = 0;
    this.isOut = false;
    this.readAt = new Date();
    this.hush();
    this.onReached();
  }

  // Its reader is let in no more: nothing is asked for by itself until `lookNow`.
  letOut() {
    this.isOut = true;
    clearTimeout(this.timer);
    this.hush();
  }

  hush() {
    this.troubled = "";
    document.querySelector("#card-trouble").replaceChildren();
  }

  failed({ status, how }) {
    this.failures += 1;
    if (status === 410) {
      this.onEnded(how);
      return;
    }
    this.isOut = false;
    if (status === 401 && this.isSaid()) {
      this.hush();
      return;
    }
    const isKnown = this.shown?.dataset.id === this.id;
    if (!ENDS[status] && isKnown && this.failures < TOLD_AFTER) return;
    const text = texts[ENDS[status] ?? (isKnown ? "old" : "none")];
    const told = text.replace("{time}", clock(this.readAt));
    if (this.troubled === told) return;
    this.troubled = told;
    const note = document.querySelector("#card-stale").content.cloneNode(true);
    note.querySelector("p").textContent = told;
    note.querySelector("[data-retry]").addEventListener("click", () => this.look());
    document.querySelector("#card-trouble").replaceChildren(note);
  }

  // --- Showing -------------------------------------------------------------------------------------

  showWaiting() {
    const skeleton = document.querySelector("#card-waiting").content.cloneNode(true);
    this.place.replaceChildren(skeleton);
    const title = this.place.querySelector("h2");
    if (this.isSeen) document.querySelector("#announce").textContent = title.textContent;
  }

  show(html) {
    const before = this.shown?.dataset ?? {};
    const was = { state: before.state, stop: before.stop };
    const isFirst = Boolean(this.place.querySelector(".skeleton"));
    const kept = keep(this.place);
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    restore(fresh.content, kept);
    this.place.replaceChildren(fresh.content);
    tickTimes(this.place);
    const now = this.shown.dataset;
    const changed = was.state !== now.state || was.stop !== now.stop;
    if (!this.isSeen) this.isUnread ||= changed;
    else if (changed && (was.state || isFirst)) this.announce(now, isFirst);
    this.tellAsked();
    if (!this.place.contains(document.activeElement) && kept.focused) {
      this.place.querySelector(kept.focused)?.focus({ preventScroll: true });
    }
    this.onChange(now.state);
  }

  // Somebody had us look: the card says so until the look is over, and for a while what came of it.
  asked() {
    this.question = { stood: standing(this.shown.dataset), passed: false, until: 0 };
    this.tellAsked();
  }

  tellAsked() {
    const { question } = this;
    const place = this.place.querySelector("#asked");
    if (!question || !place) return;
    const { due, stop } = this.shown.dataset;
    if (standing(this.shown.dataset) !== question.stood) {
      // On its way the card says by itself what is being done; at another stop it says all.
      if (stop) this.question = null;
      question.passed = true;
      return;
    }
    const isOver = question.passed || new Date(due || 0) > Date.now();
    if (isOver) question.until ||= Date.now() + REMEMBERED_MS;
    if (isOver && Date.now() > question.until) {
      this.question = null;
      return;
    }
    const text = isOver ? texts.looked : texts.looking;
    if (question.said !== text) document.querySelector("#announce").textContent = text;
    question.said = place.textContent = text;
  }

  announce({ state, stop }, isFirst) {
    this.isUnread = false;
    const title = this.place.querySelector("#card-title");
    const waiting = this.place.querySelector(".waiting")?.textContent.trim() || "";
    const stopped = this.shown.classList.contains("tone-stop");
    const region = document.querySelector(stopped ? "#alarm" : "#announce");
    region.textContent = `${title.textContent}. ${waiting}`;
    // A result or a stop gets the focus; a step on the way leaves it where it is. What had it before
    // the first card is gone from sight.
    if (["connected", "rejected"].includes(state) || stop || isFirst) title.focus();
  }
}

function standing({ state, stop }) {
  return `${state} ${stop ?? ""}`;
}

// --- What somebody was doing outlives a fresh card --------------------------------------------------

function keep(place) {
  return {
    open: [...place.querySelectorAll("details[open]")].map((each) => each.id).filter(Boolean),
    picked: place.querySelector("input:checked")?.value,
    fields: [...place.querySelectorAll("input[id]")].filter((field) => field.value),
    focused: keyOf(document.activeElement),
  };
}

function restore(fresh, { open, picked, fields }) {
  for (const id of open) {
    const details = fresh.querySelector(`details#${CSS.escape(id)}`);
    if (details) details.open = true;
  }
  if (picked) {
    const again = fresh.querySelector(`input[value="${CSS.escape(picked)}"]`);
    if (again) again.checked = true;
  }
  // The very field, with its caret and what the browser remembers of it.
  for (const field of fields) fresh.querySelector(`#${CSS.escape(field.id)}`)?.replaceWith(field);
}

function keyOf(element) {
  if (!element || !element.closest("#card-place")) return null;
  if (element.id) return `#${element.id}`;
  for (const name of ["act", "copy", "close"]) {
    const value = element.dataset?.[name];
    if (value) return `[data-${name}="${CSS.escape(value)}"]`;
  }
  if (element.name) return `input[value="${CSS.escape(element.value)}"]`;
  const folded = element.tagName === "SUMMARY" ? element.parentElement.id : "";
  return folded ? `#${CSS.escape(folded)} > summary` : null;
}
