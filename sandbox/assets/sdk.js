// Stands in for https://connect.facebook.net/en_US/sdk.js: FB.init and FB.login only, with the
// habits of the original that pages trip over (checked against public reports, Nov 2026).
(function () {
  "use strict";
  var origin = new URL(document.currentScript.src).origin;
  var settings = null;

  function isAsync(callback) {
    return Object.prototype.toString.call(callback) === "[object AsyncFunction]";
  }

  window.FB = {
    init: function (options) {
      if (!options || !options.appId || !options.version) {
        throw new Error("FB.init needs appId and version");
      }
      settings = options;
    },

    login: function (callback, options) {
      if (!settings) throw new Error("FB.login() called before FB.init().");
      if (isAsync(callback)) throw new Error("Expression is of type asyncfunction, not function");
      if (typeof callback !== "function") throw new Error("FB.login needs a callback");
      if (!options || !options.config_id) throw new Error("Invalid config_id");

      var address = new URL("/dialog", origin);
      address.searchParams.set("app_id", settings.appId);
      address.searchParams.set("config_id", options.config_id);
      address.searchParams.set("extras", JSON.stringify(options.extras || {}));
      address.searchParams.set("origin", window.location.origin);
      var popup = window.open(address.href, "fb-" + Date.now(), "width=480,height=720,popup=1");

      var done = false;
      function answer(response) {
        if (done) return;
        done = true;
        window.clearInterval(poll);
        window.removeEventListener("message", hear);
        callback(response);
      }
      // The bridge: a string, not JSON, on the same channel as the signup messages.
      function hear(event) {
        if (event.origin !== origin || event.source !== popup) return;
        if (typeof event.data !== "string" || event.data.indexOf("cb=") !== 0) return;
        var said = new URLSearchParams(event.data);
        var asksCode =
          options.response_type === "code" && options.override_default_response_type === true;
        answer(
          asksCode
            ? { authResponse: { code: said.get("code") }, status: "connected" }
            : { authResponse: { accessToken: "no-code-was-asked-for" }, status: "connected" },
        );
      }
      window.addEventListener("message", hear);
      var poll = window.setInterval(function () {
        // A blocked window gives no handle; the original says nothing clearer either.
        if (!popup || popup.closed) answer({ authResponse: null, status: "unknown" });
      }, popup ? 100 : 2000);
    },
  };

  if (typeof window.fbAsyncInit === "function") window.fbAsyncInit();
})();
