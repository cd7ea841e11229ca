// The parts of the page of which one is shown at a time.

const $ = (selector) => document.querySelector(selector);
const views = {
  choose: $("#choose"),
  ready: $("#ready"),
  window: $("#window"),
  progress: $("#progress"),
};

let asking = "choose"; // the one that Meta's window was opened from

export function isShown(name) {
  return !views[name].hidden;
}

// None, where it is none of their names.
export function showView(name) {
  for (const [each, section] of Object.entries(views)) section.hidden = each !== name;
  if (name === "choose" || name === "ready") asking = name;
  $("#another").hidden = name !== "progress";
  $("#lead").hidden = name === "progress"; // the card says whose number it is, and how it stands
}

// Something to go on with where nothing is shown: its name, or null.
export function missingView() {
  return Object.values(views).every((section) => section.hidden) ? asking : null;
}
