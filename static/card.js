// The card: asks the server how it stands, shows its answer, tells screen readers what changed.

const SLOWEST_MS = 60_000;

export class Card {
  // `onChange(state)` after each new card.
  constructor(config, { onChange, texts }) {
    this.config = config;
    this.onChange = onChange;
    this.texts = texts;
    this.place = document.querySelector("#card-place");
    this.etag = "";
    this.failures = 0;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.id) this.look();
    });
    setInterval(() => tickTimes(document), 10_000);
    tickTimes(document);
  }

  get shown() {
    return document.querySelector("#card");
  }

  watch(id) {
    if (this.id !== id) this.etag = "";
    this.id = id;
    this.look();
  }

  stop() {
    this.id = null;
    clearTimeout(this.timer);
  }

  async look() {
    clearTimeout(this.timer);
    const id = this.id;
    if (!id || this.underway) return;
    this.underway = true;
    try {
      await this.read(id);
      this.failures = 0;
    } catch {
      this.failures += 1;
    }
    this.underway = false;
    if (this.id !== id) {
      if (this.id) this.look();
      return;
    }
    const seconds = Number(this.shown?.dataset.poll ?? 2);
    if (seconds > 0) {
      const slow = document.hidden ? 5 : 1;
      const wait = Math.min(seconds * 1000 * slow * 2 ** Math.min(this.failures, 5), SLOWEST_MS);
      this.timer = setTimeout(() => this.look(), wait);
    }
  }

  async read(id) {
    const address = this.config.card_url.replace("00000000-0000-0000-0000-000000000000", id);
    const headers = this.etag && this.shown?.dataset.id === id ? { "If-None-Match": this.etag } : {};
    const answer = await fetch(address, { headers, credentials: "same-origin" });
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(String(answer.status));
    const html = await answer.text();
    if (this.id !== id) return;
    this.etag = answer.headers.get("ETag") || "";
    this.show(html);
  }

  show(html) {
    const before = this.shown?.dataset ?? {};
    const was = { state: before.state, stop: before.stop };
    const open = [...this.place.querySelectorAll("details[open]")].map((each) => each.id);
    const focused = keyOf(document.activeElement);
    const picked = this.place.querySelector("input:checked")?.value;
    const typed = this.place.querySelector("#tell-email")?.value;
    this.place.innerHTML = html;
    tickTimes(this.place);
    for (const id of open) {
      const details = id && this.place.querySelector(`#${CSS.escape(id)}`);
      if (details) details.open = true;
    }
    if (picked) {
      const again = this.place.querySelector(`input[value="${CSS.escape(picked)}"]`);
      if (again) again.checked = true;
    }
    const field = this.place.querySelector("#tell-email");
    if (typed && field) field.value = typed;
    const now = this.shown.dataset;
    const changed = was.state !== now.state || was.stop !== now.stop;
    if (changed && was.state) this.announce(now);
    else if (focused) this.place.querySelector(focused)?.focus();
    this.onChange(now.state);
  }

  announce({ state, stop }) {
    const title = this.place.querySelector("#card-title");
    const waiting = this.place.querySelector(".waiting")?.textContent.trim() || "";
    const stopped = this.shown.classList.contains("tone-stop");
    const region = document.querySelector(stopped ? "#alarm" : "#announce");
    region.textContent = `${title.textContent}. ${waiting}`;
    // A result or a stop gets the focus; a step on the way leaves it where it is.
    if (["connected", "rejected"].includes(state) || stop) title.focus();
  }
}

function keyOf(element) {
  if (!element || !element.closest("#card-place")) return null;
  if (element.id) return `#${element.id}`;
  for (const name of ["act", "copy"]) {
    if (element.dataset?.[name]) return `[data-${name}="${CSS.escape(element.dataset[name])}"]`;
  }
  if (element.name) return `input[value="${CSS.escape(element.value)}"]`;
  const folded = element.tagName === "SUMMARY" ? element.parentElement.id : "";
  return folded ? `#${CSS.escape(folded)} > summary` : null;
}

function tickTimes(root) {
  const language = document.documentElement.lang;
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const time of root.querySelectorAll("time[data-relative], time[data-clock]")) {
    const at = new Date(time.dateTime);
    time.title = at.toLocaleString(language);
    time.textContent =
      "clock" in time.dataset
        ? at.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" })
        : inWords(relative, (at - Date.now()) / 1000);
  }
}

function inWords(relative, seconds) {
  const size = Math.abs(seconds);
  const { soon, recently } = document.querySelector("#texts").dataset;
  if (size < 45) return seconds > 0 ? soon : recently;
  if (size < 2_700) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 79_200) return relative.format(Math.round(seconds / 3_600), "hour");
  return relative.format(Math.round(seconds / 86_400), "day");
}
