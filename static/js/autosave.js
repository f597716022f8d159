// What is stored as one goes says whether it is stored: slow lines and none at all lose nothing and are no conflict.
//
// Each request carries its number on this page, so that the server can tell an earlier choice that arrives late.
// What could not be stored is tried again with growing pauses, and at once when the line is back.
const LONGEST = 30_000;
const SLOW = 400;
const isOurs = (elt) => elt instanceof Element && elt.dataset.autosave !== undefined;
const failing = new Set();
// Of each element: how often it was changed, how often when it was last sent, and how much of that has been answered.
const changes = new Map();
const sent = new Map();
const answered = new Map();
let step = 0;
let tries = 0;
let timer = 0;
let slow = 0;
let goingOn = null;
let isLetGo = false;

const isWaiting = () => failing.size > 0
  || [...changes.keys()].some((elt) => elt.isConnected && changes.get(elt) > (answered.get(elt) || 0));
const tell = (words, isBad) => {
  const place = document.getElementById('saved');
  if (!place) return;
  place.textContent = words;
  place.className = isBad ? 'xs st' : 'xs ink3';
  if (isBad) place.dataset.state = 'gap';
  else delete place.dataset.state;
};
const tellNotYet = () => {
  const line = navigator.onLine ? '' : ': no connection';
  const without = goingOn && !goingOn.own ? ' Press again to go on without it.' : '';
  tell(`Not stored yet${line}. ${goingOn ? 'We go on as soon as it is.' : 'We keep trying.'}${without}`, true);
};
const again = () => {
  clearTimeout(timer);
  [...failing].forEach((elt) => {
    if (elt.isConnected) window.htmx.trigger(elt, 'again');
    else failing.delete(elt);
  });
};
const failed = (elt) => {
  failing.add(elt);
  tellNotYet();
  clearTimeout(timer);
  timer = setTimeout(again, Math.min(LONGEST, 1000 * 2 ** tries));
  tries += 1;
};
const settled = (elt) => {
  failing.delete(elt);
  answered.set(elt, sent.get(elt));
  if (!failing.size) tries = 0;
  if (goingOn && !isWaiting()) {
    const { form, button } = goingOn;
    goingOn = null;
    form.requestSubmit(button);
  }
};

document.addEventListener('change', (event) => {
  const elt = event.target.closest('[data-autosave]');
  if (elt) changes.set(elt, (changes.get(elt) || 0) + 1);
}, true);
document.addEventListener('htmx:configRequest', (event) => {
  if (!isOurs(event.detail.elt)) return;
  sent.set(event.detail.elt, changes.get(event.detail.elt) || 0);
  step += 1;
  event.detail.parameters.step = step;
});
document.addEventListener('htmx:beforeSend', (event) => {
  if (!isOurs(event.detail.elt)) return;
  clearTimeout(slow);
  slow = setTimeout(() => tell('Storing …', false), SLOW);
});
document.addEventListener('htmx:sendAbort', (event) => {
  if (isOurs(event.detail.elt)) clearTimeout(slow);
});
document.addEventListener('htmx:afterRequest', (event) => {
  const { elt, xhr } = event.detail;
  if (!isOurs(elt)) return;
  clearTimeout(slow);
  const isNewToken = xhr.status === 403;
  if (xhr.status >= 500 || xhr.status === 429 || isNewToken) failed(elt);
  else if (xhr.status) {
    // The server has a word to say about it, in place or beside the page: sending the same again would not help.
    if (xhr.status >= 400 && xhr.getResponseHeader('HX-Trigger')) tell('Not stored', true);
    settled(elt);
  }
});
['htmx:sendError', 'htmx:timeout'].forEach((name) => document.addEventListener(name, (event) => {
  if (isOurs(event.detail.elt)) failed(event.detail.elt);
}));
window.addEventListener('online', again);
window.addEventListener('offline', () => {
  if (document.querySelector('[data-autosave]')) tell('No connection. What you choose is stored once it is back.', true);
});
window.addEventListener('beforeunload', (event) => {
  if (isWaiting() && !isLetGo) event.preventDefault();
});

// Going on, leaving and publishing wait until what is on the page is stored. A line may be dead that calls itself well.
document.querySelectorAll('form').forEach((form) => {
  const own = form.querySelector('[data-autosave]');
  if (!own) return;
  form.addEventListener('formdata', (event) => {
    step += 1;
    event.formData.set('step', step);
  });
});
document.addEventListener('submit', (event) => {
  const form = event.target;
  const own = form.querySelector('[data-autosave]');
  const isCut = own && !navigator.onLine;
  if (form.method !== 'post' || form.matches('[hx-post]') || !(isWaiting() || isCut)) return;
  if (goingOn?.form === form && !own) {
    isLetGo = true;
    return;
  }
  event.preventDefault();
  goingOn = { form, own, button: event.submitter };
  if (own && (isCut || failing.size)) failing.add(own);
  if (!failing.size) return;
  tellNotYet();
  if (navigator.onLine) again();
}, true);
