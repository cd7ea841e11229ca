// Each page as often as asked, each time in a browser that has seen nothing yet; prints what was found
// as JSON.
//
//     node measure.mjs '{"chrome": "/usr/bin/chromium", "runs": 3, "pages": [{"name", "url", ...}]}'
//
// A page: `preset` (mobile, desktop), `cookie` ({name, value} of who looks), `blocked` (addresses).

import * as chromeLauncher from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";
import puppeteer from "puppeteer-core";

const asked = JSON.parse(process.argv[2]);
const CATEGORIES = ["performance", "accessibility", "best-practices"];
const FIGURES = [
  "first-contentful-paint", "largest-contentful-paint", "speed-index", "total-blocking-time",
  "cumulative-layout-shift", "total-byte-weight",
];

// A run on a busy machine may see nothing painted: it is done again, once.
async function measured(page, again = true) {
  const chrome = await chromeLauncher.launch({
    chromePath: asked.chrome,
    chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"],
    logLevel: "silent",
  });
  try {
    const found = await looked(page, chrome.port);
    if (!found.broken || !again) return found;
  } finally {
    await chrome.kill();
  }
  return measured(page, false);
}

async function looked(page, port) {
  const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${port}` });
  await browser.setCookie({ ...page.cookie, domain: new URL(page.url).hostname, path: "/" });
  await browser.disconnect();
  const flags = {
    port,
    logLevel: "error",
    onlyCategories: CATEGORIES,
    disableStorageReset: true, // it would take the cookie away; this browser is fresh
    blockedUrlPatterns: page.blocked,
  };
  const { lhr } = await lighthouse(
    page.url, flags, page.preset === "desktop" ? desktopConfig : undefined,
  );
  const scores = {};
  for (const name of CATEGORIES) scores[name] = Math.round(lhr.categories[name].score * 100);
  const figures = {};
  for (const name of FIGURES) figures[name] = lhr.audits[name]?.numericValue ?? null;
  return {
    scores, figures, failed: failedIn(lhr), final: lhr.finalDisplayedUrl, warnings: lhr.runWarnings,
    broken: Boolean(lhr.runtimeError),
  };
}

// What costs points. Performance is a curve, so there only what is far from its top is named.
function failedIn(lhr) {
  return CATEGORIES.flatMap((category) =>
    lhr.categories[category].auditRefs
      .filter(({ id, weight }) => weight && lhr.audits[id].score !== null)
      .filter(({ id }) => lhr.audits[id].score < (category === "performance" ? 0.9 : 1))
      .map(({ id }) => `${category}: ${id}: ${lhr.audits[id].title}${details(lhr.audits[id])}`),
  );
}

function details(audit) {
  const items = audit.details?.items ?? [];
  const told = items.slice(0, 3).map((item) => item.node?.snippet ?? item.description ?? item.url);
  return told.filter(Boolean).length ? ` (${told.filter(Boolean).join("; ")})` : "";
}

const found = [];
for (const page of asked.pages) {
  const runs = [];
  for (let run = 0; run < asked.runs; run += 1) runs.push(await measured(page));
  found.push({ name: page.name, preset: page.preset, url: page.url, runs });
}
process.stdout.write(JSON.stringify(found));
