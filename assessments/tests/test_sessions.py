"""How long a browser may work on an assessment, and how somebody ends it at once."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.factories import make_user
from accounts.models import Link
from assessments.sessions import idle_seconds
from candidates.factories import give_evidence, make_invitation, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def invitation(version, hr):
    return make_invitation(make_person("Ada"), version, hr, days=180)


def begin(invitation) -> Client:
    browser = Client()
    token = Link.objects.issue(Link.Purpose.ASSESSMENT, invitation.pk, invitation.deadline_at)
    browser.post(f"/i/{token}/begin/")
    return browser


def later(monkeypatch, **passed):
    moment = timezone.now() + timedelta(**passed)
    monkeypatch.setattr(timezone, "now", lambda: moment)


def test_leaving_a_computer_ends_the_assessment_and_the_report_there_at_once(invitation):
    give_evidence(invitation.person, "analytics", 3)
    browser = begin(invitation)
    report = Link.objects.issue(Link.Purpose.REPORT, invitation.person_id, invitation.deadline_at)
    browser.post(f"/r/{report}/begin/")
    pages = [f"/assessment/{invitation.sitting_id}/", f"/report/{invitation.person.subject}/"]
    for path in pages:
        page = browser.get(path)
        assert page.status_code == 200
        assert "Leave this computer" in page.content.decode()
    cookies = browser.cookies.copy()
    assert "have left this computer" in browser.post("/assessment/leave/", follow=True).content.decode()
    stolen = Client()
    stolen.cookies = cookies
    for one in (browser, stolen):
        assert [one.get(path).status_code for path in pages] == [410, 410]


def test_who_stays_away_for_the_idle_days_finds_it_closed_and_a_fresh_link_opens_it(invitation, monkeypatch, settings):
    settings.ASSESSMENT_IDLE_DAYS = 3
    browser = begin(invitation)
    home = f"/assessment/{invitation.sitting_id}/"
    later(monkeypatch, days=2)
    assert browser.get(home).status_code == 200
    later(monkeypatch, days=2)
    assert browser.get(home).status_code == 200  # coming back has begun the days anew
    later(monkeypatch, days=3, minutes=1)
    response = browser.get(home)
    assert response.status_code == 410
    assert "says how you get a fresh one" in " ".join(response.content.decode().split())
    assert begin(invitation).get(home).status_code == 200


def test_the_session_s_cookie_lasts_no_longer_than_the_idle_days(invitation):
    assert begin(invitation).session.get_expiry_age() == idle_seconds() == 7 * 24 * 60 * 60


def test_one_assessment_left_alone_ends_while_another_goes_on(version, hr, invitation, monkeypatch):
    browser = begin(invitation)
    other = make_invitation(make_person("Bob"), version, hr, days=180)
    token = Link.objects.issue(Link.Purpose.ASSESSMENT, other.pk, other.deadline_at)
    browser.post(f"/i/{token}/begin/")
    for _ in range(2):
        later(monkeypatch, days=4)
        assert browser.get(f"/assessment/{other.sitting_id}/").status_code == 200
    assert browser.get(f"/assessment/{invitation.sitting_id}/").status_code == 410


def test_the_days_are_told_before_one_starts_and_when_one_finishes_later(invitation):
    browser = begin(invitation)
    home = f"/assessment/{invitation.sitting_id}/"
    for path in ("", "later/"):
        page = browser.get(home + path).content.decode()
        assert "7 days" in " ".join(page.split()), path
        assert "Leave this computer" in page, path


def test_who_signs_in_where_an_assessment_is_open_is_not_signed_in_for_longer(invitation, settings):
    browser = begin(invitation)
    browser.force_login(make_user("employee"))
    assert browser.session.get_expiry_age() == settings.SESSION_COOKIE_AGE
    assert browser.get(f"/assessment/{invitation.sitting_id}/").status_code == 200
    assert browser.session.get_expiry_age() == settings.SESSION_COOKIE_AGE
