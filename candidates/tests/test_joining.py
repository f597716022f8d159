"""People and accounts with one address are one, whichever comes first; HR parts and joins by hand."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import actions as accounts
from accounts.factories import make_user
from accounts.models import AuditEntry, User
from assessments.models import RatingRequest
from candidates import actions, archiving, delivery, inviting, joining
from candidates.factories import make_invitation, make_person
from candidates.models import Person
from candidates.readdressing import addresses_entered

pytestmark = pytest.mark.django_db
migration = import_module("candidates.migrations.0016_earlier_partings")
PERSON = {"name": "Ada", "email": "ada@example.org", "kind": "employee"}
ACCOUNT = {"name": "Ada", "email": "Ada@Example.org", "role": "employee", "is_active": "on"}


def account_of(name="Ada"):
    return Person.objects.get(name=name).user


def audited(action):
    return AuditEntry.objects.filter(action=action)


def test_an_account_for_somebody_on_the_list_is_theirs(as_hr, hr):
    as_hr.post("/people/new/", PERSON)
    as_hr.post("/accounts/new/", ACCOUNT)
    assert account_of() == User.objects.get(email="ada@example.org")
    entry = audited("account.joined").get()
    assert (entry.by, entry.summary) == (hr, f"{Person.objects.get().code} with account {account_of().pk}")


def test_somebody_added_after_their_account_has_it(as_hr):
    as_hr.post("/accounts/new/", ACCOUNT)
    as_hr.post("/people/new/", PERSON)
    assert account_of() is not None
    assert audited("account.joined").exists()


def test_an_address_that_is_entered_later_joins_as_well(as_hr):
    as_hr.post("/accounts/new/", ACCOUNT)
    as_hr.post("/people/new/", PERSON | {"email": ""})
    assert account_of() is None
    as_hr.post(f"/people/{Person.objects.get().pk}/edit/", PERSON | {"email": "ada@EXAMPLE.org"})
    assert account_of() is not None


def test_the_joined_account_finds_its_page_its_work_and_its_report(as_hr, client, version, hr):
    as_hr.post("/people/new/", PERSON)
    person = Person.objects.get()
    make_invitation(person, version, hr)
    as_hr.post("/accounts/new/", ACCOUNT)
    client.force_login(account_of())
    assert version.role.title in client.get("/").content.decode()
    assert client.get(f"/people/{person.pk}/").status_code == 200
    assert client.get(f"/report/{person.subject}/").status_code == 200


def test_many_people_who_were_written_at_once_are_joined_by_a_few_queries(hr, django_assert_max_num_queries):
    users = [make_user(email=f"p{n}@example.org") for n in range(5)]
    Person.objects.bulk_create([Person(name=f"P{n}", email=f"P{n}@example.org") for n in range(60)])
    with django_assert_max_num_queries(30):
        addresses_entered(Person.objects.all(), by=hr)
    assert set(Person.objects.exclude(user=None).values_list("user", flat=True)) == {user.pk for user in users}


@pytest.mark.parametrize("fields", [{"is_staff": True}, {"is_superuser": True}])
def test_an_administrator_s_account_is_joined_to_nobody_by_itself(hr, fields):
    make_user("hr", email="ada@example.org", **fields)
    person = make_person("Ada", email="ada@example.org")
    assert person.user is None


def test_nobody_who_has_an_account_gets_another(hr):
    first = make_user(email="first@example.org")
    person = make_person("Ada", email="ada@example.org", user=first)
    other = make_user(email="ada@example.org")
    joining.account_entered(other, by=hr)
    person.refresh_from_db()
    assert person.user == first


def test_an_account_that_is_somebody_s_stays_theirs(hr):
    user = make_user(email="ada@example.org")
    make_person("First", email="first@example.org", user=user)
    assert make_person("Ada", email="ada@example.org").user is None


def test_where_two_fit_hr_decides(as_hr):
    """Two ways of writing one mailbox, from before there was one form."""
    make_person("Ada", email="ada@müller.example")
    make_person("Twin", email="twin@example.org")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE candidates_person SET email = 'ada@müller.example' WHERE name = 'Twin'")
    as_hr.post("/accounts/new/", ACCOUNT | {"email": "ada@müller.example"})
    assert not Person.objects.exclude(user=None).exists()
    ada = Person.objects.get(name="Ada")
    page = as_hr.get(f"/people/{ada.pk}/").content.decode()
    assert "Is it theirs?" in page
    as_hr.post(f"/people/{ada.pk}/account/join/", {"account": "ada@müller.example"})
    assert account_of("Ada") is not None


def test_parting_holds_until_an_address_changes(as_hr, hr):
    as_hr.post("/people/new/", PERSON)
    as_hr.post("/accounts/new/", ACCOUNT)
    person, user = Person.objects.get(), account_of()
    as_hr.post(f"/people/{person.pk}/account/part/")
    assert account_of() is None
    assert User.objects.filter(pk=user.pk).exists()
    assert audited("account.parted").get().by == hr
    as_hr.post(f"/people/{person.pk}/edit/", PERSON | {"job_title": "Clerk"})
    as_hr.post(f"/accounts/{user.pk}/", ACCOUNT | {"name": "Ada L."})
    assert account_of() is None
    assert "Is it theirs?" in as_hr.get(f"/people/{person.pk}/").content.decode()


def test_home_and_list_ask_hr_about_whoever_was_not_joined(as_hr, hr):
    make_user(email="ada@example.org")
    person = make_person("Ada", email="ada@example.org")
    make_person("Bea", email="bea@example.org")
    assert "the same person?" not in as_hr.get("/").content.decode()
    joining.part(person, by=hr)
    assert "?account=fitting" in as_hr.get("/").content.decode()
    page = as_hr.get("/people/?account=fitting").content.decode()
    assert [name in page for name in (">Ada</a>", ">Bea</a>")] == [True, False]


def test_a_parted_account_reads_nothing_of_the_person(client, hr):
    user = make_user(email="ada@example.org")
    person = make_person("Ada", email="ada@example.org")
    client.force_login(user)
    assert client.get(f"/people/{person.pk}/").status_code == 200
    joining.part(person, by=hr)
    assert client.get(f"/people/{person.pk}/").status_code == 404


def test_saving_the_form_does_not_part_what_was_joined_meanwhile(hr):
    person = make_person("Ada", email="ada@example.org")
    old = Person.objects.get()
    accounts.create_account(User(name="Ada", email="ada@example.org"), by=hr)
    old.job_title = "Clerk"
    actions.save_person(old, by=hr)
    person.refresh_from_db()
    assert (person.job_title, person.user) == ("Clerk", User.objects.get(email="ada@example.org"))


def test_hr_invites_somebody_to_an_account_and_it_is_theirs(as_hr, last_mail):
    as_hr.post("/people/new/", PERSON)
    person = Person.objects.get()
    assert as_hr.post(f"/people/{person.pk}/account/invite/", {"role": "employee"}).status_code == 302
    assert account_of().email == "ada@example.org"
    assert "/password/new/" in last_mail("ada@example.org").text
    again = as_hr.post(f"/people/{person.pk}/account/invite/", {"role": "employee"})
    assert again.status_code == 409
    assert "has an account already" in again.content.decode()


@pytest.mark.parametrize("role", ["hr", "", "superuser"])
def test_nobody_is_invited_as_somebody_who_looks_after_accounts(as_hr, role):
    person = make_person("Ada")
    assert as_hr.post(f"/people/{person.pk}/account/invite/", {"role": role}).status_code == 409
    assert account_of() is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"email": None}, "no e-mail address"), ({"archived_at": "2026-01-01T00:00Z"}, "archived")],
)
def test_whom_no_account_can_be_made_for_a_sentence_says_so(as_hr, fields, said):
    person = make_person("Ada")
    Person.objects.filter(pk=person.pk).update(**fields)
    answer = as_hr.post(f"/people/{person.pk}/account/invite/", {"role": "employee"})
    assert (answer.status_code, said in answer.content.decode()) == (409, True)


def test_an_account_is_joined_by_hand_once_and_by_whoever_may(as_hr):
    user, staff = make_user(email="a.l@example.org"), make_user("hr", is_staff=True)
    ada, bea = make_person("Ada"), make_person("Bea")
    assert as_hr.post(f"/people/{ada.pk}/account/join/", {"account": "A.L@example.org"}).status_code == 302
    assert account_of() == user
    for person, account, said in (
        (bea, user.email, "somebody else"),
        (ada, user.email, "has an account already"),
        (bea, staff.email, "administrator"),
        (bea, "nobody@example.org", "no account with the address"),
    ):
        answer = as_hr.post(f"/people/{person.pk}/account/join/", {"account": account})
        assert (answer.status_code, said in answer.content.decode()) == (409, True), said
    assert account_of("Bea") is None


def test_pages_show_who_has_an_account_and_whose_each_is(as_hr):
    user = make_user(email="ada@example.org", name="Ada at work")
    lonely = make_user(email="lonely@example.org", name="Lonely")
    ada, bea = make_person("Ada", email="ada@example.org"), make_person("Bea")
    accounts_page = as_hr.get("/accounts/").content.decode()
    assert f'href="/people/{ada.pk}/">Ada</a>' in accounts_page
    assert accounts_page.count("Nobody on the list") == 2  # Lonely's and HR's own
    assert "Nobody on the list" in as_hr.get(f"/accounts/{lonely.pk}/").content.decode()
    assert f'href="/accounts/{user.pk}/"' in as_hr.get(f"/people/{ada.pk}/").content.decode()
    assert "Invite to an account" in as_hr.get(f"/people/{bea.pk}/").content.decode()
    with_account = as_hr.get("/people/?account=with").content.decode()
    without = as_hr.get("/people/?account=without").content.decode()
    assert [name in with_account for name in (">Ada</a>", ">Bea</a>")] == [True, False]
    assert [name in without for name in (">Ada</a>", ">Bea</a>")] == [False, True]


def test_a_manager_with_an_account_is_offered_as_rater(as_hr):
    boss = make_person("Boss", email="boss@example.org", kind="employee")
    report = make_person("Report", manager=boss)
    assert "boss@example.org" not in as_hr.get(f"/people/{report.pk}/").content.decode()
    as_hr.post("/accounts/new/", ACCOUNT | {"email": "boss@example.org", "name": "Boss"})
    assert 'value="boss@example.org"' in as_hr.get(f"/people/{report.pk}/").content.decode()


def test_bringing_somebody_back_joins_the_account_that_waited(hr):
    person = make_person("Ada", email="ada@example.org")
    archiving.archive(person, by=hr)
    user = accounts.create_account(User(name="Ada", email="ada@example.org"), by=hr)
    assert account_of() is None
    archiving.bring_back(person, by=hr)
    assert account_of() == user


def test_whom_hr_has_parted_is_not_joined_again_by_coming_back_or_by_an_address(as_hr, hr):
    user = make_user(email="ada@example.org")
    person = make_person("Ada", email="ada@example.org")
    joining.part(person, by=hr)
    archiving.archive(person, by=hr)
    archiving.bring_back(person, by=hr)
    assert account_of() is None
    as_hr.post(f"/people/{person.pk}/edit/", PERSON | {"email": "other@example.org"})
    as_hr.post(f"/people/{person.pk}/edit/", PERSON)
    assert account_of() is None
    assert "Is it theirs?" in as_hr.get(f"/people/{person.pk}/").content.decode()
    as_hr.post(f"/people/{person.pk}/account/join/", {"account": user.email})
    assert account_of() == user
    archiving.archive(person, by=hr)
    assert account_of() == user


def test_nobody_parts_or_joins_their_own_account(as_hr, hr):
    ada = make_person("Ada", email=hr.email)
    bea = make_person("Bea")
    assert account_of() == hr
    answer = as_hr.post(f"/people/{ada.pk}/account/part/")
    assert (answer.status_code, "Ask another HR manager" in answer.content.decode()) == (409, True)
    assert account_of() == hr
    assert "Part them" not in as_hr.get(f"/people/{ada.pk}/").content.decode()
    joining.part(ada, by=make_user("hr"))
    assert as_hr.post(f"/people/{bea.pk}/account/join/", {"account": hr.email}).status_code == 409
    assert account_of("Bea") is None


def test_an_account_that_was_never_signed_in_to_follows_the_address_of_whom_it_was_made_for(as_hr, last_mail, link_in):
    """The mail to choose a password may have gone to somebody else's mailbox."""
    as_hr.post("/people/new/", PERSON | {"email": "wrong@example.org"})
    person = Person.objects.get()
    as_hr.post(f"/people/{person.pk}/account/invite/", {"role": "employee"})
    old = link_in(last_mail("wrong@example.org"))
    assert 'name="password1"' in Client().get(old, follow=True).content.decode()
    as_hr.post(f"/people/{person.pk}/edit/", PERSON)
    assert account_of().email == "ada@example.org"
    assert "/password/new/" in last_mail("ada@example.org").text
    assert 'name="password1"' not in Client().get(old, follow=True).content.decode()


