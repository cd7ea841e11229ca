// Light or dark: the system's choice unless the switch was used. Runs before the page is drawn.
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
})();
