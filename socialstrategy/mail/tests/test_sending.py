"""Mails reach a real mail server in all its moods, or somebody knows; the clock is the only thing that is made up."""

from datetime import timedelta
from email.header import decode_header, make_header
from email.utils import getaddresses
from itertools import pairwise

import pytest
from django.utils import timezone

from socialstrategy import mail
from socialstrategy.jobs import tasks as jobs_tasks
from socialstrategy.jobs.models import STALE_AFTER, Job
from socialstrategy.mail import sending
from socialstrategy.mail.models import Mail

pytestmark = pytest.mark.django_db


class Someone:
    name = "Zoë Ünal"


def post(to="zoe@example.org", **options):
    context = {"user": Someone, "password_reset_url": "https://x.example/secret"}
    return mail.post(to, "accounts/emails/password_reset.txt", context, **options)


@pytest.fixture
def now():
    """A clock that the test sets: ``now(minutes=5)`` tries what is due five minutes from the start."""
    start = timezone.now() + timedelta(seconds=5)

    def at(**later):
        sending.send_due(lambda: start + timedelta(**later))

    return at


def state(row) -> str:
    row.refresh_from_db()
    return row.state


def test_a_server_that_is_away_for_three_minutes_loses_nothing(smtp, now):
    smtp.stop()
    written = [post(f"p{n}@example.org") for n in range(3)]
    for minutes in range(4):
        now(minutes=minutes)
    assert {state(row) for row in written} == {"queued"}
    assert written[0].error == "the mail server cannot be reached"
    smtp.start()
    for minutes in range(4, 8):
        now(minutes=minutes)
    assert {state(row) for row in written} == {"sent"}
    assert sorted(one["To"] for one in smtp.received()) == [f"p{n}@example.org" for n in range(3)]


def test_greylisting_is_not_the_end(smtp, now):
    smtp.mood(rcpt={"zoe@example.org": ["450 4.2.0 Greylisted, come back in some minutes"] * 2})
    written = post()
    now()
    assert state(written) == "queued"
    assert "come back later" in written.error
    assert written.answer.startswith("450 4.2.0 Greylisted")
    now(seconds=10)
    assert (state(written), written.attempts) == ("queued", 1), "some time between attempts"
    # A mail server that was restarted is asked again while whoever waits for the mail still does.
    assert written.next_attempt_at - written.tried_at <= timedelta(seconds=30)
    now(minutes=2)
    now(minutes=5)
    assert state(written) == "sent"
    assert (written.attempts, written.error, written.text) == (3, "", "")
    (received,) = smtp.received()
    assert received["Message-ID"] == written.message_id


