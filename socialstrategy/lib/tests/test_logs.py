"""What the log holds, and what it does not."""

import io
import logging
import secrets
import time

import pytest
from django.db import DatabaseError, OperationalError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from socialstrategy.lib import logs, outages

TOKEN = secrets.token_urlsafe(32)


@pytest.fixture
def log():
    """Everything that goes to the log, as it is written there."""
    stream = io.StringIO()
    handler = logs.Console(stream)
    handler.setFormatter(logs.Masking("%(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def link_patterns(patterns=None, prefix=""):
    """URL names whose address holds the key of a link."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from link_patterns(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern) and {"token", "key"} & set(pattern.pattern.regex.groupindex):
            yield f"{prefix}{pattern.name}", set(pattern.pattern.regex.groupindex)


def test_every_address_with_a_key_is_masked_however_it_is_written():
    found = list(link_patterns())
    assert len(found) >= 7
    for name, names in found:
        for key in (TOKEN, "c5x2w1-0123456789abcdef0123456789abcdef", "cut-off"):
            given = {"token": key} if "token" in names else {"uidb36": "1", "key": key}
            path = reverse(name, kwargs=given)
            for line in (path, f'"GET {path} HTTP/1.1" 405', f"/sign-in/?next={path.replace('/', '%2F')}"):
                assert key not in logs.masked(line), line
                assert "[key]" in logs.masked(line)


@pytest.mark.parametrize("path", ["/" + "a" * 4000, "/" + "a." * 20_000, "/" + "a'" * 20_000, "/" + "a%40" * 10_000])
def test_a_long_path_takes_no_time(path):
    before = time.process_time()
    assert logs.masked(f"Not Found: {path}").startswith("Not Found")
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    ("written", "secret"),
    [
        ("DETAIL:  Key (email)=(ada@example.org) already exists.", "ada"),
        ("DETAIL:  Key (lower(email::text))=(Ada O'Neil (x)) already exists.", "Ada"),
        ('DETAIL:  Key (name)=(Ada) is not present in table "x".', "Ada"),
        ("DETAIL:  Failing row contains (1, Ada Lovelace, null,\n two lines).\n", "Ada"),
        ('invalid input syntax for type integer: "Ada"', "Ada"),
        ("syntax error\nLINE 1: SELECT * FROM x WHERE name = 'Ada'\n                      ^\n", "Ada"),
        ("{'ada@example.org': (550, b'no such user')}", "ada"),
        ("To: Ada <ada.l+x@bücher.example>", "ada"),
        ("/people/?q=ada%40example.org", "ada"),
        ("/accounts/login/?next=/people/%3Fq%3Dada%2540example.org", "ada"),
        ("from ada.o'neil@example.org", "ada"),
        ("b'ada@example.org'", "ada"),
        ('to "ada lovelace"@example.org', "ada"),
        ("ada@localhost is unknown", "ada"),
        ("ada@[192.168.0.7]: 550", "ada"),
        ("ada@bücher.xn--p1ai", "p1ai"),
        ("could not connect: postgresql://user:opensesame@db.example.org/name", "opensesame"),
        pytest.param(f"session {TOKEN} is gone", TOKEN, id="a session"),
    ],
)
def test_nobody_is_named(written, secret):
    assert secret not in logs.masked(written)


@pytest.mark.parametrize(
    "written",
    [
        "Not Found: /invitations/new/",
        "Not Found: /roles/12/draft/",
        "Job 9b2ff0a2-2f53-4b5e-9b44-0f3c7a4a1c11 waits",
        'File "/app/candidates/invitation_views.py", line 3, in a_long_name_of_a_function_in_small_letters',
        "celery@here: ready",
        "12 of 30 done, 40@0.5",
    ],
)
def test_what_helps_to_find_a_fault_stays(written):
    assert logs.masked(written) == written


def test_wrong_methods_lost_pages_and_forged_forms_tell_no_key(log, db):
    client = Client(enforce_csrf_checks=True)
    client.get(f"/i/{TOKEN}/begin/")
    assert client.post(f"/i/{TOKEN}/fresh/", HTTP_REFERER=f"https://x.example/r/{TOKEN}/").status_code == 403
    assert client.get(f"/r/{TOKEN}/").status_code == 404
    said = log.getvalue()
    assert "Method Not Allowed (GET): /i/[key]/begin/" in said
    assert "/i/[key]/fresh/" in said
    assert "/r/[key]/" in said
    assert TOKEN not in said


def test_a_traceback_tells_neither_key_nor_address(log, db, monkeypatch):
    from accounts.models import LinkQuerySet

    def broken(self, purpose, token):
        raise DatabaseError(f"for {token}\nDETAIL:  Key (email)=(ada@example.org) already exists.")

    monkeypatch.setattr(LinkQuerySet, "find", broken)
    client = Client(raise_request_exception=False)
    assert client.get(f"/i/{TOKEN}/").status_code == 500
    said = log.getvalue()
    assert "Traceback" in said
    assert "Key (email)=(…) already exists" in said
    assert TOKEN not in said
    assert "ada@" not in said


def test_gunicorns_own_lines_are_masked_too():
    stream = io.StringIO()
    access = logging.getLogger("gunicorn.access")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("[at] %(message)s"))
    access.addHandler(handler)
    try:
        logs.mask_gunicorn()
        logs.mask_gunicorn()
        access.warning('"GET /i/%s/ HTTP/1.1" 200', TOKEN)
    finally:
        access.removeHandler(handler)
    assert stream.getvalue() == '[at] "GET /i/[key]/ HTTP/1.1" 200\n'


def away() -> OperationalError:
    import psycopg2

    error = OperationalError("connection refused\nIs the server running?")
    error.__cause__ = psycopg2.OperationalError("connection refused")
    return error


def test_while_the_database_is_away_a_line_a_minute_says_so(log, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: clock[0])
    logger = logging.getLogger("some.place")
    for _ in range(500):
        try:
            raise away()
        except OperationalError:
            logger.exception("Internal Server Error: /people/")
    clock[0] += 61
    logger.error("Again", exc_info=(OperationalError, away(), None))
    assert log.getvalue().splitlines() == [
        f"ERROR some.place: {outages.AWAY.log}: connection refused",
        f"ERROR some.place: {outages.AWAY.log} (499 more since the last line): connection refused",
    ]


def test_a_fault_of_ours_keeps_its_traceback(log):
    try:
        raise DatabaseError("no such table: x")
    except DatabaseError:
        logging.getLogger("some.place").exception("It broke")
    assert "Traceback" in log.getvalue()
    assert "no such table" in log.getvalue()
