"""The outbox: what is written, and what its jobs do."""

import pytest

from socialstrategy import mail
from socialstrategy.jobs.models import Job

pytestmark = pytest.mark.django_db


def post():
    class Someone:
        name = "Zoë Ünal"

    return mail.post(
        "zoe@example.org",
        "accounts/emails/password_reset.txt",
        {"user": Someone, "password_reset_url": "https://x.example/secret"},
    )


def test_a_mail_reaches_a_real_server_and_its_text_is_dropped(smtp, run_jobs):
    written = post()
    assert written.subject == "Your account at SocialStrategy"
    run_jobs()
    (message,) = smtp.received()
    assert message["To"] == "zoe@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "Zoë Ünal" in message.get_payload(decode=True).decode()
    written.refresh_from_db()
    assert (written.state, written.text) == ("sent", "")


def test_a_mail_is_sent_once_though_its_job_runs_again(smtp, run_jobs):
    post()
    run_jobs()
    Job.objects.update(state="queued")
    run_jobs()
    assert len(smtp.received()) == 1


def test_a_server_that_is_down_leaves_the_mail_waiting_and_its_job_done(smtp, run_jobs):
    smtp.stop()
    written = post()
    run_jobs()
    written.refresh_from_db()
    assert (written.state, written.attempts) == ("queued", 1)
    assert "secret" in written.text
    assert written.next_attempt_at > written.tried_at
    assert Job.objects.get(kind="mail.send").state == "done"


def test_the_clock_queues_one_job_for_all_that_is_due(smtp, run_jobs):
    from socialstrategy.mail.tasks import send_due

    send_due()
    assert not Job.objects.exists()
    written = [post(), post()]
    Job.objects.all().delete()  # as if each had been lost
    send_due()
    send_due()
    assert Job.objects.get().kind == "mail.send_due"
    run_jobs()
    assert len(smtp.received()) == len(written)


def test_the_outbox_is_a_page_of_demo_mode_only(client, settings):
    written = post()
    settings.DEMO = True
    assert written.subject in client.get("/outbox/").content.decode()
    assert "secret" in client.get(f"/outbox/{written.pk}/").content.decode()
    settings.DEMO = False
    assert client.get("/outbox/").status_code == 404
    assert client.get(f"/outbox/{written.pk}/").status_code == 404
