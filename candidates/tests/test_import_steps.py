"""Imports of people, beyond the plain file: who is meant, what is kept, what the file looks like."""

import io
import threading

import openpyxl
import pytest
from django.db import connection
from django.utils import timezone

from accounts.factories import make_user
from candidates import actions, import_fields, importing
from candidates.erasing import erase
from candidates.factories import make_invitation, make_person
from candidates.imports import FILE_KEPT, AwaitedManager, ImportFile
from candidates.models import ImportBatch, OwnField, OwnText, Person
from candidates.reporting_lines import chain
from candidates.tests.import_pages import choose, upload, write
from socialstrategy.jobs.models import Job
from socialstrategy.lib.uploads import reading

pytestmark = pytest.mark.django_db


def page_of(client, batch) -> str:
    return " ".join(client.get(f"/people/import/{batch.pk}/").content.decode().split())


def fates(batch) -> list:
    return list(batch.rows.values_list("fate", flat=True))


def messages(batch) -> list:
    return list(batch.rows.values_list("message", flat=True))


def book(*rows) -> bytes:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


# What a cell leaves, changes and empties.


def test_an_empty_cell_leaves_what_is_known(as_hr, run_jobs):
    boss = make_person("Boss", email="boss@example.org")
    erna = make_person("Erna", email="erna@x.example", kind="employee", job_title="Head", location="Lyon", manager=boss)
    number = OwnField.objects.create(name="Staff number")
    OwnText.objects.create(person=erna, field=number, text="17")
    head = "Name,Email,Kind,Job title,Department,Site,Manager,Staff number\n"
    batch = upload(as_hr, head + "Erna,erna@x.example,,,,-,,\n")
    assert fates(batch) == ["same"]
    batch = upload(as_hr, head + "Erna,erna@x.example,,Chief,,(empty),(empty),(empty)\n")
    page = page_of(as_hr, batch)
    assert "To empty what is known, write (empty)" in page
    assert "Job title: <del>Head</del> → <ins>Chief</ins>" in page
    assert "Location: <del>Lyon</del> → <i>nothing</i>" in page
    assert "Manager: <del>Boss</del> → <i>nothing</i>" in page
    assert "Staff number: <del>17</del> → <i>nothing</i>" in page
    write(as_hr, batch, run_jobs)
    erna.refresh_from_db()
    assert (erna.kind, erna.job_title, erna.location, erna.manager) == ("employee", "Chief", "", None)
    assert not OwnText.objects.exists()


def test_only_what_the_preview_promised_is_written(as_hr, run_jobs):
    erna = make_person("Erna", email="erna@x.example", job_title="Head", location="Lyon")
    batch = upload(as_hr, "Name,Email,Job title,Site\nErna,erna@x.example,Chief,Lyon\n")
    Person.objects.filter(pk=erna.pk).update(location="Oslo")
    write(as_hr, batch, run_jobs)
    erna.refresh_from_db()
    assert (erna.job_title, erna.location) == ("Chief", "Oslo")


def test_new_people_are_what_hr_says_where_the_file_does_not(as_hr, run_jobs):
    batch = upload(as_hr, "Name,Email\nAda,ada@example.org\n")
    assert "Kind: <ins>Candidate</ins>" in page_of(as_hr, batch)
    choose(as_hr, batch, newcomers="employee")
    assert "Kind: <ins>Employee</ins>" in page_of(as_hr, batch)
    write(as_hr, batch, run_jobs)
    assert Person.objects.get().kind == "employee"


def test_columns_that_are_not_taken_are_named(as_hr):
    batch = upload(as_hr, "Name,Email,Shoe size\nAda,ada@example.org,38\n")
    assert "Not taken from the file: Shoe size." in page_of(as_hr, batch)


@pytest.mark.parametrize(
    ("head", "cell", "field"),
    [
        ("Title", "Ms", None),
        ("Title", "Dr.", None),
        ("Title", "Head of Care", "job_title"),
        ("Status", "Active", None),
        ("Status", "Employee", "kind"),
        ("Job Title", "Ms", "job_title"),
    ],
)
def test_ambiguous_headings_are_matched_by_what_stands_below(head, cell, field):
    found = import_fields.match(["Name", head], [["Ada", cell], ["Ben", ""]])
    assert found == {"name": 0} | ({field: 1} if field else {})


