// Small comforts of every page; each page works without them.

// Filters apply themselves when they change.
document.addEventListener('change', (event) => {
  const form = event.target.closest('form[data-auto]');
  if (form) form.requestSubmit();
});

// Print buttons.
document.addEventListener('click', (event) => {
  if (event.target.closest('[data-print]')) window.print();
  const menu = document.querySelector('details.menu[open]');
  if (menu && !menu.contains(event.target)) menu.open = false;
});

// "/" goes to the search box; never while typing.
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest('input, textarea, select, [contenteditable]') && event.target.type !== 'radio') return;
  const box = document.querySelector('[data-find]');
  if (box) {
    event.preventDefault();
    box.focus();
  }
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  const menu = document.querySelector('details.menu[open]');
  if (menu) {
    menu.open = false;
    menu.querySelector('summary').focus();
  }
});

// A second click on a submit button sends nothing twice.
document.addEventListener('submit', (event) => {
  if (event.defaultPrevented) return;
  if (event.target.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (!event.target.hasAttribute('hx-post') && event.target.method === 'post') {
    event.target.dataset.sent = '1';
    window.addEventListener('pageshow', () => delete event.target.dataset.sent, { once: true });
  }
});

// Selection toolbars show how many are chosen.
const count = (form) => {
  const chosen = form.querySelectorAll('input[name="p"]:checked, input[name="people"]:checked').length;
  const bar = form.querySelector('[data-selection]');
  if (!bar) return;
  bar.hidden = chosen === 0;
  bar.querySelector('[data-count]').textContent = chosen;
  form.querySelectorAll('tr').forEach((row) => {
    const box = row.querySelector('input[name="p"], input[name="people"]');
    if (box) row.toggleAttribute('data-sel', box.checked);
  });
};
document.querySelectorAll('form[data-select]').forEach((form) => {
  form.addEventListener('change', (event) => {
    if (event.target.matches('[data-all]')) {
      form.querySelectorAll('input[name="p"], input[name="people"]').forEach((box) => { box.checked = event.target.checked; });
    }
    count(form);
  });
  count(form);
});

// The heatmap marks the field whose demands are open.
document.addEventListener('htmx:afterRequest', (event) => {
  const field = event.target.closest('[data-cell]');
  if (!field || !event.detail.successful) return;
  document.querySelectorAll('[data-cell][aria-current]').forEach((one) => one.removeAttribute('aria-current'));
  field.setAttribute('aria-current', 'true');
});
