"""Taking names and addresses out of texts that stay."""

import json
import re
from collections.abc import Iterable
from typing import Any

from django.db.models import JSONField, Q, QuerySet, TextField
from django.db.models.functions import Cast

GONE = "(erased)"
CHUNK = 500


class Blank:
    """Replaces some words, whatever their case, wherever they stand as words of their own."""

    def __init__(self, words: Iterable[str]):
        self.words = sorted({" ".join(word.split()) for word in words} - {""}, key=len, reverse=True)
        each = (r"\s+".join(map(re.escape, word.split())) for word in self.words)
        self.pattern = (
            re.compile(rf"(?<![\w@.-])(?:{'|'.join(each)})(?!\.?[\w@-])", re.IGNORECASE) if self.words else None
        )

    def __call__(self, value: Any) -> Any:
        """The same text, or what JSON can hold, without the words."""
        if isinstance(value, str):
            return self.pattern.sub(GONE, value) if self.pattern else value
        if isinstance(value, list):
            return [self(one) for one in value]
        if isinstance(value, dict):
            return {self(key): self(one) for key, one in value.items()}
        return value

    def rows(self, rows: QuerySet, fields: list[str]) -> int:
        """Rewrite these fields of all rows that hold one of the words; returns how many rows changed."""
        if not self.words:
            return 0
        found = self._holding(rows, fields)
        changed, last = 0, None
        # By their keys, a run at a time: what is rewritten no longer holds the words.
        while run := list((found.filter(pk__gt=last) if last else found).order_by("pk")[:CHUNK]):
            last = run[-1].pk
            touched = []
            for row in run:
                before = {name: getattr(row, name) for name in fields}
                after = {name: self(value) for name, value in before.items()}
                if after != before:
                    for name, value in after.items():
                        setattr(row, name, self._fitting(row, name, value))
                    touched.append(row)
            rows.model._base_manager.bulk_update(touched, fields)
            changed += len(touched)
        return changed

    def _holding(self, rows: QuerySet, fields: list[str]) -> QuerySet:
        """A first sieve for the database to do: parts of words are let through."""
        wanted = Q()
        for name in fields:
            is_json = isinstance(rows.model._meta.get_field(name), JSONField)
            if is_json:
                rows = rows.alias(**{f"{name}_text": Cast(name, TextField())})
            for word in self.words:
                # The longest part will do, however many blanks stand between the parts.
                part = max(word.split(), key=len)
                for written in {part, part.lower(), part.upper(), part.capitalize()}:
                    wanted |= Q(**{f"{name}_text__icontains" if is_json else f"{name}__icontains": written})
                    if is_json and not written.isascii():
                        # As SQLite keeps letters beyond ASCII.
                        wanted |= Q(**{f"{name}_text__icontains": json.dumps(written)[1:-1]})
        return rows.filter(wanted)

    @staticmethod
    def _fitting(row, name: str, value):
        longest = row._meta.get_field(name).max_length
        return value[:longest] if longest and isinstance(value, str) else value
