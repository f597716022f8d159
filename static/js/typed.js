// What somebody has typed is kept in this tab while they sign in again, and put back where they typed it.
const KEY = 'typed';
const LASTS = 60 * 60 * 1000;
const who = document.body.dataset.who;
const isOnTheWay = /^\/(sign-in|password)\//.test(location.pathname) || document.querySelector('[data-keeps]');

const read = () => JSON.parse(sessionStorage.getItem(KEY) || '{}');
const write = (kept) => sessionStorage.setItem(KEY, JSON.stringify(kept));
const isTyped = (field) => field.name && !/^(hidden|password|file|submit|button)$/.test(field.type)
  && field.tagName !== 'BUTTON' && field.tagName !== 'FIELDSET';
const isTick = (field) => field.type === 'radio' || field.type === 'checkbox';
const chosen = (field) => [...field.options].filter((option) => option.selected).map((option) => option.value);
// On a page that came back since something in it is wrong, what was typed before looks as if it had always been there.
const typedBefore = new Set();
const keyOf = (form, name) => `${form} ${name}`;
const isChanged = (field) => {
  if (typedBefore.has(keyOf(field.form.getAttribute('action') || '', field.name))) return true;
  if (isTick(field)) return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
};

const keep = (forms, state) => {
  const fields = forms.flatMap((form) => [...form.elements].filter((f) => isTyped(f) && isChanged(f)).map((f) => ({
    form: form.getAttribute('action') || '',
    name: f.name,
    value: f.options ? chosen(f) : f.value,
    ticked: isTick(f) ? f.checked : null,
  })));
  if (fields.length) write({ ...read(), [location.pathname]: { who, state, at: Date.now(), fields } });
};

const put = ({ form, name, value, ticked }) => {
  const home = [...document.forms].find((one) => (one.getAttribute('action') || '') === form && one.elements[name]);
  if (!home) return;
  const found = [...home.elements].filter((f) => f.name === name && isTyped(f) && (ticked === null || f.value === value));
  found.forEach((f) => {
    if (ticked !== null) f.checked = ticked;
    else if (f.options) [...f.options].forEach((option) => { option.selected = value.includes(option.value); });
    else f.value = value;
    f.closest('details')?.setAttribute('open', '');
  });
  // What is stored as one goes is stored now.
  if (ticked !== false) found[0]?.dispatchEvent(new Event('change', { bubbles: true }));
};

// What was sent has arrived once a page comes from it, unless that asks to sign in or to send it again. Who goes back
// from the browser's own page about a dead line has sent nothing.
const kept = read();
const [way] = performance.getEntriesByType('navigation');
const before = document.referrer.startsWith(location.origin) ? new URL(document.referrer).pathname : '';
const isFrom = (path) => way.type !== 'back_forward' && before === path;
Object.entries(kept).forEach(([path, one]) => {
  if (Date.now() - one.at > LASTS) delete kept[path];
  else if (one.state === 'sent' && isOnTheWay) one.state = 'kept';
  else if (one.state === 'sent' && isFrom(path)) {
    if (way.responseStatus >= 400) one.fields.forEach(({ form, name }) => typedBefore.add(keyOf(form, name)));
    delete kept[path];
  } else if (one.state === 'sent' && path === location.pathname) one.state = 'kept';
});
const mine = kept[location.pathname];
if (mine && !isOnTheWay && mine.state === 'kept') delete kept[location.pathname];
write(kept);
if (document.querySelector('[data-forget]')) sessionStorage.clear();
if (mine && !isOnTheWay && mine.state === 'kept' && mine.who === who) {
  window.addEventListener('load', () => {
    mine.fields.forEach(put);
    const detail = { title: 'What you typed is here again', text: 'It has not been stored yet.' };
    document.body.dispatchEvent(new CustomEvent('said', { detail, bubbles: true }));
  });
}

document.addEventListener('submit', (event) => {
  if (!event.defaultPrevented && event.target.method === 'post') keep([event.target], 'sent');
});
document.addEventListener('htmx:beforeOnLoad', (event) => {
  if (!event.detail.xhr.getResponseHeader('HX-Redirect')) return;
  keep([...document.forms].filter((form) => form.method === 'post'), 'kept');
});
