"""Audit entries and erasures are only ever added; the database sees to it, and a named erasure is the only way."""
# ruff: noqa: PT012 (what fails is a transaction as a whole)

import threading
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import ProtectedError
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from accounts import append_only
from accounts.append_only import opened
from accounts.erasure import Erasure, erasing
from accounts.factories import make_user
from accounts.models import AuditEntry, record
from accounts.tasks import guard
from candidates.factories import give_evidence, make_person
from candidates.models import Evidence, ShownRating, ShownRatings
from socialstrategy.operations import readiness

pytestmark = pytest.mark.django_db
is_postgresql = connection.vendor == "postgresql"
TABLE = "accounts_auditentry"


def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def upsert():
    return AuditEntry.objects.bulk_create(
        [AuditEntry(pk=AuditEntry.objects.first().pk, action="other", label="x", target="1", summary="x")],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["action"],
    )


def save():
    entry = AuditEntry.objects.first()
    entry.summary = "Something else"
    entry.save()


def bulk_update():
    entry = AuditEntry.objects.first()
    entry.summary = "Something else"
    AuditEntry.objects.bulk_update([entry], ["summary"])


WAYS = {
    "save": save,
    "update": lambda: AuditEntry.objects.update(summary="Something else"),
    "bulk_update": bulk_update,
    "upsert": upsert,
    "update that changes nothing": lambda: sql(f"UPDATE {TABLE} SET summary = summary"),
    "update or create": lambda: AuditEntry.objects.update_or_create(
        pk=AuditEntry.objects.first().pk, defaults={"summary": "Something else"}
    ),
    "delete": lambda: AuditEntry.objects.first().delete(),
    "delete of many": lambda: AuditEntry.objects.all().delete(),
    "raw delete": lambda: AuditEntry.objects.all()._raw_delete("default"),
    "update by hand": lambda: sql(f"UPDATE {TABLE} SET summary = 'x' WHERE id > %s", 0),
    "delete by hand": lambda: sql(f"DELETE FROM {TABLE}"),
}
if is_postgresql:
    WAYS |= {
        "truncate": lambda: sql(f"TRUNCATE {TABLE}"),
        "truncate with others": lambda: sql(f"TRUNCATE accounts_link, {TABLE}"),
        "truncate by cascade": lambda: sql("TRUNCATE accounts_user CASCADE"),
        "delete with using": lambda: sql(f"DELETE FROM {TABLE} a USING accounts_user u WHERE a.by_id = u.id"),
        "a door of one's own": lambda: sql(
            f"CREATE TEMPORARY TABLE accounts_door (xact bigint); "
            f"INSERT INTO pg_temp.accounts_door VALUES (pg_current_xact_id()::text::bigint); DELETE FROM {TABLE}"
        ),
    }
else:
    WAYS |= {
        "replace": lambda: sql(f"REPLACE INTO {TABLE} SELECT * FROM {TABLE}"),
        "insert or replace": lambda: sql(f"INSERT OR REPLACE INTO {TABLE} SELECT * FROM {TABLE}"),
        "update or replace": lambda: sql(f"UPDATE OR REPLACE {TABLE} SET id = id + 1"),
        "update or ignore": lambda: sql(f"UPDATE OR IGNORE {TABLE} SET summary = 'x'"),
    }


@pytest.fixture
def entry(hr):
    made = record("role.created", hr, "A role", by=hr, number=1)
    # PostgreSQL truncates no table whose references are still to be looked at.
    connection.check_constraints()
    return made


def stored():
    return list(AuditEntry.objects.order_by("pk").values())


@pytest.mark.parametrize("way", WAYS)
def test_no_statement_changes_or_removes_an_entry(entry, way):
    before = stored()
    with pytest.raises(IntegrityError, match="are only ever added"), transaction.atomic():
        WAYS[way]()
    assert stored() == before


def test_statements_that_touch_no_entry_pass(entry):
    AuditEntry.objects.filter(action="nothing").update(summary="x")
    AuditEntry.objects.filter(action="nothing").delete()
    record("role.created", entry.by, "Another", by=entry.by)
    assert AuditEntry.objects.count() == 2


@pytest.mark.parametrize("way", [way for way in WAYS if way != "truncate by cascade"])
def test_every_way_is_open_inside_the_door_and_shut_behind_it(entry, way):
    # Nothing else points at the only entry, so that each of them can be done.
    with opened("A test looks through", "a test"):
        if way == "a door of one's own":
            sql(f"DELETE FROM {TABLE}")
        else:
            WAYS[way]()
    record("role.created", make_user("hr"), "Another")
    with pytest.raises(IntegrityError), transaction.atomic():
        sql(f"DELETE FROM {TABLE}")


def test_the_door_shuts_when_something_fails_inside(entry):
    before = stored()
    with pytest.raises(ZeroDivisionError), opened("A test fails", "a test"):
        AuditEntry.objects.all().delete()
        raise ZeroDivisionError
    assert stored() == before
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.all().delete()


