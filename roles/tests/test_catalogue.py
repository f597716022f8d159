"""The catalogue: complete, original in form, and the same after a round trip."""

import json
from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from roles import catalogue
from roles.models import Anchor, EnterpriseFunction, RoleTemplate, Skill, SkillSet

pytestmark = pytest.mark.django_db


def exported() -> dict:
    out = StringIO()
    call_command("export_catalogue", "--format", "json", stdout=out)
    return json.loads(out.getvalue())


def test_migrate_alone_has_loaded_what_is_shipped():
    data = exported()
    assert [len(data[name]) for name in ("functions", "skill_sets", "skills")] == [8, 6, 34]
    assert data == json.loads(catalogue.SHIPPED.read_text())


def test_every_skill_has_six_anchors_and_no_two_say_the_same():
    texts = [text for skill in exported()["skills"] for text in skill["anchors"]]
    assert len(texts) == 34 * 6
    assert max(Counter(text.lower() for text in texts).values()) == 1
    assert all(text[0].isupper() and text.endswith(".") and len(text.split()) >= 4 for text in texts)


def test_templates_cover_all_functions_and_phases():
    templates = exported()["templates"]
    assert len(templates) >= 16
    assert {t["function"] for t in templates} == {f["slug"] for f in exported()["functions"]}
    assert {t["phase"] for t in templates} == {"develop", "implement", "manage"}
    for template in templates:
        lines = template["requirements"]
        assert 8 <= len(lines) <= 14, template["slug"]
        assert 1 <= sum(line["essential"] for line in lines) <= 5, template["slug"]
        assert all(line["reason"] for line in lines), template["slug"]


def test_a_round_trip_changes_nothing(tmp_path):
    before = exported()
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(before))
    columns = dict(Skill.objects.values_list("slug", "column"))
    call_command("import_catalogue", str(file), stdout=StringIO())
    assert exported() == before
    assert dict(Skill.objects.values_list("slug", "column")) == columns


def test_an_edited_catalogue_comes_back(tmp_path):
    data = exported()
    data["skills"][0]["name"] = "Aims"
    data["skills"][0]["anchors"][3] = "Sets aims that hold for a year."
    data["templates"] = data["templates"][:1]
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(data))
    call_command("import_catalogue", str(file), stdout=StringIO())
    assert Skill.objects.get(slug="goal-setting").anchor(3) == "Sets aims that hold for a year."
    assert RoleTemplate.objects.count() == 20


OPTIONAL = {
    "skill_sets": ["purpose"],
    "skills": ["kind", "question", "references"],
    "templates": ["purpose"],
    "requirements": ["essential", "reason"],
}


def without(data: dict, silent) -> dict:
    """The same catalogue where ``silent`` has taken from each row, or line of a template, what may be left out."""
    lines = [line for template in data["templates"] for line in template["requirements"]]
    for name, fields in OPTIONAL.items():
        for row in lines if name == "requirements" else data[name]:
            for field in fields:
                silent(row, field)
    return data


@pytest.mark.parametrize(
    "silent",
    [
        pytest.param(lambda row, field: row.pop(field), id="left out"),
        pytest.param(lambda row, field: row.update({field: None}), id="null"),
    ],
)
@pytest.mark.parametrize("name", ["functions", "skill_sets", "skills", "templates"])
def test_what_a_file_does_not_speak_of_stays(silent, name):
    before = exported()
    data = without(exported(), silent)
    # One row of all: the others, and where everything stands, are not spoken of.
    catalogue.load({name: data[name][-1:]})
    assert exported() == before
    catalogue.load(data)
    assert exported() == before


def test_what_a_file_empties_is_empty_and_an_empty_question_says_nothing():
    before = exported()
    data = exported()
    data["skill_sets"][0]["purpose"] = data["templates"][0]["purpose"] = ""
    data["templates"][0]["requirements"][0] |= {"reason": "", "essential": False}
    data["skills"][0] |= {"references": [], "question": " "}
    catalogue.load(data)
    after = exported()
    assert after["skills"][0]["question"] == before["skills"][0]["question"]
    data["skills"][0]["question"] = before["skills"][0]["question"]
    assert after == data != before


@pytest.mark.parametrize("silence", [{}, {"question": None, "kind": None, "references": None}])
def test_a_skill_of_which_little_is_said_comes_last_and_has_what_it_needs(silence):
    skill = {
        "slug": "new",
        "name": "Calm",
        "skill_set": "strategy",
        "anchors": [f"Level {n} of calm." for n in range(6)],
    }
    last = Skill.objects.filter(skill_set__slug="strategy").order_by("position").last().position
    catalogue.load({"skills": [skill | silence]})
    made = Skill.objects.get(slug="new")
    assert (made.kind, made.question, made.references) == ("performance", "How good are you at calm?", [])
    assert made.position > last
    catalogue.load({"skill_sets": [{"slug": "poise", "name": "Poise", "purpose": None}]})
    assert SkillSet.objects.order_by("position").last().slug == "poise"
    assert SkillSet.objects.get(slug="poise").purpose == ""