def test_an_account_that_was_signed_in_to_keeps_its_address_and_hr_is_told(as_hr):
    user = make_user(email="wrong@example.org", last_login=timezone.now())
    person = make_person("Ada", email="wrong@example.org", kind="employee")
    assert "another address" not in as_hr.get(f"/people/{person.pk}/").content.decode()
    as_hr.post(f"/people/{person.pk}/edit/", PERSON)
    user.refresh_from_db()
    assert (account_of(), user.email) == (user, "wrong@example.org")
    assert "The account has another address than Ada" in as_hr.get(f"/people/{person.pk}/").content.decode()


def test_an_account_follows_no_address_that_another_account_has(as_hr, hr):
    taken = make_user(email="ada@example.org")
    as_hr.post("/people/new/", PERSON | {"email": "wrong@example.org"})
    as_hr.post(f"/people/{Person.objects.get().pk}/account/invite/", {"role": "employee"})
    assert as_hr.post(f"/people/{Person.objects.get().pk}/edit/", PERSON).status_code == 302
    assert account_of().email == "wrong@example.org"
    assert taken.email == "ada@example.org"


def test_a_password_that_was_chosen_in_the_wrong_mailbox_opens_nothing_once_the_address_is_corrected(
    as_hr, last_mail, link_in
):
    as_hr.post("/people/new/", PERSON | {"email": "wrong@example.org"})
    person, stranger = Person.objects.get(), Client()
    as_hr.post(f"/people/{person.pk}/account/invite/", {"role": "employee"})
    link = link_in(last_mail("wrong@example.org"))
    form = stranger.get(link, follow=True).redirect_chain[-1][0]
    chosen = "a strange horse battery"
    assert stranger.post(form, {"password1": chosen, "password2": chosen}).status_code == 302
    assert account_of().has_usable_password()
    as_hr.post(f"/people/{person.pk}/edit/", PERSON)
    assert account_of().email == "ada@example.org"
    stranger.post("/sign-in/", {"login": "ada@example.org", "password": chosen})
    assert "_auth_user_id" not in stranger.session
    assert not account_of().has_usable_password()


