// The Set-up page: values to copy, and buttons that say that they are at work.
const told = document.querySelector("#setup-told");
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break; // no clipboard here (http): the value can be selected
  button.hidden = false;
  const word = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = told.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = word; }, 2000);
  });
}
for (const button of document.querySelectorAll("[data-busy]")) {
  button.form.addEventListener("submit", (event) => {
    if (button.getAttribute("aria-busy") === "true") {
      event.preventDefault(); // pressed twice
      return;
    }
    button.setAttribute("aria-busy", "true");
    button.textContent = told.textContent = button.dataset.busy;
  });
}
