"""What is complete at the deadline is handed in by itself, as was agreed to; HR is told of that, and of the rest."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Link
from assessments.models import Sitting
from candidates import actions, deadlines, inviting
from candidates.factories import make_invitation, make_person
from candidates.models import Evidence, Invitation
from candidates.tasks import hand_in
from socialstrategy.mail.models import Mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def invitation(version, hr):
    return make_invitation(make_person("Ada Late", email="ada@example.org"), version, hr)


def begin(invitation, *, answers=3) -> tuple[Client, str]:
    """Somebody consents and answers; gives the browser and the assessment's address."""
    browser = Client()
    token = Link.objects.issue(Link.Purpose.ASSESSMENT, invitation.pk, invitation.deadline_at)
    home = browser.post(f"/i/{token}/begin/")["Location"]
    browser.post(home, {"consent": "on"})
    for skill, level in zip(invitation.sitting.skills()[:answers], ("3", "none", "4"), strict=False):
        browser.post(f"{home}skills/{skill.slug}/", {"level": level})
    return browser, home


def run_out():
    past = timezone.now() - timedelta(minutes=1)
    Invitation.objects.update(deadline_at=past)
    Sitting.objects.update(deadline_at=past)


def test_what_is_complete_is_handed_in_at_the_deadline_as_was_said_before(invitation, as_hr):
    browser, home = begin(invitation)
    assert "it is handed in by itself" in " ".join(browser.get(home).content.decode().split())
    assert "handed in by itself" in browser.get(f"{home}background/").content.decode()
    assert Sitting.objects.get().hands_itself_in
    hand_in()
    assert not Evidence.objects.exists()  # the deadline has not passed
    run_out()
    assert "handed in by itself within a quarter of an hour" in " ".join(browser.get(home).content.decode().split())
    hand_in()
    hand_in()
    assert sorted(Evidence.objects.values_list("source", "value")) == [("self", 3.0), ("self", 4.0)]
    assert Invitation.objects.get().submitted_at
    assert Sitting.objects.get().submitted_by_itself
    assert AuditEntry.objects.filter(action="assessment.submitted at the deadline").count() == 1
    assert Mail.objects.filter(to="ada@example.org", subject__contains="report").count() == 1
    assert "handed in by itself" in " ".join(browser.get(home).content.decode().split())
    assert "handed in by itself at the deadline" in as_hr.get("/").content.decode()
    assert "by itself at the deadline" in as_hr.get("/invitations/").content.decode()


def test_what_is_incomplete_is_not_handed_in_and_hr_is_told(invitation, as_hr):
    begin(invitation, answers=2)
    run_out()
    hand_in()
    assert not Evidence.objects.exists()
    page = " ".join(as_hr.get("/").content.decode().split())
    assert "2 of 3 answered, not handed in" in page
    assert "Ada Late" in page


@pytest.mark.parametrize("why", ["consent", "choice", "revoked", "archived", "submitted"])
def test_nothing_is_handed_in_that_was_not_to_be(invitation, as_hr, why):
    browser, home = begin(invitation)
    if why == "consent":  # agreed to before this was said
        Sitting.objects.update(hands_itself_in=False)
    if why == "choice":
        page = browser.post(f"{home}at-deadline/", {"wanted": "no"}, follow=True).content.decode()
        assert "Nothing is handed in unless you do it yourself" in page
    if why == "archived":
        type(invitation.person).objects.update(archived_at=timezone.now())
    if why == "revoked":
        as_hr.post(f"/invitations/{invitation.pk}/change/", {"what": "revoke"})
    if why == "submitted":
        browser.post(f"{home}submit/")
    before = Evidence.objects.count()
    run_out()
    assert deadlines.hand_in(timezone.now()) == 0
    assert Evidence.objects.count() == before
    assert not Sitting.objects.get().submitted_by_itself
    if why in {"consent", "choice"}:
        assert "all 3 answered, not handed in" in " ".join(as_hr.get("/").content.decode().split())


