"""Forms of rows that somebody else may change while the page stands open."""

import hashlib

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS


class ToldMeanwhile(forms.ModelForm):
    """A form that carries a sign of what its page showed. Where the row says something else by now, nothing is saved.

    What is there now is told once, and what was typed stays in the form; saved again, it holds.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["as_shown"] = forms.CharField(required=False, widget=forms.HiddenInput, initial=self._sign)

    def _now(self) -> dict[str, str]:
        """What the row says of each field, as text."""
        found = {}
        for name, field in self.fields.items():
            if name != "as_shown":
                found[name] = _in_words(field, self.get_initial_for_field(field, name))
        return found

    def _sign(self) -> str:
        return hashlib.sha256(repr(sorted(self._now().items())).encode()).hexdigest()[:32]

    def clean(self):
        data = super().clean()
        carried = self.data.get(self.add_prefix("as_shown"))
        if self.instance.pk and carried and carried != self._sign():
            others = [name for name in self.changed_data if name != "as_shown"]
            if others:
                self.add_error(NON_FIELD_ERRORS, self._told(others))
                self.data = self.data.copy()
                self.data[self.add_prefix("as_shown")] = self._sign()
        return data

    def _told(self, names: list[str]) -> str:
        now = self._now()
        said = "; ".join(f"{self[name].label}: {now[name] or 'nothing'}" for name in names)
        return f"Somebody has changed this since you opened it. It now says: {said}. Save again to keep yours instead."


def _in_words(field, value) -> str:
    """A field's value as people read it."""
    value = field.prepare_value(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    choices = getattr(field, "choices", None)
    if choices is None:
        return "" if value is None else str(value)
    chosen = {str(getattr(one, "value", one)) for one in (value if isinstance(value, list | tuple) else [value])}
    return ", ".join(str(label) for key, label in choices if str(getattr(key, "value", key)) in chosen and key != "")
