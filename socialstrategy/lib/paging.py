"""Pages of long lists: the next page begins after the last row of this one, found by an index however far it is.

The address carries the place as ``?from=after.KEY.NUMBER`` or ``before``: the primary key of that row, since names do
not belong into addresses, and its number for those who read it. Counting ends at ``MOST``.
"""

from functools import reduce
from operator import attrgetter, or_

from django.core.exceptions import ValidationError
from django.db.models import Q

PER_PAGE = 50
MOST = 10_000


class Rows:
    """One page: iterate it. ``count`` of all rows, at most MOST + 1; ``first`` and ``last`` number what is shown;
    ``back`` and ``more`` are what ``from`` shall be on the page before and after, or empty."""

    def __init__(self, object_list: list, count: int, first: int, back: str, more: str):
        self.object_list, self.count, self.first, self.back, self.more = object_list, count, first, back, more

    def __iter__(self):
        return iter(self.object_list)

    def __len__(self) -> int:
        return len(self.object_list)

    @property
    def last(self) -> int:
        return self.first + len(self.object_list) - 1

    @property
    def words(self) -> str:
        """How many there are."""
        return f"more than {MOST:,}" if self.count > MOST else f"{self.count:,}"


def page_of(rows, request, per_page: int = PER_PAGE) -> Rows:
    """The page that ?from= asks for; nonsense gives the first. ``rows`` are ordered, by fields without NULL."""
    keys = _keys(rows)
    count = rows.order_by()[: MOST + 1].count()
    place = _read(rows, keys, request.GET.get("from", ""))
    page = _page(rows, keys, place, count, per_page)
    # Whoever came after may be gone.
    return page if page or place is None else _page(rows, keys, None, count, per_page)


def _page(rows, keys, place, count: int, per_page: int) -> Rows:
    values, forward, first = place or (None, True, 1)
    if values is not None:
        rows = rows.filter(_beyond(keys, values, forward))
    rows = rows.order_by(*(name if is_up == forward else f"-{name}" for name, is_up in keys))
    found = list(rows[: per_page + 1])
    is_beyond, found = len(found) > per_page, found[:per_page]
    if not forward:
        found.reverse()
        first = max(1, first - len(found)) if is_beyond else 1
    has_back, has_more = (values is not None, is_beyond) if forward else (is_beyond, True)
    back = f"before.{found[0].pk}.{first}" if has_back and found else ""
    more = f"after.{found[-1].pk}.{first + len(found)}" if has_more and found else ""
    return Rows(found, count, first, back, more)


def _keys(rows) -> list[tuple[str, bool]]:
    """(field, ascending) of the order, ending in the primary key, which nobody shares."""
    names = rows.query.order_by or rows.model._meta.ordering
    keys = [(name.lstrip("-"), not name.startswith("-")) for name in names]
    return keys if keys and keys[-1][0] == "pk" else [*keys, ("pk", True)]


def _beyond(keys, values, forward: bool) -> Q:
    """Rows after some keys: further in the first field, or the same there and further in the second, and so on."""
    found, same = [], Q()
    for (name, is_up), value in zip(keys, values, strict=True):
        found.append(same & Q(**{f"{name}__{'gt' if is_up == forward else 'lt'}": value}))
        same &= Q(**{name: value})
    (name, is_up), value = keys[0], values[0]
    # Said once more of the first field alone, so that the database begins there.
    return Q(**{f"{name}__{'gte' if is_up == forward else 'lte'}": value}) & reduce(or_, found)


def _read(rows, keys, text: str):
    """(keys of the row, forward, number), or None for a place that nobody here has named, or that is gone."""
    word, _, rest = text.partition(".")
    key, _, number = rest.rpartition(".")
    if word not in ("after", "before") or not (number.isdecimal() and len(number) < 12):
        return None
    try:
        row = rows.filter(pk=rows.model._meta.pk.clean(key, None)).first()
    except ValidationError:
        return None
    if row is None:
        return None
    return [attrgetter(name.replace("__", "."))(row) for name, _ in keys], word == "after", max(1, int(number))
