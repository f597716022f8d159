"""Where a table begins: not every table stands in the first row of the first sheet."""

import unicodedata
from collections.abc import Collection, Sequence

from .tables import Row

LOOKED_AT = 50
"""Rows at the top among which the heading is looked for."""


def key(heading: str) -> str:
    """A heading as it is compared: letters and figures alone, without accents, in lower case."""
    apart = unicodedata.normalize("NFKD", heading.casefold())
    return "".join(sign for sign in apart if sign.isalnum())


def recognised(cells: Sequence[str], wanted: Collection[str]) -> int:
    """How many different headings of a row are known."""
    return len({key(cell) for cell in cells if len(cell) <= 80} & set(wanted))


def choose(rows: Sequence[Row], wanted: Collection[str]) -> tuple[int, int]:
    """(place among the first rows, how many headings were recognised there).

    The row with most known headings; where fewer than two are known, the first row that is as wide as the table below
    it: titles and remarks above a table are narrower.
    """
    if not rows:
        return 0, 0
    known = [recognised(cells, wanted) for _, cells in rows[:-1] or rows]
    best = max(known)
    if best >= 2:
        return known.index(best), best
    filled = [sum(1 for cell in cells if cell.strip()) for _, cells in rows]
    body = sorted(filled)[len(filled) // 2]
    wide = next((at for at, count in enumerate(filled[: len(known)]) if count >= max(2, 0.6 * body)), None)
    if wide is None:
        return known.index(best), best
    return wide, known[wide]
