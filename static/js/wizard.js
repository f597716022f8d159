// Digits choose a level, Enter goes on; never while typing, and not when somebody has switched it off.
const off = document.querySelector('[data-keys-off]');
const stored = () => localStorage.getItem('wizard-keys') === 'off';
if (off) {
  off.checked = !stored();
  off.addEventListener('change', () => localStorage.setItem('wizard-keys', off.checked ? 'on' : 'off'));
}
document.addEventListener('keydown', (event) => {
  if (stored() || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== 'radio') return;
  const card = /^[0-5]$/.test(event.key) && document.getElementById(`level-${event.key}`);
  if (card) {
    card.checked = true;
    card.focus();
    card.dispatchEvent(new Event('change', { bubbles: true }));
  }
  if (event.key === 'Enter' && target.name === 'level') {
    event.preventDefault();
    document.getElementById('next')?.click();
  }
});
