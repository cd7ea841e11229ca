// Meta's window: its SDK, its messages, its answer. Knows nothing of our server.
// Traps and their sources: docs/page.md.

const SIGNUP = "WA_EMBEDDED_SIGNUP";
const TEXT_FIELDS = { current_step: 80, error_message: 500, session_id: 100 };

// Only https, no port, and a host that is, or ends in a dot and, one of the allowed hosts; a bare
// endsWith would let evilfacebook.com in. The sandbox's one exact origin comes with the sandbox.
export function isFromMeta(origin, hosts, sandboxOrigin) {
  if (sandboxOrigin && origin === sandboxOrigin) return true;
  let url;
  try {
    url = new URL(origin);
  } catch {
    return false;
  }
  if (url.protocol !== "https:" || url.port !== "") return false;
  return hosts.some((host) => url.hostname === host || url.hostname.endsWith(`.${host}`));
}

// The body for our server, or null for anything that is no signup message. The payload is a JSON
// string or an object; the SDK's own bridge sends other strings on the same channel.
export function readMessage(payload) {
  let said = payload;
  if (typeof said === "string") {
    try {
      said = JSON.parse(said);
    } catch {
      return null;
    }
  }
  if (!said || typeof said !== "object" || said.type !== SIGNUP) return null;
  const data = said.data && typeof said.data === "object" ? said.data : {};
  const either = (name) => data[name] ?? said[name];
  const body = { event: String(said.event || "").toUpperCase().slice(0, 80) };
  // `businessId` too: the brief's coexistence sample reads it by that name, undefined there.
  const ids = {
    waba_id: data.waba_id ?? onlyOne(data.waba_ids),
    phone_number_id: data.phone_number_id,
    business_id: data.business_id ?? data.businessId,
  };
  for (const [name, value] of Object.entries(ids)) {
    if (/^[0-9]{1,40}$/.test(String(value ?? ""))) body[name] = String(value);
  }
  for (const [name, most] of Object.entries(TEXT_FIELDS)) {
    if (either(name)) body[name] = String(either(name)).slice(0, most);
  }
  const code = either("error_code") ?? either("error_id");
  if (code) body.error_code = String(code).slice(0, 40);
  return body;
}

function onlyOne(ids) {
  return Array.isArray(ids) && ids.length === 1 ? ids[0] : undefined;
}

// Resolves when FB can be called; rejects when the script is blocked or silent.
export function loadSdk(url, seconds) {
  return new Promise((resolve, reject) => {
    if (window.FB) return resolve();
    const timer = setTimeout(() => reject(new Error("silent")), seconds * 1000);
    window.fbAsyncInit = () => {
      clearTimeout(timer);
      resolve();
    };
    const script = document.createElement("script");
    script.src = url;
    script.async = true;
    script.crossOrigin = "anonymous";
    script.onerror = () => {
      clearTimeout(timer);
      script.remove();
      reject(new Error("blocked"));
    };
    document.head.append(script);
    return undefined;
  });
}

export function initSdk(launch) {
  window.FB.init({ appId: launch.app_id, cookie: true, xfbml: false, version: launch.sdk_version });
}

// Call it synchronously in the click, or the browser blocks the window. The callback is a plain
// function: the SDK refuses async ones. `onAnswer` gets {code?, login_status}. The window itself is
// the SDK's; `Handle.during` (window.js) keeps what the browser gives for it.
export function openWindow(launch, onAnswer) {
  window.FB.login(
    function (response) {
      const answer = response || {};
      const code = answer.authResponse?.code;
      const status = String(answer.status || "unknown").slice(0, 40);
      if (code) onAnswer({ code, login_status: status });
      else onAnswer({ login_status: answer.authResponse ? "connected_without_code" : status });
    },
    {
      config_id: launch.config_id,
      response_type: "code",
      override_default_response_type: true,
      extras: launch.extras,
    },
  );
}

// `onMessage(body, source)` for Meta's signup messages only. Others are dropped; one whose origin has
// "facebook" in it is named in the console (never its payload), so that a change is noticed.
export function listen(hosts, sandboxOrigin, onMessage) {
  addEventListener("message", (event) => {
    if (isFromMeta(event.origin, hosts, sandboxOrigin)) {
      const body = readMessage(event.data);
      if (body) onMessage(body, event.source);
    } else if (event.origin.includes("facebook")) {
      console.warn("A message from an origin that is not allowed was dropped:", event.origin);
    }
  });
}
