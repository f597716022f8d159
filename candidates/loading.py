"""From the database into arrays: everybody at once, or the few who have changed."""

import logging
from collections.abc import Callable

import numpy as np
from django.db import connection
from django.db.models import Max

from candidates.evidence import Estimate
from candidates.models import Person
from candidates.tables import Batch
from roles.models import Skill

logger = logging.getLogger(__name__)
CHUNK, RUN = 2_000, 10_000
"""People asked for at once by their keys, and by the first and last key."""
PAGES = 8_192
"""Pages of the table of estimates that one COPY reads: 64 MB."""
PEOPLE = np.dtype([("n", ">i2"), ("l1", ">i4"), ("pk", ">i8"), ("l2", ">i4"), ("employee", "u1")])
ESTIMATES = np.dtype(
    [
        ("n", ">i2"), ("l1", ">i4"), ("pk", ">i8"), ("l2", ">i4"), ("column", ">i4"),
        ("l3", ">i4"), ("mean", ">f8"), ("l4", ">i4"), ("sd", ">f8"),
    ]
)  # fmt: skip
"""Rows of COPY in binary form: the number of fields, then each with its length before it."""


def skills() -> int:
    """How many columns there are: one more than the highest, since a skill keeps its column for life."""
    highest = Skill.objects.aggregate(highest=Max("column"))["highest"]
    return 0 if highest is None else highest + 1


def few(people, skills: int) -> Batch:
    """The levels of some people in ``skills`` columns or more; each reads as it is at one moment, by one query."""
    keys = np.unique(np.fromiter(people, dtype=np.int64))
    found: list = []
    with connection.cursor() as cursor:
        for start in range(0, len(keys), CHUNK):
            asked = keys[start : start + CHUNK].tolist()
            # SQL by hand: a third of the time, at every change of somebody's evidence.
            cursor.execute(FEW.format(", ".join(["%s"] * len(asked))), asked)
            found += cursor.fetchall()
    skills = max(skills, 1 + max((row[2] for row in found if row[2] is not None), default=-1))
    nobody = np.zeros(len(keys), dtype=np.bool_)
    batch = Batch.of_priors(keys, nobody, nobody.copy(), skills)
    if found:
        _put(batch, found)
    return batch


FEW = """
SELECT p.id, p.kind = 'employee', s."column", e.mean, e.sd
FROM candidates_person p
LEFT JOIN candidates_estimate e ON e.person_id = p.id
LEFT JOIN roles_skill s ON s.id = e.skill_id
WHERE p.archived_at IS NULL AND p.id IN ({})
"""


def _put(batch: Batch, found: list) -> None:
    at = np.searchsorted(batch.people, [row[0] for row in found])
    batch.present[at], batch.employee[at] = True, np.array([row[1] for row in found], dtype=np.bool_)
    known = np.array([row[2] is not None for row in found], dtype=np.bool_)
    values = np.array([row[2:] for row in found if row[2] is not None], dtype=np.float64).reshape(-1, 3)
    _checked(batch.put(values[:, 0].astype(np.intp), at[known], values[:, 1], values[:, 2]))


def _checked(bad: int) -> None:
    if bad:
        logger.error("%d estimates are no numbers, and count as not assessed.", bad)


def everybody(tell: Callable[[int, int], None] = lambda done, total: None) -> Batch:
    """Everybody who is current, with progress in estimates read of an expected total."""
    if connection.vendor == "postgresql":
        return _copied(tell)
    rows = list(Person.objects.current().order_by("pk").values_list("pk", "kind"))
    people = np.array([pk for pk, _ in rows], dtype=np.int64)
    employed = np.array([kind == Person.Kind.EMPLOYEE for _, kind in rows], dtype=np.bool_)
    batch = Batch.of_priors(people, np.ones(len(people), dtype=np.bool_), employed, skills())
    total, done = Estimate.objects.count(), 0
    values = Estimate.objects.order_by().values_list("person_id", "skill__column", "mean", "sd")
    for start in range(0, len(people), RUN):
        run = people[start : start + RUN]
        # Nothing is being read while the progress is told: what is told is written by the same connection.
        found = list(values.filter(person_id__gte=int(run[0]), person_id__lte=int(run[-1])))
        if found:
            _place(batch, np.array(found, dtype=np.float64).T)
        done += len(found)
        tell(done, max(total, done))
    return batch


