// What can go wrong before and around Meta's window: recognised here, told as the one alert.
// The words are templates of the page (_troubles.html). None says "you cancelled".

// The likeliest first: several apps carry the marks of another one too.
const APPS = [
  ["Messenger", /MessengerFor|MessengerLite|FB_IAB\/Orca/],
  ["Instagram", /Instagram/],
  ["WhatsApp", /WhatsApp\//],
  ["Facebook", /FBAN|FBAV|FB_IAB/],
  ["LINE", /\bLine\//],
  ["WeChat", /MicroMessenger/],
  ["TikTok", /musical_ly|BytedanceWebview|TikTok|trill_/i],
  ["LinkedIn", /LinkedInApp/],
  ["Snapchat", /Snapchat/],
  ["Pinterest", /\[Pinterest/],
  ["KakaoTalk", /KAKAOTALK/],
  ["Telegram", /Telegram/],
];

// The app that this page was opened in, "" for one without a name, null for a real browser.
export function appAround(userAgent) {
  const found = APPS.find(([, mark]) => mark.test(userAgent));
  if (found) return found[0];
  const android = /; wv\)/.test(userAgent);
  const apple = /iPhone|iPad/.test(userAgent) && /AppleWebKit/.test(userAgent);
  return android || (apple && !/Safari\//.test(userAgent)) ? "" : null;
}

// What keeps Meta's window from working on this page at all: {kind, app?} or null.
export function unfit(siteUrl, around = window) {
  const app = appAround(around.navigator.userAgent);
  if (app !== null) return { kind: "in-app", app };
  if (!around.isSecureContext) return { kind: "insecure" };
  if (around.location.origin !== new URL(siteUrl).origin) return { kind: "domain" };
  return null;
}

// What a refusal is that passes by itself, or null where the server's own words say what is wrong.
// A link that was ended is a 401 too: a newer one may be opened in another tab.
export function passing({ status, error } = {}) {
  if (["link_ended", "link_replaced"].includes(error?.code)) return "link-ended";
  if (status === 401) return "signed-out";
  return error ? null : "offline";
}

export class Troubles {
  constructor(siteUrl, texts) {
    this.place = document.querySelector("#trouble");
    this.siteUrl = siteUrl;
    this.texts = texts;
  }

  get kind() {
    return this.place.hidden ? null : this.place.dataset.kind;
  }

  // `passes`: over as soon as the server answers again. `focus`: it came of the person's own act, or
  // nothing goes on without it. `when`: the parts that hold now. One that passes gives its place back
  // to the one that it hides.
  show(kind, { passes = false, focus = false, app = "", error = null, when = [] } = {}) {
    if (this.kind === kind && !error && String(when) === this.place.dataset.when) return;
    if (!passes) this.beneath = null;
    else if (this.kind && !this.passes) this.beneath = this.told;
    this.passes = passes;
    this.told = [kind, { app, error }];
    const template = document.querySelector(`#trouble-${kind}`);
    const told = template.content.cloneNode(true);
    this.fill(told, app, error);
    for (const part of told.querySelectorAll("[data-when]")) {
      if (!when.includes(part.dataset.when)) part.remove();
    }
    this.place.dataset.kind = kind;
    this.place.dataset.when = String(when);
    this.place.hidden = false;
    this.place.replaceChildren(told);
    this.place.scrollIntoView({ block: "nearest" });
    if (focus) this.place.querySelector("h2").focus();
  }

  fill(told, app, error) {
    const slot = (name) => told.querySelector(`[data-slot="${name}"]`);
    const title = slot("title");
    if (app) title.textContent = title.dataset.named.replace("{app}", app);
    if (error?.message) title.textContent = error.message;
    if (error?.message) slot("remedy").textContent = error.remedy || "";
    if (error?.request_id) {
      slot("reference").textContent = `${this.texts.reference}: ${error.request_id}`;
    }
    const address = slot("address");
    if (address) address.href = address.textContent = this.rightAddress();
    const here = slot("here");
    if (here) here.textContent = location.href;
  }

  // The same page at the one address that Meta knows; https where only that is wrong.
  rightAddress() {
    const right = new URL(location.pathname + location.search, this.siteUrl);
    if (right.hostname !== "localhost") right.protocol = "https:";
    return right.href;
  }

  // Apps seldom give a clipboard to their pages: then the address is selected, to copy by hand.
  async copy(button) {
    try {
      await navigator.clipboard.writeText(location.href);
      const word = button.querySelector("span");
      word.textContent = word.dataset.copied;
    } catch {
      getSelection().selectAllChildren(this.place.querySelector('[data-slot="here"]'));
    }
  }

  hide() {
    this.beneath = null;
    this.place.hidden = true;
    this.place.replaceChildren();
  }

  settle() {
    if (!this.kind || !this.passes) return;
    const { beneath } = this;
    this.hide();
    if (beneath) this.show(...beneath);
  }
}
