// Continue on another device: the server's address and square code, put under the button.

export class Elsewhere {
  constructor(address, { outbox, onTrouble }) {
    this.address = address;
    this.outbox = outbox;
    this.onTrouble = onTrouble;
    this.place = document.querySelector("#elsewhere");
  }

  // Shown once more, it is put away.
  async toggle(button, onboarding) {
    const isShown = button.getAttribute("aria-expanded") === "true";
    this.hide();
    if (isShown) return;
    const form = new URLSearchParams(onboarding ? { onboarding } : {});
    const answer = await this.outbox.fetchPage(this.address, form).catch(() => null);
    if (!answer) {
      this.onTrouble();
      return;
    }
    const around = button.closest(".buttons, .on-phone, .card");
    around.after(this.place);
    this.place.innerHTML = answer;
    this.place.hidden = false;
    button.setAttribute("aria-expanded", "true");
    (this.place.querySelector("[tabindex]") ?? this.place).focus();
  }

  hide() {
    for (const button of document.querySelectorAll('[data-do="elsewhere"]')) {
      button.setAttribute("aria-expanded", "false");
    }
    this.place.hidden = true;
    this.place.replaceChildren();
  }
}
