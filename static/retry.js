// What the server did not answer is tried again by itself, and at once when somebody comes back.

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

export class Retry {
  constructor() {
    this.act = null;
    this.tries = 0;
    this.timer = 0;
  }

  // The newest one counts: what was to be tried before is not wanted any more.
  later(act) {
    this.act = act;
    clearTimeout(this.timer);
    const wait = Math.min(FIRST_MS * 2 ** this.tries, LONGEST_MS);
    this.timer = setTimeout(() => this.now(), wait);
    this.tries += 1;
  }

  // Only when somebody comes back.
  hold(act) {
    this.act = act;
    clearTimeout(this.timer);
  }

  now() {
    const { act } = this;
    this.act = null;
    clearTimeout(this.timer);
    act?.();
  }

  forget() {
    this.act = null;
    this.tries = 0;
    clearTimeout(this.timer);
  }
}
