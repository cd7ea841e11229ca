// The window: a few screens, then the documented messages to whoever opened it. As a full page
// (sandbox/dialog.py) there are the same screens, and a form that leads back.
(async function () {
  "use strict";
  const query = new URLSearchParams(location.search);
  const extras = JSON.parse(query.get("extras") || "{}");
  const inApp = extras.featureType === "whatsapp_business_app_onboarding";
  const config = await (await fetch("/dialog/config")).json();
  const target = config.app_origins.find((origin) => origin === query.get("origin"));
  const leaving = document.querySelector("#leave");
  const opener = leaving ? null : window.opener;
  let ended = false;
  let at = 0;

  const screens = inApp
    ? [
        ["BUSINESS_ACCOUNT_SELECTION", "Sign in", "Continue as Demo Person."],
        ["BUSINESS_ACCOUNT_SELECTION", "Choose your business", "Cake Shop Holding"],
        ["PHONE_NUMBER_SETUP", "Enter the number of your app", "The number stays in the WhatsApp Business app.", "which"],
        ["PHONE_NUMBER_VERIFICATION", "Scan this code with the app", "In the app: Settings, Account, Business Platform.", "qr"],
        ["PERMISSIONS", "Allow access", "Your partner and its provider may manage this WhatsApp account."],
      ]
    : [
        ["BUSINESS_ACCOUNT_SELECTION", "Sign in", "Continue as Demo Person."],
        ["BUSINESS_ACCOUNT_SELECTION", "Choose your business", "Cake Shop Holding"],
        ["WABA_PHONE_PROFILE_PICKER", "Choose or create a WhatsApp account", "One that is there, or a new one.", "which"],
        ["PHONE_NUMBER_SETUP", "Add a phone number", "A number that is not in use on WhatsApp."],
        ["PHONE_NUMBER_VERIFICATION", "Enter the code", "We sent it to the number. (Any code will do.)"],
        ["PERMISSIONS", "Allow access", "Your partner and its provider may manage this WhatsApp account."],
      ];

  const select = document.querySelector("#scenario");
  for (const scenario of config.scenarios) {
    const option = new Option(scenario.title, scenario.name);
    option.selected = scenario.name === config.scenario;
    select.add(option);
  }
  function chosen() {
    const found = config.scenarios.find((each) => each.name === select.value);
    const own = select.value === config.scenario;
    return own ? { ...found, step: config.traits.step, ending: config.traits.ending } : found;
  }

  // Which account and number: one that is there, or a new one.
  const number = document.querySelector("#number");
  const typed = document.querySelector("#typed");
  for (const each of config.numbers.filter(({ in_app: isInApp }) => isInApp === inApp)) {
    number.add(new Option(`${each.account}, ${each.number}`, each.id));
  }
  number.addEventListener("change", () => {
    document.querySelector("#typing").hidden = Boolean(number.value);
  });
  const picked = () =>
    number.value ? { number_id: number.value } : { phone_number: typed.value.trim() };

  const steps = document.querySelector(".steps");
  const next = document.querySelector("[data-test=next], [data-test=finish]");
  function show() {
    const [, title, text, extra] = screens[at];
    steps.replaceChildren(...screens.map((_, index) => {
      const item = document.createElement("li");
      item.className = index <= at ? "done" : "";
      return item;
    }));
    document.querySelector("h1").textContent = title;
    document.querySelector(".lead").textContent = text;
    document.querySelector(".extra").className = `extra ${extra || ""}`;
    document.querySelector("#which").hidden = extra !== "which";
    const last = at === screens.length - 1;
    next.textContent = last ? "Finish" : "Continue";
    next.dataset.test = last ? "finish" : "next";
    document.querySelector("h1").focus({ preventScroll: true });
  }

  function post(message) {
    if (opener && target) opener.postMessage(message, target);
  }
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const bridge = (code) => `cb=${Math.random().toString(16).slice(2)}&code=${encodeURIComponent(code)}&frame=opener`;
  const signupMessage = (event, data) =>
    JSON.stringify({ data, type: "WA_EMBEDDED_SIGNUP", event, version: 3 });

  function leave(ending) {
    const own = select.value === config.scenario;
    leaving.elements.scenario.value = own ? "" : select.value;
    for (const [name, value] of Object.entries({ ending, ...picked() })) {
      leaving.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    leaving.submit();
  }

  async function finish() {
    ended = true;
    next.disabled = true;
    if (leaving) return leave("finish");
    // The panel's own parameters count only for the panel's own scenario.
    const own = select.value === config.scenario;
    const answer = await fetch("/control/signup", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        connection_mode: inApp ? "business_app" : "business_platform",
        ...picked(),
        ...(own ? {} : { scenario: select.value, params: {} }),
      }),
    });
    const result = await answer.json();
    const tellCode = () => result.code && post(bridge(result.code));
    const tellIds = () => result.messages.forEach(post);
    const order = result.first === "code" ? [tellCode, tellIds] : [tellIds, tellCode];
    for (const tell of order) {
      tell();
      await pause(250);
    }
    window.close();
  }

  function cancel() {
    ended = true;
    if (leaving) return leave("cancel");
    if (chosen().ending !== "nothing") post(signupMessage("CANCEL", { current_step: screens[at][0] }));
    window.close();
    return undefined;
  }

  next.addEventListener("click", () => {
    const { ending, step } = chosen();
    if (ending === "cancel" && screens[at][0] === step) return cancel();
    if (at === screens.length - 1) return void finish();
    at += 1;
    show();
  });
  document.querySelector("[data-test=cancel]").addEventListener("click", cancel);
  document.querySelector("[data-test=report]").addEventListener("click", () => {
    ended = true;
    if (leaving) return leave("report");
    post(signupMessage("CANCEL", {
      error_message: "Your phone number is already registered.",
      error_code: "3441030",
      session_id: `session-${Date.now()}`,
      timestamp: String(Math.floor(Date.now() / 1000)),
    }));
    window.close();
    return undefined;
  });
  window.addEventListener("pagehide", () => {
    if (!ended && chosen().ending !== "nothing") {
      post(signupMessage("CANCEL", { current_step: screens[at][0] }));
    }
  });
  show();
})();
