"""A changed address ends what was mailed to the old one, and sends fresh links to the new one."""

import pytest
from django.test import Client

from accounts.models import AuditEntry
from candidates import delivery, inviting
from candidates.factories import make_invitation, make_person
from candidates.models import Person
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
