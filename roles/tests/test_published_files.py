"""O*NET's and ESCO's own files in their real layouts, in any order, together and one after the other."""

import csv
import io
from itertools import permutations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from accounts.models import AuditEntry
from roles import esco, occupation_files, occupation_imports, occupations
from roles.models import Occupation, OccupationElement, OccupationFile
from socialstrategy.jobs.models import Job

pytestmark = pytest.mark.django_db
CODE, OTHER = "27-3031.00", "13-1161.01"
RATING_HEAD = (
    "O*NET-SOC Code\tElement ID\tElement Name\tScale ID\tData Value\tN\tStandard Error\tLower CI Bound\t"
    "Upper CI Bound\tRecommend Suppress\tNot Relevant\tDate\tDomain Source"
)
SKILLS = {"2.A.1.c": "Writing", "2.B.1.a": "Social Perceptiveness", "2.B.1.f": "Service Orientation"}
KNOWLEDGE = {"2.C.1.d": "Sales and Marketing", "2.C.9.b": "Communications and Media"}
HOST = "http://data.europa.eu/esco/occupation/73b10c97-b003-45dc-a36d-c1d585c04be1"
GUEST = "http://data.europa.eu/esco/occupation/068370e0-9c27-4814-87d0-44fbb3140815"
URIS = [uri for uri, slug in esco.mapping().items() if slug in {"tone-empathy", "analytics", "running-channels"}]


def ratings_file(elements: dict, level: float = 4.0) -> bytes:
    """As O*NET ships Skills.txt and Knowledge.txt: tabs, CRLF, n/a, no title."""
    lines = [RATING_HEAD]
    for code in (CODE, OTHER):
        for key, name in elements.items():
            lines.append(f"{code}\t{key}\t{name}\tIM\t3.88\t8\t0.125\t3.64\t4.12\tN\tn/a\t08/2025\tAnalyst")
            lines.append(f"{code}\t{key}\t{name}\tLV\t{level}\t8\tn/a\tn/a\tn/a\tN\tN\t08/2025\tAnalyst")
    return ("\r\n".join(lines) + "\r\n").encode()


TITLES = (
    "O*NET-SOC Code\tTitle\tDescription\r\n"
    f'{CODE}\tPublic Relations Specialists\tPromote an "intended" image.\r\n'
    f"{OTHER}\tSearch Marketing Strategists\tEmploy search marketing tactics.\r\n"
).encode()


def csv_file(head: str, rows: list) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([head.split(","), *rows])
    return out.getvalue().encode()


RELATIONS = csv_file(
    "occupationUri,relationType,skillType,skillUri",
    [
        *([HOST, "essential", "skill/competence", uri] for uri in URIS[:4]),
        *([HOST, "optional", "knowledge", uri] for uri in URIS[4:6]),
        [GUEST, "optional", "knowledge", URIS[0]],
    ],
)
ESCO_OCCUPATIONS = csv_file(
    "conceptType,conceptUri,iscoGroup,preferredLabel,altLabels,hiddenLabels,status,modifiedDate,"
    "regulatedProfessionNote,scopeNote,definition,inScheme,description,code",
    [
        ["Occupation", HOST, "2432", "online host", 'host\nonline\nchannel "host"', "", "released", *[""] * 5,
         "Looks after\nseveral channels.", "2432.1.12.3.10"],
        ["Occupation", GUEST, "2423", "recruitment guest", "", "", "released", "", "", "", "", "", "", "2423.6"],
    ],
)  # fmt: skip
ESCO_SKILLS = csv_file(
    "conceptType,conceptUri,skillType,reuseLevel,preferredLabel,altLabels,hiddenLabels,status,modifiedDate,"
    "scopeNote,definition,inScheme,description",
    [["KnowledgeSkillCompetence", uri, "skill/competence", "cross-sector", f"Fähigkeit {n}", "eins\nzwei", "",
      "released", *[""] * 5] for n, uri in enumerate(URIS)],
)  # fmt: skip


def take(*files: bytes, source="") -> None:
    for data in files:
        occupation_imports.import_file(data, source)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_onet_s_files_add_up_in_any_order(order):
    files = [ratings_file(SKILLS), ratings_file(KNOWLEDGE), TITLES]
    take(*(files[n] for n in order), source="O*NET 29.3")
    found = Occupation.objects.get(code=CODE)
    assert str(found) == "Public Relations Specialists"
    assert set(found.ratings) == set(SKILLS) | set(KNOWLEDGE)
    assert found.rating_count == 5
    assert found.ratings["2.A.1.c"] == {"IM": 3.88, "IM_error": 0.125, "LV": 4.0, "source": "O*NET 29.3"}
    assert OccupationElement.objects.get(key="2.C.9.b").name == "Communications and Media"
    drafted = occupations.draft(found)
    assert any("2.A.1.c Writing" in line["provenance"]["elements"] for line in drafted)


