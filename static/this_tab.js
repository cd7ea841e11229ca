// The form of "Continue in this tab" needs the attempt; where none was begun, it is begun first, and
// where the question is not answered yet, that is said and its answer goes on.

const $ = (selector) => document.querySelector(selector);

export class ThisTab {
  // `token()`: the newest, since a login in another tab gives a new one. `attempt()`: its id, or
  // null. `begin()`: begins one and gives its id, or null where the question is not answered yet.
  // `onTrouble(problem)`: the server did not begin it.
  constructor({ token, attempt, begin, onTrouble }) {
    Object.assign(this, { token, attempt, begin, onTrouble });
    this.isAsked = false;
    document.addEventListener("submit", (event) => this.submitted(event));
    const question = $("#choose-form");
    // With the arrow keys each step to the answer that is meant is an answer too: there a button,
    // the next thing after the question, goes on.
    question.addEventListener("keydown", ({ key }) => (this.isStep = key.startsWith("Arrow")));
    question.addEventListener("pointerdown", () => (this.isStep = false));
  }

  async submitted(event) {
    const form = event.target.closest("[data-this-tab]");
    if (!form) return;
    const field = form.elements.onboarding;
    form.elements.csrfmiddlewaretoken.value = this.token();
    field.value = this.attempt() ?? "";
    if (field.value) return;
    event.preventDefault();
    try {
      const id = await this.begin();
      if (!id) {
        this.askFirst();
        return;
      }
      field.value = id;
      form.submit();
    } catch (problem) {
      this.onTrouble(problem);
    }
  }

  // The question comes first: said where it is, read out, and remembered until it is answered.
  askFirst() {
    this.isAsked = true;
    $("#first").hidden = false;
    $("#announce").textContent = $("#first").textContent.trim();
    $("#choose-form fieldset").setAttribute("aria-describedby", "first");
    $('input[name="use"]').focus();
  }

  // By the form that the page shows now: a fresh answer may have drawn it anew.
  go() {
    $("[data-this-tab]")?.requestSubmit();
  }

  answered() {
    if (!this.isAsked) return;
    $("#first-go").hidden = false;
    if (!this.isStep) this.go();
  }
}
