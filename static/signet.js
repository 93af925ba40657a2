// What the pages gain where scripts run; each of them is complete without. ES5 on purpose.
(function () {
  'use strict';
  function each(selector, work) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), work);
  }

  // Show or hide a password.
  each('[data-reveal]', function (button) {
    var input = document.getElementById(button.getAttribute('data-reveal'));
    var show = button.textContent;
    button.hidden = false;
    function set(shown) {
      input.type = shown ? 'text' : 'password';
      button.textContent = shown ? button.getAttribute('data-hide') : show;
    }
    button.addEventListener('click', function () {
      set(input.type === 'password');
      input.focus();
    });
    // A browser must not keep the password as plain text in its form history.
    input.form.addEventListener('submit', function () { set(false); });
  });

  // Offer the time zones that the browser knows.
  each('[data-zones]', function (list) {
    var zones = window.Intl && Intl.supportedValuesOf ? Intl.supportedValuesOf('timeZone') : [];
    zones.forEach(function (zone) {
      var option = document.createElement('option');
      option.value = zone;
      list.appendChild(option);
    });
  });

  // Send a form once, however often the button is pressed.
  each('form[data-once]', function (form) {
    form.addEventListener('submit', function (event) {
      if (form.getAttribute('aria-busy') === 'true') {
        event.preventDefault();
        return;
      }
      form.setAttribute('aria-busy', 'true');
    });
  });
  // Back from the next page, the form may be sent again.
  window.addEventListener('pageshow', function () {
    each('form[aria-busy]', function (form) { form.removeAttribute('aria-busy'); });
  });

  // Go on once the frames of this page have loaded, or have had their time: all of them are part of what `load` waits for.
  each('[data-continue]', function (link) {
    function go() {
      if (link) window.location.replace(link.href);
      link = null;
    }
    if (document.readyState === 'complete') go();
    window.addEventListener('load', go);
    setTimeout(go, 5000);
  });

  // Print the page.
  each('[data-print]', function (button) {
    button.hidden = false;
    button.addEventListener('click', function () { window.print(); });
  });

  // Copy the text of an element.
  if (navigator.clipboard) {
    each('[data-copy]', function (button) {
      var source = document.getElementById(button.getAttribute('data-copy'));
      var label = button.innerHTML;
      button.hidden = false;
      button.addEventListener('click', function () {
        navigator.clipboard.writeText(source.textContent).then(function () {
          button.textContent = button.getAttribute('data-done');
          setTimeout(function () { button.innerHTML = label; }, 2000);
        });
      });
    });
  }
}());