def test_rolling_back_to_before_the_door_shuts_it(entry):
    point = transaction.savepoint()
    sql("INSERT INTO accounts_door (reason, actor) VALUES ('by hand', 'a test')")
    sql(f"UPDATE {TABLE} SET summary = 'x'")
    transaction.savepoint_rollback(point)
    with pytest.raises(IntegrityError), transaction.atomic():
        sql(f"UPDATE {TABLE} SET summary = 'x'")
    assert AuditEntry.objects.get().summary == "A role"


def test_a_door_inside_a_door_shuts_only_itself(entry):
    with opened("The outer one", "a test"):
        with opened("The inner one", "a test"):
            pass
        AuditEntry.objects.update(summary="Through the outer one")
        with pytest.raises(ZeroDivisionError), opened("One that fails", "a test"):
            AuditEntry.objects.all().delete()
            raise ZeroDivisionError
        AuditEntry.objects.update(summary="Still through the outer one")
    assert AuditEntry.objects.get().summary == "Still through the outer one"
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.all().delete()


@pytest.mark.parametrize(("reason", "actor"), [("", "me"), ("  ", "me"), ("because", ""), (None, "me")])
def test_a_door_without_a_reason_or_an_actor_does_not_open(entry, reason, actor):
    with pytest.raises(IntegrityError), opened(reason, actor):
        AuditEntry.objects.all().delete()
    assert AuditEntry.objects.count() == 1


def test_an_erasure_is_listed_and_audited_with_reason_and_actor(entry, hr):
    with erasing(Erasure.Kind.AGES, " They were old enough ", by=hr) as erasure:
        erasure.counts = {"entries": AuditEntry.objects.all().delete()[0]}
    listed = Erasure.objects.get()
    assert (listed.reason, listed.by, listed.counts) == ("They were old enough", hr, {"entries": 1})
    told = AuditEntry.objects.get()
    assert (told.action, told.by, told.summary) == ("erased.ages", hr, "They were old enough")
    for way in (lambda: Erasure.objects.update(reason="x"), lambda: Erasure.objects.all().delete()):
        with pytest.raises(IntegrityError, match="Erasures are only ever added"), transaction.atomic():
            way()


def test_an_account_that_has_acted_cannot_be_deleted(entry):
    with pytest.raises(ProtectedError):
        entry.by.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        sql("DELETE FROM accounts_user")
        connection.check_constraints()


LOST = {
    "sqlite": [f"DROP TRIGGER {TABLE}_kept_delete"],
    "postgresql": [
        f"DROP TRIGGER {TABLE}_kept ON {TABLE}",
        f"ALTER TABLE {TABLE} DISABLE TRIGGER {TABLE}_kept_whole",
        f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL",
        "CREATE OR REPLACE FUNCTION accounts_door_shut() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN OLD; END $$",
    ],
}


@pytest.mark.parametrize("statement", LOST[connection.vendor])
def test_lost_triggers_are_told_by_the_check_and_put_back_by_the_schedule(db, statement):
    call_command("check", databases=["default"], fail_level="WARNING", stderr=StringIO())
    sql(statement)
    assert [one.id for one in append_only.check(["default"])] == ["accounts.W001"]
    guard()
    assert append_only.missing() == []
    entry = AuditEntry.objects.get(action="guard.restored")
    assert entry.detail["triggers"]
    guard()
    with pytest.raises(IntegrityError), transaction.atomic():
        sql(f"DELETE FROM {TABLE}")
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("statement", LOST[connection.vendor])
def test_readyz_tells_of_lost_triggers_and_stays_as_ready_as_it_was(client, statement):
    def told():
        readiness.forget()
        answer = client.get("/readyz").json()
        return answer["ready"], answer["parts"]["append_only"]

    ready, before = told()
    assert before["ok"]
    sql(statement)
    after, part = told()
    assert (after, part["ok"]) == (ready, False)
    assert f"{TABLE}_kept" in part["sentence"]
    guard()
    assert told() == (ready, before)


@pytest.fixture
def left_open():
    """A door that somebody has made by hand, without references being looked at."""
    connection.disable_constraint_checking()
    if is_postgresql:
        sql("ALTER TABLE accounts_door DISABLE TRIGGER ALL")
    sql("INSERT INTO accounts_door (reason, actor) VALUES ('by hand', 'me')")
    if is_postgresql:
        sql("ALTER TABLE accounts_door ENABLE TRIGGER ALL")
    connection.enable_constraint_checking()
    yield
    sql("DELETE FROM accounts_door")


@pytest.mark.django_db(transaction=True)
def test_a_door_left_open_by_hand_is_told_shut_and_audited(left_open, client):
    record("role.created", make_user("hr"), "A role")
    assert [one.id for one in append_only.check(["default"])] == ["accounts.W002"]
    readiness.forget()
    part = client.get("/readyz").json()["parts"]["append_only"]
    assert (part["ok"], "1 door stands open" in part["sentence"]) == (False, True)
    guard()
    entry = AuditEntry.objects.get(action="guard.shut")
    assert [(door["reason"], door["actor"]) for door in entry.detail["doors"]] == [("by hand", "me")]
    with pytest.raises(IntegrityError):
        AuditEntry.objects.update(summary="x")
    readiness.forget()
    assert client.get("/readyz").json()["parts"]["append_only"]["ok"]
    assert append_only.check(["default"]) == []
    guard()
    assert AuditEntry.objects.filter(action__startswith="guard.").count() == 1