# Who is meant.


def test_names_in_two_columns(as_hr, run_jobs):
    batch = upload(as_hr, "Last name,First name,Email\nLovelace,Ada,ada@example.org\n")
    write(as_hr, batch, run_jobs)
    assert Person.objects.get().name == "Ada Lovelace"
    batch = upload(as_hr, "Vorname;Name;Mail\nBen;Weiß;ben@example.org\n")
    write(as_hr, batch, run_jobs)
    assert Person.objects.get(email="ben@example.org").name == "Ben Weiß"


def test_people_without_an_address_are_known_by_their_name_and_never_mixed_up(as_hr, run_jobs):
    content = "Name,Email,Site\nKiosk Kim,,Lyon\nTwin Tim,,Oslo\nTwin Tim,,Lyon\n"
    batch = upload(as_hr, content)
    assert fates(batch) == ["create", "error", "error"]
    assert "told apart" in messages(batch)[1]
    write(as_hr, batch, run_jobs)
    kim = Person.objects.get()
    assert kim.email is None
    batch = upload(as_hr, "Name,Email,Site\nKIOSK KIM,,Oslo\n")
    assert fates(batch) == ["update"]
    assert "recognised by the name: Kiosk Kim, no address" in messages(batch)[0]
    write(as_hr, batch, run_jobs)
    kim.refresh_from_db()
    assert kim.location == "Oslo"
    make_person("Kiosk Kim", email="kim@example.org")
    batch = upload(as_hr, "Name,Email,Site\nKiosk Kim,,Rome\n")
    assert fates(batch) == ["error"]
    assert "2 people are called Kiosk Kim" in messages(batch)[0]


def test_somebody_who_may_be_on_the_list_without_an_address_is_told(as_hr):
    make_person("Kiosk Kim", email=None)
    batch = upload(as_hr, "Name,Email\nKiosk Kim,kim@example.org\nAda,ada@example.org\n")
    assert fates(batch) == ["create", "create"]
    assert "on the list without an e-mail. This adds another person" in messages(batch)[0]
    assert messages(batch)[1] == ""


def test_an_interrupted_import_adds_nobody_twice(as_hr, run_jobs):
    batch = upload(as_hr, "Name,Site\nKiosk Kim,Lyon\n")
    importing.write(batch)
    ImportBatch.objects.filter(pk=batch.pk).update(state="writing")
    importing.write(batch)
    assert Person.objects.count() == 1


def test_a_staff_number_keeps_its_zeros_and_tells_who_is_meant(as_hr, run_jobs):
    data = book(["Name", "E-mail", "Staff number"], ["Ada", "ada@example.org", "00123"], ["Kim", None, "00124"])
    batch = upload(as_hr, data, "people.xlsx")
    assert batch.columns["own:Staff number"] == 2
    choose(as_hr, batch, key="2")
    assert fates(batch) == ["create", "create"]
    write(as_hr, batch, run_jobs)
    assert list(OwnText.objects.values_list("text", flat=True)) == ["00123", "00124"]
    content = "staff_number,Name,Email\n00124,Kim Lee,kim@example.org\n00123,Ada,new@example.org\n,Nemo,\n00124,Kim,\n"
    batch = upload(as_hr, content)
    choose(as_hr, batch, key="0")
    assert fates(batch) == ["update", "update", "error", "error"]
    assert "Staff number is missing" in messages(batch)[2]
    assert "stands in line 2 already" in messages(batch)[3]
    assert "E-mail: <del>ada@example.org</del> → <ins>new@example.org</ins>" in page_of(as_hr, batch)
    write(as_hr, batch, run_jobs)
    assert set(Person.objects.values_list("name", "email")) == {
        ("Kim Lee", "kim@example.org"),
        ("Ada", "new@example.org"),
    }


def test_a_number_and_an_address_of_two_people_merge_nobody(as_hr):
    number = OwnField.objects.create(name="Staff number")
    ada, ben = make_person("Ada", email="ada@example.org"), make_person("Ben", email="ben@example.org")
    OwnText.objects.create(person=ada, field=number, text="1")
    OwnText.objects.create(person=ben, field=number, text="2")
    batch = upload(as_hr, "Staff number,Name,Email\n1,Ada,ben@example.org\n3,Ben,ben@example.org\n")
    choose(as_hr, batch, key="0")
    assert fates(batch) == ["error", "error"]
    assert "belongs to Ben" in messages(batch)[0]
    assert "whose Staff number is 2" in messages(batch)[1]