def test_what_a_parted_account_has_open_is_closed_to_it(client, hr, version, link_in, last_mail):
    user = make_user(email="ada@example.org")
    person = make_person("Ada", email="ada@example.org")
    invitation = make_invitation(person, version, hr)
    client.force_login(user)
    home = client.post(f"/invitations/{invitation.pk}/mine/")["Location"]
    assert client.get(home).status_code == 200
    joining.part(person, by=hr)
    fresh = Client()
    inviting.send_fresh(invitation)
    assert fresh.get(fresh.post(link_in(last_mail(person.email)) + "begin/")["Location"]).status_code == 200
    assert client.get(home).status_code == 410
    assert client.post(home, {"consent": "on"}).status_code == 410


def test_a_report_that_a_parted_account_has_opened_is_closed_to_it(client, hr, link_in, last_mail):
    user = make_user(email="ada@example.org")
    person = make_person("Ada", email="ada@example.org")
    delivery.send_report(person)
    client.force_login(user)
    page = client.post(link_in(last_mail(person.email)) + "begin/")["Location"]
    assert client.get(page).status_code == 200
    joining.part(person, by=hr)
    assert client.get(page).status_code == 410


def test_an_unused_account_follows_an_address_that_a_command_has_corrected(last_mail):
    person = make_person("Ada", email="wrong@example.org")
    accounts.create_account(User(name="Ada", email="wrong@example.org"), by=None)
    person = Person.objects.get(pk=person.pk)
    person.email = "ada@example.org"
    actions.save_person(person, by=None)
    assert account_of().email == "ada@example.org"
    assert "entered by" not in last_mail("wrong@example.org").text


