"""Evidence is append-only, and estimates follow from it."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.append_only import opened
from accounts.factories import make_user
from candidates import actions, profile
from candidates import evidence as known
from candidates.factories import give_evidence, make_person
from candidates.models import Estimate, Evidence, Person
from roles.models import Skill
from scoring.evidence import Observation, estimate
from socialstrategy.jobs.models import Job
from socialstrategy.lib.templatetags.components import one_decimal

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


def row(source, value, day=TODAY, rater="", error=None, pk=None) -> Evidence:
    return Evidence(pk=pk, source=source, value=value, observed_on=day, rater=rater, standard_error=error)


def test_evidence_can_be_added_and_nothing_else():
    person = make_person()
    give_evidence(person, "analytics", 3)
    piece = Evidence.objects.get()
    piece.value = 5
    ways = (
        piece.save,
        piece.delete,
        Evidence.objects.all().delete,
        person.delete,
        lambda: Evidence.objects.update(value=5),
        lambda: Evidence.objects.bulk_update([piece], ["value"]),
    )
    for way in ways:
        with pytest.raises(IntegrityError, match="Pieces of evidence are only ever added"), transaction.atomic():
            way()
    assert Evidence.objects.get().value == 3
    with opened("A test erases somebody", "a test"):
        person.delete()
    assert not Evidence.objects.exists()


def test_the_latest_of_each_rater_counts_and_raters_are_averaged():
    rows = [
        row("peer", 1, TODAY - timedelta(days=90), "a", pk=1),
        row("peer", 3, TODAY, "a", pk=2),
        row("peer", 4, TODAY, "b", pk=3),
    ]
    (piece,) = known.pieces(rows, known.month_start(TODAY))
    assert piece.observation() == Observation("peer", 3.5, None, months_ago=0, raters=2)


def test_of_tests_the_latest_stands_with_its_own_error():
    rows = [
        row("knowledge_test", 2, TODAY - timedelta(days=200), "x", 0.4, pk=1),
        row("knowledge_test", 3, TODAY, "x", 0.3, pk=2),
    ]
    (piece,) = known.pieces(rows, known.month_start(TODAY))
    assert piece.observation() == Observation("knowledge_test", 3, 0.3, months_ago=0, raters=1)


@pytest.mark.parametrize(
    ("earlier", "months"),
    [(date(2026, 11, 1), 0), (date(2026, 10, 2), 0), (date(2026, 10, 1), 1), (date(2025, 11, 1), 12), (TODAY, 0)],
)
def test_age_is_in_whole_months_to_the_first_of_the_month(earlier, months):
    assert known.months_between(earlier, known.month_start(TODAY)) == months


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_age_is_never_negative(one, other):
    assert known.months_between(one, other) >= 0


def test_an_estimate_is_the_engine_s_and_can_be_rebuilt_bit_for_bit():
    person = make_person()
    give_evidence(person, "analytics", 4, "self", rater="self")
    give_evidence(person, "analytics", 3, "manager", rater="user 1")
    give_evidence(person, "analytics", 4.2, "knowledge_test", standard_error=0.3)
    stored = Estimate.objects.get()
    observations = [Observation("self", 4), Observation("manager", 3), Observation("knowledge_test", 4.2, 0.3)]
    wanted = estimate(observations)
    assert (stored.mean, stored.sd) == (wanted.mean, wanted.sd)
    before = (stored.mean, stored.sd)
    actions.refresh_estimates([person.pk])
    stored.refresh_from_db()
    assert (stored.mean, stored.sd) == before


def test_estimates_of_an_earlier_month_are_brought_up_to_date(run_jobs):
    from candidates.tasks import refresh

    for n in range(3):
        give_evidence(make_person(), "analytics", 3 + n % 3, observed_on=timezone.localdate() - timedelta(days=400))
    wanted = list(Estimate.objects.order_by("person").values_list("mean", "sd"))
    refresh()
    assert not Job.objects.exists()
    Estimate.objects.update(as_of=date(2020, 1, 1), mean=1.0)
    refresh()
    Job.objects.update(arguments={"part": 2})
    run_jobs()
    assert set(Estimate.objects.values_list("as_of", flat=True)) == {known.month_start(timezone.localdate())}
    assert list(Estimate.objects.order_by("person").values_list("mean", "sd")) == wanted
    assert Job.objects.filter(kind="estimates.refresh.part", state="done").count() == 2
    assert Job.objects.get(kind="estimates.refresh").done == 3


def test_the_profile_explains_each_number_exactly():
    person = make_person()
    give_evidence(person, "analytics", 4, "self")
    give_evidence(person, "analytics", 2, "peer", rater="a")
    give_evidence(person, "analytics", 3, "peer", rater="b")
    ((_, (shown,)),) = profile.skill_rows(person, make_user("hr"))
    assert shown.estimate.mean == pytest.approx(2.5 + sum(piece.contribution for piece in shown.pieces))
    assert sum(piece.influence for piece in shown.pieces) + shown.estimate.prior_influence == pytest.approx(1)
    assert shown.evidence_count == 3
    assert [piece.raters for piece in shown.pieces] == [1, 2]


def test_a_person_against_a_role_adds_up(version):
    person = make_person()
    give_evidence(person, "tone-empathy", 4)
    give_evidence(person, "analytics", 1)
    found, rows = profile.against(person, version)
    assert found.fit == pytest.approx(sum(one.contribution for one in rows))
    assert sum(one.share for one in rows) == pytest.approx(1)
    assert [one.state for one in rows if not one.assessed] == ["not_assessed"]
    steps = profile.waterfall(rows)
    assert steps[-1]["to"] == pytest.approx(found.fit)
    assert [step["loss"] for step in steps] == sorted((step["loss"] for step in steps), reverse=True)


def test_what_would_settle_most_is_about_what_is_in_doubt(version):
    person = make_person()
    for slug in ("tone-empathy", "micro-copy", "analytics"):
        give_evidence(person, slug, 3, "self")
    _, rows = profile.against(person, version, make_user("hr"))
    proposed = profile.next_best(rows)
    assert proposed
    assert all(0.2 <= one["row"].probability <= 0.8 for one in proposed)
    assert all(one["width"] < one["row"].width for one in proposed)


@pytest.mark.parametrize("value", [2.0, 2.2, 2.4])
def test_what_is_proposed_narrows_the_interval_by_as_much_as_the_page_shows(version, value):
    person = make_person()
    for source in ("self", "knowledge_test", "work_sample", "interview_panel", "manager", "peer"):
        error = 0.375 if source == "knowledge_test" else None
        give_evidence(person, "analytics", value, source, standard_error=error)
        _, rows = profile.against(person, version, make_user("hr"))
        for one in profile.next_best(rows, most=20):
            assert one_decimal(one["width"]) < one_decimal(one["row"].width)


def test_the_interview_is_about_the_least_certain_essentials(as_hr, version):
    person = make_person()
    give_evidence(person, "micro-copy", 3, "self")
    give_evidence(person, "analytics", 2, "self")
    _, rows = profile.against(person, version, make_user("hr"))
    asked = profile.to_ask(rows)
    assert {row.skill.slug for row, _ in asked} == {"tone-empathy", "micro-copy"}
    distances = [abs(row.probability - 0.5) for row, _ in asked]
    assert distances == sorted(distances)
    page = as_hr.get(f"/hiring/{version.pk}/{person.code}/").content.decode()
    assert "Tell me about somebody who was angry in public" in page
    assert "At 3: " in page


def test_evidence_that_hr_enters(as_hr):
    person = make_person()
    skill = Skill.objects.get(slug="analytics")
    data = {"skill": skill.pk, "source": "knowledge_test", "value": "3.4", "observed_on": str(timezone.localdate())}
    refused = as_hr.post(f"/people/{person.pk}/evidence/", data)
    assert refused.status_code == 400
    assert "needs its standard error" in refused.content.decode()
    assert as_hr.post(f"/people/{person.pk}/evidence/", data | {"standard_error": "0.3"}).status_code == 302
    assert Evidence.objects.get().standard_error == 0.3


@pytest.mark.parametrize(
    "changes",
    [
        {"value": "7"},
        {"value": "nan"},
        {"value": "inf"},
        {"source": "self"},
        {"source": "gossip"},
        {"observed_on": "2099-01-01"},
        {"observed_on": "yesterday"},
        {"skill": "0"},
        {"note": "x" * 1001},
    ],
)
def test_bad_evidence_is_refused_and_nothing_is_written(as_hr, changes):
    person = make_person()
    skill = Skill.objects.get(slug="analytics")
    data = {"skill": skill.pk, "source": "work_sample", "value": "3", "observed_on": str(timezone.localdate())}
    assert as_hr.post(f"/people/{person.pk}/evidence/", data | changes).status_code == 400
    assert not Evidence.objects.exists()


def test_changing_job_creates_no_evidence(as_hr):
    person = make_person()
    give_evidence(person, "analytics", 3)
    before = list(Estimate.objects.values())
    data = {"name": person.name, "email": person.email, "kind": "employee", "job_title": "Head of everything"}
    assert as_hr.post(f"/people/{person.pk}/edit/", data).status_code == 302
    assert Person.objects.get().job_title == "Head of everything"
    assert Evidence.objects.count() == 1
    assert list(Estimate.objects.values()) == before
