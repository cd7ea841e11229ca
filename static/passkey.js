// Ties allauth's passkey script to our forms: a form with `data-passkey` names what it does, its
// button and its hidden field. It stays hidden where the browser has no passkeys.
(function () {
  "use strict";
  const show = (id) => { const found = document.getElementById(id); if (found) found.hidden = false; };
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    show("passkey-trouble");
  });
  document.addEventListener("DOMContentLoaded", () => {
    for (const form of document.querySelectorAll("form[data-passkey]")) {
      const { passkey, button, credential, passwordless } = form.dataset;
      if (!window.PublicKeyCredential) {
        if (passkey !== "loginForm") show("passkey-missing");
        continue;
      }
      form.hidden = false;
      const ids = { credential, data: "js_data" };
      ids[{ addForm: "add", loginForm: "login", authenticateForm: "authenticate" }[passkey]] = button;
      if (passwordless) ids.passwordless = passwordless;
      window.allauth.webauthn.forms[passkey]({ ids });
    }
  });
})();
