"""Form fields of the house."""

from django import forms


class LinesField(forms.CharField):
    """Text of several lines. A break counts once against ``max_length``, as browsers count it; they send two signs."""

    widget = forms.Textarea

    def to_python(self, value):
        text = super().to_python(value)
        return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else text
