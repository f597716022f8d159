"""Taking names and addresses out of texts that stay.

Names are found however they are written: case, accents, apostrophes and dashes make no difference. Addresses are
found in any case, and otherwise letter by letter, since one with an accent is another one.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import unquote

from django.db.models import JSONField, Q, QuerySet, TextField, UniqueConstraint, URLField
from django.db.models.functions import Cast, Lower

from socialstrategy.lib.searching import Folded, folded

GONE = "(erased)"
CHUNK = 500
DASHES = "-–—‐‑‒―−"
INVISIBLE = "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
"""Signs within words that nobody sees, as the database looks for them."""
BEYOND_ASCII = r"[^\x01-\x7f]"
CAMEL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where words that are written together begin: AdaLovelaceCV."""


class Blank:
    """Replaces some words, whatever their case, wherever they stand as words of their own."""

    def __init__(self, words: Iterable[str]):
        found = {" ".join(word.split()) for word in words} - {""}
        self.addresses = sorted({word.lower() for word in found if "@" in word}, key=len, reverse=True)
        self.names = sorted({folded(word) for word in found if "@" not in word} - {""}, key=len, reverse=True)
        self._address = _pattern(map(re.escape, self.addresses), r"(?<![\w@.+-])", r"(?!\.?[\w@-])")
        self._name = _pattern(map(_loosely, self.names), r"(?<![\w@-])", r"(?![\w@-])")
        self._whole = [
            *(re.compile(rf" {apart} ") for apart in map(_together, self.addresses) if apart),
            *(re.compile(rf"(?<![^\W\d]){apart}(?![^\W\d])") for apart in map(_together, self.names) if apart),
        ]

    def __call__(self, value: Any) -> Any:
        """The same text, or what JSON can hold, without the words."""
        if isinstance(value, str):
            return self._without_names(self._address.sub(GONE, value) if self._address else value)
        if isinstance(value, list):
            return [self(one) for one in value]
        if isinstance(value, dict):
            return {self(key): self(one) for key, one in value.items()}
        return value

    def _without_names(self, text: str) -> str:
        if not self._name:
            return text
        plain, places = _plain(text)
        left, at = "", 0
        for found in self._name.finditer(plain):
            left += text[at : places[found.start()]] + GONE
            at = places[found.end()]
        return left + text[at:]

    def names_whole(self, text: str) -> bool:
        """Whether a link or the name of a file is somebody's: the words in it, whatever stands between them."""
        text = unquote(unquote(text))
        said = f" {_squeezed(text)}  {_squeezed(CAMEL.sub(' ', text))} "
        return any(word.search(said) for word in self._whole)

    def rows(self, rows: QuerySet, fields: list[str]) -> int:
        """Rewrite these fields of all rows that hold one of the words; returns how many rows changed."""
        changed = 0
        for run in _runs(self.holding(rows, fields)):
            touched = []
            for row in run:
                after = {name: self(getattr(row, name)) for name in fields}
                if any(after[name] != getattr(row, name) for name in fields):
                    for name, value in after.items():
                        if value != getattr(row, name):
                            setattr(row, name, _fitting(row, name, value))
                    touched.append(row)
            rows.model._base_manager.bulk_update(touched, fields)
            changed += len(touched)
        return changed

    def wholes(self, rows: QuerySet, name: str) -> set[str]:
        """Take out links and names of files that are somebody's, as a whole; returns what they were."""
        gone: set[str] = set()
        if not (self.names or self.addresses):
            return gone
        found = rows.exclude(**{name: ""}).filter(self._sieve_of_wholes(name))
        for run in _runs(found):
            touched = [row for row in run if self.names_whole(getattr(row, name))]
            gone |= {getattr(row, name) for row in touched}
            for row in touched:
                setattr(row, name, "" if isinstance(row._meta.get_field(name), URLField) else GONE)
            rows.model._base_manager.bulk_update(touched, [name])
        return gone

    def _sieve_of_wholes(self, name: str) -> Q:
        """The longest word will do; letters beyond ASCII may be written in many ways, so they are all let through."""
        wanted = Q(**{f"{name}__contains": "%"}) | Q(**{f"{name}__regex": BEYOND_ASCII})
        for word in (*self.addresses, *self.names):
            wanted |= Q(**{f"{name}__icontains": max(_squeezed(word).split(), key=len, default="")})
        return wanted

    def holding(self, rows: QuerySet, fields: list[str]) -> QuerySet:
        """A first sieve for the database to do: parts of words are let through."""
        if not (self.names or self.addresses):
            return rows.none()
        wanted: list[Q] = []
        for name in fields:
            text = f"{name}_text"
            rows = rows.alias(**{text: Cast(name, TextField()), f"{name}_folded": Folded(Cast(name, TextField()))})
            if isinstance(rows.model._meta.get_field(name), JSONField):
                # As SQLite keeps letters beyond ASCII, and as JSON writes quotation marks.
                wanted += [Q(**{f"{text}__icontains": json.dumps(word)[1:-1]}) for word in self.addresses]
            if isinstance(rows.model._meta.get_field(name), JSONField) and self.names:
                wanted.append(Q(**{f"{text}__contains": "\\u"}))
            if self.names:
                wanted.append(Q(**{f"{text}__regex": INVISIBLE}))
            wanted += [Q(**{f"{text}__icontains": form}) for word in self.addresses for form in {word, word.upper()}]
            for word in self.names:
                # The longest part will do, however many blanks stand between the parts. Dashes may be of any kind,
                # dots may be missing, and JSON writes quotation marks in its own way.
                part = max(re.split(r'[\s,."\\-]+', word), key=len)
                if part.isascii():
                    wanted.append(Q(**{f"{text}__icontains": part}))
                # Folding takes its time: it is done only where there is something to fold.
                wanted.append(Q(**{f"{text}__regex": BEYOND_ASCII}) & Q(**{f"{name}_folded__contains": part}))
        return rows.filter(reduce(or_, wanted))