def test_one_address_that_does_not_exist_is_final_and_holds_up_no_other(smtp, now):
    smtp.mood(rcpt={"p1@example.org": "550 5.1.1 No such user here"})
    written = [post(f"p{n}@example.org") for n in range(3)]
    now()
    assert [state(row) for row in written] == ["sent", "failed", "sent"]
    assert written[1].error == "there is no such address"
    assert written[1].text == ""
    now(days=1)
    assert (state(written[1]), written[1].attempts) == ("failed", 1)


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        ({"auth": "535 5.7.8 Error: authentication failed"}, "refuses our sign-in"),
        ({"greeting": "554 5.3.2 No SMTP service here"}, "turns us away"),
        ({"greeting": "421 4.3.2 Shutting down"}, "turns us away"),
        ({"mail": "550 5.7.1 Sender not allowed"}, "does not let us send from our address"),
        ({"mail": "530 5.7.0 Authentication required"}, "refuses our sign-in"),
        ({"starttls": "454 4.7.0 TLS not available"}, "no secure connection"),
        ({"starttls": "220 go ahead"}, "no secure connection"),
        ({"rcpt": {"zoe@example.org": "421 4.7.0 Too many connections"}}, "not available just now"),
    ],
)
def test_trouble_of_the_server_is_tried_for_two_days_and_is_over_when_it_is_over(smtp, now, settings, mood, words):
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "someone" if "auth" in mood else ""
    settings.EMAIL_USE_TLS = "starttls" in mood
    smtp.mood(**mood)
    first, second = post(), post("other@example.org")
    now()
    assert (state(first), first.trouble, first.attempts) == ("queued", "server", 1)
    assert words in first.error
    assert (state(second), second.trouble, second.attempts) == ("queued", "server", 0), "one attempt stands for all"
    assert second.error == first.error
    now(hours=40)
    assert state(first) == "queued"
    smtp.mood(**({"auth": "235 welcome"} if "auth" in mood else {}))
    settings.EMAIL_USE_TLS = False
    now(hours=41)
    assert (state(first), state(second)) == ("sent", "sent")


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        ({"data": "drop"}, "broke off"),
        ({"data": "451 4.3.0 Try again"}, "come back later"),
        ({"rcpt": {"zoe@example.org": "452 4.2.2 Mailbox full just now"}}, "come back later"),
    ],
)
def test_trouble_with_one_mail_is_tried_with_growing_gaps_and_ends_after_two_days(smtp, now, mood, words):
    smtp.mood(**mood)
    written = post()
    gaps = []
    for minutes in range(48 * 60 + 2):
        if state(written) == "queued" and written.next_attempt_at <= timezone.now() + timedelta(minutes=minutes):
            now(minutes=minutes)
            gaps.append(minutes)
    assert state(written) == "failed"
    assert words in written.error
    assert (written.text, written.trouble) == ("", "mail")
    between = [later - earlier for earlier, later in pairwise(gaps)][:-1]
    assert between == sorted(between)
    assert between[0] <= 2
    assert between[-1] >= 120
    assert gaps[-1] >= 48 * 60 - 1
    assert smtp.received() == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("550 5.1.1 unknown", "there is no such address"),
        ("552 5.2.2 over quota", "the mailbox is full"),
        ("554 5.7.1 spam", "refuses our mail"),
        ("500 what", "refuses this mail"),
    ],
)
def test_why_a_mail_was_refused_is_said_in_plain_words(smtp, now, answer, words):
    smtp.mood(rcpt={"zoe@example.org": answer})
    written = post()
    now()
    assert state(written) == "failed"
    assert words in written.error
    assert written.answer == answer


def test_a_slow_server_is_waited_for_and_one_that_never_answers_is_not(smtp, now, settings):
    smtp.mood(delay=0.3)
    slow = post()
    now()
    assert state(slow) == "sent"
    settings.EMAIL_TIMEOUT = 1
    smtp.mood(delay=60)
    never = post("never@example.org")
    now()
    assert state(never) == "queued"
    assert never.error == "the mail server did not answer in time"


def test_a_mail_whose_link_has_run_out_is_not_sent(smtp, now):
    smtp.stop()
    written = post(until=timezone.now() + timedelta(hours=3))
    now()
    assert written.give_up_at == written.useful_until
    smtp.start()
    now(hours=3)
    assert state(written) == "failed"
    assert "ran out" in written.error
    assert smtp.received() == []