def test_partings_from_before_they_were_kept_are_taken_from_the_audit_log(hr):
    user = make_user(email="ada@example.org")
    parted, joined = make_person("Ada", email="ada@example.org"), make_person("Bea")
    joining.part(parted, by=hr)
    joining.join_by_hand(joined, user, by=hr)
    other = make_user(email="other@example.org")
    joining.part(joined, by=hr)
    joining.join_by_hand(joined, other, by=hr)
    joining.part(joined, by=hr)
    joining.join_by_hand(joined, user, by=hr)
    AuditEntry.objects.create(by=hr, action="account.parted", label="candidates.person", target="0", summary="gone")
    Person.parted_from.through.objects.all().delete()
    migration.keep_partings(apps, None)
    kept = set(Person.parted_from.through.objects.values_list("person", "user"))
    assert kept == {(parted.pk, user.pk), (joined.pk, other.pk)}


@pytest.mark.parametrize("name", ["ÉMILE O'NEIL", "émile o’neil", "E\u0301mile O\u02bcNeil"])
def test_an_account_of_the_same_name_is_offered_however_it_is_written(as_hr, name):
    account = make_user("employee", email="emile@example.org", name=name)
    make_user("employee", email="other@example.org", name="Émilie O’Neil")
    person = make_person("Émile O’Neil", email=None)
    assert joining.fitting_accounts(person) == [account]
    assert "emile@example.org" in as_hr.get(f"/people/{person.pk}/").content.decode()


