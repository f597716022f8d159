"""What changes between the preview of a file and its writing: nobody is changed unseen, and nobody added twice."""

import threading

import pytest
from django.db import connection

from candidates import actions, import_writing, importing
from candidates.erasing import erase
from candidates.factories import make_person
from candidates.models import ImportBatch, OwnField, OwnText, Person
from candidates.tests.import_pages import upload, write

pytestmark = pytest.mark.django_db
NUMBERED = "Staff number,Name,Email,Site\n"


def numbered(name, number, **values) -> Person:
    person = make_person(name, **values)
    field, _ = OwnField.objects.get_or_create(name="Staff number")
    OwnText.objects.create(person=person, field=field, text=number)
    return person


def test_whoever_was_archived_since_the_preview_is_left_alone(as_hr, hr, run_jobs):
    erna = make_person("Erna", email="erna@x.example", location="Lyon")
    batch = upload(as_hr, "Name,Email,Site\nErna,erna@x.example,Oslo\n")
    actions.set_archived(erna, by=hr, archived=True)
    said = write(as_hr, batch, run_jobs)
    assert said == [("archived", "Erna has been archived meanwhile and stays so.")]
    erna.refresh_from_db()
    assert erna.location == "Lyon"
    assert erna.archived_at is not None


def test_whoever_is_to_be_brought_back_and_was_brought_back_meanwhile_is_changed(as_hr, hr, run_jobs):
    erna = make_person("Erna", email="erna@x.example", location="Lyon")
    actions.set_archived(erna, by=hr, archived=True)
    batch = upload(as_hr, "Name,Email,Site\nErna,erna@x.example,Oslo\n", bring_back="on")
    actions.set_archived(erna, by=hr, archived=False)
    assert write(as_hr, batch, run_jobs)[0][0] == "update"
    erna.refresh_from_db()
    assert (erna.location, erna.archived_at) == ("Oslo", None)


def test_whoever_was_erased_since_the_preview_is_not_counted_as_changed(as_hr, hr, run_jobs):
    erna = make_person("Erna Erased", email="erna@x.example")
    batch = upload(as_hr, "Name,Email,Site\nErna Erased,erna@x.example,Oslo\n")
    erase(erna, reason="asked for", by=hr)
    assert write(as_hr, batch, run_jobs)[0][0] == "error"
    assert not Person.objects.exists()


@pytest.mark.parametrize(
    ("content", "choices"),
    [
        pytest.param("Name,Site\nKiosk Kim,Lyon\nZoë,Oslo\n", {}, id="by name"),
        pytest.param(NUMBERED + "1,Kim,,Lyon\n2,Zoë,,Oslo\n", {"key": "0"}, id="by number"),
        pytest.param("Name,Email\nKim,kim@x.example\nZoë,zoe@x.example\n", {}, id="by address"),
    ],
)
def test_the_same_file_previewed_twice_gives_everybody_once(as_hr, run_jobs, content, choices):
    first, second = upload(as_hr, content, **choices), upload(as_hr, content, **choices)
    assert [fate for fate, _ in write(as_hr, first, run_jobs)] == ["create", "create"]
    said = write(as_hr, second, run_jobs)
    assert [fate for fate, _ in said] == ["error", "error"]
    assert all("meanwhile" in message for _, message in said)
    assert Person.objects.count() == 2
    assert second.counts()["create"] == 0


def test_a_name_that_somebody_was_given_since_the_preview_is_taken(as_hr, run_jobs):
    other = make_person("Other")
    Person.objects.update(created_at="2020-01-01T00:00Z")
    batch = upload(as_hr, "Name,Site\nKiosk Kim,Lyon\n")
    Person.objects.filter(pk=other.pk).update(name="KIOSK KIM")
    assert write(as_hr, batch, run_jobs)[0][0] == "error"
    assert Person.objects.count() == 1


