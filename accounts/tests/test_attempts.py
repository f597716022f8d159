"""Guessing is slowed down, and nobody can lock others out by it."""

import re

import pytest
from django.core import signing
from django.test import Client, RequestFactory

from accounts import attempts
from accounts.factories import make_user
from socialstrategy.lib import limits, visitors

pytestmark = pytest.mark.django_db
RIGHT = "correct horse battery"


@pytest.fixture(autouse=True)
def _at_the_beginning_of_a_window(monkeypatch):
    """Counters begin anew with each window: here they never do in the middle of a test."""
    monkeypatch.setattr(limits, "time", lambda: 1_800_000_000.0)


@pytest.fixture(autouse=True)
def _quick_hashes(settings):
    """Hundreds of passwords are checked here; how they are kept has nothing to do with it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def victim():
    return make_user("hr", email="victim@example.org")


def sign_in(email, password, *, at="203.0.113.7", client=None, **headers):
    client = client or Client()
    client.post("/sign-in/", {"login": email, "password": password}, REMOTE_ADDR=at, **headers)
    return "_auth_user_id" in client.session


def home_browser(victim):
    """A browser from which the victim has signed in and out before."""
    client = Client()
    assert sign_in(victim.email, RIGHT, at="192.0.2.1", client=client)
    client.post("/sign-out/")
    assert "_auth_user_id" not in client.session
    return client


def test_one_address_guesses_one_account_five_times(victim):
    for _ in range(5):
        assert not sign_in(victim.email, "wrong")
    assert not sign_in(victim.email, RIGHT)


def test_a_stranger_who_guesses_elsewhere_stops_nobody(victim):
    for _ in range(150):
        sign_in(victim.email, "wrong", at="198.51.100.1")
    assert sign_in(victim.email, RIGHT, at="192.0.2.1")


def test_one_address_with_many_accounts_is_stopped_and_others_are_not(victim):
    others = [make_user("employee", email=f"e{n}@example.org") for n in range(3)]
    for n in range(attempts.ADDRESS.most):
        assert not sign_in(f"nobody{n}@example.org", "wrong", at="198.51.100.1")
    assert not sign_in(others[0].email, RIGHT, at="198.51.100.1")
    assert sign_in(others[1].email, RIGHT, at="192.0.2.1")


def test_right_passwords_count_for_nothing(victim):
    for _ in range(70):
        assert sign_in(victim.email, RIGHT)


def test_many_addresses_with_one_account_are_stopped_and_a_known_browser_is_not(victim):
    home = home_browser(victim)
    for n in range(attempts.ACCOUNT.most):
        assert not sign_in(victim.email, "wrong", at=f"198.51.{n}.1")
    assert not sign_in(victim.email, RIGHT, at="192.0.2.1"), "an unknown browser waits"
    assert sign_in(victim.email, RIGHT, at="192.0.2.1", client=home)
    assert sign_in(make_user("employee").email, RIGHT, at="192.0.2.1"), "other accounts are as before"


def test_everybody_behind_one_address_gets_in_from_a_known_browser(victim):
    """So it is where a proxy's address stands for all."""
    home = home_browser(victim)
    for n in range(attempts.ADDRESS.most):
        sign_in(f"nobody{n}@example.org", "wrong", at="10.0.0.1")
    assert not sign_in(victim.email, RIGHT, at="10.0.0.1")
    assert sign_in(victim.email, RIGHT, at="10.0.0.1", client=home)


def test_a_known_browser_guesses_no_more_than_others(victim):
    home = home_browser(victim)
    for n in range(attempts.KNOWN_BROWSER.most):
        assert not sign_in(victim.email, "wrong", at=f"192.0.2.{n}", client=home)
    assert not sign_in(victim.email, RIGHT, at="192.0.2.1", client=home)


def test_a_browser_is_known_for_the_accounts_of_those_who_used_it_only(victim):
    home = home_browser(make_user("employee", email="other@example.org"))
    for n in range(attempts.ACCOUNT.most):
        sign_in(victim.email, "wrong", at=f"198.51.{n}.1")
    assert not sign_in(victim.email, RIGHT, at="192.0.2.1", client=home)


@pytest.mark.parametrize(
    "cookie",
    [
        "nonsense",
        signing.dumps({"browser": "x", "accounts": [attempts._digest("victim@example.org")]}, key="k" * 40),
        signing.dumps({"browser": "x", "accounts": [attempts._digest("victim@example.org")]}, salt="another use"),
        signing.dumps(["x"], salt=attempts.COOKIE),
    ],
    ids=["no signature", "another key", "another use", "another shape"],
)
def test_a_forged_cookie_makes_no_browser_known(victim, cookie):
    client = Client()
    client.cookies[attempts.COOKIE] = cookie
    for _ in range(attempts.HERE.most):
        sign_in(victim.email, "wrong")
    assert not sign_in(victim.email, RIGHT, client=client)


