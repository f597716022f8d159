"""A changed address ends what was mailed to the old one, and sends fresh links to the new one."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Link
from assessments import sessions
from assessments.models import Sitting
from candidates import delivery, inviting
from candidates.factories import make_invitation, make_person
from candidates.models import Invitation, Person
from candidates.readdressing import addresses_entered
from socialstrategy.mail.models import Mail

pytestmark = pytest.mark.django_db
FORM = {"name": "Ada", "kind": "employee", "email": "wrong@example.org"}


@pytest.fixture
def ada(version, hr):
    """Invited and with a report, at an address that turns out to be somebody else's."""
    ada = make_person("Ada", email="wrong@example.org", kind="employee")
    make_invitation(ada, version, hr)
    delivery.send_report(ada)
    return ada


def links(address, link_in):
    """What was mailed to an address: to an assessment, and to a report."""
    return [link_in(mail) for mail in Mail.objects.filter(to=address).order_by("created_at")]


def opens(path) -> int:
    return Client().post(path + "begin/", follow=True).status_code


def change(as_hr, ada, **changes):
    return as_hr.post(f"/people/{ada.pk}/edit/", FORM | changes)


def test_links_to_the_old_address_end_and_fresh_ones_go_to_the_new(as_hr, ada, link_in):
    old = links("wrong@example.org", link_in)
    assert change(as_hr, ada, email="ada@example.org").status_code == 302
    new = links("ada@example.org", link_in)
    assert [path[:3] for path in old] == [path[:3] for path in new] == ["/i/", "/r/"]
    assert [opens(path) for path in old] == [410, 410]
    assert [opens(path) for path in new] == [200, 200]
    assert AuditEntry.objects.filter(action="invitation.readdressed").count() == 1
    assert Mail.objects.filter(to="wrong@example.org").count() == len(old)


def test_an_address_taken_away_ends_the_links(as_hr, ada, link_in):
    old = links("wrong@example.org", link_in)
    assert change(as_hr, ada, email="").status_code == 302
    assert [opens(path) for path in old] == [410, 410]
    assert Mail.objects.count() == len(old)


def test_other_changes_and_other_ways_of_writing_leave_the_links(as_hr, ada, link_in):
    old = links("wrong@example.org", link_in)
    change(as_hr, ada, name="Ada Lovelace", email="WRONG@Example.org.")
    assert Mail.objects.count() == len(old)
    assert [opens(path) for path in old] == [200, 200]


def test_a_report_that_was_opened_is_not_mailed_to_the_new_address(as_hr, ada, link_in):
    assert opens(links("wrong@example.org", link_in)[1]) == 200
    change(as_hr, ada, email="ada@example.org")
    assert [path[:3] for path in links("ada@example.org", link_in)] == ["/i/"]


def test_what_was_handed_in_or_taken_back_is_not_sent_again(as_hr, hr, ada, link_in):
    inviting.revoke(ada.invitations.get(), by=hr)
    change(as_hr, ada, email="ada@example.org")
    assert [path[:3] for path in links("ada@example.org", link_in)] == ["/r/"]


def test_addresses_written_at_once_are_followed_in_the_same_way(hr, ada, link_in):
    old = links("wrong@example.org", link_in)
    Person.objects.filter(pk=ada.pk).update(email="ada@example.org")
    addresses_entered(Person.objects.filter(pk=ada.pk), by=hr)
    assert [opens(path) for path in old] == [410, 410]
    assert len(links("ada@example.org", link_in)) == 2


def test_what_was_opened_at_the_old_address_is_closed_and_the_fresh_link_opens_it(as_hr, ada, link_in):
    stranger, reader = Client(), Client()
    assessment, report = links("wrong@example.org", link_in)
    home = stranger.post(assessment + "begin/")["Location"]
    page = reader.post(report + "begin/")["Location"]
    assert (stranger.get(home).status_code, reader.get(page).status_code) == (200, 200)
    change(as_hr, ada, email="ada@example.org")
    assert stranger.post(home, {"consent": "on"}).status_code == 410
    assert stranger.post(f"{home}submit/").status_code == 410
    assert [reader.get(page + word).status_code for word in ("", "my-skills.json", "my-skills.xlsx")] == [410, 410, 410]
    assert Sitting.objects.get().consented_at is None
    ada_herself = Client()
    fresh = links("ada@example.org", link_in)[0]
    assert ada_herself.post(ada_herself.post(fresh + "begin/")["Location"], {"consent": "on"}).status_code == 302
    assert Sitting.objects.get().consented_at


def test_extra_time_revives_no_link_to_an_address_that_was_changed(as_hr, hr, ada, link_in):
    old = links("wrong@example.org", link_in)[0]
    Mail.objects.update(state="sent")
    Invitation.objects.update(deadline_at=timezone.now() - timedelta(minutes=1))
    change(as_hr, ada, email="ada@example.org")
    inviting.extend(Invitation.objects.get(), 5, by=hr)
    assert opens(old) == 410
    assert opens(links("ada@example.org", link_in)[-1]) == 200


def test_a_report_that_never_arrived_is_mailed_to_the_new_address(as_hr, ada, link_in):
    Mail.objects.filter(about=f"report:{ada.pk}").update(state="failed", failed_at=timezone.now())
    Link.objects.filter(purpose="report").update(ended_at=timezone.now())
    change(as_hr, ada, email="ada@example.org")
    assert not Mail.objects.failed().exists()
    assert [path[:3] for path in links("ada@example.org", link_in)] == ["/i/", "/r/"]


def test_many_reports_within_the_hour_keep_none_from_the_new_address(as_hr, ada, link_in):
    for n in range(delivery.MOST_LINKS_AN_HOUR):
        delivery.send_report(ada, is_asked_by_hr=True)
        change(as_hr, ada, email=f"ada{n}@example.org")
        ada.refresh_from_db()
        assert [path[:3] for path in links(f"ada{n}@example.org", link_in)] == ["/i/", "/r/"]


def test_whoever_pressed_begin_as_the_address_was_being_changed_is_let_in_no_more(as_hr, ada, link_in, rf):
    """Their link was used up before the change; their browser is given the sitting after it."""
    token = links("wrong@example.org", link_in)[0].split("/")[2]
    began = timezone.now()
    sitting = inviting.begin(token, began).sitting_id
    change(as_hr, ada, email="ada@example.org")
    request = rf.get("/")
    request.session, request.user = SessionStore(), AnonymousUser()
    sessions.hold(request, sitting, began)
    assert sessions.held_sitting(request, sitting) is None
    sessions.hold(request, sitting, timezone.now())
    assert sessions.held_sitting(request, sitting).pk == sitting
