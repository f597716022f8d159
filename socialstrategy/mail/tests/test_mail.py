"""The outbox, and a conversation with a real mail server."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from socialstrategy import mail
from socialstrategy.jobs.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def smtp_server(tmp_path):
    """A real SMTP server process that keeps what it receives in a mailbox; gives (port, folder)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    box = tmp_path / "box"
    command = [
        sys.executable,
        "-m",
        "aiosmtpd",
        "-n",
        "-l",
        f"127.0.0.1:{port}",
        "-c",
        "aiosmtpd.handlers.Mailbox",
        str(box),
    ]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port, box
    process.terminate()
    process.wait(10)


@pytest.fixture
def by_smtp(settings, smtp_server):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp_server[0]
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.DEMO = False
    return smtp_server[1]


def post():
    class Someone:
        name = "Zoë Ünal"

    return mail.post(
        "zoe@example.org",
        "accounts/emails/password_reset.txt",
        {"user": Someone, "password_reset_url": "https://x.example/secret"},
    )


def test_a_mail_reaches_a_real_server_and_its_text_is_dropped(by_smtp, run_jobs):
    written = post()
    assert written.subject == "Choose your SocialStrategy password"
    run_jobs()
    (received,) = (Path(by_smtp) / "new").iterdir()
    import email
    from email import policy

    message = email.message_from_bytes(received.read_bytes(), policy=policy.default)
    assert message["To"] == "zoe@example.org"
    assert "Zoë Ünal" in message.get_content()
    written.refresh_from_db()
    assert (written.state, written.text) == ("sent", "")


def test_a_mail_is_sent_once_though_its_job_runs_again(by_smtp, run_jobs):
    post()
    run_jobs()
    Job.objects.update(state="queued")
    run_jobs()
    assert len(list((Path(by_smtp) / "new").iterdir())) == 1


def test_a_server_that_is_down_is_tried_again(settings, run_jobs):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = free.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    written = post()
    run_jobs()
    written.refresh_from_db()
    job = Job.objects.get(kind="mail.send")
    assert written.state == "failed"
    assert "secret" in written.text
    assert (job.state, job.attempts) == ("queued", 1)
    assert "cannot be reached" in job.message


def test_the_outbox_is_a_page_of_demo_mode_only(client, settings):
    written = post()
    settings.DEMO = True
    assert written.subject in client.get("/outbox/").content.decode()
    assert "secret" in client.get(f"/outbox/{written.pk}/").content.decode()
    settings.DEMO = False
    assert client.get("/outbox/").status_code == 404
    assert client.get(f"/outbox/{written.pk}/").status_code == 404
