"""What evidence is worth: shipped, changed by an administrator as a version, and followed by every estimate."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.factories import make_user
from candidates import matrix, parameters
from candidates.evidence import Evidence
from candidates.factories import give_evidence, make_person
from candidates.models import Estimate, Parameters
from candidates.ranking import RoleRanking
from socialstrategy.jobs.models import Job

URL = "/evidence/sources/edit/"


@pytest.fixture
def administrator(client, db):
    user = make_user("hr", is_staff=True, name="Ada Ministrator")
    client.force_login(user)
    return client


def figures(**changes) -> dict:
    """The form as the page fills it in, with some fields changed."""
    data = {"likely": "0.5", "unlikely": "0.1", "reason": "Our own study of 2026"}
    for name, source in parameters.current().sources.items():
        data[f"{name}-validity"] = source.validity
        data[f"{name}-bias"] = source.bias
        if source.reliability is not None:
            data[f"{name}-reliability"] = source.reliability
    return data | {name.replace("__", "-"): value for name, value in changes.items()}


def test_the_page_names_the_study_behind_each_row(as_hr):
    page = as_hr.get("/evidence/sources/").content.decode()
    for words in ("Mabe &amp; West 1982", "Conway &amp; Huffcutt 1997", "Van Iddekinge et al. 2019", "−0.32"):
        assert words in page
    assert URL not in page


def test_a_new_version_moves_every_estimate_and_says_so(administrator, run_jobs):
    person = make_person()
    give_evidence(person, "video", 5)
    before = Estimate.objects.get()
    response = administrator.post(URL, figures(work_sample__validity="0.5"))
    job = Job.objects.get(kind="estimates.refresh")
    assert response.url == reverse("jobs:job_progress", args=[job.pk])
    run_jobs()
    after = Estimate.objects.get()
    assert after.mean < before.mean
    assert after.sd > before.sd
    assert after.parameters == str(Parameters.objects.get()) != before.parameters == "shipped-1"
    page = administrator.get("/evidence/sources/").content.decode()
    assert "Our own study of 2026" in page
    assert "your own figures" in page
    give_evidence(person, "audio", 2)
    assert set(Evidence.objects.values_list("parameters", flat=True)) == {"shipped-1", after.parameters}


def test_going_back_to_the_shipped_figures_restores_them_bit_for_bit(administrator, run_jobs):
    person = make_person()
    give_evidence(person, "video", 4)
    before = Estimate.objects.get()
    administrator.post(URL, figures(work_sample__validity="0.3"))
    run_jobs()
    assert 'value="0.85"' in administrator.get(URL + "?shipped=1").content.decode()
    administrator.post(URL, figures(work_sample__validity="0.85", reason="Back to the shipped figures"))
    run_jobs()
    after = Estimate.objects.get()
    assert (after.mean, after.sd) == (before.mean, before.sd)
    assert Parameters.objects.count() == 2


def test_own_thresholds_move_the_bands_at_once(administrator, version):
    person = make_person()
    for skill in ("tone-empathy", "micro-copy"):
        give_evidence(person, skill, 3)
    first = RoleRanking(version)[0:1][0]
    assert first.band == "open"
    chance = first.all_essentials
    administrator.post(URL, figures(likely=str(chance - 0.01)))
    assert RoleRanking(version)[0:1][0].band == "likely"
    page = administrator.get(f"/hiring/{version.pk}/").content.decode()
    assert f"a chance of {chance - 0.01:.0%} or more" in page
    assert matrix.current().thresholds.likely == pytest.approx(chance - 0.01)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("self-validity", "1.2", "less than or equal to 0.99"),
        ("self-validity", "nan", "Enter a number"),
        ("peer-reliability", "0", "greater than or equal to 0.01"),
        ("manager-bias", "inf", "Enter a number"),
        ("unlikely", "0.5", "below the threshold"),
        ("reason", "  ", "required"),
    ],
)
def test_nonsense_is_refused_where_it_stands_and_nothing_is_lost(administrator, field, value, sentence):
    response = administrator.post(URL, figures() | {field: value})
    page = response.content.decode()
    assert response.status_code == 400
    assert sentence in page
    assert "Nothing is saved yet" in page
    assert not Parameters.objects.exists()
    assert not Job.objects.exists()
    if field != "reason":
        assert "Our own study of 2026" in page


def test_only_administrators_change_the_figures(as_hr):
    assert as_hr.get(URL).status_code == 404
    assert as_hr.post(URL, figures()).status_code == 404
    assert not Parameters.objects.exists()


def test_the_database_keeps_the_bands_in_order(db):
    with pytest.raises((IntegrityError, ValidationError)), transaction.atomic():
        Parameters.objects.create(sources={}, likely=0.2, unlikely=0.3, reason="x")


def test_whoever_accepts_last_is_told_what_another_has_accepted_meanwhile(administrator):
    old = figures(likely="0.5", unlikely="0.2", since=administrator.get(URL).context["form"]["since"].value())
    other = Client()
    other.force_login(make_user("hr", is_staff=True, name="Bea Ministrator"))
    assert other.post(URL, old | {"likely": "0.9", "reason": "A stricter rule"}).status_code == 302
    page = administrator.post(URL, old)
    assert page.status_code == 400
    assert "Bea Ministrator has accepted another version" in page.content.decode()
    assert "“A stricter rule”" in page.content.decode()
    assert Parameters.objects.get().likely == 0.9
    again = {name: page.context["form"][name].value() for name in page.context["form"].fields if name in old}
    assert (again["likely"], again["since"]) == ("0.5", str(Parameters.objects.get()))
    assert administrator.post(URL, again).status_code == 302
    assert Parameters.objects.first().likely == 0.5
