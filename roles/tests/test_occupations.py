"""Roles from real occupations."""

import csv
import io
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from roles import occupation_files, occupation_imports, occupations
from roles.models import Occupation, Role, Skill

pytestmark = pytest.mark.django_db
FIXTURE = Path(__file__).parent / "onet_fixture.csv"


def read(data: bytes) -> occupation_files.Said:
    return occupation_files.read(io.BytesIO(data))


@pytest.fixture
def occupation():
    occupation_imports.import_file(FIXTURE.read_bytes(), "O*NET 29.3")
    return Occupation.objects.get(code="27-3031.00")


def test_the_mapping_names_real_skills_and_gives_reasons():
    with occupations.MAPPING.open() as file:
        rows = list(csv.DictReader(file))
    assert {row["skill"] for row in rows} <= set(Skill.objects.values_list("slug", flat=True))
    assert all(row["reason"] for row in rows)
    assert not any(row["element_id"].startswith("1.C") for row in rows)  # temperament never enters


def test_a_draft_has_the_occupation_s_own_figures(occupation):
    lines = {line["provenance"]["elements"][0]: line for line in occupations.draft(occupation)}
    tone = next(
        line for line in occupations.draft(occupation) if line["skill_id"] == Skill.objects.get(slug="tone-empathy").pk
    )
    ratings = occupation.ratings
    level = (3 * ratings["2.B.1.a"]["LV"] + ratings["2.B.1.f"]["LV"]) / 4 * 5 / 7
    importance = (3 * ratings["2.B.1.a"]["IM"] + ratings["2.B.1.f"]["IM"]) / 4
    assert tone["provenance"]["level"] == pytest.approx(level, abs=0.006)
    assert tone["level"] == round(level)
    assert tone["provenance"]["importance"] == pytest.approx(importance, abs=0.006)
    assert tone["weight"] == (3 if importance >= 4 else 2 if importance >= 3 else 1)
    error = ((3 * ratings["2.B.1.a"]["LV_error"]) ** 2 + ratings["2.B.1.f"]["LV_error"] ** 2) ** 0.5 / 4 * 5 / 7
    assert tone["standard_error"] == pytest.approx(error, abs=0.001)
    assert lines


def test_a_draft_is_a_whole_role(occupation):
    lines = occupations.draft(occupation)
    assert 8 <= len(lines) <= 12
    assert 1 <= sum(line["is_essential"] for line in lines) <= 3
    assert all(line["reason"] and line["provenance"] for line in lines)


def test_one_figure_is_not_used_three_times(occupation):
    lines = occupations.draft(occupation)
    sources = [tuple(sorted(line["provenance"]["elements"])) for line in lines]
    assert len(set(sources)) == len(sources)
    slugs = {Skill.objects.get(pk=line["skill_id"]).slug for line in lines}
    assert "public-speaking" in slugs
    assert not slugs & {"on-camera", "audio-voice"}


def test_experts_ratings_carry_no_error_and_borrow_the_others(occupation):
    skill = Skill.objects.get(slug="tone-empathy")
    del occupation.ratings["2.B.1.f"]["LV_error"]
    known = occupation.ratings["2.B.1.a"]["LV_error"]
    line = next(line for line in occupations.draft(occupation) if line["skill_id"] == skill.pk)
    assert line["standard_error"] == pytest.approx((9 + 1) ** 0.5 / 4 * known * 5 / 7, abs=0.001)
    del occupation.ratings["2.B.1.a"]["LV_error"]
    line = next(line for line in occupations.draft(occupation) if line["skill_id"] == skill.pk)
    assert line["standard_error"] == 0.0


def test_onet_s_own_headers_and_tabs_are_read_too():
    rows = list(csv.DictReader(io.StringIO(FIXTURE.read_text())))
    names = ["O*NET-SOC Code", "Title", "Element ID", "Element Name", "Scale ID", "Data Value", "Standard Error"]
    names += ["Recommend Suppress", "Not Relevant"]
    keys = ["soc", "title", "element_id", "element_name", "scale", "value", "standard_error"]
    keys += ["recommend_suppress", "not_relevant"]
    text = "\n".join(["\t".join(names), *["\t".join(row[key] for key in keys) for row in rows]])
    assert read(text.encode()) == read(FIXTURE.read_bytes())


def test_suppressed_figures_are_left_out():
    text = FIXTURE.read_text()
    line = next(line for line in text.splitlines() if ",2.A.1.c,Writing,LV," in line)
    cells = line.split(",")
    cells[11] = "Y"
    changed = read(text.replace(line, ",".join(cells)).encode())
    assert changed.occupations["27-3031.00"]["ratings"]["2.A.1.c"]["LV"] is None


HEAD = "soc,title,element_id,element_name,scale,value,standard_error\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "UTF-8"),
        (b"", "no heading"),
        (b"a,b\n1,2\n", "This file has the columns a, b"),
        (b"PK\x03\x04rest", "unpack it"),
        (b"soc,element_id,scale\n1,2,IM\n", "lacks the column 'data value'"),
        ((HEAD + '1,T,2.A,"W,IM,3,\n').encode(), "quotation mark"),
        (b"x" * 1_100_000, "million signs"),
        ((HEAD + "1" * 41 + ",T,2.A,W,IM,3,\n").encode(), "too long to be an occupation’s code"),
        ((HEAD + "1,T,2.A,W,IM,many,\n").encode(), "Line 2: 'many' is not a number"),
        ((HEAD + "1,T,2.A,W,IM,,0.1\n").encode(), "Line 2: a number is missing"),
        ((HEAD + "1,T,2.A,W,IM,3,*\n").encode(), "Line 2: '*' is not a number"),
        ((HEAD + "1,T,2.A,W,IM,3,-1\n").encode(), "Line 2: -1 can be no standard error"),
        ((HEAD + "1,T,2.A,W,IM,3,inf\n").encode(), "Line 2: inf can be no standard error"),
        ((HEAD + "1,T,2.A,W,IM,nan,\n").encode(), "Line 2"),
        ((HEAD + "1,T,2.A,W,IM,inf,\n").encode(), "Line 2"),
        ((HEAD + "1,T,2.A,W,LV,8,\n").encode(), "scale from 0 to 7"),
        ((HEAD + "1,T,2.A,W,IM,-1,\n").encode(), "scale from 0 to 5"),
        (HEAD.encode(), "no importance or level"),
    ],
)
def test_bad_files_are_refused_in_words_and_write_nothing(as_hr, content, said):
    upload = {"uploads": SimpleUploadedFile("x.csv", content or b" "), "source": "test"}
    response = as_hr.post("/roles/occupations/import/", upload)
    assert response.status_code == 400
    assert said in response.content.decode().replace("&#x27;", "'")
    assert not Occupation.objects.exists()


def test_hr_starts_a_role_from_an_occupation(as_hr):
    upload = {"uploads": SimpleUploadedFile("onet.csv", FIXTURE.read_bytes()), "source": "O*NET 29.3"}
    assert as_hr.post("/roles/occupations/import/", upload).status_code == 302
    occupation = Occupation.objects.get()
    assert "What it drafts into" in as_hr.get(f"/roles/occupations/{occupation.pk}/").content.decode()
    data = {"title": "Press person", "function": "2", "phase": "manage", "start": f"occupation-{occupation.pk}"}
    page = as_hr.post("/roles/new/", data, follow=True)
    assert page.status_code == 200
    line = Role.objects.get(title="Press person").versions.get().requirements.first()
    assert line.provenance["occupation"].startswith("27-3031.00")
    assert "O*NET 29.3" in page.content.decode()
