// What did not work is told as the page's one trouble; what passes by itself is tried again.

import { Retry } from "./retry.js";
import { passing } from "./troubles.js";
import { isShown, missingView } from "./views.js";

const OUTSIDE = ["signed-out", "link-ended"]; // troubles of who is let in no more

export class Telling {
  // `show(view)`: where nothing else stands on the page. `card` and `outbox` tell by this, so they
  // are given later.
  constructor(troubles, { show }) {
    this.troubles = troubles;
    this.show = show;
    this.retry = new Retry();
    this.texts = document.querySelector("#card-texts").dataset;
  }

  // Whether the page says that its reader is let in no more.
  get isOutside() {
    return OUTSIDE.includes(this.troubles.kind);
  }

  trouble(kind, error) {
    if (kind === "link-ended") this.end(error?.code === "link_replaced" ? "replaced" : "ended");
    else this.troubles.show(kind, { passes: true });
    if (OUTSIDE.includes(kind)) this.card.hush();
  }

  // The guest's link was ended, or replaced by a newer one: what became of what Meta's window gave.
  end(how) {
    const state = this.outbox.holdsResult ? "kept" : isShown("window") && "window";
    const isTyping = document.activeElement?.closest("#progress input");
    this.troubles.show("link-ended", { passes: true, focus: !isTyping, when: [how, state] });
    this.card.letOut();
  }

  // Something has to stand on the page to go on with.
  error(error, options) {
    this.troubles.show("failed", { error: error ?? {}, ...options });
    const view = missingView();
    if (view) this.show(view);
  }

  // What is kept and sent again by itself was not taken: `refused`, or a trouble that passes.
  unsent(kind, error) {
    if (kind === "refused") this.error(error);
    // Who is not let in any more is told that, and not that the server is away.
    else if (kind !== "offline" || !this.isOutside) this.trouble(kind, error);
  }

  // What was asked for was not done, and is not asked for again by itself. `isTold(error)`: whether
  // the server's own words stand elsewhere already.
  undone(problem, isTold = () => false) {
    const kind = passing(problem);
    if (kind === "offline") this.error({ message: this.texts.offline }, { passes: true });
    else if (kind) this.trouble(kind, problem.error);
    else if (!isTold(problem.error)) this.error(problem.error);
  }

  // What was asked for is tried again, where that can help.
  failed(problem, act) {
    const kind = passing(problem);
    if (kind) {
      this.trouble(kind, problem.error);
      if (kind === "link-ended") this.retry.hold(act);
      else this.retry.later(act);
    } else {
      this.error(problem.error);
    }
  }

  hide() {
    this.troubles.hide();
    this.retry.forget();
  }

  // Somebody is back, or does not want to wait.
  tryNow() {
    this.outbox.retry();
    this.retry.now();
    if (this.card.isOut) this.card.lookNow();
  }
}
