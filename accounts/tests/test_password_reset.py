"""A forgotten password: nobody learns who has an account, and the link leads to our own address."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.factories import make_user
from accounts.models import Link
from socialstrategy.jobs.models import Job
from socialstrategy.mail.models import Mail

pytestmark = pytest.mark.django_db


def ask(client, email, **extra):
    return client.post("/password/forgotten/", {"email": email}, **extra)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9999", "testserver"])
def test_the_link_leads_to_our_address_whatever_the_request_says(client, settings, run_jobs, host):
    settings.DEMO = True  # keeps the text of mails
    settings.BASE_URL = "https://skills.example.org"
    settings.ALLOWED_HOSTS = ["*"]
    user = make_user("employee")
    assert ask(client, user.email, HTTP_HOST=host).status_code == 302
    run_jobs()
    assert "\nhttps://skills.example.org/password/new/" in Mail.objects.get().text


def test_so_does_the_link_of_an_account_that_hr_makes(as_hr, settings):
    settings.BASE_URL = "https://skills.example.org"
    settings.ALLOWED_HOSTS = ["*"]
    data = {"name": "New Person", "email": "new@example.org", "role": "assessor", "is_active": "on"}
    as_hr.post("/accounts/new/", data, HTTP_HOST="evil.example")
    assert "\nhttps://skills.example.org/password/new/" in Mail.objects.get(to="new@example.org").text


def test_the_same_is_done_for_known_and_unknown_addresses(client):
    known, closed = make_user("hr"), make_user("hr", is_active=False)
    seen = []
    for email in (known.email, "nobody@example.org", closed.email):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = ask(client, email)
        asked = [query["sql"].replace(email, "…").split("VALUES")[0] for query in queries]
        seen.append((answer.status_code, answer["Location"], asked))
    assert seen[0] == seen[1] == seen[2]
    assert not Mail.objects.exists()
    assert Job.objects.filter(kind="accounts.password_reset").count() == 3


def test_only_who_may_sign_in_gets_a_mail_and_nothing_stays_of_who_asked(client, run_jobs):
    known, closed = make_user("hr"), make_user("hr", is_active=False)
    for email in (known.email.upper(), "nobody@example.org", closed.email):
        ask(client, email)
    run_jobs()
    assert [mail.to for mail in Mail.objects.all()] == [known.email]
    assert all(job.arguments == {} for job in Job.objects.filter(kind="accounts.password_reset"))


def test_signing_in_costs_one_hash_whoever_tries_and_says_the_same(client, monkeypatch):
    hashed = []
    real = Argon2PasswordHasher.encode
    monkeypatch.setattr(Argon2PasswordHasher, "encode", lambda *a, **k: hashed.append("new") or real(*a, **k))
    verify = Argon2PasswordHasher.verify
    monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda *a, **k: hashed.append("known") or verify(*a, **k))
    known, closed, fresh = make_user("hr"), make_user("hr", is_active=False), make_user("hr")
    fresh.set_unusable_password()
    fresh.save()
    pages = []
    for email in (known.email, "nobody@example.org", closed.email, fresh.email):
        hashed.clear()
        answer = client.post("/sign-in/", {"login": email, "password": "wrong"})
        assert len(hashed) == 1
        pages.append((answer.status_code, "not correct" in answer.content.decode()))
    assert set(pages) == {(200, True)}


def test_a_second_request_takes_back_a_mail_that_has_not_arrived(client, smtp, run_jobs):
    user = make_user("hr")
    smtp.mood(rcpt={user.email: ["450 later"]})
    ask(client, user.email)
    run_jobs()
    ask(client, user.email)
    run_jobs()
    assert len(smtp.received()) == 1
    assert sorted(Mail.objects.values_list("state", flat=True)) == ["sent", "withdrawn"]


def test_hr_sees_an_account_mail_that_failed_and_sends_it_again(as_hr, smtp, run_jobs):
    smtp.mood(rcpt={"new@example.org": "550 5.1.1 No such user"})
    data = {"name": "New Person", "email": "new@example.org", "role": "assessor", "is_active": "on"}
    as_hr.post("/accounts/new/", data)
    run_jobs()
    assert "New Person" in as_hr.get("/").content.decode()
    assert Mail.objects.get().text == ""
    page = " ".join(as_hr.get("/accounts/").content.decode().split())
    assert 'Mail to choose a password: <span class="chip" data-state="gap">Not delivered</span>' in page
    smtp.mood()
    as_hr.post("/outbox/undelivered/again/")
    run_jobs()
    (received,) = smtp.received()
    assert "/password/new/" in received.get_payload(decode=True).decode()


def test_another_address_that_takes_no_mail_is_seen_by_hr_and_its_link_ends(client, smtp, run_jobs, last_mail):
    user = make_user("employee", name="Ada Moor")
    client.force_login(user)
    smtp.mood(rcpt={"new@example.org": "550 5.1.1 No such user", user.email: "552 5.2.2 Mailbox full"})
    client.post("/settings/address/", {"email": "new@example.org"})
    run_jobs()
    link, notice = last_mail("new@example.org"), last_mail(user.email)
    assert (link.state, link.text, notice.state) == ("failed", "", "failed")
    assert not Link.objects.filter(ended_at=None).exists()
    Link.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    client.force_login(make_user("hr"))
    smtp.mood()
    page = client.post("/outbox/undelivered/again/", follow=True).content.decode()
    assert "2 fresh mails are on the way." in page
    run_jobs()
    texts = {one["To"]: one.get_payload(decode=True).decode() for one in smtp.received()}
    assert len(texts) == 2
    assert "Until it is confirmed you sign in with this one" in texts[f"Ada Moor <{user.email}>"]
    assert Link.objects.filter(ended_at=None).count() == 1
