// The form of "Continue in this tab" needs the attempt; where none was begun, it is begun first.

// `token()`: the newest, since a login in another tab gives a new one. `attempt()`: its id, or null.
// `begin()`: begins one and gives its id, or null where the question is not answered yet.
// `onTrouble(problem)`: the server did not begin it.
export function continueInThisTab({ token, attempt, begin, onTrouble }) {
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-this-tab]");
    if (!form) return;
    const field = form.elements.onboarding;
    form.elements.csrfmiddlewaretoken.value = token();
    field.value = attempt() || field.value;
    if (field.value) return;
    event.preventDefault();
    try {
      const id = await begin();
      if (!id) return;
      field.value = id;
      form.submit();
    } catch (problem) {
      onTrouble(problem);
    }
  });
}
