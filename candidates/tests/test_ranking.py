"""Rankings on the page, in exports and on the command line; blind when they should be."""

import csv
import io
import json
from io import BytesIO, StringIO

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.factories import make_user
from candidates import actions, matrix
from candidates.factories import give_evidence, make_person
from candidates.models import Person, StoredFit
from candidates.ranking import RoleRanking
from roles.models import Role, Skill
from scoring.ranking import rank

pytestmark = pytest.mark.django_db
SLUGS = ("tone-empathy", "micro-copy", "analytics")


@pytest.fixture
def people(version):
    """Strong, middling, weak, half known and unknown."""
    found = {
        name: make_person(f"{name} Person", kind="employee" if n % 2 else "candidate", email=f"{name}@example.org")
        for n, name in enumerate(("Strong", "Middling", "Weak", "Partly", "Unknown"))
    }
    for name, value in (("Strong", 5), ("Middling", 3), ("Weak", 0)):
        for slug in SLUGS:
            give_evidence(found[name], slug, value)
            give_evidence(found[name], slug, value, "manager", rater="m")
            give_evidence(found[name], slug, value, "interview_panel")
    give_evidence(found["Partly"], "tone-empathy", 4)
    return found


def test_bands_are_headings_in_the_order_and_unknown_comes_last(version, people):
    lines = RoleRanking(version)[:10]
    assert lines[0].person.name == "Strong Person"
    assert lines[-1].person.name == "Unknown Person"
    assert lines[-1].band == "not_assessed"
    order = [("likely", "open", "unlikely", "not_assessed").index(line.band) for line in lines]
    assert order == sorted(order)
    assert {line.person.name: line.band for line in lines}["Weak Person"] == "unlikely"
    assert {line.person.name: line.band for line in lines}["Partly Person"] == "open"


def test_the_page_s_figures_are_the_engine_s(version, people):
    latest = matrix.current()
    wanted = rank(latest.profiles, matrix.scored(version.requirements.all()), top=10)
    by_person = dict(zip(latest.people[wanted.rows].tolist(), wanted.all_essentials, strict=True))
    for line in RoleRanking(version)[:10]:
        assert line.all_essentials == pytest.approx(by_person[line.person.pk])


def test_the_command_prints_the_page_s_ranking(version, people):
    out = StringIO()
    call_command("rank", version.role.title, "--top", "3", "--format", "json", stdout=out)
    printed = json.loads(out.getvalue())["people"]
    lines = RoleRanking(version)[:3]
    assert [row["person"] for row in printed] == [line.person.pk for line in lines]
    with pytest.raises(CommandError, match="no role"):
        call_command("rank", "nothing")


@pytest.mark.parametrize("title", ["éditeur", "e\u0301diteur"])
def test_the_command_finds_a_role_however_its_title_is_typed(version, people, title):
    Role.objects.filter(pk=version.role_id).update(title="Éditeur")
    out = StringIO()
    call_command("rank", title, "--format", "json", stdout=out)
    assert json.loads(out.getvalue())["role"] == "Éditeur"


def test_a_change_is_seen_at_once_and_nobody_else_moves(as_hr, version, people):
    before = {line.person.pk: line.fit for line in RoleRanking(version)[:10]}
    for slug in SLUGS:
        give_evidence(people["Unknown"], slug, 5)
    after = {line.person.pk: line.fit for line in RoleRanking(version)[:10]}
    assert after.pop(people["Unknown"].pk) != before.pop(people["Unknown"].pk)
    assert after == before


def test_an_archived_person_is_gone_from_the_next_answer(version, people):
    actions.set_archived(people["Strong"], by=None, archived=True)
    assert people["Strong"].pk not in [line.person.pk for line in RoleRanking(version)[:10]]


