"""Whoever is archived is asked nothing, opens nothing and is offered nowhere until they are brought back."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts.factories import make_user
from accounts.models import AuditEntry, Link
from assessments.models import RatingRequest
from candidates import actions, archiving, delivery, inviting
from candidates.factories import give_evidence, make_invitation, make_person
from candidates.models import Invitation, Person
from roles.models import Skill
from socialstrategy.mail.models import Mail
from teams import actions as team_actions
from teams.factories import make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(version, hr):
    """Invited, asked to be rated, asked to rate, with a report."""
    user = make_user("employee", email="ada@example.org")
    ada = make_person("Ada", email="ada@example.org", kind="employee")
    give_evidence(ada, "analytics", 3)
    make_invitation(ada, version, hr)
    actions.ask_for_rating(ada, version, make_user("assessor"), kind="peer", by=hr)
    actions.ask_for_rating(make_person("Boss"), version, user, kind="subordinate", by=hr)
    delivery.send_report(ada)
    ada.refresh_from_db()
    return ada


def links(link_in):
    return [
        link_in(mail)
        for mail in Mail.objects.filter(to="ada@example.org").order_by("created_at")
        if "/i/" in mail.text or "/r/" in mail.text
    ]


def test_links_invitations_and_requests_end_and_the_page_says_so_before_and_after(as_hr, ada, link_in):
    opened = links(link_in)
    assert len(opened) == 2
    assert "would end 1 open invitation and 2 open requests for a rating" in " ".join(
        as_hr.get(f"/people/{ada.pk}/edit/").content.decode().split()
    )
    answer = as_hr.post(f"/people/{ada.pk}/archive/", {"archived": "yes"}, follow=True)
    page = answer.content.decode()
    assert "Ended: 1 open invitation and 2 open requests for a rating" in page
    assert "is archived" in page
    stranger = Client()
    for path in opened:
        assert stranger.get(path).status_code == 410, path
        assert stranger.post(path + "begin/").status_code == 410, path
    assert not RatingRequest.objects.open().exists()
    assert Invitation.objects.get().revoked_at
    assert AuditEntry.objects.filter(action="person.archived").get().detail == {"invitations": 1, "ratings": 2}


def test_no_mail_goes_to_somebody_who_is_archived(as_hr, hr, ada, link_in):
    opened = links(link_in)
    archiving.archive(ada, by=hr)
    mails = Mail.objects.count()
    stranger = Client()
    for path in opened:
        stranger.post(path + "fresh/")
    soon = timezone.now() + timedelta(days=9)
    inviting.remind(soon)
    inviting.remind_now(Invitation.objects.open_at(soon), soon, by=hr)
    for what in ("resend", "extend"):
        as_hr.post(f"/invitations/{Invitation.objects.get().pk}/change/", {"what": what, "days": "5"})
    assert Mail.objects.count() == mails


def test_an_invitation_that_had_run_out_is_not_opened_again(hr, ada):
    late = Invitation.objects.get()
    Invitation.objects.update(deadline_at=timezone.now() - timedelta(days=1))
    archiving.archive(ada, by=hr)
    late.refresh_from_db()
    with pytest.raises(ValidationError, match="taken back"):
        inviting.extend(late, 5, by=hr)


def test_the_assessment_that_is_going_on_ends(as_hr, ada, link_in):
    (path, _) = links(link_in)
    candidate = Client()
    begun = candidate.post(path + "begin/", follow=True)
    assert begun.status_code == 200
    as_hr.post(f"/people/{ada.pk}/archive/", {"archived": "yes"})
    assert candidate.get(begun.redirect_chain[-1][0]).status_code == 410


def test_pressing_twice_is_pressing_once(as_hr, ada):
    for _ in range(2):
        as_hr.post(f"/people/{ada.pk}/archive/", {"archived": "yes"})
    ada.refresh_from_db()
    assert ada.archived_at
    for _ in range(2):
        as_hr.post(f"/people/{ada.pk}/archive/", {"archived": "no"})
    ada.refresh_from_db()
    assert ada.archived_at is None
    assert AuditEntry.objects.filter(action="person.archived").count() == 1
    assert AuditEntry.objects.filter(action="person.restored").count() == 1


def test_what_has_ended_stays_ended_and_a_new_invitation_can_be_sent(as_hr, hr, version, ada):
    archiving.archive(ada, by=hr)
    archiving.bring_back(ada, by=hr)
    assert not RatingRequest.objects.open().exists()
    assert not Link.objects.filter(used_at=None, ended_at=None).exists()
    assert make_invitation(ada, version, hr).state(timezone.now()) == "sent"


def test_the_form_says_archived_and_brings_back(as_hr, hr, ada):
    archiving.archive(ada, by=hr)
    answer = as_hr.post("/people/new/", {"name": "Ada again", "email": "ADA@example.org", "kind": "employee"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "Ada has this address and is archived" in page
    assert f'formaction="/people/{ada.pk}/archive/"' in page
    assert "Ada again" in page
    # Enter in a field presses the first button of the form, which must be the one that saves.
    form = page[page.index('<form method="post">') :]
    assert form.index(">Save<") < form.index("formaction")
    as_hr.post(f"/people/{ada.pk}/archive/", {"name": "Ada again", "archived": "no"})
    ada.refresh_from_db()
    assert (ada.archived_at, ada.name) == (None, "Ada")


def test_nobody_is_asked_about_or_by_somebody_who_is_archived(as_hr, hr, version, ada):
    archiving.archive(ada, by=hr)
    other = make_person("Other")
    ask = {"role_version": version.pk, "kind": "peer"}
    for person, rater in ((ada, make_user("assessor").email), (other, "ada@example.org")):
        answer = as_hr.post(f"/people/{person.pk}/rating/", ask | {"rater": rater})
        assert answer.status_code == 400
        assert "is archived" in answer.content.decode()
    assert not RatingRequest.objects.open().exists()


def test_somebody_who_is_archived_is_nobody_s_manager_from_now_on(as_hr, hr, ada):
    archiving.archive(ada, by=hr)
    data = {"name": "New", "kind": "employee", "email": "new@example.org", "manager_email": "ada@example.org"}
    answer = as_hr.post("/people/new/", data)
    assert answer.status_code == 400
    assert "is archived" in answer.content.decode()


def test_somebody_who_is_archived_is_in_no_list_that_offers_people(as_hr, hr, version, ada):
    team = make_team(people=2)
    team_actions.put_in_team(team, ada, share=100, day=timezone.localdate(), by=hr)
    report = make_person("Report", manager=ada, kind="employee")
    pages = [
        "/people/",
        f"/invitations/new/?people={ada.pk}",
        f"/invitations/new/?p={ada.code}",
        f"/hiring/{version.pk}/",
        f"/hiring/{version.pk}/ranking.csv",
        f"/hiring/{version.pk}/who-fits/",
        "/search/?q=Ada",
        f"/teams/{team.pk}/",
        "/ratings/",
    ]
    before = {path for path in pages if ">Ada" in as_hr.get(path).content.decode()}
    assert {"/people/", f"/teams/{team.pk}/", f"/invitations/new/?people={ada.pk}"} & before
    archiving.archive(ada, by=hr)
    for path in pages:
        assert "Ada" not in as_hr.get(path).content.decode().replace("q=Ada", "").replace("“Ada”", "").replace(
            'value="Ada"', ""
        ), path
    refused = as_hr.post(
        "/invitations/new/",
        {"people": ada.pk, "role_version": version.pk, "deadline_on": timezone.localdate() + timedelta(days=5)},
    )
    assert refused.status_code == 400
    assert 'value="ada@example.org"' not in as_hr.get(f"/people/{report.pk}/").content.decode()
    assert "Invite to a self-assessment" not in as_hr.get(f"/people/{ada.pk}/").content.decode()


def test_whoever_is_archived_has_evidence_still(as_hr, hr, ada):
    archiving.archive(ada, by=hr)
    assert Person.objects.archived().get().evidence.exists()
    assert "Analytics" in as_hr.get(f"/people/{ada.pk}/").content.decode()


def test_a_manager_who_is_archived_reads_nothing_of_the_people_they_led(hr, client):
    boss = make_person("Boss", user=make_user("assessor"), kind="employee")
    led = make_person("Led", manager=boss, kind="employee")
    client.force_login(boss.user)
    pages = [f"/people/{led.pk}/", f"/people/{led.pk}/development/"]
    assert [client.get(page).status_code for page in pages] == [200, 200]
    archiving.archive(boss, by=hr)
    assert [client.get(page).status_code for page in pages] == [404, 404]
    assert not Person.objects.visible_to(boss.user).filter(pk=led.pk).exists()
    assert client.get(f"/people/{boss.pk}/").status_code == 200


def test_hr_is_told_that_the_account_of_somebody_archived_can_still_sign_in(as_hr, ada):
    page = as_hr.post(f"/people/{ada.pk}/archive/", {"archived": "yes"}, follow=True).content.decode()
    assert "Their account can still sign in." in page
    assert "End the account’s sign-in" in page
    type(ada.user).objects.update(is_active=False)
    assert "can still sign in" not in as_hr.get(f"/people/{ada.pk}/").content.decode()


def test_nothing_is_added_to_somebody_who_is_archived(as_hr, hr, ada):
    skill = Skill.objects.get(slug="video")
    archiving.archive(ada, by=hr)
    day = (timezone.localdate() + timedelta(days=9)).isoformat()
    evidence = {"skill": skill.pk, "source": "work_sample", "value": "3", "observed_on": timezone.localdate()}
    for path, values in (("evidence", evidence), ("development/goals", {"skill": skill.pk, "level": 3, "due_on": day})):
        answer = as_hr.post(f"/people/{ada.pk}/{path}/", values)
        assert answer.status_code == 400
        assert "Ada is archived. Bring them back first." in answer.content.decode()
    assert ada.evidence.count() == 1
    assert not ada.goals.exists()
    assert "Set the goal" not in as_hr.get(f"/people/{ada.pk}/development/").content.decode()
    assert "Add evidence" not in as_hr.get(f"/people/{ada.pk}/").content.decode()


def test_a_link_opens_nothing_for_somebody_who_was_archived_at_the_same_moment(ada, link_in):
    """Archiving takes the invitation back; a link that is pressed in between must not open it."""
    path = links(link_in)[0]
    Person.objects.filter(pk=ada.pk).update(archived_at=timezone.now())
    assert Client().post(path + "begin/").status_code == 410
    own = Client()
    own.force_login(ada.user)
    assert own.post(f"/invitations/{Invitation.objects.get().pk}/mine/").status_code == 404
    assert Invitation.objects.get().opened_at is None