REPLACING = (
    ["INSERT INTO {table} {row} ON CONFLICT ({once}) DO UPDATE SET id = excluded.id"]
    if is_postgresql
    else [
        "REPLACE INTO {table} {row}",
        "INSERT OR REPLACE INTO {table} {row}",
        "INSERT INTO {table} {row} ON CONFLICT ({once}) DO UPDATE SET id = excluded.id",
    ]
)


@pytest.mark.parametrize("statement", REPLACING)
def test_no_insert_replaces_a_row_of_which_there_may_be_only_one(statement):
    person = make_person()
    give_evidence(person, "analytics", 3)
    (piece,) = Evidence.objects.all()
    group = ShownRatings.objects.create(
        person=person, skill=piece.skill, shown_on=piece.observed_on, peers=1, subordinates=0, value=3
    )
    shown = ShownRating.objects.create(group=group, evidence=piece)
    row = f"(id, group_id, evidence_id) VALUES ({shown.pk + 1000}, {group.pk}, {piece.pk})"
    with pytest.raises(IntegrityError, match="are only ever added"), transaction.atomic():
        sql(statement.format(table="candidates_shownrating", row=row, once="evidence_id"))
    assert ShownRating.objects.get() == shown


def test_every_table_that_is_only_added_to_is_guarded(db):
    shown = {"candidates_shownratings", "candidates_shownrating"}
    assert set(append_only.KEPT) == {TABLE, "accounts_erasure", "candidates_evidence"} | shown
    assert append_only.missing() == []


class Rows(HypothesisTestCase):
    """Whatever is done without the door, what was there stays as it was."""

    @given(st.lists(st.sampled_from(sorted(WAYS)), max_size=6), st.data())
    def test_any_row_of_statements_leaves_everything_as_it_was(self, ways, data):
        for n in range(3):
            user = make_user("hr")
            record("role.created", user, f"Role {n}", by=user)
        connection.check_constraints()
        before = stored()
        for way in ways:
            is_open = data.draw(st.booleans())
            with pytest.raises((IntegrityError, ZeroDivisionError)), transaction.atomic():
                if is_open:
                    with opened("It will be rolled back", "a test"):
                        sql(f"DELETE FROM {TABLE}")
                        raise ZeroDivisionError
                WAYS[way]()
        assert stored() == before


@pytest.mark.django_db(transaction=True)
def test_a_door_left_open_undoes_what_was_done_through_it():
    record("role.created", make_user("hr"), "A role")
    with pytest.raises(IntegrityError), transaction.atomic():
        sql("INSERT INTO accounts_door (reason, actor) VALUES ('for ever', 'me')")
        sql(f"DELETE FROM {TABLE}")
    assert AuditEntry.objects.count() == 1
    # Outside a transaction the statement is one by itself.
    with pytest.raises(IntegrityError):
        sql("INSERT INTO accounts_door (reason, actor) VALUES ('for ever', 'me')")
    with pytest.raises(IntegrityError):
        sql(f"DELETE FROM {TABLE}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("reference", [1, 2])
def test_no_other_row_makes_a_door_that_lasts(reference):
    with pytest.raises(IntegrityError), transaction.atomic():
        for _ in range(2):
            sql("INSERT INTO accounts_door (reason, actor, never) VALUES ('for ever', 'me', %s)", reference)


@pytest.mark.servers  # SQLite's writers take turns
@pytest.mark.django_db(transaction=True)
def test_one_transaction_s_door_is_shut_for_another_at_the_same_time(postgresql):
    record("role.created", make_user("hr"), "A role")
    is_open, is_tried = threading.Event(), threading.Event()
    found = []

    def other():
        try:
            is_open.wait(10)
            with transaction.atomic():
                sql(f"DELETE FROM {TABLE}")
        except IntegrityError as error:
            found.append(str(error))
        finally:
            is_tried.set()
            connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    with opened("The first one's", "a test"):
        is_open.set()
        assert is_tried.wait(10)
        AuditEntry.objects.update(summary="Through the door")
    thread.join()
    assert "only ever added" in found[0]
    assert AuditEntry.objects.get().summary == "Through the door"


@pytest.mark.servers  # SQLite has no transaction numbers
def test_a_row_that_another_transaction_has_left_opens_nothing(postgresql, entry):
    sql("INSERT INTO accounts_door (reason, actor, xact) VALUES ('left behind', 'me', 1)")
    with pytest.raises(IntegrityError), transaction.atomic():
        sql(f"DELETE FROM {TABLE}")
    sql("DELETE FROM accounts_door")
