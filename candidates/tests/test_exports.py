"""Profiles and reports as workbooks."""

import io

import openpyxl
import pytest
from django.utils import timezone

from accounts.factories import make_user
from assessments.models import RatingRequest
from candidates.factories import give_evidence, make_person

pytestmark = pytest.mark.django_db


def sheets(response):
    return openpyxl.load_workbook(io.BytesIO(response.content))


def test_the_contributions_of_the_export_add_up_to_its_levels(as_hr):
    person = make_person("=Formula Name")
    give_evidence(person, "video", 4)
    give_evidence(person, "video", 1, "self")
    response = as_hr.get(f"/people/{person.pk}/profile.xlsx")
    assert "Formula" not in response["Content-Disposition"]
    book = sheets(response)
    level = book["Skills"]["C2"].value
    moved = sum(row[4].value for row in book["Evidence"].iter_rows(min_row=2))
    assert 2.5 + moved == pytest.approx(level, abs=0.01)
    assert book["What the columns say"].max_row > 10


def test_an_export_of_nobody_s_evidence_says_so(as_hr):
    book = sheets(as_hr.get(f"/people/{make_person().pk}/profile.xlsx"))
    assert book["Skills"]["A2"].value == "Nothing to show"


def test_a_manager_who_owes_a_rating_gets_no_export_first(client, version):
    manager = make_user("assessor")
    boss = make_person("Boss", kind="employee", user=manager)
    person = make_person("Ada", kind="employee", manager=boss)
    request = RatingRequest.objects.create(subject=person.subject, rater=manager, kind="manager", role_version=version)
    client.force_login(manager)
    assert client.get(f"/people/{person.pk}/profile.xlsx").status_code == 404
    RatingRequest.objects.filter(pk=request.pk).update(submitted_at=timezone.now())
    assert client.get(f"/people/{person.pk}/profile.xlsx").status_code == 200


def test_the_report_exports_for_its_person_only(client):
    user = make_user("employee")
    own = make_person("Own", kind="employee", user=user)
    give_evidence(own, "audio", 3)
    client.force_login(user)
    assert sheets(client.get(f"/report/{own.subject}/my-skills.xlsx"))["Skills"]["B2"].value == "Audio"
    client.logout()
    assert client.get(f"/report/{own.subject}/my-skills.xlsx").status_code == 410
