"""One form of every e-mail address: however a mailbox is written, it is stored, looked for and compared as one text.

The form is that of the mail servers: small letters, the domain in ASCII ("xn--…"), no dot at its end, nothing
invisible. ``shown`` gives the one that people read.
"""

import re
import unicodedata
from encodings import idna

from django import forms
from django.db import models

DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
"""What some keyboards give for a dot."""
ENDING = re.compile(r"[\s.]+$")
JOINERS = "\u200c\u200d"
"""Invisible, and yet part of a word where they stand between the letters that they join or keep apart."""
KEPT = frozenset("ßς" + JOINERS)
"""Signs of their own in domains, which Python's codec would take for ss, σ and nothing: another mailbox."""
VIRAMA = 9
"""The combining class of what letters of Indian scripts are joined by."""
INVISIBLE = frozenset({"Cc", "Cf"})
ATOM = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.")


def canonical(address: str) -> str:
    """The one form of an address; texts that are none come back tidied, and no form will take them."""
    local, at, domain = _tidy(address).rpartition("@")
    if not at:
        return domain
    return f"{_mailbox(local)}@{_domain(domain)}"


def shown(address: str | None) -> str:
    """An address as people read it: its domain in their own letters."""
    local, at, domain = (address or "").rpartition("@")
    return f"{local}{at}{'.'.join(map(_readable, domain.split('.')))}"


def _tidy(text: str) -> str:
    visible = (unicodedata.category(sign) not in INVISIBLE for sign in text)
    seen = "".join(
        sign for n, (sign, is_seen) in enumerate(zip(text, visible, strict=True)) if is_seen or _joins(text, n)
    )
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).lower()).strip()


def _joins(text: str, n: int) -> bool:
    """Whether the sign there is a joiner that means something (RFC 5892, appendix A, a little more freely)."""
    if text[n] not in JOINERS or not 0 < n < len(text) - 1:
        return False
    before, after = text[n - 1], text[n + 1]
    is_arabic = unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL"
    return unicodedata.combining(before) == VIRAMA or is_arabic


def _mailbox(local: str) -> str:
    """Quotation marks around what needs none are dropped."""
    inner = local[1:-1]
    quoted = len(local) > 2 and local[0] == local[-1] == '"'
    return inner if quoted and set(inner) <= ATOM and all(inner.split(".")) else local


def _domain(domain: str) -> str:
    return ".".join(map(_label, ENDING.sub("", domain.translate(DOTS)).split(".")))


def _label(label: str) -> str:
    """One part of a domain in ASCII; what is written in code is as it is, since each code is a domain of its own."""
    if label.isascii() or any(map(str.isspace, label)):
        return label
    try:
        if KEPT & set(label):
            return "xn--" + label.encode("punycode").decode("ascii")
        return idna.ToASCII(label).decode("ascii").lower()
    except UnicodeError:
        return label


def _readable(label: str) -> str:
    """One part of a domain in its own letters, where they lead back to it."""
    if not label.startswith("xn--"):
        return label
    try:
        found = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    return found if _label(_tidy(found)) == label else label


class AddressInput(forms.EmailField):
    """A form's field for an address: any way of writing it is taken, the one form comes out."""

    @classmethod
    def like(cls, field: forms.Field) -> "AddressInput":
        """In the place of another field, looking the same."""
        return cls(label=field.label, widget=field.widget)

    def to_python(self, value):
        value = super().to_python(value)
        return canonical(value) if isinstance(value, str) else value

    def prepare_value(self, value):
        return shown(value) if isinstance(value, str) else value


class AddressField(models.EmailField):
    """A column of addresses in the one form, on every way in and in every look-up for equality.

    Where there may be none, an empty text is none.
    """

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        return canonical(value) if isinstance(value, str) else value

    def pre_save(self, model_instance, add):
        value = self.get_prep_value(super().pre_save(model_instance, add))
        value = None if self.null and not value else value
        setattr(model_instance, self.attname, value)
        return value

    def formfield(self, **kwargs):
        return super().formfield(**{"form_class": AddressInput, **kwargs})

    def deconstruct(self):
        """For migrations it is Django's own field: the column is the same."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.EmailField", args, kwargs


ODD = r"[^!-~]|[A-Z]|xn--|\.$|^\""
"""Only such addresses can have another form than their own."""


def bring_into_form(rows) -> int:
    """For migrations: rewrite rows of a historical model; how many stay as they are, since the form is taken."""
    kept = 0
    for pk, address in list(rows.filter(email__regex=ODD).values_list("pk", "email")):
        form = canonical(address)
        if form == address:
            continue
        if rows.filter(email=form).exists():
            kept += 1
        else:
            rows.filter(pk=pk).update(email=form)
    return kept
