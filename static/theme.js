// The header. Light or dark: the system's choice unless the switch was used; runs before the page is
// drawn. The list of languages opens without this; here it closes by Escape and by a click elsewhere.
(function () {
  "use strict";
  const root = document.documentElement;
  root.dataset.script = ""; // the switch has its place from the first paint on: nothing jumps
  const read = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const keep = (theme) => {
    try { localStorage.setItem("theme", theme); } catch { /* private mode: only this page */ }
  };
  const chosen = read();
  if (chosen) root.dataset.theme = chosen;
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("#theme-switch");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      const next = (root.dataset.theme || system) === "dark" ? "light" : "dark";
      root.dataset.theme = next;
      keep(next);
    });
  });
  const languages = () => document.querySelector(".languages[open]");
  document.addEventListener("click", (event) => {
    const open = languages();
    if (open && !open.contains(event.target)) open.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && languages();
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });
})();
