"""ESCO occupations into role drafts. The fixture's relations are made up in ESCO's layout, on real skill URIs."""

import csv
import io

import pytest

from roles import esco, occupation_imports, occupations
from roles.models import EnterpriseFunction, Occupation, Role, Skill
from roles.occupation_files import OccupationFileError

pytestmark = pytest.mark.django_db
COLUMNS = ("occupation_uri", "esco_code", "occupation", "relation", "skill", "skill_uri")
URI = {slug: [] for slug in esco.mapping().values()}
for uri, slug in esco.mapping().items():
    URI[slug].append(uri)
ROWS = (
    ("running-channels", 0, "essential"),
    ("running-channels", 1, "essential"),
    ("tone-empathy", 0, "essential"),
    ("micro-copy", 0, "essential"),
    ("written", 0, "essential"),
    ("analytics", 0, "optional"),
    ("analytics", 1, "optional"),
    ("video", 0, "optional"),
)


def made(rows=ROWS, **changes) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, "reuse_level"])
    for slug, n, relation in rows:
        writer.writerow(
            [
                "http://data.europa.eu/esco/occupation/1",
                "2431.9",
                "online host",
                relation,
                f"{slug} {n}",
                URI[slug][n],
                "sector",
            ]
        )
    text = out.getvalue()
    for old, new in changes.items():
        text = text.replace(old, new)
    return text.encode()


@pytest.fixture
def occupation():
    assert occupation_imports.import_file(made(), "ESCO 1.1.1") == 1
    return Occupation.objects.get()


def test_essential_and_optional_become_level_weight_and_essentials(occupation):
    assert (occupation.title, occupation.scheme) == ("Online host", "esco")
    names = {skill.pk: skill.slug for skill in Skill.objects.all()}
    lines = {names[line["skill_id"]]: line for line in occupations.draft(occupation)}
    assert lines["running-channels"]["weight"] == 3
    assert lines["tone-empathy"]["weight"] == 2
    assert lines["analytics"]["weight"] == 1
    assert (lines["tone-empathy"]["level"], lines["analytics"]["level"]) == (3, 2)
    essential = [slug for slug, line in lines.items() if line["is_essential"]]
    assert len(essential) == 3
    assert "running-channels" in essential
    assert "calls tone-empathy 0 essential" in lines["tone-empathy"]["reason"]


def test_a_role_starts_from_it_and_says_where_it_came_from(as_hr, occupation):
    page = as_hr.get(f"/roles/occupations/{occupation.pk}/").content.decode()
    assert "ESCO grades no levels" in page
    assert "2 essential, 0 optional" in page
    data = {
        "title": "Host",
        "function": EnterpriseFunction.objects.first().pk,
        "phase": "manage",
        "start": f"occupation-{occupation.pk}",
    }
    as_hr.post("/roles/new/", data)
    role = Role.objects.get()
    page = as_hr.get(f"/roles/{role.pk}/draft/").content.decode()
    assert "the level is a proposal" in page


def test_without_a_source_the_file_names_its_scheme():
    occupation_imports.import_file(made())
    assert Occupation.objects.get().source == "ESCO"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (made(optional="maybe"), "'maybe' is neither essential nor optional"),
        (made(relation="link"), "lacks the column 'relationtype'"),
        (made(rows=()), "no relation"),
        (made(**{URI["tone-empathy"][0]: ""}), "skill’s address is missing"),
        (made(**{"http://data.europa.eu/esco/occupation/1": ""}), "occupation’s code is missing"),
    ],
)
def test_what_cannot_be_read_says_why_and_writes_nothing(data, sentence):
    with pytest.raises(OccupationFileError, match=sentence):
        occupation_imports.import_file(data, "ESCO")
    assert not Occupation.objects.exists()


def test_the_mapping_names_skills_that_exist_each_esco_skill_once_with_a_reason():
    with esco.MAPPING.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["esco_uri"] for row in rows}) == len(rows)
    assert {row["skill"] for row in rows} == set(Skill.objects.values_list("slug", flat=True))
    assert all(row["reason"] and row["esco_uri"].startswith("http://data.europa.eu/esco/skill/") for row in rows)