def test_the_cookie_names_nobody_and_scripts_do_not_see_it(victim):
    cookie = home_browser(victim).cookies[attempts.COOKIE]
    assert "victim" not in str(signing.loads(cookie.value, salt=attempts.COOKIE))
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_the_page_says_how_long_and_what_helps_at_once(victim, client):
    for _ in range(attempts.HERE.most):
        sign_in(victim.email, "wrong", at="127.0.0.1")
    page = client.post("/sign-in/", {"login": victim.email, "password": RIGHT}).content.decode()
    assert "Too many wrong passwords. Wait 10 minutes, or choose a new password by mail" in page


def test_a_new_password_by_mail_makes_the_browser_known(victim, client, last_mail, link_in, run_jobs):
    for n in range(attempts.ACCOUNT.most):
        sign_in(victim.email, "wrong", at=f"198.51.{n}.1")
    client.post("/password/forgotten/", {"email": victim.email})
    run_jobs()
    target = client.get(link_in(last_mail(victim.email)), follow=True).redirect_chain[-1][0]
    new = "another long sentence"
    client.post(target, {"password1": new, "password2": new})
    assert sign_in(victim.email, new, client=client)


def test_strangers_who_ask_for_new_passwords_neither_fill_a_mailbox_nor_keep_the_owner_from_one(
    victim, client, mailoutbox, run_jobs
):
    for n in range(20):
        asked = client.post("/password/forgotten/", {"email": victim.email}, REMOTE_ADDR=f"198.51.100.{n}")
        assert asked.status_code == 302
        run_jobs()
    assert len(mailoutbox) == attempts.RESET_ACCOUNT.most
    assert client.post("/password/forgotten/", {"email": victim.email}).url == "/password/sent/"
    path = re.search(r"https?://[^/\s]+(/password/new/\S+)", mailoutbox[-1].body)[1]
    assert "Choose a" in client.get(path, follow=True).content.decode()


def test_one_address_asks_for_many_new_passwords_only_so_often(victim, client):
    home = home_browser(victim)
    asked = [
        client.post("/password/forgotten/", {"email": f"nobody{n}@example.org"}, REMOTE_ADDR="10.0.0.1")
        for n in range(attempts.RESET_ADDRESS.most + 1)
    ]
    assert [answer.status_code for answer in asked] == [302] * attempts.RESET_ADDRESS.most + [429]
    assert client.post("/password/forgotten/", {"email": victim.email}).status_code == 302, "from elsewhere"
    known = home.post("/password/forgotten/", {"email": victim.email}, REMOTE_ADDR="10.0.0.1")
    assert known.status_code == 302


FORWARDED = "HTTP_X_FORWARDED_FOR"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "direct", "expected"),
    [
        (0, "", "203.0.113.7", "203.0.113.7"),
        (0, "198.51.100.1", "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1", "10.0.0.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "10.0.0.1", "198.51.100.1"),
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.2", "10.0.0.1", "198.51.100.1"),
        (2, "198.51.100.1", "10.0.0.1", "198.51.100.1"),
        (1, "", "10.0.0.1", "10.0.0.1"),
        (1, " , ", "10.0.0.1", "10.0.0.1"),
        (1, "nonsense", "10.0.0.1", "10.0.0.1"),
        (1, "198.51.100.1:4711", "10.0.0.1", "198.51.100.1"),
        (1, "[2001:db8:1:2::9]:4711", "10.0.0.1", "2001:db8:1:2::"),
        (1, "2001:db8:1:2:3:4:5:6", "10.0.0.1", "2001:db8:1:2::"),
        (0, "", "::ffff:203.0.113.7", "203.0.113.7"),
        (0, "", "", "unknown"),
    ],
)
def test_the_address_is_the_one_that_a_trusted_proxy_has_seen(settings, proxies, forwarded, direct, expected):
    settings.TRUSTED_PROXIES = proxies
    headers = {FORWARDED: forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=direct, **headers)
    assert visitors.address(request) == expected


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_forged_header_gives_nobody_more_guesses(victim, settings, proxies):
    """Whoever guesses writes what they like to the left of what the proxy adds, or all of it where there is none."""
    settings.TRUSTED_PROXIES = proxies
    for n in range(attempts.HERE.most):
        forged = f"6.6.6.{n}, 198.51.100.1" if proxies else f"6.6.6.{n}"
        assert not sign_in(victim.email, "wrong", **{FORWARDED: forged})
    last = "6.6.6.99, 198.51.100.1" if proxies else "6.6.6.99"
    assert not sign_in(victim.email, RIGHT, **{FORWARDED: last})


def test_behind_a_proxy_everybody_is_counted_apart(victim, settings):
    settings.TRUSTED_PROXIES = 1
    for _ in range(100):
        sign_in(victim.email, "wrong", at="10.0.0.1", **{FORWARDED: "198.51.100.1"})
    assert sign_in(victim.email, RIGHT, at="10.0.0.1", **{FORWARDED: "192.0.2.1"})


def test_a_proxy_that_nobody_has_told_about_is_said_in_the_log(rf, settings, caplog, monkeypatch):
    monkeypatch.setattr(visitors, "_is_said", False)
    settings.TRUSTED_PROXIES = 0
    for _ in range(3):
        visitors.address(rf.get("/", **{FORWARDED: "192.0.2.1"}))
    assert len([line for line in caplog.messages if "set TRUST_PROXY to the number of proxies" in line]) == 1