def test_the_page_shows_intervals_states_and_reasons(as_hr, version, people):
    page = as_hr.get(f"/hiring/{version.pk}/").content.decode()
    for text in ("Strong Person", "80% interval", "Likely", "Not assessed", "Uncertain"):
        assert text in page
    assert page.index("Strong Person") < page.index("Weak Person") < page.index("Unknown Person")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("kind=employee", {"Middling", "Partly"}),
        ("band=unlikely", {"Weak"}),
        ("q=strong", {"Strong"}),
        ("q=nobody", set()),
        ("band=nonsense&kind=x&gap=x&function=", {"Strong", "Middling", "Weak", "Partly", "Unknown"}),
        ("function=marketing", set()),
    ],
)
def test_filters(as_hr, version, people, query, shown):
    response = as_hr.get(f"/hiring/{version.pk}/?{query}")
    assert response.status_code == 200
    page = response.content.decode()
    assert {name for name in people if f"{name} Person" in page} == shown


def test_the_gap_filter_shows_who_misses_a_skill(as_hr, version, people):
    skill = Skill.objects.get(slug="micro-copy")
    page = as_hr.get(f"/hiring/{version.pk}/?gap={skill.pk}").content.decode()
    assert "Weak Person" in page
    assert "Strong Person" not in page
    assert "Unknown Person" not in page


@pytest.mark.parametrize("page", ["0", "999", "x", "-1", "9" * 30])
def test_nonsense_pages_lead_to_one_that_exists(as_hr, version, people, page):
    assert as_hr.get(f"/hiring/{version.pk}/?page={page}").status_code == 200


def test_an_empty_organisation_has_an_empty_ranking(as_hr, version):
    page = as_hr.get(f"/hiring/{version.pk}/").content.decode()
    assert "Nobody to compare yet" in page


def blind(client, version, on=True):
    client.post(f"/hiring/{version.pk}/blind/", {"blind": "on" if on else "off"})


def test_blind_review_gives_nobody_away_anywhere(as_hr, version, people):
    for person in people.values():
        Person.objects.filter(pk=person.pk).update(job_title=f"Job of {person.name}", location="Porto")
    stored = actions.store_fit(people["Strong"], version, by=None)
    blind(as_hr, version)
    codes = "&".join(f"p={people[name].code}" for name in ("Strong", "Weak"))
    strong = people["Strong"]
    places = [
        f"/hiring/{version.pk}/",
        f"/hiring/{version.pk}/?q=Strong",
        f"/hiring/{version.pk}/compare/?{codes}",
        f"/hiring/{version.pk}/{strong.code}/",
        f"/hiring/{version.pk}/ranking.csv",
        f"/fits/{stored.pk}/",
        f"/invitations/new/?role_version={version.pk}&{codes}",
        f"/hiring/{version.pk}/who-fits/",
    ]
    for place in places:
        response = as_hr.get(place)
        assert response.status_code == 200, place
        seen = response.content.decode() + str(response.headers)
        for person in people.values():
            for secret in (person.name, person.email, person.name.split()[0], f"/people/{person.pk}/"):
                assert secret not in seen.replace("?q=Strong", "").replace("q=Strong", ""), (place, secret)
        assert "Porto" not in seen
    book = openpyxl.load_workbook(BytesIO(as_hr.get(f"/hiring/{version.pk}/ranking.xlsx").content))
    assert "Strong" not in str([[cell.value for cell in row] for sheet in book for row in sheet])
    blind(as_hr, version, on=False)
    assert "Strong Person" in as_hr.get(f"/hiring/{version.pk}/").content.decode()


def test_inviting_blind_leads_back_to_the_blind_ranking(as_hr, version, people):
    blind(as_hr, version)
    day = timezone.localdate() + timezone.timedelta(days=9)
    data = {"role_version": version.pk, "p": [people["Weak"].code], "deadline_on": "nonsense"}
    refused = as_hr.post("/invitations/new/", data)
    assert refused.status_code == 400
    assert "Weak" not in refused.content.decode()
    sent = as_hr.post("/invitations/new/", data | {"deadline_on": str(day)}, follow=True)
    assert sent.redirect_chain[-1][0] == f"/hiring/{version.pk}/?unnamed=1"
    assert "1 invitation on the way" in sent.content.decode()
    assert "Weak" not in sent.content.decode()


