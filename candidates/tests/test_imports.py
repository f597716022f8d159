"""Importing people: every row's fate before anything is written, and nothing half-written."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from candidates.factories import make_person
from candidates.models import ImportBatch, Person

pytestmark = pytest.mark.django_db
HEAD = "Name,E-mail,Type,Job title,Department,Site,Manager\n"


def upload(client, content, name="people.csv"):
    data = content.encode() if isinstance(content, str) else content
    return client.post("/people/import/", {"file": SimpleUploadedFile(name, data)})


def batch_of(response) -> ImportBatch:
    assert response.status_code == 302, response.content.decode()
    return ImportBatch.objects.get(pk=response["Location"].split("/")[-2])


def fates(batch) -> list:
    return list(batch.rows.values_list("fate", "message"))


def test_nothing_is_written_before_it_is_confirmed(as_hr, run_jobs):
    make_person("Old Name", email="old@example.org")
    make_person("Same", email="same@example.org", kind="employee")
    content = HEAD + (
        "Ada Boss,ada@example.org,employee,Head,Marketing,Lyon,\n"
        "Ben Report,ben@example.org,staff,,IT,,ADA@example.org\n"
        "New Name,OLD@example.org,candidate,,,,\n"
        "Same,same@example.org,employee,,,,\n"
        ",no-name@example.org,candidate,,,,\n"
    )
    batch = batch_of(upload(as_hr, content))
    assert batch.counts() == {"create": 2, "update": 1, "same": 1, "archived": 0, "error": 1}
    assert Person.objects.count() == 2
    page = as_hr.get(f"/people/import/{batch.pk}/").content.decode()
    assert "Write 3 people" in page
    assert "Name is missing" in page
    as_hr.post(f"/people/import/{batch.pk}/start/")
    run_jobs()
    ben = Person.objects.get(email="ben@example.org")
    assert (ben.manager.name, ben.function.slug, ben.kind) == ("Ada Boss", "it", "employee")
    assert Person.objects.get(email="old@example.org").name == "New Name"
    assert Person.objects.count() == 4
    as_hr.post(f"/people/import/{batch.pk}/start/")
    run_jobs()
    assert Person.objects.count() == 4


def test_the_same_file_again_changes_nothing(as_hr, run_jobs):
    content = HEAD + "Ada,ada@example.org,employee,Head,Marketing,Lyon,\n"
    batch = batch_of(upload(as_hr, content))
    as_hr.post(f"/people/import/{batch.pk}/start/")
    run_jobs()
    assert fates(batch_of(upload(as_hr, content))) == [("same", "")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",a@example.org,,,,,", "Name is missing"),
        ("A,nonsense,,,,,", "not an e-mail address"),
        ("A,a@example.org,robot,,,,", "neither candidate nor employee"),
        ("A,a@example.org,,,Astrology,,", "no function called"),
        ("A,a@example.org,,,,,nobody@example.org", "manager's e-mail"),
        ("A,a@example.org,,,,,A@example.org", "own manager"),
        ("x" * 121 + ",a@example.org,,,,,", "longer than 120"),
        ("A,a@example.org,,,,,,extra", "8 cells, the heading 7"),
    ],
)
def test_bad_rows_are_refused_in_words(as_hr, line, said):
    batch = batch_of(upload(as_hr, HEAD + line + "\n"))
    ((fate, message),) = fates(batch)
    assert fate == "error"
    assert said in message


def test_a_row_with_cells_too_many_points_to_the_separator(as_hr):
    batch = batch_of(upload(as_hr, "Nemo;Nobody\nName;Mail\nAda;Lovelace;ada@example.org\n"))
    ((_, message), *_) = fates(batch)
    assert "Is a semicolon missing its quotation marks?" in message
    assert "choose another separator under “Read it in another way”" in message
    assert "Read it in another way" in as_hr.get(f"/people/import/{batch.pk}/").content.decode()


def test_one_column_of_names_with_the_last_name_first_is_taken(as_hr):
    batch = batch_of(upload(as_hr, "Name\nLovelace, Ada\nBerg, Ben\n"))
    assert list(batch.rows.values_list("fate", "values__name")) == [
        ("create", "Lovelace, Ada"),
        ("create", "Berg, Ben"),
    ]


def test_one_address_twice_in_a_file_counts_once_whatever_its_case(as_hr):
    batch = batch_of(upload(as_hr, HEAD + "A,a@example.org,,,,,\nB,A@Example.org,,,,,\n"))
    assert fates(batch)[1] == ("error", "The same e-mail stands in line 2 already.")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        (b"   \n", "empty"),
        (b"PK\x03\x04 a workbook", "no workbook that can be read"),
        (b"Name,E-mail\n\x00\x00", "neither CSV nor XLSX"),
        ("Name,E-mail\n", "no rows below"),
        (",".join(f"c{n}" for n in range(61)) + "\n1\n", "61 columns"),
    ],
)
def test_bad_files_are_refused_where_it_happened(as_hr, content, said):
    response = upload(as_hr, content)
    assert response.status_code == 400
    assert said in response.content.decode()
    assert not ImportBatch.objects.exists()


def test_a_file_of_fifty_megabytes_is_refused(as_hr):
    response = upload(as_hr, b"Name,E-mail\n" + b"A,a@example.org\n" * (50 * 2**20 // 16))
    assert response.status_code == 400
    assert "larger than 10 MB" in response.content.decode()


def test_thirty_columns_are_fine_and_can_be_matched_by_hand(as_hr):
    head = ",".join(f"Column {n}" for n in range(30))
    line = ",".join("Ada" if n == 7 else "ada@example.org" if n == 20 else "x" for n in range(30))
    batch = batch_of(upload(as_hr, f"{head}\n{line}\n"))
    assert fates(batch)[0][0] == "error"
    address = f"/people/import/{batch.pk}/"
    assert as_hr.post(address, {"name": "7", "email": "7"}).status_code == 400
    assert as_hr.post(address, {"email": "7"}).status_code == 400
    assert as_hr.post(address, {"name": "7", "email": "99"}).status_code == 400
    assert as_hr.post(address, {"name": "7", "email": "20"}).status_code == 302
    assert fates(batch) == [("create", "")]


def test_the_error_file_can_be_corrected_and_sent_again(as_hr, run_jobs):
    batch = batch_of(upload(as_hr, HEAD + "=A1,bad,,,,,\nOk,ok@example.org,,,,,\n"))
    text = as_hr.get(f"/people/import/{batch.pk}/errors.csv").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][-1] == "Why it was not taken"
    assert rows[1][0] == "'=A1"
    assert len(rows) == 2
    assert "formula" in fates(batch_of(upload(as_hr, text)))[0][1]
    corrected = batch_of(upload(as_hr, text.replace("bad", "good@example.org").replace("'=A1", "Ada")))
    assert fates(corrected) == [("create", "")]


def test_semicolons_and_a_byte_order_mark_are_understood(as_hr):
    batch = batch_of(upload(as_hr, b"\xef\xbb\xbfFull name;Mail\nZo\xc3\xab;zoe@example.org\n"))
    assert fates(batch) == [("create", "")]


def test_html_in_names_stays_text(as_hr, run_jobs):
    batch = batch_of(upload(as_hr, HEAD + '"<img src=x onerror=alert(1)>",a@example.org,,,,,\n'))
    as_hr.post(f"/people/import/{batch.pk}/start/")
    run_jobs()
    assert "<img src=x" not in as_hr.get("/people/").content.decode()


def test_ten_thousand_rows_run_as_a_job_with_progress(as_hr, run_jobs):
    content = HEAD + "".join(f"Person {n},p{n}@example.org,employee,,IT,,\n" for n in range(10_000))
    batch = batch_of(upload(as_hr, content))
    page = as_hr.get(f"/people/import/{batch.pk}/").content.decode()
    assert "<progress" in page
    assert "Write" not in page
    run_jobs()
    assert batch.counts()["create"] == 10_000
    as_hr.post(f"/people/import/{batch.pk}/start/")
    run_jobs()
    assert Person.objects.count() == 10_000
    assert "Done" in as_hr.get(f"/people/import/{batch.pk}/").content.decode()