def test_a_row_of_totals_is_nobody(as_hr):
    batch = upload(as_hr, "Name,Email,Site\nAda,ada@example.org,Lyon\nTotal,,1\n")
    assert fates(batch) == ["create", "error"]


def test_one_own_field_comes_of_two_files_that_write_its_heading_otherwise(as_hr, run_jobs):
    batches = [upload(as_hr, f"Name,{head}\nAda {n},{n}\n") for n, head in enumerate(["Étage", "étage"])]
    for batch in batches:
        choose(as_hr, batch, own=["1"])
    for batch in batches:
        write(as_hr, batch, run_jobs)
    assert OwnField.objects.get().texts.count() == 2


@pytest.mark.parametrize("heading", ["staff no", "STAFF NO", "Staff-No."])
def test_of_two_columns_for_one_own_field_the_first_is_taken_and_the_page_says_so(as_hr, run_jobs, heading):
    batch = upload(as_hr, f"Name,Staff No,{heading}\nAda,1,2\n")
    assert batch.columns == {"name": 0, "own:Staff No": 1}
    assert heading in page_of(as_hr, batch)
    response = as_hr.post(f"/people/import/{batch.pk}/", {"name": "0", "own": ["1", "2"]})
    assert "Two of these columns have the same heading" in response.content.decode()
    write(as_hr, batch, run_jobs)
    assert OwnText.objects.get().text == "1"


def test_columns_whose_headings_are_signs_alone_are_told_apart(as_hr, run_jobs):
    batch = upload(as_hr, "Name,#,%\nAda,1,2\n")
    choose(as_hr, batch, own=["1", "2"])
    write(as_hr, batch, run_jobs)
    assert set(OwnText.objects.values_list("field__name", "text")) == {("#", "1"), ("%", "2")}


def test_own_fields_are_no_more_than_a_few(as_hr):
    for n in range(OwnField.MOST):
        OwnField.objects.create(name=f"Field {n}")
    batch = upload(as_hr, "Name,Shoe size\nAda,38\n")
    response = as_hr.post(f"/people/import/{batch.pk}/", {"name": "0", "own": ["1"]})
    assert response.status_code == 400
    assert "fields of your own are the most" in response.content.decode()


# Managers.

HEAD = "Name,Email,Manager\n"


def test_a_manager_whose_row_is_not_taken_is_told_and_set_later(as_hr, run_jobs):
    batch = upload(as_hr, HEAD + ",boss@example.org,\nEmma,emma@example.org,boss@example.org\n")
    assert fates(batch) == ["error", "create"]
    assert "their row (line 2) is not taken" in messages(batch)[1]
    assert "boss@example.org, once they are on the list" in page_of(as_hr, batch)
    write(as_hr, batch, run_jobs)
    emma = Person.objects.get()
    assert emma.manager is None
    write(as_hr, upload(as_hr, HEAD + "Boss,boss@example.org,\n"), run_jobs)
    emma.refresh_from_db()
    assert emma.manager == Person.objects.get(name="Boss")
    assert not AwaitedManager.objects.exists()


def test_whom_hr_has_chosen_since_stays_the_manager(as_hr, run_jobs):
    write(as_hr, upload(as_hr, HEAD + ",boss@example.org,\nEmma,emma@example.org,boss@example.org\n"), run_jobs)
    other = make_person("Other")
    Person.objects.filter(name="Emma").update(manager=other)
    write(as_hr, upload(as_hr, HEAD + "Boss,boss@example.org,\n"), run_jobs)
    assert Person.objects.get(name="Emma").manager == other


def test_managers_by_name(as_hr, run_jobs):
    make_person("Ana Díaz", email="ana@example.org")
    make_person("Ben Twin", email="b1@example.org")
    make_person("Ben Twin", email="b2@example.org")
    content = (
        "Emma,emma@example.org,ana diaz\nFay,fay@example.org,Ben Twin\nGil,gil@example.org,Nobody Here\n"
        'Hal,hal@example.org,Emma\nIda,ida@example.org,"Díaz, Ana"\n'
    )
    batch = upload(as_hr, HEAD + content)
    assert fates(batch) == ["create", "error", "error", "create", "create"]
    assert "2 people are called Ben Twin" in messages(batch)[1]
    assert "No person is called Nobody Here" in messages(batch)[2]
    write(as_hr, batch, run_jobs)
    found = dict(Person.objects.exclude(manager=None).values_list("name", "manager__name"))
    assert found == {"Emma": "Ana Díaz", "Hal": "Emma", "Ida": "Ana Díaz"}


