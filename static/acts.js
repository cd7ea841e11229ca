// What can be pressed on the card: each act is asked of the server, and the card shows what came.

const texts = document.querySelector("#card-texts").dataset;

export class Acts {
  // `page`: openFor(number, address, more), startOver(mode) and telling, which the signup page gives.
  constructor(card, outbox, page) {
    this.card = card;
    this.outbox = outbox;
    this.page = page;
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("submit", (event) => this.submitted(event));
  }

  // Whether the server did it. `isTold(error)`: true where its refusal was told there.
  async act(name, body, isTold) {
    this.page.telling.hide();
    try {
      await this.outbox.ask(`${this.card.id}/${name}/`, body);
    } catch (problem) {
      this.page.telling.undone(problem, isTold);
      return false;
    }
    this.card.etag = "";
    if (name === "resume") this.card.asked();
    this.card.lookNow();
    return true;
  }

  // The window needs a click of its own: the same attempt, with the number it is for if it has one.
  startAgain(id = this.card.shown?.dataset.id) {
    const shown = this.card.shown?.dataset;
    const { mode, number } = shown?.id === id ? shown : {};
    if (number) return this.page.openFor(number, `${id}/launch/`);
    return this.page.startOver(mode);
  }

  // What is under way ends and the same attempt gets a new window, in one request: all or nothing.
  restart() {
    const { id, number } = this.card.shown.dataset;
    return this.page.openFor(number, `${id}/launch/`, { body: { restart: true } });
  }

  async pressed(name) {
    const { mode, number } = this.card.shown?.dataset ?? {};
    if (name === "launch") await this.startAgain();
    else if (name === "restart") await this.restart();
    else if (name === "anew") this.page.startOver(mode);
    else if (name === "reconnect") await this.page.openFor(number, `${this.card.id}/reconnect/`);
    else await this.act(name);
  }

  async clicked(event) {
    const button = event.target.closest("button[data-act]");
    if (button && !this.busy) {
      this.busy = true;
      button.setAttribute("aria-disabled", "true");
      await this.pressed(button.dataset.act).finally(() => {
        this.busy = false;
        button.removeAttribute("aria-disabled");
      });
    }
    const close = event.target.closest("[data-close]");
    if (close) {
      const details = document.getElementById(close.dataset.close);
      details.open = false;
      details.querySelector("summary").focus();
    }
    const copy = event.target.closest("[data-copy]");
    if (copy) this.copy(copy);
  }

  // "Copied" only where it is; without a clipboard the text is selected, to copy by hand.
  async copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const place = button.closest(".elsewhere")?.querySelector("bdi");
      getSelection().selectAllChildren(place ?? button.querySelector("bdi"));
      return;
    }
    const word = button.querySelector(".sr") ?? button;
    word.classList.remove("sr");
    word.textContent = texts.copied;
    document.querySelector("#announce").textContent = texts.copied;
  }

  submitted(event) {
    const tell = event.target.closest("form.tell-form");
    const choices = event.target.closest("form.choices");
    if (!tell && !choices) return;
    event.preventDefault();
    if (tell) {
      this.tellMe(tell);
      return;
    }
    const value = new FormData(choices).get("choice");
    const name = choices.dataset.act;
    this.act(name, { [name === "account" ? "waba_id" : "phone_number_id"]: value });
  }

  // An address to be told at: the field is emptied first, so that the fresh card shows it empty.
  async tellMe(form) {
    const announce = document.querySelector("#announce");
    const field = form.querySelector("input");
    const email = field.value.trim();
    field.value = "";
    announce.textContent = "";
    const isDone = await this.act("notify", { email }, ({ fields }) => {
      if (fields?.email) sayAtField(fields.email);
      return Boolean(fields?.email);
    });
    if (isDone) {
      announce.textContent = texts.told;
      return;
    }
    const fresh = document.querySelector("#tell-email"); // the card may have been read anew meanwhile
    if (fresh && !fresh.value) fresh.value = email;
  }
}

// What is wrong with the address stands beside it, where the eyes are.
function sayAtField(faults) {
  const field = document.querySelector("#tell-email");
  const place = document.querySelector("#tell-wrong");
  if (!field || !place) return;
  place.textContent = [faults].flat().join(" ");
  field.setAttribute("aria-invalid", "true");
  field.focus();
  field.addEventListener(
    "input",
    () => {
      field.removeAttribute("aria-invalid");
      document.querySelector("#tell-wrong")?.replaceChildren();
    },
    { once: true },
  );
}
