"""Tables whose rows are only ever added, and the one door through which rows leave them.

The database itself refuses to change or remove such rows, by triggers: whatever tries to (a bulk update, a cascade,
SQL by hand) fails as a whole. Only a transaction that has opened the door may, and the door has a name: a row in
``accounts_door`` with a reason and an actor. That row cannot outlive its transaction. It holds a reference to a row
that can never be, which the database looks at when it commits: a door left open undoes everything that was done
through it. On PostgreSQL the row carries its transaction's number as well, and opens nothing for any other.

SQLite loses triggers when a migration makes a table anew, so they are installed after every migration, looked for by
a system check, and put back by a schedule. Its shell looks at no references unless it is told to, so that a door could
be left open by hand: that is looked for as well, and shut.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.checks import Warning as CheckWarning
from django.db import DatabaseError, connection, connections, transaction

from socialstrategy.lib.readiness import Part

DOOR = "accounts_door"
KEPT: dict[str, str] = {}
"""table → what its rows are called in the sentence of a refusal"""


def append_only(words: str):
    """A decorator for models whose rows are only ever added; ``words`` is what they are called."""

    def keep(model):
        KEPT[model._meta.db_table] = words
        return model

    return keep


@contextmanager
def opened(reason: str, actor: str) -> Iterator[None]:
    """Let this transaction change and remove rows of append-only tables; shut again at the end, whatever happens.

    Leaves no trace by itself: ``accounts.erasure.erasing`` does, and is what to use.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {DOOR} (reason, actor) VALUES (%s, %s) RETURNING id", [reason, actor])
            (key,) = cursor.fetchone()
        yield
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {DOOR} WHERE id = %s", [key])


def install(using: str = "default", **_) -> None:
    """Make the door and every trigger, or take them away where the list of erasures has gone (a migration undone)."""
    database = connections[using]
    with database.cursor() as cursor:
        tables = _tables(database, cursor)
        is_postgresql = database.vendor == "postgresql"
        if "accounts_erasure" not in tables:
            found = _postgresql_gone() if is_postgresql else _sqlite_gone()
        elif is_postgresql:
            found = [_POSTGRESQL_DOOR, _postgresql_function(_schema(cursor)), *_postgresql(tables)]
        else:
            found = [_SQLITE_DOOR, *_sqlite_gone(door=False), *_sqlite(cursor, tables).values()]
        with transaction.atomic(using):
            for statement in found:
                cursor.execute(statement)


def missing(using: str = "default") -> list[str]:
    """The triggers that are not there, switched off, or not as they should be."""
    database = connections[using]
    with database.cursor() as cursor:
        tables = _tables(database, cursor)
        if "accounts_erasure" not in tables:
            return []
        if database.vendor == "postgresql":
            return _missing_postgresql(cursor, tables)
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        there = dict(cursor.fetchall())
        return [name for name, statement in _sqlite(cursor, tables).items() if there.get(name) != statement]


def left_open(using: str = "default") -> list[dict]:
    """Doors that outlived their transaction: key, reason and actor.

    None can, but where somebody works by hand without references being looked at, as SQLite's own shell does.
    """
    database = connections[using]
    with database.cursor() as cursor:
        if DOOR not in _tables(database, cursor):
            return []
        cursor.execute(f"SELECT id, reason, actor FROM {DOOR} ORDER BY id")
        return [dict(zip(("id", "reason", "actor"), row, strict=True)) for row in cursor.fetchall()]


def restore() -> tuple[list[str], list[dict]]:
    """Put back what is missing and shut doors that were left open; returns what was."""
    lost, doors = missing(), left_open()
    if lost:
        install()
    with connection.cursor() as cursor:
        for door in doors:
            cursor.execute(f"DELETE FROM {DOOR} WHERE id = %s", [door["id"]])
    return lost, doors


def check(databases=None, **_) -> list[CheckWarning]:
    """A system check: a warning and no error, since migrations and the schedule mend it."""
    found = []
    for using in databases or []:
        start = "The database lets rows be changed that are only ever added:"
        if lost := missing(using):
            hint = "manage.py migrate installs the triggers again."
            words = f"{start} {', '.join(lost)} is missing in {using!r}."
            found.append(CheckWarning(words, hint=hint, id="accounts.W001"))
        if doors := left_open(using):
            words = f"{start} {_doors(doors)} in {using!r}."
            found.append(CheckWarning(words, hint="The schedule shuts it within the hour.", id="accounts.W002"))
    return found


def _doors(doors: list[dict]) -> str:
    return f"{len(doors)} {'door stands' if len(doors) == 1 else 'doors stand'} open"


def ready() -> Part:
    """What /readyz tells: that the triggers are there and no door is open. The site works on without."""
    try:
        lost, doors = missing(), left_open()
    except DatabaseError:
        connection.close()
        return Part(False, "Nobody can tell while the database is away.", needed=False)
    if lost:
        names = ", ".join(lost)
        sentence = (
            f"Rows that are only ever added could be changed: {names} missing. The schedule puts that right hourly."
        )
        return Part(False, sentence, needed=False)
    if doors:
        sentence = f"Rows that are only ever added could be changed: {_doors(doors)}. The schedule shuts that hourly."
        return Part(False, sentence, needed=False)
    return Part(True, "Nothing but a named erasure changes the audit log and evidence.", needed=False)