@pytest.mark.parametrize("length", [2, 3, 5])
def test_circles_within_a_file_are_refused(as_hr, length):
    lines = [f"P{n},p{n}@example.org,p{(n + 1) % length}@example.org\n" for n in range(length)]
    batch = upload(as_hr, HEAD + "".join(lines) + "Out,out@example.org,p0@example.org\n")
    assert fates(batch) == ["error"] * length + ["create"]
    assert messages(batch)[0].startswith("P1 reports to P")
    assert "circle" in messages(batch)[0]
    assert "line 2" in messages(batch)[-1]


def test_circles_by_people_on_the_list_are_refused(as_hr, run_jobs):
    top = make_person("Top", email="top@example.org")
    middle = make_person("Middle", email="middle@example.org", manager=top)
    make_person("Low", email="low@example.org", manager=middle)
    batch = upload(as_hr, HEAD + "Top,top@example.org,New\nNew,new@example.org,low@example.org\n")
    assert fates(batch) == ["error", "error"]
    batch = upload(as_hr, HEAD + "Top,top@example.org,New\nNew,new@example.org,\n")
    assert fates(batch) == ["update", "create"]
    # The line changes between preview and writing.
    Person.objects.filter(name="Top").update(manager=None)
    batch_b = upload(as_hr, HEAD + "Top,top@example.org,low@example.org\n")
    assert fates(batch_b) == ["error"]


def test_a_circle_that_came_about_since_the_preview_is_not_written(as_hr, run_jobs):
    ada, ben = make_person("Ada", email="ada@example.org"), make_person("Ben", email="ben@example.org")
    batch = upload(as_hr, HEAD + "Ada,ada@example.org,Ben\n")
    Person.objects.filter(pk=ben.pk).update(manager=ada)
    write(as_hr, batch, run_jobs)
    assert chain(ada.pk, ben.pk) == [ben.pk, ada.pk]
    ada.refresh_from_db()
    assert ada.manager is None
    assert "The manager is not set" in messages(batch)[0]


# Accounts and links.


def test_whoever_is_imported_is_joined_with_the_account_of_their_address(as_hr, run_jobs):
    ada, number = make_user("employee", email="ada@example.org"), OwnField.objects.create(name="Staff number")
    ben, account = make_person("Ben", email="ben@old.example"), make_user("employee", email="ben@new.example")
    OwnText.objects.create(person=ben, field=number, text="2")
    content = "Name,Email,Staff number\nAda,ADA@example.org,1\nBen,ben@new.example,2\n"
    batch = upload(as_hr, content)
    choose(as_hr, batch, key="2")
    write(as_hr, batch, run_jobs)
    assert dict(Person.objects.values_list("name", "user")) == {"Ada": ada.pk, "Ben": account.pk}


def test_an_address_changed_by_a_file_ends_the_links_sent_to_the_old_one(
    as_hr, hr, version, run_jobs, last_mail, link_in
):
    ben = make_person("Ben", email="ben@old.example")
    OwnText.objects.create(person=ben, field=OwnField.objects.create(name="Staff number"), text="2")
    make_invitation(ben, version, hr)
    old = link_in(last_mail("ben@old.example"))
    batch = upload(as_hr, "Name,Email,Staff number\nBen,ben@new.example,2\n")
    choose(as_hr, batch, key="2")
    write(as_hr, batch, run_jobs)
    assert as_hr.get(old).status_code == 410
    assert link_in(last_mail("ben@new.example")) != old


# Archived people.


def test_archived_people_are_named_and_can_be_brought_back(as_hr, run_jobs):
    old = make_person("Old", email="old@example.org", location="Lyon")
    actions.set_archived(old, by=None, archived=True)
    batch = upload(as_hr, HEAD.replace("Manager", "Site") + "Old,old@example.org,Oslo\n")
    assert fates(batch) == ["archived"]
    assert "Old is archived and stays so" in page_of(as_hr, batch)
    choose(as_hr, batch, bring_back="on")
    assert fates(batch) == ["update"]
    assert "On the list: <del>archived</del> → <ins>back</ins>" in page_of(as_hr, batch)
    write(as_hr, batch, run_jobs)
    old.refresh_from_db()
    assert (old.archived_at, old.location) == (None, "Oslo")


