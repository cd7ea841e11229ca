// "I saw an error": finds what Meta's window showed by its number or its words. Cause and remedy
// are in the page already (_errors.html). Reading them tells nobody anything: the steps in the window
// may go on. What somebody says that they saw is told to the server, which ends the attempt.

const NUMBER = /\d{3,10}/;

export class Picker {
  // `onSay(body)`: this is what the window showed. `onClose()`: put away again, nothing said.
  constructor({ onSay, onClose, texts }) {
    this.form = document.querySelector("#error-form");
    this.field = document.querySelector("#error-text");
    this.told = document.querySelector("#error-found");
    this.none = document.querySelector("#error-none");
    this.buttons = document.querySelectorAll("[data-errors]");
    this.entries = [...document.querySelectorAll(".fault")];
    this.texts = texts;
    this.onSay = onSay;
    this.onClose = onClose;
    for (const button of this.buttons) button.addEventListener("click", () => this.toggle(button));
    this.field.addEventListener("input", () => this.find());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.take();
    });
    document.querySelector("#error-send").addEventListener("click", () => this.send());
  }

  get isOpen() {
    return !this.form.hidden;
  }

  // The one list stands under the button that asks for it: beside the window or the ended card.
  toggle(button) {
    if (this.isOpen) {
      this.close();
      this.onClose();
      return;
    }
    button.closest(".buttons").after(this.form);
    this.form.hidden = false;
    button.setAttribute("aria-expanded", "true");
    this.field.focus();
  }

  close() {
    this.form.hidden = true;
    for (const button of this.buttons) button.setAttribute("aria-expanded", "false");
    this.field.value = "";
    for (const entry of this.entries) entry.open = false;
    this.find();
  }

  // What is read at the moment, as the server takes it; null where nothing is.
  get read() {
    const entry = this.isOpen && this.entries.find((each) => each.open);
    if (!entry) return null;
    const number = this.field.value.match(NUMBER)?.[0];
    const known = number && codesOf(entry).includes(number);
    return { event: "ERROR", error_code: known ? number : entry.dataset.code };
  }

  // "I saw this and closed the window".
  say() {
    const body = this.read;
    if (!body) return;
    this.close();
    this.onSay(body);
  }

  // Enter: the one that fits, or what nobody knows.
  take() {
    const [first, ...more] = this.entries.filter((entry) => !entry.hidden);
    if (!first) this.send();
    else if (!more.length) first.open = true;
  }

  send() {
    const said = this.field.value.trim();
    if (!said) return;
    const code = said.match(NUMBER)?.[0];
    const body = { event: "ERROR", error_message: said, ...(code && { error_code: code }) };
    this.close();
    this.onSay(body);
  }

  find() {
    const said = plain(this.field.value.trim());
    const fitting = new Set(said ? fits(this.entries, said) : this.entries);
    for (const entry of this.entries) {
      entry.hidden = !fitting.has(entry);
      entry.open = false; // what was found before is not what is asked for now
    }
    for (const group of document.querySelectorAll("[data-group]")) {
      group.hidden = ![...group.querySelectorAll(".fault")].some((entry) => !entry.hidden);
    }
    const isNarrowed = fitting.size < this.entries.length;
    this.told.textContent = said && isNarrowed ? this.count(fitting.size) : "";
    // A whole number of Meta's leaves no doubt.
    const [only] = fitting;
    const number = said.match(NUMBER)?.[0];
    const isCertain = fitting.size === 1 && number && codesOf(only).includes(number);
    if (isCertain) only.open = true;
    this.none.hidden = !said || isCertain;
  }

  count(size) {
    if (size === 0) return this.texts.fitsNone;
    return size === 1 ? this.texts.fitsOne : this.texts.fitsSome;
  }
}

// By the number if there is one, or by Meta's own words for it; else those with the most of the
// words, and at least a third of them.
function fits(entries, said) {
  const number = said.match(NUMBER)?.[0];
  if (number) {
    const known = entries.filter((entry) => codesOf(entry).some((code) => code.startsWith(number)));
    if (known.length || /^\W*\d+\W*$/.test(said)) return known;
  }
  const named = entries.filter((entry) => phrasesOf(entry).some((each) => said.includes(each)));
  if (named.length) return named;
  const all = wordsOf(said).filter((word) => word.length > 1 || isDense(word));
  const long = all.filter((word) => word.length > 2 || isDense(word));
  const words = long.length ? long : all; // "QR" alone says enough
  if (!words.length) return entries;
  const scored = entries.map((entry) => [entry, scoreOf(entry, words)]);
  const best = Math.max(...scored.map(([, score]) => score));
  if (!best || best * 3 < words.length) return [];
  return scored.filter(([, score]) => score === best).map(([entry]) => entry);
}

function scoreOf(entry, words) {
  const [what, why] = entry.querySelectorAll("summary, p");
  const said = `${entry.dataset.words} ${what.textContent} ${why.textContent}`;
  const text = ` ${wordsOf(said).join(" ")}`;
  // From a word's beginning; languages without blanks between words have no such thing.
  return words.filter((word) => text.includes(isDense(word) ? word : ` ${word}`)).length;
}

// Without accents and vowel signs: people leave them out.
function plain(text) {
  return text.toLowerCase().normalize("NFD").replace(/\p{M}/gu, "");
}

function wordsOf(text) {
  return plain(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

function isDense(word) {
  return /[\p{Script=Han}]/u.test(word);
}

function phrasesOf(entry) {
  const phrases = plain(entry.dataset.words).split(" | ").slice(0, -1);
  return phrases.filter((phrase) => /\D/.test(phrase));
}

function codesOf(entry) {
  return entry.dataset.words.match(/\b\d{7}\b/g) ?? [];
}
