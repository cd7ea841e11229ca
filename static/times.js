// Times as people say them: "5 minutes ago", a clock, or the exact time with its zone.

const language = document.documentElement.lang;
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const DAY = { day: "numeric", month: "short" };
const CLOCK = { hour: "2-digit", minute: "2-digit" };
const EXACT = { ...DAY, year: "numeric", ...CLOCK, timeZoneName: "short" };

export function tickTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
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
  if ("clock" in shape) return clock(at);
  if ("exact" in shape) return at.toLocaleString(language, EXACT);
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
