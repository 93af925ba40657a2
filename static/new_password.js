// Rules that tick and an estimate that moves while somebody thinks of a password. ES5 on purpose, and only a help: the
// server judges every password itself, and what is typed goes nowhere before the form does.
(function () {
  'use strict';

  // What very many people use, the most used first (src/protocol/password/SOURCES.md); the server knows many more.
  var COMMON = (
    'password qwerty dragon baseball football monkey letmein shadow master michael mustang qwertyuiop superman ' +
    'qaz2wsx jordan qazwsx jennifer trustno hunter harley zxcvbnm asdfgh buster andrew batman soccer tigger ' +
    'charlie robert sunshine thomas iloveyou ranger daniel hockey george computer michelle jessica starwars ' +
    'pepper klaster zxcvbn freedom princess joshua maggie pass ginger amanda ashley love cheese nicole summer ' +
    'matthew chelsea dallas biteme matrix william yankees taylor corvette austin access martin heather thunder ' +
    'merlin secret diamond hello anthony hammer qwer silver gfhjkm justin patrick richard bailey internet ' +
    'samantha golfer scooter test orange cookie q1w2e3r4t maverick jackson sparky mickey phoenix bigdog snoopy ' +
    'guitar whatever chicken morgan andrea camaro mercedes peanut ferrari cowboy falcon welcome samsung steelers ' +
    'joseph smokey dakota melissa boomer eagles tigers marina nascar gateway porsche yellow monster spider diablo ' +
    'hannah bulldog junior london purple compaq lakers iceman cowboys money banana boston brandon tennis johnny ' +
    'miller q1w2e3r coffee scooby edward nikita mother yamaha brandy barney chester oliver charles player knight ' +
    'forever steven rangers midnight chicago bigdaddy redsox victoria badboy angel please fender chris jasper ' +
    'james slayer rabbit natasha rachel marine wizard marlboro raiders prince casper fishing flower crystal ' +
    'jasmine iwantu adidas winner winter gandalf enter ghbdtn q2w3e4r angela mike golden lauren cocacola winston ' +
    'madison angels panther shannon sophie johnson asdfasdf david toyota tiger murphy canada danielle jonathan ' +
    'liverpoo muffin cooper apples jackie dennis black passw0rd john abcd sandra pokemon slipknot carlos qazxsw ' +
    'scorpion qwaszx nathan startrek rainbow asdfghjkl razz redskins newyork gemini cameron qazwsxedc florida ' +
    'liverpool turtle nicholas viking booger wilson sierra doctor rocket victor dolphins captain bandit jaguar ' +
    'packers pookie peaches asdf blue dolphin helpme tucker theman tiffany maxwell jeremy qwertyui debbie albert ' +
    'maddog lovers monica alex united giants nirvana metallic hotdog rosebud mountain benjamin warrior ' +
    'elephant success bond bonnie alexis lucky jason scorpio samson q1w2e rush azerty freddy driver ' +
    'willie calvin q2w3e4r5t sydney gators dexter bubba creative golf voodoo happy arthur trouble america nissan ' +
    'gunner rebecca stella garfield gordon jessie parker asdfghjk apollo jack eminem december legend airborne ' +
    'beavis august bear apple brooklyn godzilla skippy buddy qwert kitten magic shelby beaver phantom fred ' +
    'nothing asdasd williams xavier braves darkness blink travis copper tomcat platinum qweqwe girls bigboy green ' +
    'power animal police online voyager lifehack fish sniper trinity walter blazer heaven lover snowball bubbles ' +
    'loveme cricket marvin willow donkey topgun nintendo saturn family november gabriel destiny pakistan pumpkin ' +
    'digital sergey chance explorer redwings private therock runner lasvegas guinness beatles fire cassie ' +
    'christin celtic broncos andrey babygirl nelson donald scott eclipse cartman fluffy louise michigan testing ' +
    'carolina little samuel alexande birdie steve passwort willkommen hallo schatz geheim motdepasse bonjour ' +
    'soleil doudou contrasena hola amor princesa secreto qwertz woaini'
  ).split(' ');
  var ROWS = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'azertyuiop'];
  var LOG_2 = Math.log(2) / Math.LN10;
  // Guesses, as powers of ten: a word that everybody knows; where the scores begin.
  var WORD = 4.2;
  var SCORES = [3, 6, 8, 10];

  function folded(text) {
    var form = function (name, given) { return given.normalize ? given.normalize(name) : given; };
    return form('NFKC', form('NFKC', text).toLowerCase());
  }
  function points(text) {
    return text.replace(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g, '_').length;
  }
  function isLetter(c) {
    return c.toLowerCase() !== c.toUpperCase() || c > '\u2e7f';
  }
  function isSymbol(c) {
    return !isLetter(c) && !/[0-9]/.test(c);
  }
  function some(text, test) {
    return Array.prototype.some.call(text, test);
  }
  function distinct(text) {
    return Object.keys(Array.prototype.reduce.call(text, function (seen, c) { seen[c] = 1; return seen; }, {})).length;
  }
  // How long a run in one of the rows, or of one character, begins here, forwards or backwards.
  function run(text, start) {
    var longest = 1;
    while (text[start + longest] === text[start]) longest += 1;
    ROWS.forEach(function (row) {
      [row, row.split('').reverse().join('')].forEach(function (keys) {
        var place = keys.indexOf(text[start]);
        var length = 1;
        while (place >= 0 && text[start + length] && keys[place + length] === text[start + length]) length += 1;
        longest = Math.max(longest, length);
      });
    });
    return longest;
  }
  // The longest of these words that begins here, by its place in the list.
  function wordAt(text, start, words) {
    var found = -1;
    words.forEach(function (word, place) {
      var longer = found < 0 || word.length > words[found].length;
      if (longer && text.substr(start, word.length) === word) found = place;
    });
    return found;
  }

  // How many guesses a password withstands, as a power of ten: a rough count of what whoever guesses would try.
  function guesses(text, about) {
    var sum = 0;
    var start = 0;
    while (start < Math.min(text.length, 100)) {
      var own = wordAt(text, start, about);
      var common = wordAt(text, start, COMMON);
      var length = run(text, start);
      if (own >= 0) {
        length = about[own].length;
        sum += LOG_2;
      } else if (common >= 0 && COMMON[common].length >= length) {
        length = COMMON[common].length;
        sum += Math.log(common + 2) / Math.LN10;
      } else if (length >= 3) {
        sum += 1 + Math.log(length) / Math.LN10;
      } else if (isLetter(text[start])) {
        length = 1;
        while (text[start + length] && isLetter(text[start + length]) && wordAt(text, start + length, COMMON) < 0) length += 1;
        // A row of letters is words, as far as anybody knows.
        sum += Math.min(length * 1.41, WORD * Math.max(1, length / 6));
      } else if (/^(19|20)\d\d/.test(text.substr(start, 4))) {
        length = 4;
        sum += 2;
      } else {
        length = 1;
        sum += isSymbol(text[start]) ? 1.2 : 1;
      }
      start += length;
    }
    return sum;
  }
  function score(text, about) {
    var power = text ? guesses(folded(text), about) : 0;
    return SCORES.filter(function (least) { return power >= least; }).length;
  }

  function isAbout(text, about) {
    var found = about.filter(function (word) { return text.indexOf(word) >= 0; });
    var rest = found.reduce(function (left, word) { return left.split(word).join(''); }, text);
    return found.length > 0 && points(rest) < 8;
  }
  function unit(text) {
    for (var size = 1; size <= text.length / 2; size += 1) {
      if (text.length % size === 0 && text.split(text.slice(0, size)).join('') === '') return text.slice(0, size);
    }
    return text;
  }
  function isCommon(text) {
    var first = 0;
    var last = text.length;
    while (first < last && !isLetter(text[first])) first += 1;
    while (last > first && !isLetter(text[last - 1])) last -= 1;
    var core = text.slice(first, last);
    var listed = [text, unit(text), core, unit(core)].some(function (word) { return COMMON.indexOf(word) >= 0; });
    return listed || distinct(text) <= 3 || run(text, 0) === text.length;
  }

  function aboutWords(field) {
    var texts = field.getAttribute('data-about').split('\n');
    field.getAttribute('data-beside').split(' ').forEach(function (id) {
      var input = id && document.getElementById(id);
      if (input) texts.push(input.value);
    });
    return folded(texts.join(' ')).split(/[@ ]/).filter(function (word) { return points(word) >= 4; });
  }

  function meter(field) {
    var input = document.getElementById(field.getAttribute('data-new-password'));
    var bar = field.querySelector('[data-meter]');
    var word = field.querySelector('[data-word]');
    var said = field.querySelector('[data-said]');
    var rules = field.querySelectorAll('[data-rule]');
    var list = field.querySelector('.rules');
    var words = bar.getAttribute('data-words').split('|');
    var waiting;

    function judged() {
      var text = input.value.normalize ? input.value.normalize('NFC') : input.value;
      var about = aboutWords(field);
      var reached = score(text, about);
      return {
        typed: text !== '',
        score: reached,
        length: points(text) >= Number(field.getAttribute('data-minimum')),
        upper: some(text, function (c) { return c !== c.toLowerCase(); }),
        lower: some(text, function (c) { return c !== c.toUpperCase(); }),
        digit: /[0-9]/.test(text),
        symbol: some(text, isSymbol),
        about: !isAbout(folded(text), about),
        common: !isCommon(folded(text)),
        strength: reached >= Number(field.getAttribute('data-score'))
      };
    }
    function show() {
      var now = judged();
      var missing = [];
      Array.prototype.forEach.call(rules, function (rule) {
        var met = now[rule.getAttribute('data-rule')];
        rule.setAttribute('data-met', now.typed ? (met ? 'yes' : 'no') : '');
        rule.querySelector('[data-state]').textContent = now.typed ? list.getAttribute(met ? 'data-met' : 'data-unmet') + ' ' : '';
        if (!met) missing.push(rule.querySelector('[data-text]').textContent);
      });
      // Nothing is called good that the rules refuse.
      var shown = missing.length ? Math.min(now.score, 2) : now.score;
      bar.setAttribute('data-score', now.typed ? shown : 0);
      word.textContent = now.typed ? words[shown] : '–';
      clearTimeout(waiting);
      // Whoever listens is not interrupted at each letter.
      waiting = setTimeout(function () {
        said.textContent = now.typed ? word.parentNode.textContent.trim() + '. ' + (
          missing.length ? list.getAttribute('data-unmet') + ' ' + missing.join('; ') : '') : '';
      }, 1000);
    }

    list.className += ' live';
    bar.hidden = false;
    input.addEventListener('input', show);
    field.getAttribute('data-beside').split(' ').forEach(function (id) {
      var other = id && document.getElementById(id);
      if (other) other.addEventListener('input', show);
    });
    // A browser may have filled it in already.
    show();
  }

  Array.prototype.forEach.call(document.querySelectorAll('[data-new-password]'), meter);
}());