def test_a_worker_that_dies_between_sending_and_saving_sends_the_same_mail_again(smtp, now, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    written = post()
    with monkeypatch.context() as dying:
        dying.setattr(sending, "sent", die)
        with pytest.raises(Killed):
            now()
    assert state(written) == "queued"
    now(minutes=1)
    assert len(smtp.received()) == 1, "somebody may still be at it"
    now(minutes=6)
    assert state(written) == "sent"
    first, second = smtp.received()
    assert first["Message-ID"] == second["Message-ID"] == written.message_id


@pytest.mark.parametrize("kind", ["mail.send", "mail.send_due"])
def test_what_a_lost_worker_had_in_hand_is_not_left_to_its_claim(kind, smtp, monkeypatch):
    """The job that comes back by itself takes its mail over, and leaves those alone that were begun just now."""

    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    written = post()
    job = Job.objects.get(kind="mail.send")
    if kind == "mail.send_due":
        Job.objects.filter(pk=job.pk).update(kind=kind)
    monkeypatch.setattr(jobs_tasks, "send", lambda pk: True)
    with monkeypatch.context() as dying:
        dying.setattr(sending, "sent", die)
        with pytest.raises(Killed):
            jobs_tasks.run_job(str(job.pk))
    lost_at = timezone.now() - STALE_AFTER - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(heartbeat_at=lost_at)
    Mail.objects.filter(pk=written.pk).update(tried_at=lost_at)
    other = post("b@example.org")
    in_hand = timezone.now() + sending.CLAIMED_FOR
    Mail.objects.filter(pk=other.pk).update(tried_at=timezone.now(), next_attempt_at=in_hand)
    jobs_tasks.sweep()
    jobs_tasks.run_job(str(job.pk))
    assert (state(written), state(other), other.next_attempt_at) == ("sent", "queued", in_hand)
    first, second = smtp.received()
    assert first["Message-ID"] == second["Message-ID"] == written.message_id


def test_the_identity_of_a_mail_does_not_change_with_the_address_of_the_site(smtp, now, settings):
    settings.BASE_URL = "https://skills.example.org:8443"
    smtp.mood(rcpt={"zoe@example.org": ["450 later"]})
    written = post()
    assert written.message_id.endswith("@skills.example.org>")
    now()
    settings.BASE_URL = "https://elsewhere.example.org"
    now(minutes=2)
    assert smtp.received()[0]["Message-ID"] == written.message_id


def test_what_is_withdrawn_does_not_go_out_and_keeps_no_text(smtp, now):
    smtp.mood(rcpt={"zoe@example.org": ["450 later"]})
    old, other = post(about=("matter", 7)), post("b@example.org", about=("matter", 8))
    now()
    assert mail.withdraw("matter", 7) == 1
    now(minutes=5)
    assert (state(old), old.text, state(other)) == ("withdrawn", "", "sent")
    assert mail.withdraw("matter", 8) == 0
    assert [one["To"] for one in smtp.received()] == ["b@example.org"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ('O"Brien, Zoë <x@evil.example>', 'O"Brien, Zoë <x@evil.example>'),
        ("Ada\r\nBcc: evil@example.org", "Ada Bcc: evil@example.org"),
        ("Ada\u2028Bcc: evil@example.org", "Ada Bcc: evil@example.org"),
        ("Müller, Anna-Sophie 漢字 " * 5, ("Müller, Anna-Sophie 漢字 " * 5).strip()),
        ('"; DROP', '"; DROP'),
        ("", ""),
    ],
)
def test_a_name_stands_beside_the_address_and_never_begins_another_header(smtp, now, name, shown):
    written = post("zoe@bücher.example", name=name)
    now()
    assert state(written) == "sent"
    (received,) = smtp.received()
    ((encoded, address),) = getaddresses([received["To"].replace("\n", "")])
    assert (str(make_header(decode_header(encoded))), address) == (shown, "zoe@xn--bcher-kva.example")
    assert received["Bcc"] is None
    assert all(len(line) < 998 for line in received.as_bytes().splitlines())


@pytest.mark.parametrize("address", ["zoë@example.org", "a@" + "b" * 64 + ".example", "a@b..example"])
def test_an_address_that_cannot_be_written_to_is_told_at_once(smtp, now, address):
    fine, written = post(), post(address)
    now()
    assert state(written) == "failed"
    assert written.error == "a mail cannot be written to this address"
    assert state(fine) == "sent"


def test_a_mail_that_nobody_thought_of_is_given_up_in_the_end_and_told(smtp, now, monkeypatch, caplog):
    row = post()
    held = post("other@example.org")
    written = sending.message_of

    def unforeseen(mail):
        if mail.pk == row.pk:
            raise LookupError("unknown encoding: never-heard-of")
        return written(mail)

    monkeypatch.setattr(sending, "message_of", unforeseen)
    now()
    assert (state(row), state(held)) == ("queued", "sent")
    assert row.error == "something unforeseen went wrong; the log says what"
    assert "never-heard-of" in caplog.text
    for hours in range(0, 50, 2):
        now(hours=hours)
    assert state(row) == "failed"
