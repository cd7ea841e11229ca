// Meta's window while it is open: its handle, where the page holds one, and a watch on its silence.

import { clock } from "./times.js";

const LOOK_MS = 50;
const UNSEEN_AFTER_MS = 5_000;
const SHUT_AFTER_MS = 3_000;
const AT_ONCE_MS = 2_000;
const STILL_AFTER_MS = 4 * 60_000;

// The SDK opens the window by window.open, synchronously in the click, and keeps the handle for
// itself. Ours stands in its place for exactly that long.
export class Handle {
  during(act) {
    this.openedAt = Date.now();
    document.addEventListener("visibilitychange", () => {
      this.wasLeft = true;
    }, { once: true });
    const original = window.open;
    const ours = (...asked) => {
      this.asked = true;
      this.window = original.apply(window, asked);
      return this.window;
    };
    try {
      window.open = ours;
    } catch {
      return act(); // some content blockers pin it down
    }
    try {
      return act();
    } finally {
      window.open = original;
    }
  }

  // The browser said so at once.
  get isBlocked() {
    return Boolean(this.asked && !this.window);
  }

  get isOpen() {
    return Boolean(this.window && !this.window.closed);
  }

  // Closed before any page of another site was in it: a blocker's work, not a person's. Where this
  // page was out of sight its timers stood still, so what it did not see may have been.
  get isClosedAtOnce() {
    const isSudden = !this.wasLeft && Date.now() - this.openedAt < AT_ONCE_MS;
    if (isSudden && this.window?.closed && !this.hasLoaded()) this.closedAtOnce = true;
    return Boolean(this.closedAtOnce);
  }

  hasLoaded() {
    if (this.loaded || !this.window || this.window.closed) return Boolean(this.loaded);
    try {
      void this.window.location.href; // ours as long as it is empty
    } catch {
      this.loaded = true;
    }
    return Boolean(this.loaded);
  }

  focus() {
    this.window?.focus();
  }
}

export class WindowCard {
  // `onUnseen()`: it seems that no window opened.
  constructor({ onUnseen }) {
    this.onUnseen = onUnseen;
    this.timers = [];
    this.parts = Object.fromEntries(
      ["open", "maybe", "left", "shut", "since"].map((name) => [name, byId(`window-${name}`)]),
    );
    this.still = byId("still");
    this.front = byId("front");
    this.again = byId("again");
    this.front.addEventListener("click", () => this.handle?.focus());
  }

  // The page holds the window, or hopes so.
  opened(handle) {
    this.begin(handle, new Date());
    this.say("open");
    this.every(LOOK_MS, () => this.look());
    this.after(UNSEEN_AFTER_MS, () => {
      // No answer, no message, no handle, and this page never lost the focus.
      if (!handle.isOpen && !handle.loaded && document.hasFocus()) this.unseen();
    });
    this.look();
  }

  // The page was read anew, so no handle is left.
  found(since) {
    this.begin(null, since);
    this.say("left");
  }

  begin(handle, since) {
    this.leave();
    this.handle = handle;
    this.closedSince = 0;
    const time = this.parts.since.querySelector("time");
    time.dateTime = since.toISOString();
    time.dataset.relative = ""; // from now on the card keeps it true
    time.textContent = clock(since);
    this.parts.since.hidden = false;
    this.after(STILL_AFTER_MS, () => {
      this.still.hidden = false;
      announce(this.still);
    });
  }

  look() {
    const { handle } = this;
    handle.hasLoaded();
    this.showFront(handle.isOpen);
    if (!handle.window?.closed) return;
    if (handle.isClosedAtOnce) {
      this.unseen();
      return;
    }
    this.closedSince ||= Date.now();
    // The SDK's own answer comes within a moment of the closing; this one stayed silent.
    if (Date.now() - this.closedSince > SHUT_AFTER_MS) {
      this.say("shut");
      announce(this.parts.shut);
      this.stopTimers();
    }
  }

  unseen() {
    this.stopTimers();
    this.showFront(false);
    this.again.classList.add("second"); // the trouble above has the same button
    this.say("maybe");
    this.onUnseen();
  }

  // One button stands out: the one that leads back to Meta.
  showFront(isOpen) {
    this.front.hidden = !isOpen;
    this.again.classList.toggle("second", isOpen);
  }

  say(name) {
    for (const each of ["open", "maybe", "left", "shut"]) this.parts[each].hidden = each !== name;
  }

  // The window has answered, or the page shows something else.
  leave() {
    this.stopTimers();
    this.showFront(false);
    this.still.hidden = true;
  }

  after(ms, act) {
    const timer = setTimeout(act, ms);
    this.timers.push(() => clearTimeout(timer));
  }

  every(ms, act) {
    const timer = setInterval(act, ms);
    this.timers.push(() => clearInterval(timer));
  }

  stopTimers() {
    for (const stop of this.timers.splice(0)) stop();
  }
}

// To who listens: what appears on the page is not read out by itself.
function announce(part) {
  byId("announce").textContent = part.textContent.trim();
}

function byId(id) {
  return document.querySelector(`#${id}`);
}