def _tables(database, cursor) -> set[str]:
    return set(database.introspection.table_names(cursor))


def _refusal(words: str) -> str:
    return f"{words} are only ever added: nothing but a named erasure changes or removes them."


# ``never`` refers to a row whose number is below 0, which the check on ``id`` forbids: no such row can ever be, so the
# reference, looked at when the transaction commits, holds only once the door's own row is gone again.
# ruff: noqa: S608 (the names are ours)
_SQLITE_DOOR = f"""CREATE TABLE IF NOT EXISTS {DOOR} (
    id integer PRIMARY KEY CHECK (id > 0),
    reason text NOT NULL CHECK (trim(reason) <> ''),
    actor text NOT NULL CHECK (trim(actor) <> ''),
    never integer NOT NULL DEFAULT -1 CHECK (never = -1) REFERENCES {DOOR} (id) DEFERRABLE INITIALLY DEFERRED
)"""
_POSTGRESQL_DOOR = f"""CREATE TABLE IF NOT EXISTS {DOOR} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (id > 0),
    reason text NOT NULL CHECK (trim(reason) <> ''),
    actor text NOT NULL CHECK (trim(actor) <> ''),
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    never bigint NOT NULL DEFAULT -1 CHECK (never = -1) REFERENCES {DOOR} (id) DEFERRABLE INITIALLY DEFERRED
)"""


def _sqlite(cursor, tables: set[str]) -> dict[str, str]:
    """{name: statement}. An insert is looked at as well: INSERT OR REPLACE removes a row without its trigger."""
    found = {}
    for table, words in KEPT.items():
        if table not in tables:
            continue
        for event in ("update", "delete", "insert"):
            name = f"{table}_kept_{event}"
            taken = f"({_sqlite_taken(cursor, table)}) AND " if event == "insert" else ""
            found[name] = (
                f"CREATE TRIGGER {name} BEFORE {event.upper()} ON {table} "
                f"WHEN {taken}NOT EXISTS (SELECT 1 FROM {DOOR}) "
                f"BEGIN SELECT RAISE(ABORT, '{_refusal(words)}'); END"
            )
    return found


def _sqlite_taken(cursor, table: str) -> str:
    """That a row is there which an insert would replace: with the same key, or the same of whatever is there once."""
    cursor.execute(
        "SELECT i.name, c.name FROM pragma_index_list(%s) i, pragma_index_info(i.name) c "
        """WHERE i."unique" AND NOT i.partial AND c.name IS NOT NULL ORDER BY i.name, c.seqno""",
        [table],
    )
    once: dict[str, list[str]] = {"": ["id"]}
    for index, column in cursor.fetchall():
        once.setdefault(index, []).append(column)
    each = (" AND ".join(f'"{column}" = NEW."{column}"' for column in columns) for columns in once.values())
    return " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {same})" for same in sorted(set(each)))


def _sqlite_gone(*, door: bool = True) -> list[str]:
    found = [
        f"DROP TRIGGER IF EXISTS {table}_kept_{event}" for table in KEPT for event in ("update", "delete", "insert")
    ]
    return [*found, f"DROP TABLE IF EXISTS {DOOR}"] if door else found


_BODY = f"""
BEGIN
    IF NOT EXISTS (SELECT 1 FROM {DOOR} WHERE xact = pg_current_xact_id()::text::bigint) THEN
        RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN RETURN NEW; END IF;
    RETURN OLD;
END
"""


def _schema(cursor) -> str:
    cursor.execute("SELECT quote_ident(current_schema())")
    return cursor.fetchone()[0]


def _postgresql_function(schema: str) -> str:
    """Looks into our own schema first: a session's temporary table of the door's name is no door."""
    return (
        f"CREATE OR REPLACE FUNCTION {DOOR}_shut() RETURNS trigger LANGUAGE plpgsql "
        f"SET search_path = {schema}, pg_temp AS $${_BODY}$$"
    )


def _postgresql(tables: set[str]) -> list[str]:
    return [
        f"CREATE OR REPLACE TRIGGER {table}_{name} BEFORE {event} ON {table} FOR EACH {each} "
        f"EXECUTE FUNCTION {DOOR}_shut('{_refusal(words)}')"
        for table, words in KEPT.items()
        for name, event, each in (("kept", "UPDATE OR DELETE", "ROW"), ("kept_whole", "TRUNCATE", "STATEMENT"))
        if table in tables
    ]


def _postgresql_gone() -> list[str]:
    return [f"DROP FUNCTION IF EXISTS {DOOR}_shut() CASCADE", f"DROP TABLE IF EXISTS {DOOR}"]


def _missing_postgresql(cursor, tables: set[str]) -> list[str]:
    """As pg_trigger numbers them: 27 is before update or delete, for each row; 34 is before truncate."""
    cursor.execute(
        "SELECT tgname, tgtype FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgqual IS NULL AND tgattr = ''::int2vector "
        "AND n.nspname = current_schema() AND p.proname = %s AND p.prosrc = %s",
        [f"{DOOR}_shut", _BODY],
    )
    there = set(cursor.fetchall())
    wanted = {(f"{table}_kept", 27) for table in KEPT if table in tables}
    wanted |= {(f"{table}_kept_whole", 34) for table in KEPT if table in tables}
    return sorted(name for name, _ in wanted - there)
