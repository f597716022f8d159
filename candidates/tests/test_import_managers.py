"""Managers who are not on the list yet: waited for by address, name or number, and set by whatever brings them."""

import pytest

from accounts.models import AuditEntry
from candidates import actions
from candidates.erasing import erase
from candidates.factories import make_person
from candidates.imports import AwaitedManager
from candidates.models import Person
from candidates.tests.import_pages import upload, write

pytestmark = pytest.mark.django_db
HEAD = "Name,Email,Manager\n"
NUMBERED = "Staff number,Name,Email,Manager\n"


def managers() -> dict[str, str]:
    return dict(Person.objects.exclude(manager=None).values_list("name", "manager__name"))


@pytest.mark.parametrize(
    ("again", "key"),
    [
        pytest.param("100,Boss,boss@example.org,\n", "0", id="recognised by the number"),
        pytest.param("100,Boss,,\n", "0", id="without an address"),
        pytest.param("100,Boss,boss@example.org,\n", "", id="recognised by the address"),
    ],
)
def test_a_manager_meant_by_number_is_set_when_the_row_comes(as_hr, run_jobs, again, key):
    first = upload(as_hr, NUMBERED + "100,,boss@example.org,\n200,Emma,emma@example.org,100\n", key="0")
    write(as_hr, first, run_jobs)
    assert managers() == {}
    second = upload(as_hr, NUMBERED + again, key=key, own="0")
    write(as_hr, second, run_jobs)
    assert managers() == {"Emma": "Boss"}
    assert not AwaitedManager.objects.exists()


def test_a_number_that_two_people_have_is_nobody_s(as_hr, run_jobs):
    write(as_hr, upload(as_hr, NUMBERED + "100,,,\n200,Emma,emma@example.org,100\n", key="0"), run_jobs)
    content = "Staff number,Name,Email\n100,One,one@example.org\n100,Two,two@example.org\n"
    write(as_hr, upload(as_hr, content, own="0"), run_jobs)
    assert managers() == {}
    assert AwaitedManager.objects.get().wanted == "100"


@pytest.mark.parametrize("said", ["boss@example.org", "big boss", '"Boss, Big"', "100"])
def test_an_archived_manager_is_set_once_they_are_brought_back(as_hr, hr, run_jobs, said):
    write(as_hr, upload(as_hr, NUMBERED + "100,Big Boss,boss@example.org,\n", key="0"), run_jobs)
    boss = Person.objects.get()
    actions.set_archived(boss, by=hr, archived=True)
    write(as_hr, upload(as_hr, NUMBERED + f"200,Emma,emma@example.org,{said}\n", key="0"), run_jobs)
    assert managers() == {}
    actions.set_archived(boss, by=hr, archived=False)
    assert managers() == {"Emma": "Big Boss"}
    emma = Person.objects.get(name="Emma")
    assert AuditEntry.objects.filter(action="person.changed", target=str(emma.pk), by=hr).count() == 1


@pytest.mark.parametrize("said", ["BOSS@example.org", "big boss", '"Boss, Big"', "100"])
@pytest.mark.parametrize("way", ["added", "changed"])
def test_a_manager_entered_by_hand_is_given_to_whoever_waits(as_hr, run_jobs, said, way):
    content = f"100,Big Boss,boss@example.org,,robot\n200,Emma,emma@example.org,{said},\n"
    write(as_hr, upload(as_hr, "Staff number,Name,Email,Manager,Kind\n" + content, key="0"), run_jobs)
    assert managers() == {}
    number = next(iter(as_hr.get("/people/new/").context["form"].own))
    data = {"name": "Big Boss", "email": "boss@example.org", "kind": "employee", number: "100"}
    if way == "added":
        response = as_hr.post("/people/new/", data)
    else:
        other = make_person("Somebody Else", email="else@example.org")
        response = as_hr.post(f"/people/{other.pk}/edit/", data)
    assert response.status_code == 302, response.context["form"].errors
    assert managers() == {"Emma": "Big Boss"}


def test_a_manager_who_came_since_the_preview_is_found(as_hr, run_jobs):
    batch = upload(as_hr, HEAD + "Boss,boss@example.org,\nEmma,emma@example.org,boss@example.org\n")
    make_person("Boss By Hand", email="boss@example.org")
    said = write(as_hr, batch, run_jobs)
    assert said[0] == ("error", "Boss By Hand has got this address meanwhile.")
    assert said[1] == ("create", "")
    assert managers() == {"Emma": "Boss By Hand"}


def test_a_manager_who_was_to_wait_for_and_came_since_the_preview_is_found(as_hr, run_jobs):
    batch = upload(as_hr, HEAD + ",boss@example.org,\nEmma,emma@example.org,boss@example.org\n")
    make_person("Boss", email="boss@example.org")
    write(as_hr, batch, run_jobs)
    assert managers() == {"Emma": "Boss"}
    assert not AwaitedManager.objects.exists()


