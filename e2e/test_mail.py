"""Mails by a real worker to a real mail server that goes away and comes back; what HR does about those that failed."""

import signal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from candidates.factories import make_invitation, make_person
from candidates.models import Invitation, Person
from socialstrategy import mail
from socialstrategy.mail import tasks
from socialstrategy.mail.models import Mail

pytestmark = pytest.mark.servers


@pytest.fixture
def worker(smtp, monkeypatch, start_worker):
    """A function that starts a worker whose mails go to the test's mail server."""
    monkeypatch.setenv("EMAIL_URL", f"smtp://127.0.0.1:{smtp.port}")
    monkeypatch.setenv("DEMO", "0")
    return start_worker


def post(n: int) -> Mail:
    class Someone:
        name = f"Somebody {n}"

    context = {"user": Someone, "password_reset_url": "https://x.example/secret"}
    return mail.post(f"p{n}@example.org", "accounts/emails/password_reset.txt", context)


def time_passes() -> None:
    """What waits is due, and the clock's part of the work is done."""
    Mail.objects.waiting().update(next_attempt_at=timezone.now(), tried_at=None)
    tasks.send_due.delay()


def is_sent(*written):
    return lambda: Mail.objects.filter(pk__in=[one.pk for one in written], state="sent").count() == len(written)


def test_nothing_is_lost_while_the_mail_server_goes_away_and_comes_back(worker, smtp, wait_until):
    worker()
    smtp.stop()
    written = [post(n) for n in range(20)]
    wait_until(lambda: Mail.objects.held_up().count() == 20)
    refusals = {"p7@example.org": "550 5.1.1 No such user", "p9@example.org": ["450 4.2.0 Greylisted"]}
    smtp.mood(delay=0.05, rcpt=refusals)
    smtp.start()
    time_passes()
    wait_until(lambda: Mail.objects.filter(state="sent").count() >= 5)
    smtp.stop()
    wait_until(lambda: Mail.objects.held_up().exists())
    smtp.start()
    time_passes()
    others = written[:7] + written[8:]

    def all_are_sent() -> bool:
        # The one that was asked to come back later does so when nothing else is under way.
        if not Mail.objects.waiting().exclude(trouble="mail").exists():
            time_passes()
        return is_sent(*others)()

    wait_until(all_are_sent)
    assert Mail.objects.get(pk=written[7].pk).error == "there is no such address"
    arrived = [one["Message-ID"] for one in smtp.received()]
    assert set(arrived) == {one.message_id for one in others}


def test_a_worker_killed_before_it_notes_the_servers_yes_sends_the_same_mail_once_more(worker, smtp, wait_until):
    first = worker()
    smtp.mood(after=30)
    written = post(1)
    wait_until(lambda: len(smtp.received()) == 1)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    assert Mail.objects.get(pk=written.pk).state == "queued"
    smtp.mood()
    worker()
    time_passes()
    wait_until(is_sent(written))
    ids = [one["Message-ID"] for one in smtp.received()]
    assert ids == [written.message_id] * 2


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_hr_sends_again_what_failed_and_prints_what_has_no_address(demo, open_as, smtp, run_jobs, settings, width):
    settings.DEMO = True
    version = Invitation.objects.first().role_version
    Mail.objects.update(state="sent", sent_at=timezone.now())
    ada = make_invitation(make_person("Ada Moor", email="ada@example.org"), version, None)
    make_invitation(make_person("Kim Ost", email=None), version, None)
    smtp.mood(rcpt={"ada@example.org": "550 5.1.1 No such user"})
    run_jobs()
    page = open_as("hr", width=width)
    told = page.locator("section", has_text="Mails that were not delivered")
    expect(told).to_contain_text("Ada Moor")
    expect(told).to_contain_text("There is no such address")
    smtp.mood()
    told.get_by_role("button", name="Send again").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("A fresh mail to Ada Moor is on its way")
    expect(page.locator("main")).not_to_contain_text("Mails that were not delivered")
    run_jobs()
    page.goto("/invitations/?q=ada+moor")
    expect(page.locator("tbody tr")).to_contain_text("Sent")
    page.goto("/invitations/?state=paper")
    page.get_by_role("button", name="Print the links of 1").click()
    address = page.locator(".address").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    guest = open_as(width=width)
    guest.goto(address.upper().replace("HTTP", "http").replace("/I/", "/i/"))
    expect(guest.get_by_role("heading", level=1)).to_have_text("Hello Kim Ost")
    guest.get_by_role("button", name="Begin").click()
    guest.goto(address)
    expect(guest.get_by_role("heading", level=1)).to_have_text("This link has been used")
    assert Invitation.objects.get(pk=ada.pk).mail.state == "sent"
    assert Person.objects.get(name="Kim Ost").invitations.get().opened_at
    assert not page.problems