def test_a_newer_file_changes_what_it_speaks_of_and_leaves_the_rest():
    take(ratings_file(SKILLS), TITLES, source="O*NET 29.3")
    newer = ratings_file({"2.A.1.c": "Writing"}, level=5.5).replace(b"\tN\tN\t", b"\tN\tN\t")
    take(newer, source="O*NET 30.0")
    found = Occupation.objects.get(code=CODE)
    assert found.title == "Public Relations Specialists"
    assert found.ratings["2.A.1.c"]["LV"] == 5.5
    assert found.ratings["2.B.1.a"]["LV"] == 4.0
    reasons = {line["reason"].partition(" rates ")[0] for line in occupations.draft(found)}
    assert "O*NET 29.3" in reasons
    assert any("O*NET 30.0" in reason for reason in reasons)


def test_what_a_file_takes_back_is_gone_and_only_that():
    take(ratings_file(SKILLS))
    suppressed = ratings_file({"2.A.1.c": "Writing"}).replace(b"\tn/a\tn/a\tn/a\tN\tN\t", b"\tn/a\tn/a\tn/a\tY\tN\t")
    take(suppressed)
    assert Occupation.objects.get(code=CODE).ratings["2.A.1.c"] == {"IM": 3.88, "IM_error": 0.125, "source": "O*NET"}
    take(suppressed.replace(b"\tN\tn/a\t08", b"\tY\tn/a\t08"))
    assert set(Occupation.objects.get(code=CODE).ratings) == {"2.B.1.a", "2.B.1.f"}


def test_without_a_title_the_code_says_which_occupation_it_is(as_hr):
    take(ratings_file(SKILLS))
    page = as_hr.get("/roles/occupations/").content.decode()
    assert f"Occupation {CODE}" in page
    assert "2 occupations without a title yet" in page
    start = as_hr.get(f"/roles/new/?start=occupation-{Occupation.objects.get(code=CODE).pk}")
    assert f"Occupation {CODE}" in start.content.decode()


def test_titles_alone_are_kept_for_later(as_hr):
    take(TITLES)
    page = as_hr.get("/roles/occupations/").content.decode()
    assert "Only titles so far" in page
    assert "Public Relations" not in page


def test_a_spreadsheet_may_have_saved_the_tabs_with_quotation_marks():
    text = TITLES.decode().replace(
        f"{OTHER}\tSearch Marketing Strategists", f'{OTHER}\t"Search, and ""other"" marketing"'
    )
    take(text.encode())
    assert Occupation.objects.get(code=OTHER).title == 'Search, and "other" marketing'


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_esco_s_files_add_up_in_any_order(order):
    files = [RELATIONS, ESCO_OCCUPATIONS, ESCO_SKILLS]
    take(*(files[n] for n in order), source="ESCO 1.2")
    host = Occupation.objects.get(identifier=HOST)
    assert (host.title, host.code, host.scheme) == ("Online host", "2432.1.12.3.10", "esco")
    assert host.rating_count == 6
    assert Occupation.objects.count() == 2
    lines = esco.draft(host)
    named = {name for line in lines for name in line["provenance"]["elements"]}
    assert named == {f"Fähigkeit {n}" for n in range(6)}
    assert lines[0]["provenance"]["occupation"] == "2432.1.12.3.10 Online host"


def test_without_the_file_of_skills_the_shipped_names_serve():
    take(RELATIONS, ESCO_OCCUPATIONS)
    lines = esco.draft(Occupation.objects.get(identifier=HOST))
    assert all("http" not in line["reason"] for line in lines)
    assert all(all(line["provenance"]["elements"]) for line in lines)


def test_all_files_at_once_by_hr(as_hr):
    files = [("rel.csv", RELATIONS), ("occ.csv", ESCO_OCCUPATIONS), ("skills.csv", ESCO_SKILLS)]
    files += [("Skills.txt", ratings_file(SKILLS)), ("Occupation Data.txt", TITLES)]
    uploads = [SimpleUploadedFile(name, data) for name, data in files]
    answer = as_hr.post("/roles/occupations/import/", {"uploads": uploads, "source": ""}, follow=True)
    assert "4 occupations are in." in answer.content.decode()
    assert set(Occupation.objects.values_list("source", flat=True)) == {"ESCO", "O*NET"}
    assert AuditEntry.objects.filter(action="occupations.imported").count() == 5