def test_a_manager_whose_row_was_refused_while_it_was_written_is_waited_for(as_hr, run_jobs):
    batch = upload(as_hr, HEAD + "Boss,boss@example.org,\nEmma,emma@example.org,Boss\n")
    taker = make_person("Taker", email="boss@example.org")
    said = write(as_hr, batch, run_jobs)
    assert "not set yet: their row was not taken" in said[1][1]
    assert managers() == {}
    Person.objects.filter(pk=taker.pk).update(email=None)
    write(as_hr, upload(as_hr, HEAD + "Boss,boss@example.org,\n"), run_jobs)
    assert managers() == {"Emma": "Boss"}


def test_a_manager_archived_since_the_preview_is_waited_for(as_hr, hr, run_jobs):
    boss = make_person("Boss", email="boss@example.org")
    batch = upload(as_hr, HEAD + "Emma,emma@example.org,boss@example.org\n")
    actions.set_archived(boss, by=hr, archived=True)
    said = write(as_hr, batch, run_jobs)
    assert "not set yet" in said[0][1]
    assert managers() == {}
    actions.set_archived(boss, by=hr, archived=False)
    assert managers() == {"Emma": "Boss"}


@pytest.mark.parametrize("was_there", [True, False])
def test_a_manager_erased_since_the_preview_is_told_and_not_waited_for(as_hr, hr, run_jobs, was_there):
    lines = "Emma,emma@example.org,boss@example.org\n"
    boss = make_person("Big Boss", email="boss@example.org") if was_there else None
    batch = upload(as_hr, HEAD + ("" if was_there else "Big Boss,boss@example.org,\n") + lines)
    erase(boss or make_person("Big Boss", email="boss@example.org"), reason="asked for", by=hr)
    said = write(as_hr, batch, run_jobs)
    assert "The manager is not set" in said[-1][1]
    assert "left the list" in said[-1][1]
    assert not AwaitedManager.objects.exists()


def test_whoever_waits_and_would_close_a_circle_is_told(as_hr, run_jobs):
    write(as_hr, upload(as_hr, HEAD + ",boss@example.org,\nEmma,emma@example.org,boss@example.org\n"), run_jobs)
    said = write(as_hr, upload(as_hr, HEAD + "Boss,boss@example.org,emma@example.org\n"), run_jobs)
    assert said == [("create", "Emma waits for them as manager, and would report to themselves.")]
    assert managers() == {"Boss": "Emma"}


def test_what_rows_say_already_stays_beside_why_the_manager_is_not_set(as_hr, run_jobs):
    ben = make_person("Ben", email="ben@example.org")
    ada = make_person("Ada", email=None)
    batch = upload(as_hr, HEAD + "Ada,,Ben\n")
    Person.objects.filter(pk=ben.pk).update(manager=ada)
    ((_, message),) = write(as_hr, batch, run_jobs)
    assert message.startswith("The manager is not set: by what has changed meanwhile")
    assert "recognised by the name" in message


def test_a_row_no_longer_says_that_a_manager_is_waited_for_who_is_set(as_hr, run_jobs):
    batch = upload(as_hr, HEAD + ",boss@example.org,\nEmma,emma@example.org,boss@example.org\nCy,,boss@example.org\n")
    make_person("Boss", email="boss@example.org")
    rows = write(as_hr, batch, run_jobs)
    assert managers() == {"Emma": "Boss", "Cy": "Boss"}
    assert rows[1:] == [("create", ""), ("create", "Without an e-mail: later files recognise them by the name.")]


def test_a_row_says_that_the_manager_was_archived_since_the_preview(as_hr, run_jobs):
    boss = make_person("Boss", email="boss@example.org")
    batch = upload(as_hr, HEAD + "Emma,emma@example.org,boss@example.org\n")
    actions.set_archived(boss, by=None, archived=True)
    ((_, message),) = write(as_hr, batch, run_jobs)
    assert message == (
        "The manager is not set yet: they have been archived meanwhile. It is set as soon as they are on the list."
    )
    actions.set_archived(boss, by=None, archived=False)
    assert managers() == {"Emma": "Boss"}


@pytest.mark.parametrize("said", ["Old", "(empty)"])
def test_a_later_file_that_confirms_the_manager_ends_the_waiting(as_hr, run_jobs, said):
    old = make_person("Old", email="old@example.org") if said == "Old" else None
    make_person("Emma", email="emma@example.org", manager=old)
    write(as_hr, upload(as_hr, HEAD + ",boss@example.org,\nEmma,emma@example.org,boss@example.org\n"), run_jobs)
    assert AwaitedManager.objects.exists()
    write(as_hr, upload(as_hr, HEAD + f"Emma,emma@example.org,{said}\nAda,ada@example.org,\n"), run_jobs)
    write(as_hr, upload(as_hr, HEAD + "Boss,boss@example.org,\n"), run_jobs)
    assert Person.objects.get(name="Emma").manager == old
