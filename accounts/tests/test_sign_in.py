"""Signing in, the password, and the demo's one click."""

import re

import pytest
from django.db import IntegrityError, transaction

from accounts.factories import make_user
from accounts.models import AuditEntry, User

pytestmark = pytest.mark.django_db


def sign_in(client, email, password="correct horse battery"):
    return client.post("/sign-in/", {"login": email, "password": password})


def test_email_and_password_sign_in_whatever_the_case(client):
    make_user("hr", email="Hanne@Example.org")
    assert sign_in(client, "hANNE@example.org").status_code == 302
    assert client.get("/").status_code == 200


def test_two_accounts_never_share_an_address():
    make_user("hr", email="a@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(email="A@example.org", name="x")])


def test_a_wrong_password_says_so_and_guessing_is_slowed_down(client):
    user = make_user("hr")
    first = sign_in(client, user.email, "wrong")
    assert first.status_code == 200
    assert "not correct" in first.content.decode()
    for _ in range(6):
        sign_in(client, user.email, "wrong")
    blocked = sign_in(client, user.email)
    assert "_auth_user_id" not in client.session
    assert "Too many" in blocked.content.decode()


def test_an_account_that_was_closed_stays_out(client):
    user = make_user("hr", is_active=False)
    sign_in(client, user.email)
    assert "_auth_user_id" not in client.session


def test_a_forgotten_password_is_reset_by_mail_and_the_link_works_once(client, last_mail, link_in, run_jobs, settings):
    settings.DEMO = True  # keeps the text of mails
    user = make_user("employee")
    client.post("/password/forgotten/", {"email": user.email})
    run_jobs()
    path = link_in(last_mail(user.email))
    page = client.get(path, follow=True)
    target = page.redirect_chain[-1][0]
    new = {"password1": "another long word", "password2": "another long word"}
    assert client.post(target, new).status_code == 302
    user.refresh_from_db()
    assert user.check_password("another long word")
    client.logout()
    assert "ended" in client.get(path, follow=True).content.decode()


def test_an_unknown_address_gets_the_same_answer_and_no_mail(client, last_mail):
    answer = client.post("/password/forgotten/", {"email": "nobody@example.org"})
    assert answer.status_code == 302
    assert last_mail("nobody@example.org") is None


@pytest.mark.parametrize("role", ["hr", "assessor", "executive", "employee"])
def test_one_click_signs_in_only_in_demo_mode(client, settings, role):
    make_user(role, email=f"{role}@demo.socialstrategy.example")
    settings.DEMO = False
    assert client.post("/demo/", {"role": role}).status_code == 404
    settings.DEMO = True
    assert client.post("/demo/", {"role": role}).status_code == 302
    assert client.get("/").wsgi_request.user.role == role


def test_hr_makes_an_account_and_a_mail_asks_for_a_password(as_hr, last_mail):
    data = {"name": "New Person", "email": "New@example.org", "role": "assessor", "is_active": "on"}
    assert as_hr.post("/accounts/new/", data).status_code == 302
    assert "/password/new/" in last_mail("new@example.org").text
    assert AuditEntry.objects.filter(action="account.created").exists()
    again = as_hr.post("/accounts/new/", data | {"email": "NEW@example.org"})
    assert again.status_code == 400
    assert "already" in again.content.decode()


def test_nobody_locks_themselves_out(as_hr, hr):
    data = {"name": hr.name, "email": hr.email, "role": "employee", "is_active": "on"}
    assert as_hr.post(f"/accounts/{hr.pk}/", data).status_code == 400
    hr.refresh_from_db()
    assert hr.role == "hr"


def test_the_theme_is_kept_and_never_leads_away(client):
    response = client.post("/theme/", {"theme": "dark", "next": "https://evil.example/"})
    assert response["Location"] == "/"
    assert 'data-bs-theme="dark"' in client.get("/sign-in/").content.decode()
    client.post("/theme/", {"theme": "<script>"})
    assert 'data-bs-theme="dark"' in client.get("/sign-in/").content.decode()
    client.post("/theme/", {"theme": "auto"})
    assert 'data-bs-theme="auto"' in client.get("/sign-in/").content.decode()


def test_the_settings_say_which_theme_is_chosen(as_hr):
    for theme in ("auto", "light", "dark"):
        as_hr.post("/theme/", {"theme": theme})
        page = as_hr.get("/settings/").content.decode()
        (pressed,) = re.findall(r'value="(\w+)" aria-pressed="true"', page)
        assert pressed == theme


def test_somebody_without_a_password_yet_chooses_the_first_one(client, db):
    user = make_user("executive")
    user.set_unusable_password()
    user.save()
    client.force_login(user)
    assert client.get("/password/").url == "/password/first/"
    page = client.get("/password/first/").content.decode()
    assert "Choose a password" in page
    new = "a long enough sentence"
    assert client.post("/password/first/", {"password1": new, "password2": new}).status_code == 302
    user.refresh_from_db()
    assert user.check_password(new)