def test_exports_hold_the_ranking_and_no_formulas(as_hr, version, people):
    Person.objects.filter(pk=people["Strong"].pk).update(name="=HYPERLINK(1)", job_title="@SUM(A1)")
    rows = list(csv.reader(io.StringIO(as_hr.get(f"/hiring/{version.pk}/ranking.csv").content.decode("utf-8-sig"))))
    assert rows[1][:2] == ["1", "'=HYPERLINK(1)"]
    assert len(rows) == 6
    book = openpyxl.load_workbook(BytesIO(as_hr.get(f"/hiring/{version.pk}/ranking.xlsx").content))
    first = [cell.value for cell in book["Ranking"][2]]
    assert first[1] == "'=HYPERLINK(1)"
    assert all(cell.data_type != "f" for row in book["Ranking"] for cell in row)
    assert as_hr.get(f"/hiring/{version.pk}/ranking.exe").status_code == 404


@pytest.mark.parametrize(("names", "status"), [((), 400), (("Strong",), 400), (("Strong", "Weak"), 200)])
def test_two_to_four_people_are_compared(as_hr, version, people, names, status):
    query = "&".join(f"p={people[name].code}" for name in names)
    assert as_hr.get(f"/hiring/{version.pk}/compare/?{query}").status_code == status
    five = "&".join(f"p={person.code}" for person in people.values())
    assert as_hr.get(f"/hiring/{version.pk}/compare/?{five}").status_code == 400


def test_a_stored_fit_shows_what_was_known_then(as_hr, version, people):
    person = people["Middling"]
    response = as_hr.post(f"/hiring/{version.pk}/{person.code}/keep/")
    as_hr.get(response["Location"])  # takes the message away
    before = as_hr.get(response["Location"]).content.decode().split("<main")[1]
    for slug in SLUGS:
        give_evidence(person, slug, 5, "peer", rater="p")
    assert as_hr.get(response["Location"]).content.decode().split("<main")[1] == before
    now = RoleRanking(version)[:10]
    stored = StoredFit.objects.get().result
    assert stored["fit"] < next(line.fit for line in now if line.person.pk == person.pk)


def test_an_unknown_code_is_not_found(as_hr, version):
    assert as_hr.get(f"/hiring/{version.pk}/XXXXXX/").status_code == 404


def test_the_preview_counts_and_says_what_relaxing_changes(as_hr, version, people, hr):
    from roles import actions as role_actions

    draft = role_actions.next_version(version.role, by=hr)
    page = as_hr.get(f"/hiring/{draft.pk}/who-fits/", headers={"HX-Request": "true"}).content.decode()
    assert "Closest five" in page
    assert "Strong Person" in page
    assert "hx-swap-oob" in page
    ranking = RoleRanking(draft.__class__.objects.with_requirements().get(pk=draft.pk))
    counts = ranking.band_counts()
    assert sum(counts["inside"].values()) + sum(counts["candidates"].values()) == 5
    wanted = sum(line.all_essentials for line in ranking[:10] if line.band != "not_assessed")
    assert ranking.expected_qualified() == pytest.approx(wanted, abs=1e-3)


def test_level_counts_count_assessed_people_by_their_floor(version, people):
    ranking = RoleRanking(version)
    counts = dict(zip([line.skill.slug for line in ranking.requirements], ranking.level_counts(), strict=True))
    assert sum(counts["analytics"]) == 3


def test_the_ranking_takes_the_same_few_queries_for_fifty_people(as_hr, version, django_assert_max_num_queries):
    for n in range(55):
        give_evidence(make_person(f"P{n}"), "tone-empathy", n % 6)
    matrix.current()
    with django_assert_max_num_queries(16):
        as_hr.get(f"/hiring/{version.pk}/")


@pytest.mark.parametrize("role", ["assessor", "executive", "employee"])
def test_rankings_are_for_hr_alone(client, version, people, role):
    client.force_login(make_user(role))
    strong = people["Strong"]
    for place in ("", "ranking.csv", f"{strong.code}/", "who-fits/", "compare/"):
        assert client.get(f"/hiring/{version.pk}/{place}").status_code == 404


def test_skills_match_by_identity_and_not_by_their_words(version, people):
    """Renaming a skill, even to another's words, changes nobody's fit."""
    before = [(line.person.pk, line.fit) for line in RoleRanking(version)[:10]]
    Skill.objects.filter(slug="analytics").update(name="Tone and empathy in writing")
    assert [(line.person.pk, line.fit) for line in RoleRanking(version)[:10]] == before
