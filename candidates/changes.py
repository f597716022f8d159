"""The log of what has changed, by which every process brings what it keeps in memory up to date.

The database writes it itself, by triggers on people and estimates: whatever changes them, in bulk or by hand, is in
it, in the same transaction. Other changes that something in memory depends on are noted with ``Change.note``.

On PostgreSQL transactions commit in another order than they began, so that "everything after the last number I saw"
would miss some. Each row carries the number of its transaction, and a reader remembers the lowest transaction that was
still running when it looked: whatever it could not see belongs to that one or to a later one, and is looked at again.
On SQLite writers come one after the other, and the row's own number will do.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from django.db import connection, connections, models, transaction
from django.db.models import Func
from django.db.models.functions import Now

KEEP = timedelta(days=2)
FRESH = timedelta(days=1)
"""What was last brought up to date longer ago is built anew; the log reaches further back than that."""


class Transaction(Func):
    """The number of the running transaction; 0 on SQLite."""

    template = "0"
    arity = 0
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="pg_current_xact_id()::text::bigint", **context)


class Token(Func):
    """Any 53 bits."""

    template = "(random() & 9007199254740991)"
    arity = 0
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="(random() * 9007199254740991)::bigint", **context)


class Change(models.Model):
    """One change. ``person`` is a number and no relation, since those who are gone are named as well; null: no person.

    ``token`` tells a row from another of the same number in another copy of the database.
    """

    person = models.BigIntegerField(null=True, editable=False)
    xact = models.BigIntegerField(db_default=Transaction(), db_index=True, editable=False)
    token = models.BigIntegerField(db_default=Token(), editable=False)
    made_at = models.DateTimeField(db_default=Now(), db_index=True, editable=False)

    def __str__(self):
        return f"person {self.person}" if self.person else "something"

    @classmethod
    def note(cls) -> None:
        """Something other than a person or an estimate has changed (a skill, a team, the parameters)."""
        cls.objects.create()

    @classmethod
    def prune(cls, now) -> int:
        """Delete what no reader needs any more; the newest row stays, so that snapshots know their database."""
        newest = cls.objects.order_by("-pk").values("pk")[:1]
        return (
            cls.objects.filter(made_at__lt=now - KEEP)
            .exclude(pk__in=list(newest.values_list("pk", flat=True)))
            .delete()[0]
        )


@dataclass(frozen=True)
class Mark:
    """How far somebody has read. ``seen``: rows past the horizon that were visible, by (number, token) their person."""

    horizon: int
    seen: dict[tuple[int, int], int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class News:
    """What has changed since a mark: ``people`` by primary key, ``others``: something else, ``anything``: either."""

    mark: Mark
    people: frozenset[int]
    others: bool
    anything: bool


def start() -> Mark:
    """A mark to be taken before reading: whatever is committed later is news to it."""
    if connection.vendor == "postgresql":
        return Mark(_ask("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")[0][0])
    return Mark(Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0)


def since(mark: Mark) -> News:
    """What has been committed since ``mark``, in one query. Inside a transaction its own changes count until it fails:
    then they are news once more."""
    if connection.vendor == "postgresql":
        rows = _ask(
            "SELECT c.id, c.token, c.person, c.xact, pg_snapshot_xmin(pg_current_snapshot())::text::bigint "
            "FROM (SELECT 1) one LEFT JOIN candidates_change c ON c.xact >= %s",
            [mark.horizon],
        )
        horizon = rows[0][-1]
        rows = [row for row in rows if row[0] is not None]
    else:
        rows = _ask("SELECT id, token, person, id FROM candidates_change WHERE id > %s", [mark.horizon])
        # What may still be rolled back is looked at again: its number will be given to another row, its token not.
        horizon = mark.horizon if connection.in_atomic_block else max((row[0] for row in rows), default=mark.horizon)
    found = {(row[0], row[1]): row[2] for row in rows}
    # A transaction that was running then is at or past the horizon; on SQLite the horizon itself has been read.
    lowest = horizon if connection.vendor == "postgresql" else horizon + 1
    seen = {(row[0], row[1]): row[2] for row in rows if row[3] >= lowest}
    changed = {person for _, person in found.items() ^ mark.seen.items()}
    people = frozenset(person for person in changed if person is not None)
    return News(Mark(horizon, seen), people, None in changed, bool(changed))


def _ask(sql: str, parameters=()) -> list:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


WATCHED = {"candidates_person": "id", "candidates_estimate": "person_id"}


def watch(using: str = "default", **_) -> None:
    """Install the triggers after every migration, or take them away where the log has gone (a migration undone)."""
    database = connections[using]
    with database.cursor() as cursor:
        tables = set(database.introspection.table_names(cursor))
        if not set(WATCHED) <= tables:
            return
        if "candidates_change" not in tables:
            _run(cursor, _postgresql_gone() if database.vendor == "postgresql" else _sqlite_gone())
        elif database.vendor == "postgresql":
            _run(cursor, _postgresql())
        else:
            _watch_sqlite(cursor)


def _watch_sqlite(cursor) -> None:
    """SQLite drops triggers with a table that a migration makes anew. What was changed then is in no log: without it,
    no snapshot knows its database."""
    cursor.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%INTO candidates_change%'")
    (found,) = cursor.fetchone()
    statements = _sqlite()
    with transaction.atomic(cursor.db.alias):
        # Those of an earlier version may say something else.
        _run(cursor, [*_sqlite_gone(), *statements])
        if found < len(statements):
            cursor.execute("DELETE FROM candidates_change")


def _run(cursor, statements: list[str]) -> None:
    for statement in statements:
        cursor.execute(statement)


# ruff: noqa: S608 (the names are ours)
def _sqlite() -> list[str]:
    return [
        f"CREATE TRIGGER {table}_{event.lower()} AFTER {event} ON {table} "
        f"BEGIN INSERT INTO candidates_change (person) {rows.format(column)}; END"
        for table, column in WATCHED.items()
        for event, rows in (
            ("INSERT", "SELECT NEW.{0}"),
            ("UPDATE", "SELECT OLD.{0} UNION SELECT NEW.{0}"),
            ("DELETE", "SELECT OLD.{0}"),
        )
    ]


def _postgresql() -> list[str]:
    """One row a person and statement, so that a million rows written at once are no million calls."""
    found = []
    for table, column in WATCHED.items():
        # An update may take a row from one person and give it to another.
        found.append(
            f"CREATE OR REPLACE FUNCTION {table}_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'UPDATE' THEN INSERT INTO candidates_change (person) "
            f"SELECT {column} FROM touched UNION SELECT {column} FROM before; "
            f"ELSE INSERT INTO candidates_change (person) SELECT DISTINCT {column} FROM touched; END IF; "
            f"RETURN NULL; END $$"
        )
        found += [
            f"CREATE OR REPLACE TRIGGER {table}_{event.lower()} AFTER {event} ON {table} "
            f"REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {table}_changed()"
            for event, rows in (
                ("INSERT", "NEW TABLE AS touched"),
                ("UPDATE", "NEW TABLE AS touched OLD TABLE AS before"),
                ("DELETE", "OLD TABLE AS touched"),
            )
        ]
    return found


def _sqlite_gone() -> list[str]:
    return [f"DROP TRIGGER IF EXISTS {table}_{event}" for table in WATCHED for event in ("insert", "update", "delete")]


def _postgresql_gone() -> list[str]:
    return [f"DROP FUNCTION IF EXISTS {table}_changed() CASCADE" for table in WATCHED]
