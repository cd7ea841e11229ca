// The owners' page of links: the form opens by #make; the new address has the focus and is copied.
const make = document.querySelector("#make");
if (make && location.hash === "#make") make.open = true;

const address = document.querySelector("#address");
const button = document.querySelector("#copy-address");
if (address && button) {
  document.querySelector("#made-title").focus();
  address.addEventListener("focus", () => address.select());
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(address.value);
    } catch {
      address.select(); // no clipboard here: it is selected, for the keyboard
      return;
    }
    button.querySelector("span").textContent = button.dataset.copied;
    document.querySelector("#copied").textContent = button.dataset.copied;
  });
}
