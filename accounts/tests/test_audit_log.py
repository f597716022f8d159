"""The audit log: what was done, newest first, by kind."""

import pytest

from accounts.factories import make_user
from accounts.models import AuditEntry, record

pytestmark = pytest.mark.django_db
URL = "/audit/"


@pytest.fixture
def entries(hr):
    for action in ("role.created", "person.created", "role.created", "person.archived"):
        record(action, hr, f"did {action}", by=hr)


def test_each_kind_of_action_is_named_once_in_order(entries):
    assert AuditEntry.objects.actions() == ["person.archived", "person.created", "role.created"]


def test_without_entries_there_is_no_kind(db):
    assert AuditEntry.objects.actions() == []


def test_hr_narrows_the_log_to_a_kind(as_hr, entries):
    page = as_hr.get(URL + "?action=person.created").content.decode()
    assert "did person.created" in page
    assert "did role.created" not in page
    assert page.index("role.created") > page.index("person.archived")


def test_the_log_takes_the_same_few_queries_however_long(as_hr, hr, django_assert_max_num_queries):
    for n in range(60):
        record("role.created", hr, f"{n}", by=hr)
    with django_assert_max_num_queries(5):
        as_hr.get(URL)


@pytest.mark.parametrize("role", ["assessor", "executive", "employee"])
def test_others_see_nothing_of_it(client, role, entries):
    client.force_login(make_user(role))
    assert client.get(URL).status_code in {403, 404}