def test_whoever_was_asked_to_rate_somebody_and_turns_out_to_be_them_is_asked_no_more(client, hr, version):
    user = make_user(email="other@example.org")
    person, colleague = make_person("Ada", email="ada@example.org"), make_person("Bea")
    for somebody in (person, colleague):
        actions.ask_for_rating(somebody, version, user, kind="peer", by=hr)
    joining.join_by_hand(person, user, by=hr)
    assert RatingRequest.objects.open().get().subject == colleague.subject
    assert audited("rating.withdrawn").get().summary == f"{person.code}, as their colleague"
    client.force_login(user)
    assert "Ada" not in client.get("/ratings/").content.decode()
    assert "Rate them first" not in client.get(f"/people/{person.pk}/").content.decode()


def test_what_an_account_has_opened_is_closed_once_it_may_not_sign_in(client, hr, version, link_in, last_mail):
    user = make_user(email="ada@example.org")
    person = make_person("Ada", email="ada@example.org")
    invitation = make_invitation(person, version, hr)
    delivery.send_report(person)
    client.force_login(user)
    report = client.post(link_in(last_mail(person.email)) + "begin/")["Location"]
    home = client.post(f"/invitations/{invitation.pk}/mine/")["Location"]
    assert [client.get(page).status_code for page in (report, home)] == [200, 200]
    accounts.change_account(user, {"is_active": False}, by=hr)
    assert [client.get(page).status_code for page in (report, home)] == [410, 410]
    inviting.resend(invitation, by=hr)
    assert client.get(client.post(link_in(last_mail(person.email)) + "begin/")["Location"]).status_code == 200
