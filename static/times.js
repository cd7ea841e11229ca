// Times as the server wrote them (UTC) become those of the reader: days, or days with the hour.
export function localTimes(root) {
  const language = document.documentElement.lang;
  for (const time of root.querySelectorAll("time[data-day], time[data-moment]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = at.toLocaleString(language, { dateStyle: "full", timeStyle: "long" });
    const shown = "day" in time.dataset ? { dateStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" };
    time.textContent = at.toLocaleString(language, shown);
  }
}

localTimes(document);
