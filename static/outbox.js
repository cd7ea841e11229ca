// What Meta's window gave is posted the moment it comes, kept and retried until the server has it.
// A code stays in memory only; everything else also survives a reload of the tab.

import { passing } from "./troubles.js";

const KEPT = "signup-outbox";
const LONGEST_MS = 30_000;
const FIRST_MS = 500;

export class Outbox {
  // `onAnswer(id, body, isOld)`: the server took it; `isOld`: another page had it to send.
  // `onTrouble(kind, error)`: a passing one, or refused.
  constructor(config, { onAnswer, onTrouble }) {
    this.config = config;
    this.onAnswer = onAnswer;
    this.onTrouble = onTrouble;
    this.waiting = new Set();
    this.token = cookie(config.csrf_cookie);
    addEventListener("pagehide", () => this.waiting.forEach((entry) => this.beacon(entry)));
    for (const entry of this.remembered()) this.add({ ...entry, isOld: true });
  }

  get isWaiting() {
    return this.waiting.size > 0;
  }

  // Whether the end of Meta's window is among what waits, and not only that it was opened or closed.
  get holdsResult() {
    const isResult = ({ code, waba_id, event }) => code || waba_id || event?.startsWith("FINISH");
    return [...this.waiting].some(({ body }) => isResult(body));
  }

  retry() {
    this.waiting.forEach((entry) => this.send(entry));
  }

  // Resolves when the server has taken it, or refused it for good.
  post(onboarding, body) {
    return new Promise((resolve) => {
      this.add({ onboarding, body, tries: 0, resolve });
    });
  }

  add(entry) {
    this.waiting.add(entry);
    this.remember();
    this.send(entry);
  }

  async send(entry) {
    if (!this.waiting.has(entry) || entry.underway) return;
    entry.underway = true;
    clearTimeout(entry.timer);
    const done = await this.tried(entry).catch(() => false);
    entry.underway = false;
    if (done) {
      this.waiting.delete(entry);
      this.remember();
      entry.resolve?.();
      return;
    }
    entry.tries += 1;
    if (this.isOut) return; // kept until `retry`: a newer link has to be opened first
    if (entry.tries === 3) this.onTrouble("offline");
    const wait = Math.min(FIRST_MS * 2 ** (entry.tries - 1), LONGEST_MS);
    entry.timer = setTimeout(() => this.send(entry), entry.tries === 1 ? 50 : wait);
  }

  // True when there is nothing more to do for the entry.
  async tried(entry) {
    const answer = await this.fetched(entry);
    const body = await answer.json().catch(() => ({}));
    const wasOut = this.isOut;
    this.isOut = false;
    if (answer.ok) {
      if (wasOut) this.retry();
      this.onAnswer(entry.onboarding, body, Boolean(entry.isOld));
      return true;
    }
    if (answer.status === 403 && body.error?.code === "csrf_failed") {
      await this.freshToken();
      return false;
    }
    if (answer.status === 401) {
      const kind = passing({ status: answer.status, error: body.error });
      this.isOut = kind === "link-ended";
      this.onTrouble(kind, body.error);
      return false;
    }
    if (answer.status >= 500 || [408, 425, 429].includes(answer.status)) return false;
    this.onTrouble("refused", body.error);
    return true;
  }

  fetched(entry) {
    return fetch(`${this.config.api}${entry.onboarding}/signup/`, {
      method: "POST",
      credentials: "same-origin",
      keepalive: true,
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.token },
      body: JSON.stringify(entry.body),
    });
  }

  beacon(entry) {
    if (!entry.underway) this.fetched(entry).catch(() => {});
  }

  async freshToken() {
    const answer = await fetch(this.config.csrf_url, { credentials: "same-origin" });
    this.token = (await answer.json()).csrfToken;
  }

  // Any other request of the page, with the same token and one repeat with a fresh one.
  async ask(path, body) {
    for (const last of [false, true]) {
      const answer = await fetch(`${this.config.api}${path}`, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.token },
        body: JSON.stringify(body ?? {}),
      });
      const told = await answer.json().catch(() => ({}));
      if (answer.ok) return told;
      if (last || told.error?.code !== "csrf_failed") throw new Refused(told.error, answer.status);
      await this.freshToken();
    }
    return null;
  }

  // A piece of a page, as text. Throws where the server gives none.
  async fetchPage(address, form) {
    for (const last of [false, true]) {
      const answer = await fetch(address, {
        method: "POST",
        credentials: "same-origin",
        headers: { "X-CSRFToken": this.token },
        body: form,
      });
      if (answer.ok) return answer.text();
      if (last || answer.status !== 403) throw new Error(String(answer.status));
      await this.freshToken();
    }
    return null;
  }

  remember() {
    const kept = [...this.waiting]
      .filter(({ body }) => !body.code)
      .map(({ onboarding, body }) => ({ onboarding, body, tries: 0 }));
    try {
      if (kept.length) sessionStorage.setItem(KEPT, JSON.stringify(kept));
      else sessionStorage.removeItem(KEPT);
    } catch {
      // private mode: memory only
    }
  }

  remembered() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEPT) || "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }
}

export class Refused extends Error {
  constructor(error, status) {
    super(error?.message || "");
    this.error = error;
    this.status = status;
  }
}

function cookie(name) {
  const found = document.cookie.split("; ").find((each) => each.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}