# The file.


def test_the_reader_chooses_how_a_file_is_read(as_hr):
    batch = upload(as_hr, "Name;Email\nZoë;zoe@example.org\n".encode("cp1252"))
    page = page_of(as_hr, batch)
    assert "Read as Western European (Windows-1252), with semicolon between the cells" in page
    assert "this one is a guess" in page
    greek = upload(as_hr, "Name,Email\nΆννα,anna@example.org\n".encode("cp1253"))
    address = f"/people/import/{greek.pk}/"
    assert as_hr.post(address, {"what": "reading", "encoding": "cp1253"}).status_code == 302
    assert greek.rows.get().values["name"] == "Άννα"
    as_hr.post(address, {"what": "reading", "encoding": "utf-8-sig"})
    page = page_of(as_hr, greek)
    assert "not text in the encoding Unicode (UTF-8)" in page
    as_hr.post(address, {"what": "reading", "encoding": "cp1253", "heading": "1"})
    assert "Άννα" in page_of(as_hr, greek)
    assert as_hr.post(address, {"what": "reading", "encoding": "rot13"}).status_code == 400


def test_sheet_and_heading_are_chosen(as_hr):
    made = openpyxl.Workbook()
    made.active.title = "Old"
    for row in (["Name", "E-mail"], ["Ada", "ada@example.org"]):
        made.active.append(row)
    new = made.create_sheet("New")
    for row in (["Wer", "Wo"], ["x", "y"], ["Ben", "Oslo"]):
        new.append(row)
    out = io.BytesIO()
    made.save(out)
    batch = upload(as_hr, out.getvalue(), "people.xlsx")
    assert "Read from the sheet “Old”, with the heading in row 1." in page_of(as_hr, batch)
    as_hr.post(f"/people/import/{batch.pk}/", {"what": "reading", "sheet": "New", "heading": "2"})
    batch.refresh_from_db()
    assert batch.header == ["x", "y"]
    assert list(batch.rows.values_list("cells", flat=True)) == [["Ben", "Oslo"]]


def test_the_file_is_kept_until_its_people_are_written_or_for_a_week(as_hr, run_jobs):
    batch = upload(as_hr, "Name\nAda\n")
    waiting = upload(as_hr, "Name\nBen\n")
    write(as_hr, batch, run_jobs)
    assert ImportFile.objects.get().batch == waiting
    assert ImportFile.objects.forget(timezone.now()) == 0
    assert ImportFile.objects.forget(timezone.now() + FILE_KEPT) == 1
    assert "kept no more" in page_of(as_hr, waiting)
    as_hr.post(f"/people/import/{waiting.pk}/", {"what": "reading"})
    assert "Send it again" in page_of(as_hr, waiting)


def test_a_large_file_is_read_by_the_worker_and_refused_in_words(as_hr, run_jobs):
    wide = ",".join(f"c{n}" for n in range(61))
    batch = upload(as_hr, wide + "\n" + "x" * 250_000)
    assert batch.state == "reading"
    assert Job.objects.get().kind == "people.read"
    run_jobs()
    page = page_of(as_hr, batch)
    assert "61 columns" in page
    assert Job.objects.get().state == "done"


def test_an_import_that_stopped_goes_on(as_hr, run_jobs, monkeypatch):
    batch = upload(as_hr, "Name\nAda\nBen\n")

    def fail(*arguments, **options):
        raise RuntimeError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr("candidates.import_writing._write_managers", fail)
        as_hr.post(f"/people/import/{batch.pk}/start/")
        run_jobs()
    assert "The import stopped: The disk is full." in page_of(as_hr, batch)
    assert "Go on" in page_of(as_hr, batch)
    write(as_hr, batch, run_jobs)
    assert Person.objects.count() == 2
    write(as_hr, batch, run_jobs)
    assert Job.objects.count() == 2


