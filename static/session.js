// OpenID Connect Session Management 3.2: an app's frame asks whether the state that it was told is still the one of this
// browser. Nothing is sent to the server, and the answer is one word, for the origin that asked alone.
(function () {
  'use strict';
  var name = document.currentScript.getAttribute('data-cookie') + '=';

  function state() {
    var found = document.cookie.split('; ').filter(function (pair) { return pair.indexOf(name) === 0; })[0];
    return found ? found.slice(name.length) : '';
  }

  function base64url(buffer) {
    var bytes = String.fromCharCode.apply(null, new Uint8Array(buffer));
    return btoa(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }

  // "client_id hash.salt"
  function read(message) {
    var parts = typeof message === 'string' ? message.split(' ') : [];
    var halves = parts.length === 2 ? parts[1].split('.') : [];
    return halves.length === 2 && parts[0] && halves[0] && halves[1]
      ? { client: parts[0], hash: halves[0], salt: halves[1] }
      : null;
  }

  window.addEventListener('message', function (event) {
    // Whoever has no origin, such as a sandbox, could not be answered alone.
    if (!event.source || event.source === window || !/^https?:/.test(event.origin)) return;
    function answer(word) { event.source.postMessage(word, event.origin); }
    var told = read(event.data);
    if (!told || !window.crypto || !crypto.subtle) return answer('error');
    var text = [told.client, event.origin, state(), told.salt].join(' ');
    crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)).then(function (hash) {
      answer(base64url(hash) === told.hash ? 'unchanged' : 'changed');
    }, function () { answer('error'); });
  });
}());
