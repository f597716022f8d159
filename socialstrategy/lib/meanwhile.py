"""Forms of rows that somebody else may change while the page stands open."""

import hashlib
from typing import cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict

CARRIED = "as_shown"


class ToldMeanwhile(forms.ModelForm):
    """A form that carries a sign of each value that its page showed. Where one is another by now, nothing is saved.

    What one has not touched then stands in the form as it is now; what both have changed is told, and what was typed
    stays. Saved again, it holds.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields[CARRIED] = forms.CharField(required=False, widget=forms.HiddenInput, initial=self._signs)

    def clean(self):
        data = super().clean()
        carried = dict(one.split(":", 1) for one in self.data.get(self.add_prefix(CARRIED), "").split() if ":" in one)
        if not (self.instance.pk and carried):
            return data
        now = self._now()
        mine = {name: _in_words(self.fields[name], self[name].data) for name in now}
        others = [name for name in now if carried.get(name) != sign(now[name]) and mine[name] != now[name]]
        if others:
            untouched = [name for name in others if carried.get(name) == sign(mine[name])]
            self._show_again(untouched)
            self.add_error(NON_FIELD_ERRORS, self._told(untouched, [name for name in others if name not in untouched]))
        return data

    def _now(self) -> dict[str, str]:
        """What the row says of each field, as people read it."""
        shown = {name: field for name, field in self.fields.items() if name != CARRIED}
        return {name: _in_words(field, self.get_initial_for_field(field, name)) for name, field in shown.items()}

    def _signs(self) -> str:
        return " ".join(f"{name}:{sign(words)}" for name, words in self._now().items())

    def _show_again(self, names: list[str]) -> None:
        """The page as it comes back: these fields as the row has them, and the signs of now."""
        sent = cast(QueryDict, self.data).copy()
        sent[self.add_prefix(CARRIED)] = self._signs()
        for name in names:
            field, key = self.fields[name], self.add_prefix(name)
            value = field.prepare_value(self.get_initial_for_field(field, name))
            sent.pop(key, None)
            if isinstance(value, list):
                sent.setlist(key, value)
            elif value not in (None, False):
                sent[key] = "on" if value is True else str(value)
        self.data = sent

    def _told(self, theirs: list[str], both: list[str]) -> str:
        now = self._now()
        told = ["Somebody has changed this since you opened it."]
        if theirs:
            told.append(
                f"In the form now, as they have left it: {', '.join(str(self[name].label) for name in theirs)}."
            )
        if both:
            said = "; ".join(f"{self[name].label}: {now[name] or 'nothing'}" for name in both)
            told.append(f"You have changed it, too, where it now says – {said}.")
        return " ".join([*told, "Save again to keep what stands here."])


def sign(words: str) -> str:
    """A short sign of what a page shows: another one where it says something else."""
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _in_words(field, value) -> str:
    """A field's value as people read it, whether it comes from the row or from the browser."""
    value = field.prepare_value(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    choices = getattr(field, "choices", None)
    if choices is None:
        return "" if value is None else str(value).replace("\r\n", "\n").strip()
    chosen = {str(one) for one in (value if isinstance(value, list | tuple) else [value])}
    return ", ".join(str(label) for key, label in choices if str(getattr(key, "value", key)) in chosen and key != "")