def test_reading_that_was_interrupted_is_begun_again(as_hr):
    batch = upload(as_hr, "Name\nAda\n")
    ImportBatch.objects.filter(pk=batch.pk).update(state="reading")
    assert "Reading the file was interrupted" in page_of(as_hr, batch)
    as_hr.post(f"/people/import/{batch.pk}/", {"what": "reading"})
    assert "Write 1 person" in page_of(as_hr, batch)


def test_whoever_is_erased_is_in_no_file_any_more(as_hr, hr, run_jobs):
    write(as_hr, upload(as_hr, "Last name,First name,Site\nLovelace,Ada,Lyon\n"), run_jobs)
    waiting = upload(as_hr, "Last name,First name,Site\nLovelace,Ada,Oslo\nReport,Ben,Rome\n")
    upload(as_hr, "Name,Manager\nBen Report,Ada Lovelace\n")
    upload(as_hr, "Last name,First name,Site,Email\nLovelace,Ada,Oslo,nonsense\n")
    erase(Person.objects.get(), reason="asked for", by=hr)
    for batch in ImportBatch.objects.all():
        kept = f"{batch.about}{list(batch.rows.values_list('cells', 'values', 'message'))}"
        assert "Ada" not in kept
        assert "Lovelace" not in kept
    assert not ImportFile.objects.exists()
    assert fates(waiting) == ["error", "create"]


@pytest.mark.django_db(transaction=True)
def test_others_write_while_a_file_is_read(as_hr, monkeypatch):
    """The child reads in no transaction of ours: what somebody else saves meanwhile is there at once."""
    run, saved = reading._run, []

    def meanwhile():
        saved.append(make_person("Meanwhile").pk)
        connection.close()

    def read_slowly(*arguments):
        other = threading.Thread(target=meanwhile)
        other.start()
        other.join(timeout=15)
        run(*arguments)

    monkeypatch.setattr(reading, "_run", read_slowly)
    upload(as_hr, "Name\nAda\n")
    assert len(saved) == 1


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_rows_not_taken_come_back_as_they_were_sent(as_hr, separator):
    rows = [["Name", "Email", "Site"], ["", "a@example.org", "-Lyon"], ["", "b@example.org", 'a "b", c']]
    rows += [["", "c@example.org", "＝1+1"], ["", "d@example.org", "é"]]
    quoted = [[cell if cell.isalpha() else '"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    batch = upload(as_hr, ("\r\n".join(separator.join(row) for row in quoted)).encode("cp1252", "replace"))
    sent = upload(as_hr, "\r\n".join(separator.join(row) for row in quoted))
    text = as_hr.get(f"/people/import/{sent.pk}/errors.csv").content
    assert "'＝1+1" in text.decode("utf-8-sig")
    again = upload(as_hr, text)
    assert again.about["separator"] == separator == batch.about["separator"]
    values = [row["location"] for row in again.rows.values_list("values", flat=True)]
    assert values == ["-Lyon", 'a "b", c', "＝1+1", "é"]
    assert set(fates(again)) == {"error"}
    twice = as_hr.get(f"/people/import/{again.pk}/errors.csv").content
    assert twice == text


def test_what_is_chosen_for_a_file_holds_for_its_corrections(as_hr):
    batch = upload(as_hr, "Wer,Wo\n,Lyon\nBen,Oslo\n")
    choose(as_hr, batch, name="0", location="1")
    text = as_hr.get(f"/people/import/{batch.pk}/errors.csv").content.decode("utf-8-sig")
    again = upload(as_hr, text.replace("\n,Lyon", "\nAda,Lyon"))
    assert fates(again) == ["create"]
    assert again.columns == batch.columns


@pytest.mark.parametrize("mistake", ["#N/A", "#REF!", "#DIV/0!"])
def test_a_spreadsheet_s_mistakes_are_no_values(as_hr, mistake):
    batch = upload(as_hr, f"Name,Site\nAda,{mistake}\n")
    assert fates(batch) == ["error"]


def test_merged_cells_are_told_on_their_rows(as_hr):
    made = openpyxl.Workbook()
    for row in (["Name", "Site"], ["Ada", "Lyon"], ["Ben", None], ["Cy", "Oslo"]):
        made.active.append(row)
    made.active.merge_cells("B2:B3")
    out = io.BytesIO()
    made.save(out)
    batch = upload(as_hr, out.getvalue(), "people.xlsx")
    assert fates(batch) == ["error", "error", "create"]
    assert "B2:B3 are merged" in messages(batch)[0]