def test_a_number_that_somebody_else_has_got_since_the_preview_is_given_to_nobody(as_hr, run_jobs):
    ada = make_person("Ada", email="ada@x.example", location="Rome")
    OwnField.objects.create(name="Staff number")
    batch = upload(as_hr, NUMBERED + "1,Ada,ada@x.example,Lyon\n2,Zoë,,Oslo\n", key="0")
    numbered("Ben", "1", email="ben@x.example")
    numbered("Kim", "2", email="kim@x.example")
    said = write(as_hr, batch, run_jobs)
    assert said == [
        ("error", "Ben has got the Staff number 1 meanwhile."),
        ("error", "Kim has got the Staff number 2 meanwhile."),
    ]
    ada.refresh_from_db()
    assert (ada.location, Person.objects.count()) == ("Rome", 3)


def test_a_number_counts_however_its_field_has_been_written_since_the_preview(as_hr, run_jobs):
    batch = upload(as_hr, "MATRÍCULA,Name\n1,Zoë\n", key="0")
    field = OwnField.objects.create(name="Matrícula")
    OwnText.objects.create(person=make_person("Ben"), field=field, text="1")
    assert write(as_hr, batch, run_jobs) == [("error", "Ben has got the MATRÍCULA 1 meanwhile.")]
    assert (OwnField.objects.count(), Person.objects.count()) == (1, 1)


def test_an_address_that_has_gone_to_somebody_else_since_the_preview_changes_nobody(as_hr, run_jobs):
    ada = make_person("Ada", email="desk@x.example", location="Rome")
    batch = upload(as_hr, "Name,Email,Site\nAda,desk@x.example,Lyon\n")
    Person.objects.filter(pk=ada.pk).update(email="ada@x.example")
    make_person("Ben", email="desk@x.example", location="Oslo")
    assert write(as_hr, batch, run_jobs) == [("error", "Ben has got this address meanwhile.")]
    assert set(Person.objects.values_list("name", "location")) == {("Ada", "Rome"), ("Ben", "Oslo")}


@pytest.mark.parametrize(
    ("head", "line", "key"),
    [
        ("Name,Email", "ÉMILE  O’Brien,emile@x.example", ""),
        ("Staff number,Name", "1,ÉMILE O’Brien", "0"),
        ("Name", "ÉMILE O’Brien", ""),
    ],
)
def test_a_mended_name_is_shown_and_written(as_hr, run_jobs, head, line, key):
    emile = numbered("Emile O'Brien", "1", email="emile@x.example")
    batch = upload(as_hr, f"{head}\n{line}\n", key=key)
    page = " ".join(as_hr.get(f"/people/import/{batch.pk}/").content.decode().split())
    assert "Name: <del>Emile O&#x27;Brien</del> → <ins>ÉMILE O’Brien</ins>" in page
    write(as_hr, batch, run_jobs)
    emile.refresh_from_db()
    assert emile.name == "ÉMILE O’Brien"


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_two_imports_at_the_same_moment_give_everybody_once(hr, monkeypatch):
    batches = [importing.create_batch("people.csv", b"Name\nKiosk Kim\n", by=hr) for _ in range(2)]
    for batch in batches:
        importing.judge(batch)
    met = threading.Barrier(2)
    refuse, create = import_writing.import_refusing.refuse_namesakes, import_writing._create
    is_looked_at = threading.Event()

    def look_first(batch):
        """Both have looked through the list before either writes."""
        refuse(batch)
        met.wait(timeout=15)

    def create_late(rows):
        """Whoever writes first leaves the other time to come as far."""
        if not is_looked_at.is_set():
            is_looked_at.set()
            threading.Event().wait(1)
        return create(rows)

    def run(batch):
        importing.write(batch, by=hr)
        connection.close()

    monkeypatch.setattr(import_writing.import_refusing, "refuse_namesakes", look_first)
    monkeypatch.setattr(import_writing, "_create", create_late)
    threads = [threading.Thread(target=run, args=[batch]) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert list(ImportBatch.objects.values_list("state", flat=True)) == ["done", "done"]
    assert Person.objects.count() == 1