def _place(batch: Batch, values) -> None:
    """Estimates as (owner, column, mean, sd), left out where their owner came after the people were read."""
    owner, column, mean, sd = values
    if not batch.people.size or not len(owner):
        return
    owner = owner.astype(np.int64)
    at = np.minimum(np.searchsorted(batch.people, owner), batch.people.size - 1)
    known = (batch.people[at] == owner) & (column < len(batch.mean))
    _checked(batch.put(column[known].astype(np.intp), at[known], mean[known], sd[known]))


class _Sink:
    """What COPY writes to: whole rows are handed on a few megabytes at a time."""

    SIZE = 1 << 22
    HEADER = 19

    def __init__(self, row: np.dtype, use: Callable[[np.ndarray], None]):
        self.row, self.use, self.kept, self.begun = row, use, bytearray(), False

    def write(self, data) -> int:
        self.kept += data
        if len(self.kept) >= self.SIZE:
            self.drain()
        return len(data)

    def drain(self) -> None:
        if not self.begun:
            del self.kept[: self.HEADER]
            self.begun = True
        rows = len(self.kept) // self.row.itemsize
        # The trailer is shorter than a row.
        size = rows * self.row.itemsize
        if rows:
            self.use(np.frombuffer(bytes(self.kept[:size]), dtype=self.row))
        del self.kept[:size]


def _copy(sql: str, row: np.dtype, use: Callable[[np.ndarray], None], parameters=()) -> None:
    sink = _Sink(row, use)
    with connection.cursor() as cursor:
        sql = cursor.cursor.mogrify(f"COPY ({sql}) TO STDOUT (FORMAT BINARY)", parameters)
        cursor.cursor.copy_expert(sql, sink, 1 << 20)
    sink.drain()


def _copied(tell: Callable[[int, int], None]) -> Batch:
    found: list[np.ndarray] = []
    _copy(
        "SELECT id::bigint, kind = 'employee' FROM candidates_person WHERE archived_at IS NULL ORDER BY id",
        PEOPLE,
        found.append,
    )
    people = np.concatenate(found) if found else np.zeros(0, dtype=PEOPLE)
    employed = people["employee"].astype(np.bool_)
    batch = Batch.of_priors(people["pk"].astype(np.int64), np.ones(len(people), dtype=np.bool_), employed, skills())
    with connection.cursor() as cursor:
        # The planner's guess: counting forty million rows would take longer than it is worth.
        cursor.execute(
            "SELECT greatest(reltuples, 0)::bigint, pg_relation_size(oid) / current_setting('block_size')::int "
            "FROM pg_class WHERE oid = 'candidates_estimate'::regclass"
        )
        total, pages = cursor.fetchone()
    done = 0

    def use(rows: np.ndarray) -> None:
        nonlocal done
        _place(batch, (rows["pk"], rows["column"], rows["mean"], rows["sd"]))
        done += len(rows)

    # In the order in which the rows lie: whoever is archived is left out by the people read, and a row that moves
    # meanwhile is in the log. A COPY for a run of pages, since no progress can be written while one is on its way.
    for first in range(0, pages, PAGES):
        _copy(
            'SELECT e.person_id::bigint, s."column"::int, e.mean::float8, e.sd::float8 '
            "FROM candidates_estimate e JOIN roles_skill s ON s.id = e.skill_id "
            "WHERE e.ctid >= %s::tid AND e.ctid < %s::tid",
            ESTIMATES,
            use,
            (f"({first},0)", f"({first + PAGES},0)"),
        )
        tell(done, max(total, done))
    return batch