def test_the_choice_can_be_taken_back(invitation):
    browser, home = begin(invitation)
    for wanted in ("no", "yes"):
        browser.post(f"{home}at-deadline/", {"wanted": wanted})
    run_out()
    assert deadlines.hand_in(timezone.now()) == 1


def test_more_time_given_at_the_last_moment_is_time(invitation, hr, monkeypatch):
    """HR extends while the task is at work: it has read the old deadline, the sitting has the new one."""
    begin(invitation)
    run_out()
    Sitting.objects.update(deadline_at=timezone.now() + timedelta(days=3))
    assert deadlines.hand_in(timezone.now()) == 0
    assert not Evidence.objects.exists()


def test_inviting_again_hands_in_what_was_complete_and_ends_the_rest(invitation, version, hr):
    late = make_invitation(make_person("Bo Later", email="bo@example.org"), version, hr)
    begin(invitation)
    browser, home = begin(late, answers=2)
    run_out()
    day = timezone.localdate() + timedelta(days=9)
    sent, skipped = inviting.invite([invitation.person, late.person], version, deadline_on=day, by=hr)
    assert (len(sent), skipped) == (2, [])
    assert sorted(Evidence.objects.values_list("source", "value")) == [("self", 3.0), ("self", 4.0)]
    invitation.refresh_from_db()
    late.refresh_from_db()
    assert (invitation.state(timezone.now()), late.state(timezone.now())) == ("submitted", "revoked")
    assert Mail.objects.filter(to="ada@example.org", subject__contains="report").count() == 1
    page = " ".join(browser.get(home).content.decode().split())
    assert "taken back" in page
    assert "handed in by itself within" not in page


def test_inviting_again_hands_in_what_was_complete_however_long_ago(invitation, version, hr):
    begin(invitation)
    long_ago = timezone.now() - deadlines.LOOKED_BACK - timedelta(days=1)
    Invitation.objects.update(deadline_at=long_ago)
    Sitting.objects.update(deadline_at=long_ago)
    inviting.invite([invitation.person], version, deadline_on=timezone.localdate() + timedelta(days=9), by=hr)
    assert Evidence.objects.count() == 2


def test_what_is_complete_and_cannot_be_handed_in_is_not_taken_back_by_inviting_again(invitation, version, hr):
    begin(invitation)
    run_out()
    day = timezone.localdate() + timedelta(days=9)
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(actions, "take_sitting_at_deadline", lambda *_: 1 / 0)
        sent, skipped = inviting.invite([invitation.person], version, deadline_on=day, by=hr)
    assert (sent, skipped) == ([], [invitation.person])
    assert deadlines.hand_in(timezone.now()) == 1
    assert Evidence.objects.count() == 2


def test_one_that_cannot_be_handed_in_stops_none_behind_it(invitation, version, hr, monkeypatch, caplog):
    other = make_invitation(make_person("Bo Behind", email="bo@example.org"), version, hr)
    begin(invitation)
    begin(other)
    run_out()
    take = actions.take_sitting_at_deadline

    def fails_for_the_first(found, now):
        if found.pk == invitation.pk:
            raise LookupError("Something that nobody thought of.")
        return take(found, now)

    monkeypatch.setattr(actions, "take_sitting_at_deadline", fails_for_the_first)
    Invitation.objects.filter(pk=invitation.pk).update(deadline_at=timezone.now() - timedelta(hours=2))
    assert deadlines.hand_in(timezone.now()) == 1
    assert Invitation.objects.get(submitted_at__isnull=False) == other
    assert f"Invitation {invitation.pk} could not be handed in" in caplog.text


def test_a_database_that_is_away_is_not_taken_for_an_invitation_that_cannot_be_handed_in(invitation, monkeypatch):
    begin(invitation)
    run_out()

    def away(found, now):
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(actions, "take_sitting_at_deadline", away)
    with pytest.raises(OperationalError):
        deadlines.hand_in(timezone.now())
