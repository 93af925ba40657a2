// Passkeys (WebAuthn): buttons that ask an authenticator and send its answer with their form. Without this script the
// buttons are not there, and the other ways to sign in are. ES5 on purpose.
(function () {
  'use strict';
  if (!window.PublicKeyCredential || !window.fetch || !navigator.credentials) return;

  function bytes(text) {
    var raw = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
    var list = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i += 1) list[i] = raw.charCodeAt(i);
    return list;
  }

  function text(buffer) {
    var raw = String.fromCharCode.apply(null, new Uint8Array(buffer));
    return btoa(raw).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }

  // What the server asks for, with bytes where it has base64url.
  function options(given) {
    function known(list) {
      (list || []).forEach(function (credential) { credential.id = bytes(credential.id); });
    }
    given.challenge = bytes(given.challenge);
    if (given.user) given.user.id = bytes(given.user.id);
    known(given.allowCredentials);
    known(given.excludeCredentials);
    return given;
  }

  // The answer as JSON (WebAuthn Level 3, section 5.1).
  function written(credential) {
    var response = {};
    ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'].forEach(function (part) {
      if (credential.response[part]) response[part] = text(credential.response[part]);
    });
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response: response,
      clientExtensionResults: {}
    });
  }

  function put(form, name, value) {
    var input = form.querySelector('input[type=hidden][name=' + name + ']');
    if (!input) {
      input = document.createElement('input');
      input.type = 'hidden';
      input.name = name;
      form.appendChild(input);
    }
    input.value = value;
  }

  // Asks the server what to ask for.
  function asked(button) {
    var form = button.form;
    var body = new URLSearchParams();
    body.set('csrf', form.elements.csrf.value);
    if (button.hasAttribute('data-make')) body.set('new', 'yes');
    return fetch(button.getAttribute('data-passkey'), { method: 'POST', body: body, credentials: 'same-origin' })
      .then(function (answer) {
        if (!answer.ok) throw new Error('refused');
        return answer.json();
      })
      .then(function (answer) {
        if (answer.ticket) put(form, 'ticket', answer.ticket);
        return { publicKey: options(answer.publicKey) };
      });
  }

  function send(form, credential) {
    put(form, 'credential', written(credential));
    form.submit();
  }

  var waiting = null;

  Array.prototype.forEach.call(document.querySelectorAll('[data-passkey]'), function (button) {
    var form = button.form;
    var problem = document.getElementById(button.getAttribute('data-problem'));
    var without = document.getElementById(button.getAttribute('data-without'));
    button.hidden = false;
    if (without) without.hidden = true;

    button.addEventListener('click', function () {
      if (waiting) waiting.abort();
      waiting = null;
      if (problem) problem.hidden = true;
      button.disabled = true;
      asked(button)
        .then(function (request) {
          return button.hasAttribute('data-make')
            ? navigator.credentials.create(request)
            : navigator.credentials.get(request);
        })
        .then(function (credential) { send(form, credential); })
        .catch(function () {
          button.disabled = false;
          if (problem) problem.hidden = false;
        });
    });

    // Offer passkeys where the browser fills in names, without being asked.
    if (!button.hasAttribute('data-autofill') || !window.AbortController) return;
    if (!PublicKeyCredential.isConditionalMediationAvailable) return;
    PublicKeyCredential.isConditionalMediationAvailable()
      .then(function (available) { return available ? asked(button) : null; })
      .then(function (request) {
        if (!request || button.disabled) return null;
        waiting = new AbortController();
        request.mediation = 'conditional';
        request.signal = waiting.signal;
        return navigator.credentials.get(request);
      })
      .then(function (credential) { if (credential) send(form, credential); })
      .catch(function () { /* The button is there. */ });
  });
}());
