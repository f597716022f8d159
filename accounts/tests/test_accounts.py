"""Accounts: administrators change administrators, addresses are confirmed, nobody locks everybody out."""

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts import actions
from accounts.factories import make_user
from accounts.models import AuditEntry, Link, User
from socialstrategy.mail.models import Mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db):
    """Somebody who has signed in before."""
    return make_user("employee", email="ada@example.org", name="Ada", last_login=timezone.now())


def form(user, **changes):
    values = {"name": user.name, "email": user.email, "role": user.role, "is_active": "on"}
    values |= {"is_staff": "on"} if user.is_staff else {}
    return {name: value for name, value in (values | changes).items() if value is not None}


def entry(action):
    return AuditEntry.objects.filter(action=action).latest("pk")


def confirmation(address, link_in):
    mails = Mail.objects.filter(to=address, text__contains="/address/").order_by("-created_at")
    return link_in(mails.first())


# Administrators


@pytest.mark.parametrize(
    "rights", [{"is_staff": True}, {"is_superuser": True}, {"is_staff": True, "is_superuser": True}]
)
@pytest.mark.parametrize(
    "changes", [{"email": "mine@example.org"}, {"role": "employee"}, {"is_active": None}, {"name": "Taken over"}]
)
def test_hr_changes_nothing_of_an_administrator_s_account(as_hr, rights, changes):
    staff = make_user("hr", email="root@example.org", **rights)
    page = as_hr.get(f"/accounts/{staff.pk}/").content.decode()
    assert "Only an administrator can change this account" in page
    assert 'name="email"' not in page
    assert as_hr.post(f"/accounts/{staff.pk}/", form(staff, **changes)).status_code == 400
    assert as_hr.post(f"/accounts/{staff.pk}/password/").status_code == 409
    found = User.objects.get(pk=staff.pk)
    assert (found.email, found.new_email, found.role, found.is_active, found.name) == (
        "root@example.org", None, "hr", True, staff.name,
    )  # fmt: skip
    assert not Mail.objects.exists()


def test_hr_makes_nobody_an_administrator(as_hr, ada):
    new = {"name": "New", "email": "new@example.org", "role": "hr", "is_active": "on", "is_staff": "on"}
    as_hr.post("/accounts/new/", new | {"is_superuser": "on"})
    as_hr.post(f"/accounts/{ada.pk}/", form(ada, is_staff="on", is_superuser="on"))
    assert not User.objects.filter(is_staff=True).exists()
    assert not User.objects.filter(is_superuser=True).exists()


def test_an_administrator_changes_another_but_no_superuser(client, ada):
    root = make_user("hr", is_staff=True, is_superuser=True)
    first, second = (make_user("hr", is_staff=True) for _ in range(2))
    client.force_login(first)
    assert client.post(f"/accounts/{second.pk}/", form(second, name="Renamed")).status_code == 302
    assert client.post(f"/accounts/{root.pk}/", form(root, name="Renamed")).status_code == 400
    client.force_login(root)
    assert client.post(f"/accounts/{ada.pk}/", form(ada, is_staff="on")).status_code == 302
    assert User.objects.get(pk=ada.pk).is_staff
    assert entry("account.changed").detail == {"before": {"is_staff": False}, "after": {"is_staff": True}}
    assert not User.objects.filter(name="Renamed").exclude(pk=second.pk).exists()


# Roles


def test_a_change_of_role_is_kept_with_what_it_was(as_hr, hr, ada):
    as_hr.post(f"/accounts/{ada.pk}/", form(ada, role="executive"))
    found = entry("account.changed")
    assert (found.by, found.detail) == (hr, {"before": {"role": "employee"}, "after": {"role": "executive"}})
    assert "Employee → Executive" in as_hr.get("/audit/").content.decode()


@pytest.mark.parametrize("changes", [{"role": "executive"}, {"is_active": None}])
def test_nobody_changes_their_own_rights(as_hr, hr, changes):
    make_user("hr")
    answer = as_hr.post(f"/accounts/{hr.pk}/", form(hr, **changes))
    assert answer.status_code == 400
    assert "Nobody changes their own" in answer.content.decode()
    assert User.objects.get(pk=hr.pk).role == "hr"


def test_the_last_hr_manager_stays(hr):
    """Two who shut each other out: the second finds that they are out themselves."""
    other = make_user("hr")
    actions.change_account(other, {"role": "employee"}, by=hr)
    with pytest.raises(ValidationError, match="last HR manager"):
        actions.change_account(hr, {"is_active": False}, by=other)
    assert User.objects.filter(role="hr", is_active=True).get() == hr


def test_whoever_may_not_sign_in_is_out_at_once(as_hr, client, ada):
    signed_in = Client()
    signed_in.force_login(ada)
    as_hr.post(f"/accounts/{ada.pk}/", form(ada, is_active=None))
    assert signed_in.get("/").status_code == 302


# Addresses


def test_an_address_of_one_s_own_holds_once_it_is_confirmed(client, ada, last_mail, link_in):
    client.force_login(ada)
    EmailAddress.objects.create(user=ada, email="ada@example.org", verified=True)
    assert client.post("/settings/address/", {"email": "Ada.L@example.org"}).status_code == 302
    ada.refresh_from_db()
    assert (ada.email, ada.new_email) == ("ada@example.org", "ada.l@example.org")
    assert "you have asked for another address" in last_mail("ada@example.org").text
    assert "/address/" not in last_mail("ada@example.org").text
    path = confirmation("ada.l@example.org", link_in)
    assert "ada.l@example.org" in client.get(path).content.decode()
    ada.refresh_from_db()
    assert ada.new_email  # looking changes nothing
    assert client.post(path).status_code == 302
    ada.refresh_from_db()
    assert (ada.email, ada.new_email) == ("ada.l@example.org", None)
    assert entry("account.address asked").detail == {"before": "ada@example.org", "after": "ada.l@example.org"}
    assert entry("account.address changed").detail == {"before": "ada@example.org", "after": "ada.l@example.org"}
    assert client.post(path).status_code == 410
    fresh = Client()
    for address, holds in (("ada@example.org", False), ("ada.l@example.org", True)):
        fresh.post("/sign-in/", {"login": address, "password": "correct horse battery"})
        assert ("_auth_user_id" in fresh.session) is holds, address


