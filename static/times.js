// Times as the server wrote them (UTC) become those of the reader: "5 minutes ago", a clock, a day, or
// the exact time with its zone.

// The server's own English: the day before the month, 24 hours.
const language = document.documentElement.lang.replace(/^en$/, "en-GB");
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const DAY = { day: "numeric", month: "short" };
const CLOCK = { hour: "2-digit", minute: "2-digit" };
const DATE = { ...DAY, year: "numeric" };
const EXACT = { ...DATE, ...CLOCK, timeZoneName: "short" };

export function tickTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const told = textOf(time.dataset, at);
    if (told === null) continue;
    time.title = at.toLocaleString(language, EXACT);
    if (time.textContent !== told) time.textContent = told;
  }
}

export function clock(at) {
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday
    ? at.toLocaleTimeString(language, CLOCK)
    : at.toLocaleString(language, { ...DAY, ...CLOCK });
}

function textOf(shape, at) {
  if ("relative" in shape) return inWords((at - Date.now()) / 1000);
  // What is to come is never told as past: the next look may be a few seconds late.
  if ("due" in shape) return inWords(Math.max(1, (at - Date.now()) / 1000));
  if ("clock" in shape) return clock(at);
  if ("exact" in shape) return at.toLocaleString(language, EXACT);
  if ("moment" in shape) return at.toLocaleString(language, { ...DATE, ...CLOCK });
  if ("day" in shape) return at.toLocaleDateString(language, DATE);
  return null;
}

function inWords(seconds) {
  const size = Math.abs(seconds);
  const { soon, recently } = document.querySelector("#card-texts").dataset;
  if (size < 45) return seconds > 0 ? soon : recently;
  if (size < 2_700) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 79_200) return relative.format(Math.round(seconds / 3_600), "hour");
  return relative.format(Math.round(seconds / 86_400), "day");
}
