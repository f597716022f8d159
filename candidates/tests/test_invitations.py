"""Invitations: sent, reminded, extended, revoked."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import Link
from assessments.models import Sitting
from candidates import delivery, inviting
from candidates.factories import make_invitation, make_person
from candidates.models import Invitation, Person
from roles.factories import make_version
from socialstrategy.mail.models import Mail

pytestmark = pytest.mark.django_db


def day(n):
    return str(timezone.localdate() + timedelta(days=n))


def test_one_mail_for_each_of_many(as_hr, version):
    people = [make_person(f"P{n}") for n in range(3)]
    data = {"role_version": version.pk, "deadline_on": day(10), "people": [person.pk for person in people]}
    assert as_hr.post("/invitations/new/", data).status_code == 302
    assert {mail.to for mail in Mail.objects.all()} == {person.email for person in people}
    for mail in Mail.objects.all():
        assert version.role.title in mail.subject
        assert mail.text.count("/i/") == 1
    assert Link.objects.count() == Invitation.objects.count() == Sitting.objects.count() == 3


def test_who_has_an_open_one_gets_no_second(as_hr, version, hr):
    person = make_person()
    make_invitation(person, version, hr)
    data = {"role_version": version.pk, "deadline_on": day(10), "people": [person.pk]}
    page = as_hr.post("/invitations/new/", data, follow=True).content.decode()
    assert "1 had an open one already" in page
    assert Invitation.objects.count() == 1


def test_one_that_ran_out_makes_room_for_a_new_one(version, hr):
    person = make_person()
    old = make_invitation(person, version, hr)
    Invitation.objects.filter(pk=old.pk).update(deadline_at=timezone.now() - timedelta(days=1))
    assert make_invitation(person, version, hr).pk != old.pk


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"deadline_on": day(0)}, "after today"),
        ({"deadline_on": day(400)}, "six months"),
        ({"deadline_on": "soon"}, "valid date"),
        ({"people": []}, "at least one person"),
        ({"people": ["999999"]}, "Choose people first"),
        ({"role_version": "0"}, "valid choice"),
    ],
)
def test_bad_invitations_are_refused_and_nobody_gets_a_mail(as_hr, version, changes, said):
    data = {"role_version": version.pk, "deadline_on": day(10), "people": [make_person().pk], **changes}
    response = as_hr.post("/invitations/new/", data)
    assert response.status_code == 400
    assert said in response.content.decode()
    assert not Mail.objects.exists()
    assert not Sitting.objects.exists()


def test_a_draft_invites_nobody(hr):
    draft = make_version(hr, published=False)
    with pytest.raises(ValidationError, match="Publish the role"):
        make_invitation(make_person(), draft, hr)


def change(client, invitation, **data):
    return client.post(f"/invitations/{invitation.pk}/change/", data)


def test_resending_ends_the_earlier_link(as_hr, version, hr, last_mail, link_in, client):
    invitation = make_invitation(make_person(email="a@example.org"), version, hr)
    old = link_in(last_mail("a@example.org"))
    assert change(as_hr, invitation, what="resend").status_code == 302
    new = link_in(last_mail("a@example.org"))
    assert new != old
    assert client.post(old + "begin/").status_code == 410
    assert client.post(new + "begin/").status_code == 302


def test_revoking_ends_link_and_session(as_hr, version, hr, last_mail, link_in):
    from django.test import Client

    invitation = make_invitation(make_person(email="a@example.org"), version, hr)
    browser = Client()
    browser.post(link_in(last_mail("a@example.org")) + "begin/")
    change(as_hr, invitation, what="revoke")
    response = browser.get(f"/assessment/{invitation.sitting_id}/")
    assert response.status_code == 410
    assert "taken back" in response.content.decode()
    assert change(as_hr, invitation, what="resend").status_code == 409
    assert change(as_hr, invitation, what="revoke").status_code == 409


def test_extra_time_reaches_the_sitting_and_says_so(as_hr, version, hr, last_mail):
    invitation = make_invitation(make_person(email="a@example.org"), version, hr, days=2)
    before = invitation.deadline_at
    change(as_hr, invitation, what="extend", days="7")
    invitation.refresh_from_db()
    assert invitation.deadline_at == before + timedelta(days=7)
    assert Sitting.objects.get().deadline_at == invitation.deadline_at
    assert "more time" in last_mail("a@example.org").subject


def test_extra_time_after_the_deadline_counts_from_today(as_hr, version, hr):
    invitation = make_invitation(make_person(), version, hr)
    Invitation.objects.update(deadline_at=timezone.now() - timedelta(days=30))
    change(as_hr, invitation, what="extend", days="3")
    invitation.refresh_from_db()
    assert timezone.localdate(invitation.deadline_at) == timezone.localdate() + timedelta(days=3)


@pytest.mark.parametrize(
    "data", [{"what": "extend"}, {"what": "extend", "days": "0"}, {"what": "extend", "days": "999"}, {"what": "x"}, {}]
)
def test_nonsense_changes_nothing(as_hr, version, hr, data):
    invitation = make_invitation(make_person(), version, hr)
    assert change(as_hr, invitation, **data).status_code == 409
    assert Mail.objects.count() == 1


def later(**by) -> None:
    """As if every mail had gone out at once and some time had passed since."""
    moment = timezone.now() - timedelta(**by)
    Mail.objects.update(state="sent", sent_at=moment)
    Invitation.objects.update(sent_at=moment)


def test_one_reminder_before_the_deadline(version, hr):
    soon = make_invitation(make_person(email="soon@example.org"), version, hr, days=1)
    make_invitation(make_person(email="late@example.org"), version, hr, days=9)
    done = make_invitation(make_person(email="done@example.org"), version, hr, days=1)
    Invitation.objects.filter(pk=done.pk).update(submitted_at=timezone.now())
    later(days=1)
    now = timezone.now()
    assert inviting.remind(now) == 1
    assert inviting.remind(now) == 0
    reminders = Mail.objects.filter(subject__startswith="A reminder")
    assert [mail.to for mail in reminders] == ["soon@example.org"]
    soon.refresh_from_db()
    assert soon.reminded_at == now


def test_the_list_shows_how_far_each_is_in_few_queries(as_hr, version, hr, django_assert_max_num_queries):
    for n in range(20):
        make_invitation(make_person(f"P{n}"), version, hr)
    with django_assert_max_num_queries(9):
        page = as_hr.get("/invitations/").content.decode()
    assert page.count("0 of 3") == 20
    for state in ("open", "submitted", "expired", "revoked", "nonsense"):
        assert as_hr.get(f"/invitations/?state={state}&q=p1").status_code == 200


def test_everybody_who_is_late_is_reminded_at_once_but_nobody_twice_a_day(as_hr, hr, version):
    early = [make_invitation(make_person(f"Late {n}"), version, hr) for n in range(3)]
    done = make_invitation(make_person("Done"), version, hr)
    later(days=3)
    Invitation.objects.filter(pk=done.pk).update(submitted_at=timezone.now())
    Mail.objects.filter(to=early[2].person.email).update(sent_at=timezone.now())
    assert "Remind all 3 who have not handed in" in as_hr.get("/invitations/").content.decode()
    page = as_hr.post("/invitations/remind/", {"state": "open", "q": ""}, follow=True).content.decode()
    assert "2 reminders on the way. 1 had mail about it within the last day" in page
    assert Mail.objects.count() == 4 + 2
    Mail.objects.update(state="sent", sent_at=timezone.now())
    page = as_hr.post("/invitations/remind/", {}, follow=True).content.decode()
    assert "0 reminders on the way. 3 had mail" in page


def test_a_reminder_keeps_to_what_is_shown(as_hr, hr, version):
    for name in ("Ada", "Bob"):
        make_invitation(make_person(name), version, hr)
    later(days=3)
    as_hr.post("/invitations/remind/", {"q": "ada"})
    assert Invitation.objects.exclude(reminded_at=None).get().person.name == "Ada"


def test_whoever_holds_an_old_link_neither_fills_a_mailbox_nor_goes_on_ending_the_good_one(
    client, version, hr, last_mail, link_in
):
    person = make_person()
    make_invitation(person, version, hr)
    old = link_in(last_mail(person.email))
    for _ in range(12):
        Link.objects.update(created_at=timezone.now() - timedelta(minutes=2))
        client.post(f"{old}fresh/")
    assert Link.objects.count() == delivery.MOST_LINKS_AN_HOUR
    assert client.get(link_in(last_mail(person.email))).status_code == 200
    Link.objects.update(created_at=timezone.now() - timedelta(hours=2))
    client.post(f"{old}fresh/")
    assert Link.objects.count() == delivery.MOST_LINKS_AN_HOUR + 1, "an hour later there is one again"


def test_whoever_is_archived_or_gets_another_address_as_hr_invites_is_invited_as_they_are_then(
    as_hr, version, monkeypatch
):
    gone, moved = make_person("Ada", email="ada@example.org"), make_person("Bea", email="old@example.org")

    def meanwhile(*keys):
        Person.objects.filter(pk=gone.pk).update(archived_at=timezone.now())
        Person.objects.filter(pk=moved.pk).update(email="fresh@example.org")

    monkeypatch.setattr(inviting, "take_turns", meanwhile)
    data = {"role_version": version.pk, "deadline_on": day(10), "people": [gone.pk, moved.pk]}
    page = as_hr.post("/invitations/new/", data, follow=True).content.decode()
    assert "1 invitation on the way. 1 was archived meanwhile and got none." in page
    assert (Invitation.objects.get().person, Mail.objects.get().to) == (moved, "fresh@example.org")


def test_a_reminder_goes_to_the_address_that_is_known_when_it_is_written(version, hr, monkeypatch):
    people = [make_person("Ada"), make_person("Bea", email="old@example.org")]
    for person in people:
        make_invitation(person, version, hr, days=1)
    Mail.objects.update(state=Mail.State.SENT)

    def meanwhile(invitation, *args, **kwargs):
        Person.objects.filter(email="old@example.org").update(email="fresh@example.org")
        return delivery.mail_link(invitation, *args, **kwargs)

    monkeypatch.setattr(inviting, "mail_link", meanwhile)
    moment = timezone.now() + timedelta(hours=25)
    Invitation.objects.update(deadline_at=moment + timedelta(hours=12))
    assert inviting.remind(moment) == 2
    assert {mail.to for mail in Mail.objects.waiting()} == {people[0].email, "fresh@example.org"}
