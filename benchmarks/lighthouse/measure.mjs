// One browser, each page measured as often as asked; prints what was found as JSON.
//
//     node measure.mjs '{"chrome": "/usr/bin/chromium", "runs": 3, "pages": [{"name", "url", ...}]}'
//
// A page: `preset` (mobile, desktop), `headers` (the cookie of who looks), `blocked` (addresses).

import * as chromeLauncher from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";

const asked = JSON.parse(process.argv[2]);
const CATEGORIES = ["performance", "accessibility", "best-practices"];

const chrome = await chromeLauncher.launch({
  chromePath: asked.chrome,
  chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"],
  logLevel: "silent",
});

// A run on a busy machine may see nothing painted: it is done again, once.
async function measured(page, again = true) {
  const flags = {
    port: chrome.port,
    output: "json",
    logLevel: "error",
    onlyCategories: CATEGORIES,
    extraHeaders: page.headers,
    blockedUrlPatterns: page.blocked,
  };
  const config = page.preset === "desktop" ? desktopConfig : undefined;
  const { lhr } = await lighthouse(page.url, flags, config);
  if (lhr.runtimeError && again) return measured(page, false);
  const scores = {};
  for (const name of CATEGORIES) scores[name] = Math.round(lhr.categories[name].score * 100);
  const figures = {};
  for (const name of ["first-contentful-paint", "largest-contentful-paint", "speed-index",
    "total-blocking-time", "cumulative-layout-shift", "total-byte-weight"]) {
    figures[name] = lhr.audits[name]?.numericValue ?? null;
  }
  // What costs points. Performance is a curve, so there only what is far from its top is named.
  const failed = CATEGORIES.flatMap((category) =>
    lhr.categories[category].auditRefs
      .filter(({ id, weight }) => weight && lhr.audits[id].score !== null)
      .filter(({ id }) => lhr.audits[id].score < (category === "performance" ? 0.9 : 1))
      .map(({ id }) => `${category}: ${id}: ${lhr.audits[id].title}${details(lhr.audits[id])}`),
  );
  return { scores, figures, failed, final: lhr.finalDisplayedUrl, warnings: lhr.runWarnings };
}

function details(audit) {
  const items = audit.details?.items ?? [];
  const told = items.slice(0, 3).map((item) => item.node?.snippet ?? item.description ?? item.url);
  return told.filter(Boolean).length ? ` (${told.filter(Boolean).join("; ")})` : "";
}

try {
  const found = [];
  for (const page of asked.pages) {
    const runs = [];
    for (let run = 0; run < asked.runs; run += 1) runs.push(await measured(page));
    found.push({ name: page.name, preset: page.preset, runs });
  }
  process.stdout.write(JSON.stringify(found));
} finally {
  await chrome.kill();
}
