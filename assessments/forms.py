"""Forms of the self-assessment."""

from django import forms

from socialstrategy.lib.fields import LinesField
from socialstrategy.lib.meanwhile import sign
from socialstrategy.lib.text import clean

CANT_JUDGE = "none"
LEVEL_VALUES = {**{str(level): level for level in range(6)}, CANT_JUDGE: None}


class ConsentForm(forms.Form):
    """Consent, and what would make the assessment easier to take.

    A page that stood open in another tab takes nothing back: ``as_shown`` is a sign of what it said.
    """

    consent = forms.BooleanField(
        label="I have read this and agree to take part",
        error_messages={"required": "Tick the box if you agree. Without it we do not start."},
    )
    accommodation = LinesField(
        label="Is there anything that would make this easier for you?",
        help_text="More time, another format, somebody to read aloud: tell us. It has no influence on any result.",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    as_shown = forms.CharField(max_length=16, required=False, widget=forms.HiddenInput)

    def __init__(self, *args, sitting, **kwargs):
        shown = {"consent": bool(sitting.consented_at), "accommodation": sitting.accommodation}
        self.stored = sitting.accommodation
        super().__init__(*args, initial=shown | {"as_shown": sign(self.stored)}, **kwargs)

    def clean_accommodation(self):
        mine, shown = clean(self.cleaned_data["accommodation"], lines=True), self.data.get("as_shown")
        if not shown or shown == sign(self.stored) or mine == self.stored:
            return mine
        if shown == sign(mine):
            return self.stored
        self.data = self.data.copy()
        self.data["as_shown"] = sign(self.stored)
        said = f"you have written “{self.stored}”" if self.stored else "you have taken this out"
        raise forms.ValidationError(f"In another tab {said}. Press again to have what stands here instead.")


class AnswerForm(forms.Form):
    """A level or "can't judge", with an optional example and link."""

    level = forms.ChoiceField(
        choices=[(value, value) for value in LEVEL_VALUES],
        error_messages={
            "required": "Choose the line that fits best, or “I can’t judge this yet”.",
            "invalid_choice": "Choose one of the lines shown.",
        },
    )
    note = LinesField(
        max_length=1000, required=False, error_messages={"max_length": "Keep the example within 1,000 characters."}
    )
    link = forms.URLField(
        max_length=500,
        required=False,
        assume_scheme="https",
        error_messages={"invalid": "This does not look like an address, such as https://example.org/post."},
    )
    revision = forms.IntegerField(min_value=0, max_value=10**6, required=False)

    page = forms.CharField(max_length=36, required=False)
    read = forms.CharField(max_length=16, required=False)
    step = forms.IntegerField(min_value=0, max_value=10**6, required=False)

    def clean_level(self):
        return LEVEL_VALUES[self.cleaned_data["level"]]

    def clean_note(self):
        return clean(self.cleaned_data["note"], lines=True)

    def clean_revision(self):
        return self.cleaned_data["revision"] or 0

    def clean_step(self):
        return self.cleaned_data["step"] or 0

    def clean_link(self):
        link = self.cleaned_data["link"]
        if link and not link.startswith(("http://", "https://")):
            raise forms.ValidationError("A link starts with http:// or https://.")
        return link
