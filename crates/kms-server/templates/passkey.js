"use strict";
// Forms that a device fills in: what it is asked for stands in `data-options`. Without JavaScript, or
// without passkeys in the browser, they stay hidden and another way is shown.
const fromText = text => Uint8Array.from(
  atob(text.replace(/-/g, "+").replace(/_/g, "/")), letter => letter.charCodeAt(0));
const toText = bytes => bytes && btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const read = options => {
  options.challenge = fromText(options.challenge);
  if (options.user) options.user.id = fromText(options.user.id);
  for (const list of [options.allowCredentials, options.excludeCredentials]) {
    for (const one of list || []) one.id = fromText(one.id);
  }
  return options;
};
const write = made => {
  const response = {};
  for (const name of
    ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (made.response[name] !== undefined) response[name] = toText(made.response[name]);
  }
  return JSON.stringify({ id: made.id, rawId: toText(made.rawId), type: made.type, response });
};
const explain = error => ({
  NotAllowedError: "It was cancelled, or took too long. Try again.",
  InvalidStateError: "This device has a passkey of yours already.",
}[error.name] || "The browser could not do this: " + error.message);
for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  form.hidden = false;
  form.addEventListener("submit", async event => {
    event.preventDefault();
    const said = form.querySelector("[role=alert]");
    said.hidden = true;
    try {
      const publicKey = read(JSON.parse(form.dataset.options));
      const made = await navigator.credentials[form.dataset.passkey]({ publicKey });
      form.elements.response.value = write(made);
      form.submit();
    } catch (error) {
      said.textContent = explain(error);
      said.hidden = false;
    }
  });
}
