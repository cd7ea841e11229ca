// On a phone the theme writes each cell's label with a capital at every word; ours have one.
"use strict";

function capitalise(root) {
  for (const cell of root.querySelectorAll("[data-label]")) {
    const label = cell.dataset.label.trim();
    cell.dataset.label = label.charAt(0).toLocaleUpperCase(document.documentElement.lang) + label.slice(1);
  }
}

document.addEventListener("DOMContentLoaded", () => capitalise(document));
