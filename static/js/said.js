// What the server or the line has to say about a part of the page, beside the page: nothing on it changes.
const place = document.getElementById('said');

const say = (title, text) => {
  if (!place || place.dataset.says === title + text) return;
  place.dataset.says = title + text;
  const words = document.createElement('p');
  const heading = document.createElement('b');
  heading.textContent = title;
  words.append(heading, ` ${text}`);
  const close = document.createElement('button');
  close.type = 'button';
  close.className = 'btn btn-link btn-sm';
  close.textContent = 'Close';
  close.addEventListener('click', hush);
  place.replaceChildren(words, close);
};
const hush = () => {
  place.replaceChildren();
  delete place.dataset.says;
};

// A form's token that is good again, while the same person is signed in as on this page.
const renew = (token) => {
  document.body.setAttribute('hx-headers', JSON.stringify({ 'X-CSRFToken': token }));
  document.querySelectorAll('input[name=csrfmiddlewaretoken]').forEach((input) => { input.value = token; });
};

document.addEventListener('said', (event) => {
  const { title, text, token, who } = event.detail;
  if (token && who !== document.body.dataset.who) {
    say('Somebody else has signed in in this browser.', 'Nothing was stored. Open the page again in a new tab.');
  } else if (token && event.target.dataset.autosave !== undefined) {
    renew(token);
  } else if (token) {
    renew(token);
    say('Please try that once more.', 'The page was open for long; nothing was changed yet.');
  } else {
    say(`${title}.`, text);
  }
});

// Without a word from the server: it is away, or the line is. What is stored as one goes says so where it stands.
const away = (event) => {
  const { elt, xhr } = event.detail;
  if (elt.dataset.autosave !== undefined || xhr.getResponseHeader('HX-Trigger')) return;
  say('That did not work just now.', 'Nothing was changed. Try it once more in a moment.');
};
document.addEventListener('htmx:responseError', away);
document.addEventListener('htmx:sendError', away);
document.addEventListener('htmx:timeout', away);