def test_hr_asks_and_the_holder_confirms(as_hr, hr, client, ada, last_mail, link_in):
    as_hr.post(f"/accounts/{ada.pk}/", form(ada, email="thief@example.org"))
    assert "Hanne Berg has asked for another address" in last_mail("ada@example.org").text
    path = confirmation("thief@example.org", link_in)
    # Whoever has the mailbox alone, or another account, confirms nothing and gets no new password.
    stranger = Client()
    assert stranger.post(path).url.startswith("/sign-in/")
    assert as_hr.post(path).status_code == 410
    assert "for another account" in as_hr.get(path).content.decode()
    stranger.post("/password/forgotten/", {"email": "thief@example.org"})
    assert not Mail.objects.filter(to="thief@example.org", text__contains="/password/").exists()
    ada.refresh_from_db()
    assert ada.email == "ada@example.org"
    holder = Client()
    holder.force_login(ada)
    assert holder.post(path).status_code == 302
    ada.refresh_from_db()
    assert ada.email == "thief@example.org"


def test_a_name_saved_meanwhile_leaves_the_address_that_waits(as_hr, ada):
    as_hr.post(f"/accounts/{ada.pk}/", form(ada, email="new@example.org"))
    page = as_hr.get(f"/accounts/{ada.pk}/").content.decode()
    assert "new@example.org holds once it is confirmed" in " ".join(page.split())
    as_hr.post(f"/accounts/{ada.pk}/", form(ada, email="new@example.org", name="Ada L."))
    ada.refresh_from_db()
    assert (ada.name, ada.new_email) == ("Ada L.", "new@example.org")


def test_keeping_the_old_address_ends_the_link(client, ada, link_in):
    client.force_login(ada)
    client.post("/settings/address/", {"email": "new@example.org"})
    path = confirmation("new@example.org", link_in)
    client.post("/settings/address/", {"keep": "1"})
    assert client.post(path).status_code == 410
    ada.refresh_from_db()
    assert (ada.email, ada.new_email) == ("ada@example.org", None)


def test_the_link_is_mailed_again_but_not_every_moment(client, ada, link_in):
    client.force_login(ada)
    client.post("/settings/address/", {"email": "new@example.org"})
    first = confirmation("new@example.org", link_in)
    assert client.post("/settings/address/", {"again": "1"}).status_code == 400
    Link.objects.update(created_at=timezone.now() - timezone.timedelta(minutes=2))
    assert client.post("/settings/address/", {"again": "1"}).status_code == 302
    second = confirmation("new@example.org", link_in)
    assert client.post(first).status_code == 410
    assert client.post(second).status_code == 302


def test_a_link_runs_out(client, ada, link_in):
    client.force_login(ada)
    client.post("/settings/address/", {"email": "new@example.org"})
    Link.objects.update(expires_at=timezone.now())
    assert client.post(confirmation("new@example.org", link_in)).status_code == 410


def test_an_address_that_was_taken_meanwhile_is_refused_with_a_sentence(client, ada, link_in):
    client.force_login(ada)
    client.post("/settings/address/", {"email": "new@example.org"})
    make_user(email="new@example.org")
    answer = client.post(confirmation("new@example.org", link_in))
    assert answer.status_code == 410
    assert "has this address by now" in answer.content.decode()
    assert client.post("/settings/address/", {"email": "new@example.org"}).status_code == 400


def test_where_nobody_has_signed_in_hr_corrects_the_address_and_the_first_link_ends(as_hr, last_mail, link_in):
    new = {"name": "New", "email": "wrong@example.org", "role": "employee", "is_active": "on"}
    as_hr.post("/accounts/new/", new)
    user = User.objects.get(email="wrong@example.org")
    old_link = link_in(last_mail("wrong@example.org"))
    as_hr.post(f"/accounts/{user.pk}/", form(user, email="right@example.org"))
    user.refresh_from_db()
    assert (user.email, user.new_email) == ("right@example.org", None)
    assert entry("account.address changed").detail == {"before": "wrong@example.org", "after": "right@example.org"}
    assert "another address from now on" in last_mail("wrong@example.org").text
    assert "ended" in Client().get(old_link, follow=True).content.decode()
    assert "ended" not in Client().get(link_in(last_mail("right@example.org")), follow=True).content.decode()


def test_hr_mails_the_link_to_a_password_once_more(as_hr, ada, last_mail):
    assert as_hr.post(f"/accounts/{ada.pk}/password/").status_code == 302
    assert "/password/new/" in last_mail("ada@example.org").text
    User.objects.update(is_active=False)
    User.objects.filter(role="hr").update(is_active=True)
    assert as_hr.post(f"/accounts/{ada.pk}/password/").status_code == 409


def test_a_confirmed_address_joins_whoever_on_the_list_has_it(client, ada, link_in):
    from candidates.factories import make_person

    person = make_person("Ada", email="ada.l@example.org")
    client.force_login(ada)
    client.post("/settings/address/", {"email": "ada.l@example.org"})
    person.refresh_from_db()
    assert person.user is None
    client.post(confirmation("ada.l@example.org", link_in))
    person.refresh_from_db()
    assert person.user == ada