def broken(change) -> dict:
    data = json.loads(catalogue.SHIPPED.read_text())
    change(data)
    return data


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["skills"][0]["anchors"].pop(), "six anchors"),
        (lambda d: d["skills"][1]["anchors"].__setitem__(0, d["skills"][0]["anchors"][0]), "text of its own"),
        (lambda d: d["skills"][0].pop("name"), "lacks 'name'"),
        (lambda d: d["skills"][0].update(name=d["skills"][1]["name"]), "something else is called that"),
        (lambda d: d["functions"][0].update(name=d["functions"][1]["name"]), "something else is called that"),
        (lambda d: d["skill_sets"][0].update(slug="größe"), "plain letters"),
        (lambda d: d["functions"][0].update(slug="a/b"), "plain letters"),
        (lambda d: d["templates"][0].update(slug="x" * 51), "plain letters"),
        (lambda d: d["templates"][0]["requirements"].append(d["templates"][0]["requirements"][0]), "twice"),
        (lambda d: d["skills"][0].update(skill_set="magic"), "unknown skill set"),
        (lambda d: d["skills"][0].update(name="x" * 61), "1 to 60"),
        (lambda d: d["skills"][0].update(kind="magic"), "kind"),
        (lambda d: d["templates"][0]["requirements"][0].update(level=7), "from 0 to 5"),
        (lambda d: d["templates"][0]["requirements"][0].update(weight=-1), "from 0 to 5"),
        (lambda d: d["templates"][0]["requirements"][0].update(level=float("nan")), "from 0 to 5"),
        (lambda d: d["templates"][0]["requirements"][0].update(skill="magic"), "unknown skill"),
        (lambda d: d["templates"][0].update(phase="dream"), "phase"),
        (lambda d: d["functions"][0].update(uses="all"), "list of texts"),
        (lambda d: d.update(skills="all"), "list"),
        (lambda d: d["skills"][0].update(slug=None), "must be a text"),
        (lambda d: d["skills"][0].update(skill_set=["strategy"]), "must be a text"),
        (lambda d: d["skills"][0].update(question=7), "at most 160"),
        (lambda d: d["skills"][0].update(references="ESCO"), "must be a list"),
        (lambda d: d["skills"][0].update(references=[{"label": "x"}]), "three texts"),
        (lambda d: d["skill_sets"][0].update(purpose=["x"]), "at most 200"),
        (lambda d: d["templates"][0].update(purpose="x" * 301), "at most 300"),
        (lambda d: d["templates"][0].update(requirements=None), "must be a list"),
        (lambda d: d["templates"][0]["requirements"][0].update(reason={}), "at most 300"),
        (lambda d: d["templates"][0]["requirements"][0].update(essential="false"), "true or false"),
        (lambda d: d["functions"].append(d["functions"][0]), "stands in 'functions' twice"),
        (lambda d: d["skills"].append(d["skills"][0] | {"anchors": [f"Another {n}." for n in range(6)]}), "twice"),
        (lambda d: d["skills"][0].update(name="Half a \ud83d"), "half a sign: .*Half a"),
        (lambda d: d["functions"][0].update(uses=["\udc00"]), "half a sign"),
        # Composed letters that Unicode takes apart: "क़" becomes two signs.
        (lambda d: d["skills"][0].update(name="\u0958" * 31), "1 to 60"),
        (lambda d: d["skills"][0]["anchors"].__setitem__(0, "\u0958" * 101), "text of its own"),
    ],
)
def test_a_bad_catalogue_is_refused_whole(change, said):
    before = exported()
    with pytest.raises(catalogue.CatalogueError, match=said):
        catalogue.load(broken(change))
    assert exported() == before


def test_signs_that_no_database_takes_are_left_out():
    data = json.loads(catalogue.SHIPPED.read_text())
    data["functions"][0]["uses"] = ["Answers\x00 people"]
    data["skills"][0]["references"] = [{"scheme": "O*NET\x00", "label": "La\x00bel", "id": "1.A"}]
    catalogue.load(data)
    assert exported()["functions"][0]["uses"] == ["Answers people"]
    assert exported()["skills"][0]["references"] == [{"scheme": "O*NET", "label": "Label", "id": "1.A"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_file_is_read_with_or_without_a_mark_of_its_encoding(tmp_path, encoding):
    data = exported()
    data["skills"][0]["name"] = "Ziele – größer"
    file = tmp_path / "catalogue.json"
    file.write_bytes(json.dumps(data, ensure_ascii=False).encode(encoding))
    call_command("import_catalogue", str(file), stdout=StringIO())
    assert exported() == data


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ('{"name": "Größe"}'.encode("latin-1"), "UTF-8"),
        (b"[]", "one object"),
        (b"[" * 100_000, "nested"),
        (b'{"functions": ' + b"9" * 5000 + b"}", "too many digits"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused(tmp_path, content, said):
    file = tmp_path / "x.json"
    file.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        call_command("import_catalogue", str(file))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_catalogue", str(tmp_path / "none.json"))


@pytest.mark.parametrize("level", [-1, 6])
def test_the_database_refuses_levels_off_the_scale(level):
    skill = Skill.objects.create(slug="new", name="New", skill_set=SkillSet.objects.first(), question="?")
    with pytest.raises(IntegrityError), transaction.atomic():
        Anchor.objects.create(skill=skill, level=level, text="Off the scale.")


def test_a_new_skill_gets_a_column_of_its_own_for_life():
    last = max(Skill.objects.values_list("column", flat=True))
    skill = Skill.objects.create(slug="new", name="New", skill_set=SkillSet.objects.first(), question="?")
    assert skill.column == last + 1
    skill.name = "Newer"
    skill.save()
    assert skill.column == last + 1


def test_functions_list_their_uses():
    assert all(len(function.uses) >= 3 for function in EnterpriseFunction.objects.all())
