"""A full disk and a database that is away, as somebody at a page meets them: in processes of their own."""

import errno
import json
import os
import sqlite3
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError

from socialstrategy.lib import outages

ASK = """
import json, os, resource, signal, sys
import pytest  # its presence lets pages do without collected static files
import django
django.setup()
from django.test import Client
client = Client(raise_request_exception=False)
def ask(method, path, **data):
    answer = getattr(client, method)(path, data)
    return {"status": answer.status_code, "page": answer.content.decode(), "again": answer.get("Retry-After", "")}
"""
FULL_DISK = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
from accounts.models import User
user = User.objects.create_user("hr@example.org", None, name="Hanne", role="hr")
client.force_login(user)
said = {}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
said["sent"] = ask("post", "/settings/", name="Hanne <Berg> of the long name", next="/x")
said["read"] = ask("get", "/settings/")
said["ready"] = ask("get", "/readyz")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
said["name"] = User.objects.get().name
said["again"] = ask("post", "/settings/", name="Hanne <Berg> of the long name")
said["stored"] = User.objects.get().name
print(json.dumps(said))
"""
AWAY = """
client.cookies["sessionid"] = "a" * 32
said = [ask("get", "/people/") for _ in range(20)]
said += [ask("post", "/sign-in/", login="a@example.org", password="secret1")]
said += [ask("get", "/healthz"), ask("get", "/readyz")]
print(json.dumps(said))
"""


def answers(code: str, tmp_path, **environment):
    """What a process of its own answers, and what it writes into its log."""
    kept = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG", "SECRET_KEY"}}
    values = {"DJANGO_SETTINGS_MODULE": "socialstrategy.settings", "VAR_DIR": str(tmp_path), "DEMO": "0", **environment}
    # Half a file of compiled code would stay behind for other processes.
    values |= {"PYTHONDONTWRITEBYTECODE": "1", "ALLOWED_HOSTS": "testserver"}
    done = subprocess.run(
        [sys.executable, "-c", ASK + code], env=kept | values, cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_on_a_full_disk_the_page_says_what_is_true_and_gives_back_what_was_typed(tmp_path):
    said, log = answers(FULL_DISK, tmp_path, DATABASE_URL=f"sqlite:///{tmp_path / 'db.sqlite3'}")
    sent = said["sent"]
    assert sent["status"] == 503
    assert sent["again"] == "300"
    assert "There is no room left to store anything" in sent["page"]
    assert "you just sent was not stored" in sent["page"]
    assert '<input type="hidden" name="name" value="Hanne &lt;Berg&gt; of the long name">' in sent["page"]
    assert "Send it again" in sent["page"]
    assert said["name"] == "Hanne"
    assert said["read"]["status"] == 200, "reading goes on"
    assert json.loads(said["ready"]["page"])["parts"]["disk"]["ok"] is False
    assert said["ready"]["status"] == 503
    assert said["again"]["status"] == 302
    assert said["stored"] == "Hanne <Berg> of the long name"
    assert outages.FULL.log in log
    assert "Traceback" not in log


def test_while_the_database_is_away_pages_say_so_and_the_log_holds_one_line(tmp_path):
    url = "postgresql://nobody:opensesame@127.0.0.1:1/nothing"
    said, log = answers(AWAY, tmp_path, DATABASE_URL=url)
    *pages, sign_in, alive, ready = said
    for page in pages:
        assert page["status"] == 503
        assert page["again"] == "30"
        assert "Our database cannot be reached right now" in page["page"]
        assert "Try again" in page["page"]
    assert sign_in["status"] == 503
    assert "secret1" not in sign_in["page"], "a password is not repeated"
    assert "Go back in your browser" in sign_in["page"]
    assert alive["status"] == 200
    assert ready["status"] == 503
    assert json.loads(ready["page"])["parts"]["database"]["ok"] is False
    assert "opensesame" not in ready["page"] + log
    assert log.count(outages.AWAY.log) == 1
    assert "Traceback" not in log


def caused(error, cause):
    error.__cause__ = cause
    return error


def of_postgresql(state: str):
    import psycopg2

    class Told(psycopg2.OperationalError):
        pgcode = state

    return caused(OperationalError("x"), Told("x"))


def of_sqlite(name: str):
    cause = sqlite3.OperationalError("x")
    cause.sqlite_errorname = name
    return caused(OperationalError("x"), cause)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (of_postgresql("53100"), outages.FULL),
        (of_postgresql("08006"), outages.AWAY),
        (of_postgresql("57P01"), outages.AWAY),
        (of_postgresql("57P03"), outages.AWAY),
        (of_postgresql("53300"), outages.BUSY),
        (of_postgresql("40P01"), outages.BUSY),
        (of_postgresql(""), outages.AWAY),
        (of_postgresql("42703"), None),
        (of_sqlite("SQLITE_FULL"), outages.FULL),
        (of_sqlite("SQLITE_IOERR_WRITE"), outages.FULL),
        (of_sqlite("SQLITE_BUSY"), outages.BUSY),
        (of_sqlite("SQLITE_BUSY_SNAPSHOT"), outages.BUSY),
        (of_sqlite("SQLITE_CANTOPEN"), outages.AWAY),
        (of_sqlite("SQLITE_ERROR"), None),
        (InterfaceError("connection already closed"), outages.AWAY),
        (InterfaceError("cursor already closed"), None),
        (OSError(errno.ENOSPC, "No space left on device"), outages.FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), outages.FULL),
        (FileNotFoundError(errno.ENOENT, "x"), None),
        (caused(ValueError("x"), OSError(errno.ENOSPC, "x")), outages.FULL),
        (DatabaseError("x"), None),
        (KeyError("x"), None),
        (None, None),
    ],
)
def test_what_an_error_means(error, expected):
    assert outages.of(error) is expected


def test_a_form_that_was_not_known_to_be_ours_is_not_given_back(rf):
    request = rf.post("/people/new/", {"name": "sent by another page"})
    page = outages.page(request, outages.FULL)
    assert "sent by another page" not in page.content.decode()
    assert "Send it again" not in page.content.decode()
