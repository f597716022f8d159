"""Finding rows by words as people type them: case, accents, apostrophes and dashes make no difference."""

import unicodedata
from collections.abc import Callable
from functools import reduce
from operator import and_, or_

from django.db.backends.signals import connection_created
from django.db.models import CharField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Lower
from django.dispatch import receiver

MOST_WORDS = 5
MARKS = "[\u0300-\u036f]"
"""Accents, once they have been taken apart from their letters."""
ALIKE = {
    "’‘‛′ʹʻʼʽʾʿˈꞌ`´＇": "'",
    "–—―‐‑‒−﹘": "-",
    "øØ": "o",
    "łŁ": "l",
    "đĐðÐ": "d",
    "ħĦ": "h",
    "ŧŦ": "t",
    "ŋŊ": "n",
    "ı": "i",
    "ς": "σ",
}
"""Signs that take part in names and that Unicode does not take apart, and what they are looked for as."""
LONGER = {"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th"}
SINGLE = {sign: plain for signs, plain in ALIKE.items() for sign in signs}
TABLE = str.maketrans({**SINGLE, **LONGER})


def folded(text: str) -> str:
    """A text as it is compared: lower case, without accents, with plain apostrophes and dashes."""
    apart = unicodedata.normalize("NFKD", text.translate(TABLE))
    plain = "".join(sign for sign in apart if not "\u0300" <= sign <= "\u036f").lower()
    # Python alone writes another sigma at the end of a word.
    return plain.replace("ς", "σ")


class Folded(Func):
    """The same within the database."""

    function = "folded"
    output_field = CharField()

    def as_postgresql(self, compiler, connection, **context):
        """PostgreSQL has all of it; SQLite is taught the function when it connects."""
        (source,) = self.get_source_expressions()
        signs, plain = "".join(SINGLE), "".join(SINGLE.values())
        text = Func(source, Value(signs), Value(plain), function="translate", output_field=CharField())
        for sign, letters in LONGER.items():
            text = Func(text, Value(sign), Value(letters), function="replace", output_field=CharField())
        text = Func(text, template="normalize(%(expressions)s, NFKD)", output_field=CharField())
        text = Func(text, Value(MARKS), Value(""), Value("g"), function="regexp_replace", output_field=CharField())
        return compiler.compile(Lower(text))


@receiver(connection_created)
def teach_sqlite(connection, **kwargs) -> None:
    """SQLite compares only ASCII without regard to case."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("folded", 1, lambda text: text and folded(text), deterministic=True)


def matching(rows: QuerySet, words: str, *fields: str, also: Callable[[str], Q] | None = None) -> QuerySet:
    """Rows in which every word (the first five) stands in at least one of the fields.

    ``also`` gives what else may hold a folded word: a condition on other tables.
    """
    wanted = folded(words).split()[:MOST_WORDS]
    if not wanted:
        return rows
    texts = {f"folded_{n}": Folded(F(field)) for n, field in enumerate(fields)}
    each = [reduce(or_, (Q(**{f"{name}__contains": word}) for name in texts)) for word in wanted]
    if also is not None:
        each = [condition | also(word) for condition, word in zip(each, wanted, strict=True)]
    return rows.alias(**texts).filter(reduce(and_, each))