def test_one_bad_file_among_several_is_named_and_nothing_is_stored(as_hr):
    bad = ratings_file(SKILLS).replace(b"3.88", b"38.8", 1)
    uploads = [SimpleUploadedFile("Occupation Data.txt", TITLES), SimpleUploadedFile("Skills.txt", bad)]
    answer = as_hr.post("/roles/occupations/import/", {"uploads": uploads, "source": ""})
    assert answer.status_code == 400
    assert "Skills.txt: Line 2: 38.8 does not lie on the scale" in answer.content.decode()
    assert not Occupation.objects.exists()


def test_large_files_are_read_by_a_worker_with_progress(as_hr, monkeypatch, run_jobs):
    monkeypatch.setattr(occupation_imports, "AT_ONCE_BYTES", 10)
    data = {"uploads": SimpleUploadedFile("r.csv", RELATIONS), "source": "E"}
    answer = as_hr.post("/roles/occupations/import/", data)
    job = Job.objects.get(kind="occupations.read")
    assert answer["Location"] == f"/jobs/{job.pk}/"
    assert not Occupation.objects.exists()
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", job.total)
    assert Occupation.objects.count() == 2
    assert not OccupationFile.objects.exists()


def test_a_large_file_that_cannot_be_read_says_why_and_is_let_go_of(as_hr, monkeypatch, run_jobs):
    monkeypatch.setattr(occupation_imports, "AT_ONCE_BYTES", 10)
    bad = RELATIONS.replace(b"optional", b"perhaps")
    as_hr.post("/roles/occupations/import/", {"uploads": SimpleUploadedFile("r.csv", bad), "source": ""})
    run_jobs()
    job = Job.objects.get(kind="occupations.read")
    assert "'perhaps' is neither essential nor optional" in job.message
    page = as_hr.get(f"/jobs/{job.pk}/").content.decode()
    assert "neither essential nor optional" in page
    assert 'href="/roles/occupations/"' in page
    assert not OccupationFile.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        RELATIONS.replace(b",", b";"),
        b"sep=,\r\n" + RELATIONS,
        RELATIONS.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + RELATIONS,
        RELATIONS.decode().encode("utf-16"),
        RELATIONS.replace(b"occupationUri", b"OccupationURI "),
    ],
)
def test_a_spreadsheet_may_have_saved_esco_s_file_again(data):
    take(data)
    assert Occupation.objects.get(identifier=HOST).rating_count == 6


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (csv_file("conceptUri,code,preferredLabel", [["http://data.europa.eu/esco/isco/C1", "1", "Managers"]]),
         "names neither occupations nor skills"),
        (b"Scale ID\tScale Name\tMinimum\tMaximum\r\nIM\tImportance\t1\t5\r\n", "occupationSkillRelations"),
        (ratings_file(SKILLS).replace(b"\tIM\t", b"\tCX\t").replace(b"\tLV\t", b"\tCT\t"), "no importance or level"),
        (RELATIONS.replace(b"relationType", b"kind"), "lacks the column 'relationtype'"),
    ],
)  # fmt: skip
def test_other_files_of_theirs_are_refused_with_what_is_expected(data, said):
    with pytest.raises(occupation_files.OccupationFileError, match=said):
        take(data)
    assert not Occupation.objects.exists()


@pytest.mark.parametrize(
    ("name", "most", "data"),
    [
        ("MOST_LINES", 50, b"\n" * 60 + RELATIONS),
        ("MOST_LINES", 5, RELATIONS),
        ("MOST_OCCUPATIONS", 0, ESCO_OCCUPATIONS),
        ("MOST_RATINGS", 5, RELATIONS),
        ("MOST_RATINGS", 5, ratings_file(SKILLS)),
        ("MOST_NAMES", 3, ESCO_SKILLS),
    ],
)
def test_a_file_beyond_all_measure_is_refused_before_it_fills_the_memory(monkeypatch, name, most, data):
    monkeypatch.setattr(occupation_files, name, most)
    with pytest.raises(occupation_files.OccupationFileError, match="Split it"):
        take(data)
    assert not Occupation.objects.exists()


def test_the_command_takes_several_files(tmp_path):
    for name, data in (("Skills.txt", ratings_file(SKILLS)), ("Titles.txt", TITLES)):
        (tmp_path / name).write_bytes(data)
    out = io.StringIO()
    call_command("import_occupations", tmp_path / "Skills.txt", tmp_path / "Titles.txt", show=True, stdout=out)
    assert "2 occupations are in." in out.getvalue()
    assert f"{CODE} Public Relations Specialists: " in out.getvalue()
