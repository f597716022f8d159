"""Forms of an import: the file, how it is read, which column holds what, and what holds for all its rows."""

from django import forms

from candidates.import_fields import FIELDS, OWN, own_mark, own_names
from candidates.models import OwnField, Person
from socialstrategy.lib.uploads.delimited import ENCODINGS, SEPARATORS

EXAMPLE = 30
"""Signs of an example that stand beside a heading."""


class ImportFileForm(forms.Form):
    """A CSV or XLSX file of people."""

    file = forms.FileField(
        label="CSV or XLSX file",
        help_text="With a heading. Only names are needed, in one column or two; e-mail, job title, function, location, "
        "kind, manager and numbers of your own are taken if they are there.",
        error_messages={"empty": "The file is empty.", "required": "Choose a file first."},
    )


class ReadingForm(forms.Form):
    """How the file is to be read, where we have guessed wrongly."""

    separator = forms.ChoiceField(label="What separates the cells", required=False)
    encoding = forms.ChoiceField(label="Encoding", required=False, help_text="If letters look wrong, try another one.")
    sheet = forms.ChoiceField(label="Sheet", required=False)
    heading = forms.IntegerField(label="Row of the heading", required=False, min_value=1, max_value=1_048_576)

    def __init__(self, *args, batch, **kwargs):
        super().__init__(*args, **kwargs)
        about = batch.about
        sheets = about.get("sheets", [])
        if about.get("kind") == "workbook":
            del self.fields["separator"], self.fields["encoding"]
            named = [(one["name"], f"{one['name']}, hidden" if one["hidden"] else one["name"]) for one in sheets]
            self.fields["sheet"].choices = [("", "Choose by what is in it"), *named]
        else:
            del self.fields["sheet"]
            marks = SEPARATORS | ({about["separator"]: about["separator"]} if about.get("separator") else {})
            self.fields["separator"].choices = [("", "Find out"), *({**marks, **SEPARATORS}).items()]
            self.fields["encoding"].choices = [("", "Find out"), *ENCODINGS.items()]
        for name, field in self.fields.items():
            field.initial = batch.choices.get(name) or about.get(name) or ""

    @property
    def choices(self) -> dict:
        """What differs from a guess."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class ColumnsForm(forms.Form):
    """Which column of the file holds what, and what holds for all rows."""

    def __init__(self, *args, batch, first: list[str], **kwargs):
        super().__init__(*args, **kwargs)
        self.batch = batch
        self.headings = [cell or f"Column {n + 1}" for n, cell in enumerate(batch.header)]
        choices = [("", "Not in the file"), *((str(n), _named(cell, first, n)) for n, cell in enumerate(self.headings))]
        for field, label in FIELDS.items():
            initial = str(batch.columns.get(field, ""))
            self.fields[field] = forms.ChoiceField(label=label, choices=choices, required=False, initial=initial)
        kept = [str(at) for field, at in batch.columns.items() if field.startswith(OWN)]
        self.fields["own"] = forms.MultipleChoiceField(
            label="Kept as fields of your own",
            choices=choices[1:],
            required=False,
            initial=kept,
            widget=forms.CheckboxSelectMultiple,
            help_text="Plain text beside a person, such as a staff number; you can search for it.",
        )
        self.fields["key"] = forms.ChoiceField(
            label="People are recognised by",
            choices=[("", "Their e-mail, or else their name"), *choices[1:]],
            required=False,
            initial=str(batch.columns.get(OWN + batch.rules.get("key", ""), "")) if batch.rules.get("key") else "",
            help_text="A number that only one person has; its column is kept as a field of your own.",
        )
        self.fields["newcomers"] = forms.ChoiceField(
            label="New people whose row does not say what they are",
            choices=[("candidate", "are candidates"), ("employee", "are employees")],
            required=False,
            initial=batch.rules.get("newcomers", Person.Kind.CANDIDATE),
        )
        self.fields["bring_back"] = forms.BooleanField(
            label="Bring back people who are archived",
            required=False,
            initial=batch.rules.get("bring_back", False),
        )

    def clean(self):
        data = super().clean()
        self.own = list(dict.fromkeys([*data.get("own", []), *([data["key"]] if data.get("key") else [])]))
        used = [data.get(field) for field in FIELDS if data.get(field)] + self.own
        for field in FIELDS:
            if data.get(field) and used.count(data[field]) > 1:
                self.add_error(field, "Two fields can't share a column.")
                break
        if not any(data.get(field) for field in ("name", "first_name", "last_name")) and not self.errors:
            self.add_error("name", "Say which column holds the names.")
        self._check_own()
        return data

    def _check_own(self) -> None:
        names = [self.own_name(at) for at in self.own]
        if len(set(map(own_mark, names))) < len(names):
            self.add_error("own", "Two of these columns have the same heading.")
        known = {name.lower() for name in OwnField.objects.values_list("name", flat=True)}
        if len(known | {name.lower() for name in names}) > OwnField.MOST:
            self.add_error("own", f"{OwnField.MOST} fields of your own are the most. Choose fewer.")

    def own_name(self, at: str) -> str:
        """The field that a column fills: one that is there already, however its heading is written."""
        heading = self.headings[int(at)]
        return own_names().get(own_mark(heading), heading)

    @property
    def columns(self) -> dict[str, int]:
        found = {field: int(self.cleaned_data[field]) for field in FIELDS if self.cleaned_data.get(field)}
        return found | {OWN + self.own_name(at): int(at) for at in self.own}

    @property
    def rules(self) -> dict:
        data = self.cleaned_data
        return {
            "key": self.own_name(data["key"]) if data.get("key") else "",
            "newcomers": data.get("newcomers") or Person.Kind.CANDIDATE.value,
            "bring_back": data.get("bring_back", False),
        }


def _named(heading: str, first: list[str], at: int) -> str:
    """A heading with an example of what stands below it."""
    example = first[at].strip()[:EXAMPLE] if at < len(first) else ""
    return f"{heading} ({example})" if example else heading