def _pattern(forms: Iterable[str], before: str, after: str) -> re.Pattern[str] | None:
    each = "|".join(forms)
    return re.compile(rf"{before}(?:{each}){after}", re.IGNORECASE) if each else None


def _loosely(name: str) -> str:
    """A folded name as a pattern: any blanks between its parts, any kind of dash, and dots or none ("Jr.")."""
    parts = (re.sub(r"(?<=\w)\\\.", r"\.?", re.escape(part)).replace(r"\-", f"[{DASHES}]") for part in name.split())
    return r"\s+".join(parts).replace(r",\s+", r"\s*,\s*")


def _plain(text: str) -> tuple[str, list[int]]:
    """A text as names are looked for in it, and for each of its signs where that stood in the text.

    Dashes stay as they are: a long one ends a word, and a hyphen does not. Invisible signs are passed over.
    """
    plain, places = "", []
    for at, letter in _letters(text):
        letters = letter if letter in DASHES else folded(letter)
        plain += letters
        places += [at] * len(letters)
    return plain, [*places, len(text)]


def _letters(text: str) -> Iterator[tuple[int, str]]:
    """Each letter with the marks that follow it, whose order makes no difference, and where it stands."""
    start, letter = 0, ""
    for at, sign in enumerate(text):
        if unicodedata.category(sign) == "Cf":
            continue
        if letter and not unicodedata.combining(sign):
            yield start, letter
            letter = ""
        start, letter = (start if letter else at), letter + sign
    if letter:
        yield start, letter


def _together(word: str) -> str:
    """A word as a pattern, also where its parts are written as one ("Mary O'Brien": maryobrien)."""
    return " ?".join(_squeezed(word).split())


def _squeezed(text: str) -> str:
    """Letters and digits, with one blank for whatever stands between them."""
    return " ".join(re.sub(r"[\W_]+", " ", folded(text)).split())


def _runs(rows: QuerySet) -> Iterator[list]:
    """By their keys, a run at a time: what has been rewritten no longer holds the words."""
    last: Any = None
    while run := list((rows.filter(pk__gt=last) if last is not None else rows).order_by("pk")[:CHUNK]):
        last = run[-1].pk
        yield run


def _fitting(row, name: str, value):
    """As long as the field may be; what may be there only once is told apart by its key."""
    field = row._meta.get_field(name)
    if not isinstance(value, str):
        return value
    only = {(name,)}
    is_once = field.unique or any(
        isinstance(one, UniqueConstraint) and (one.fields in only or one.expressions == (Lower(name),))
        for one in row._meta.constraints
    )
    ending = f" {row.pk}" if is_once else ""
    longest = field.max_length or len(value) + len(ending)
    return value[: longest - len(ending)] + ending
