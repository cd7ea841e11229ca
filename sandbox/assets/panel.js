// The panel: shows /control/ and presses its buttons.
(function () {
  "use strict";
  const $ = (selector) => document.querySelector(selector);
  const el = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  let shown = "";
  let scenarios = [];

  async function send(path, body) {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const told = await answer.json();
    $("#said").textContent = answer.ok ? "Done." : `Refused: ${told.error}`;
    await load();
  }

  function button(text, act, target) {
    const made = el("button", text, "small");
    made.type = "button";
    made.addEventListener("click", () => send("/control/act", { act, ...target }));
    return made;
  }

  // Everything else that can become of it, for staff who learn what the desk then shows.
  function more(acts, target) {
    const menu = el("select", undefined, "small");
    menu.setAttribute("aria-label", "Something else");
    menu.add(new Option("Something else…", ""));
    for (const [act, text] of acts) menu.add(new Option(text, act));
    menu.addEventListener("change", () => {
      const [act, word] = menu.value.split(":");
      if (act) send("/control/act", { act, word, type: word, ...target });
    });
    return menu;
  }
  const ACCOUNT_ACTS = [
    ["schedule_ban", "Schedule a ban"], ["restrict", "Restrict starting conversations for 7 days"],
    ["restrict:RESTRICTED_CUSTOMER_INITIATED_MESSAGING", "Restrict answering for 7 days"],
    ["restrict:RESTRICTED_ADD_PHONE_NUMBER_ACTION", "Restrict adding numbers for 7 days"],
    ["lift_restrictions", "Lift all restrictions"], ["reject_review", "Reject the review"],
    ["approve_review", "Approve the review"], ["detach_payment", "Detach payment"],
    ["verify_business:pending", "Business verification: pending"],
    ["verify_business:pending_need_more_info", "Business verification: more papers"],
    ["verify_business:failed", "Business verification: failed"],
    ["verify_business:verified", "Business verification: verified"],
  ];
  const NUMBER_ACTS = [
    ["review_name", "Name: in review"], ["decline_name", "Name: decline"], ["approve_name", "Name: approve"],
    ["quality_yellow", "Quality: medium"], ["quality_red", "Quality: low"], ["quality_green", "Quality: high"],
    ["flag_number", "Flag"], ["warn_number", "Warn"], ["rate_limit_number", "Rate limit"],
    ["restrict_number", "Restrict"], ["block_number", "Block"], ["unverify", "Unverify"],
    ["unflag_number", "All well again"], ["remove_number", "Remove"],
  ];

  function facts(pairs) {
    const list = el("dl", undefined, "facts");
    for (const [name, value, tone] of pairs) {
      list.append(el("dt", name), el("dd", String(value), tone));
    }
    return list;
  }

  function number(each) {
    const box = el("div", undefined, "number");
    const connected = each.status === "CONNECTED";
    box.append(el("strong", each.displayPhoneNumber), facts([
      ["status", each.status, connected ? "good" : "warn"],
      ["code", each.codeVerificationStatus, each.codeVerificationStatus === "VERIFIED" ? "" : "warn"],
      ["quality", each.qualityRating, each.qualityRating === "GREEN" ? "" : "warn"],
      ["name", each.nameStatus, each.nameReview ? "warn" : ""],
      ["registers", each.registers],
      ["id", each.id],
    ]));
    const buttons = el("div", undefined, "row");
    const target = { phone_number_id: each.id };
    if (!connected) buttons.append(button("Connect now", "connect_now", target));
    if (each.codeVerificationStatus !== "VERIFIED") buttons.append(button("Verify", "verify_number", target));
    if (each.pin) buttons.append(button("Clear the PIN", "clear_pin", target));
    if (each.nameReview) {
      buttons.append(button("Approve name", "approve_name", target), button("Decline name", "decline_name", target));
    }
    if (connected) {
      buttons.append(button("Ban", "ban_number", target), button("Offboard", "offboard", target));
    }
    buttons.append(more(NUMBER_ACTS, target));
    if (each.status === "DISCONNECTED") buttons.append(button("Reconnect", "reconnect", target));
    box.append(buttons);
    return box;
  }

  function account(each, numbers) {
    const box = el("article", undefined, "card");
    box.append(el("strong", each.name), facts([
      ["WABA", each.id],
      ["scenario", each.scenario],
      ["bound", each.bound ? "yes" : "no", each.bound ? "good" : "warn"],
      ["payment", each.paymentMethodAttached ? "attached" : "missing", each.paymentMethodAttached ? "good" : "warn"],
      ["review", each.accountReviewStatus, each.accountReviewStatus === "APPROVED" ? "good" : "warn"],
      ["business", each.businessVerificationStatus, each.businessVerificationStatus === "verified" ? "" : "warn"],
      ...(each.restrictions || []).map((one) => ["restricted", `${one.restrictionType} until ${one.expiration}`, "bad"]),
      ...(each.banState ? [["ban", each.banState, "bad"]] : []),
    ]));
    const buttons = el("div", undefined, "row");
    const target = { waba_id: each.id };
    if (!each.paymentMethodAttached) buttons.append(button("Attach payment", "attach_payment", target));
    if (each.accountReviewStatus === "PENDING") {
      buttons.append(button("Approve review", "approve_review", target), button("Reject review", "reject_review", target));
    }
    if (!each.bound) buttons.append(button("Bind", "bind", target));
    buttons.append(
      each.banState === "DISABLE" ? button("Reinstate", "reinstate", target) : button("Ban", "ban", target),
      button("Add a number", "add_number", target),
      button("Delete", "delete", target),
      more(ACCOUNT_ACTS, target),
    );
    box.append(buttons, ...numbers.filter((one) => one.wabaId === each.id).map(number));
    return box;
  }

  function table(node, head, rows) {
    const top = el("tr");
    top.append(...head.map((name) => el("th", name)));
    node.replaceChildren(top, ...rows);
  }

  const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();
  const tone = (status) => (status === null ? "bad" : status < 300 ? "good" : status < 500 ? "warn" : "bad");

  function delivery(each) {
    const row = el("tr");
    const again = el("button", "Again", "small");
    again.addEventListener("click", () => send("/control/again", { event_id: each.event.id }));
    const cell = el("td");
    cell.append(again);
    row.append(
      el("td", each.event.type), el("td", `attempt ${each.attempt}`),
      el("td", each.status ?? "no answer", tone(each.status)), cell,
    );
    return row;
  }

  function call(each) {
    const row = el("tr");
    row.append(
      el("td", clock(each.at)), el("td", each.method), el("td", each.path),
      el("td", each.status ?? "dropped", tone(each.status)),
    );
    return row;
  }

  function about() {
    const found = scenarios.find((each) => each.name === $("#scenario").value);
    $("#about").textContent = found ? found.text : "";
    for (const box of document.querySelectorAll("[data-for]")) {
      box.hidden = box.dataset.for !== $("#scenario").value;
    }
  }

  async function load() {
    const text = await (await fetch("/control/")).text();
    if (text === shown) return;
    shown = text;
    const world = JSON.parse(text);
    if (!scenarios.length) {
      scenarios = world.scenarios;
      for (const each of scenarios) $("#scenario").add(new Option(each.title, each.name));
      $("#scenario").value = world.scenario;
      about();
    }
    $("#accounts").replaceChildren(...world.accounts.map((each) => account(each, world.numbers)));
    if (!world.accounts.length) $("#accounts").append(el("p", "None yet: launch a signup.", "quiet"));
    table($("#deliveries"), ["Event", "", "Answer", ""], world.deliveries.slice(0, 15).map(delivery));
    table($("#calls"), ["At", "", "Path", "Answer"], world.calls.slice(-25).reverse().map(call));
  }

  $("#scenario").addEventListener("change", about);
  $("#next").addEventListener("submit", (event) => {
    event.preventDefault();
    const scenario = $("#scenario").value;
    const params = {
      pending: { seconds: Number($("#seconds").value) },
      cancel: { step: $("#step").value },
    };
    send("/control/", { scenario, params: params[scenario] || {} });
  });
  $("#reset").addEventListener("click", () => send("/control/reset", {}));
  load();
  setInterval(load, 1000);
})();
