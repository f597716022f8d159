"""Whether a link reaches somebody: by mail, again, on paper; what HR sees of it."""

import re
import smtplib
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Link
from candidates import delivery, inviting
from candidates.factories import make_invitation, make_person
from candidates.invitations import LINK_LASTS
from candidates.models import Invitation, Person
from roles.factories import make_version
from socialstrategy.mail import sending
from socialstrategy.mail.failures import failure_of
from socialstrategy.mail.models import Mail

pytestmark = pytest.mark.django_db
ADA = "ada@example.org"


@pytest.fixture
def invitation(version, hr):
    return make_invitation(make_person("Ada Moor", email=ADA), version, hr)


@pytest.fixture
def send():
    """Try what is due, so many minutes from now."""

    def at(**later):
        moment = timezone.now() + timedelta(seconds=5, **later)
        sending.send_due(lambda: moment)

    return at


def link_of(message) -> str:
    return re.search(r"https?://[^/\s]+(/\S+)", message.get_payload(decode=True).decode()).group(1)


def opens(link: str) -> bool:
    return Client().post(link + "begin/").status_code == 302


def row_of(page: str, name: str) -> str:
    (row,) = [row for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if name in row]
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def test_the_state_of_the_mail_stands_beside_the_invitation(as_hr, smtp, invitation, send):
    def shown():
        return row_of(as_hr.get("/invitations/").content.decode(), "Ada Moor")

    assert "Waiting to be sent" in shown()
    smtp.mood(rcpt={ADA: ["450 4.2.0 Greylisted"]})
    send()
    until = timezone.localtime(Mail.objects.get().give_up_at)
    assert f"Trying again until {until:%-d %b, %H:%M}: the receiving side asks to come back later" in shown()
    send(minutes=2)
    assert "Sent" in shown()
    smtp.mood(rcpt={ADA: "550 5.1.1 No such user"})
    inviting.resend(invitation, by=None)
    send()
    assert "Not delivered there is no such address" in shown()
    assert "Ada Moor" in as_hr.get("/invitations/?state=undelivered").content.decode()


def test_a_mail_that_failed_leaves_no_link_that_opens_anything(smtp, invitation, send, last_mail, link_in):
    link = link_in(last_mail(ADA))
    smtp.mood(rcpt={ADA: "550 5.1.1 No such user"})
    send()
    assert last_mail(ADA).text == ""
    assert not opens(link)
    assert not Link.objects.filter(used_at=None, ended_at=None).exists()


def test_hr_sees_what_failed_and_sends_it_again_with_a_fresh_link(as_hr, smtp, invitation, send):
    assert "not delivered" not in as_hr.get("/").content.decode()
    smtp.mood(rcpt={ADA: "550 5.1.1 No such user"})
    send()
    home = as_hr.get("/").content.decode()
    assert "Mails that were not delivered" in home
    assert "Ada Moor" in home
    assert "There is no such address" in home
    smtp.mood()
    (failed,) = Mail.objects.failed()
    answer = as_hr.post(f"/outbox/undelivered/{failed.pk}/again/", {"next": "/"}, follow=True)
    assert "A fresh mail to Ada Moor is on its way." in answer.content.decode()
    assert "Mails that were not delivered" not in answer.content.decode()
    again = as_hr.post(f"/outbox/undelivered/{failed.pk}/again/", {"next": "/"}, follow=True)
    assert "done already" in again.content.decode()
    send()
    (received,) = smtp.received()
    assert opens(link_of(received))
    assert AuditEntry.objects.filter(action="invitation.resent", by=as_hr.get("/").wsgi_request.user).exists()


def test_when_an_invitation_is_sent_again_the_undelivered_mail_before_never_goes_out(smtp, invitation, send):
    smtp.mood(rcpt={ADA: ["450 later"]})
    send()
    inviting.resend(invitation, by=None)
    for minutes in (1, 3, 10, 100):
        send(minutes=minutes)
    (received,) = smtp.received()
    assert opens(link_of(received))
    assert sorted(Mail.objects.values_list("state", flat=True)) == ["sent", "withdrawn"]


@pytest.mark.parametrize("change", ["submitted", "revoked", "archived", "another address"])
def test_a_mail_that_became_pointless_is_not_sent_late(smtp, invitation, send, change):
    smtp.mood(rcpt={ADA: ["450 later"]})
    send()
    now = timezone.now()
    {
        "submitted": lambda: Invitation.objects.update(submitted_at=now),
        "revoked": lambda: inviting.revoke(invitation, by=None),
        "archived": lambda: Person.objects.update(archived_at=now),
        "another address": lambda: Person.objects.update(email="new@example.org"),
    }[change]()
    send(minutes=3)
    assert smtp.received() == []
    mail = Mail.objects.get()
    assert (mail.state, mail.text) == ("withdrawn", "")
    assert not Link.objects.filter(used_at=None, ended_at=None).exists()


def test_trouble_of_the_mail_server_is_told_once_and_over_with_one_press(as_hr, smtp, version, hr, send, run_jobs):
    for n in range(7):
        make_invitation(make_person(f"P{n}"), version, hr)
    smtp.stop()
    send()
    for page in ("/", "/invitations/", "/outbox/undelivered/"):
        text = as_hr.get(page).content.decode()
        assert text.count("No mail goes out: the mail server cannot be reached.") == 1
        assert "7 mails wait and go out by themselves" in " ".join(text.split())
    smtp.start()
    as_hr.post("/outbox/undelivered/now/", {"next": "/"})
    run_jobs()
    assert len(smtp.received()) == 7
    assert "No mail goes out" not in as_hr.get("/").content.decode()


def test_what_the_server_did_not_take_for_two_days_is_one_line_and_one_press(as_hr, smtp, version, hr, send, run_jobs):
    for n in range(7):
        make_invitation(make_person(f"Person {n}"), version, hr, days=30)
    smtp.stop()
    for hours in (0, 47, 49):
        send(hours=hours)
    home = " ".join(as_hr.get("/").content.decode().split())
    assert home.count("7 mails given up after two days: the mail server cannot be reached") == 1
    assert "Person 3" not in home.partition("Mails that were not delivered")[2].partition("</section>")[0]
    smtp.start()
    as_hr.post("/outbox/undelivered/again/", {"trouble": "server", "next": "/"})
    run_jobs()
    assert len({link_of(one) for one in smtp.received()}) == 7
    assert all(opens(link_of(one)) for one in smtp.received())


def test_many_failed_mails_have_pages_and_each_can_be_set_aside(as_hr, version, hr):
    for n in range(60):
        make_invitation(make_person(f"Person {n:02}"), version, hr)
    moment = timezone.now()
    Mail.objects.update(state="failed", failed_at=moment, trouble="mail", error="there is no such address", text="")
    home = as_hr.get("/").content.decode()
    assert "All mails that were not delivered" in home
    page = as_hr.get("/outbox/undelivered/").content.decode()
    assert page.count("There is no such address") == 50
    assert 'rel="next"' in page
    aside = Mail.objects.failed().first()
    as_hr.post(f"/outbox/undelivered/{aside.pk}/aside/")
    assert Mail.objects.failed().count() == 59
    assert AuditEntry.objects.get(action="mail.set aside").by == hr
    answer = as_hr.post("/outbox/undelivered/again/", follow=True).content.decode()
    assert "59 fresh mails are on the way." in answer
    assert "Every mail has arrived or is on its way" in answer


def test_what_cannot_be_sent_again_says_why_and_stays(as_hr, invitation):
    moment = timezone.now()
    Mail.objects.update(state="failed", failed_at=moment, trouble="mail", error="the mailbox is full")
    Invitation.objects.update(deadline_at=moment)
    (failed,) = Mail.objects.failed()
    answer = as_hr.post(f"/outbox/undelivered/{failed.pk}/again/", follow=True).content.decode()
    assert "The invitation is not open any more. Give extra time first" in answer
    assert Mail.objects.failed().count() == 1
    assert (
        "Not everything could be sent again" in as_hr.post("/outbox/undelivered/again/", follow=True).content.decode()
    )


def test_the_reports_mail_is_followed_as_well(as_hr, smtp, invitation, send):
    Invitation.objects.update(submitted_at=timezone.now())
    Mail.objects.update(state="sent")
    delivery.send_report(invitation.person)
    smtp.mood(rcpt={ADA: "552 5.2.2 Mailbox full"})
    send()
    assert "Report: Not delivered the mailbox is full" in row_of(
        as_hr.get("/invitations/").content.decode(), "Ada Moor"
    )
    smtp.mood()
    as_hr.post("/outbox/undelivered/again/")
    send()
    (received,) = smtp.received()
    assert "Your skills report" in received["Subject"]
    assert opens(link_of(received))


class TestReminders:
    @pytest.fixture
    def tomorrow(self, version, hr):
        return make_invitation(make_person("Ada Moor", email=ADA), version, hr, days=1)

    def test_with_a_deadline_of_tomorrow_none_goes_out_at_once(self, smtp, tomorrow, send):
        send()
        now = timezone.now()
        assert inviting.remind(now) == 0
        assert inviting.remind(now + timedelta(hours=23)) == 0
        if tomorrow.deadline_at > now + timedelta(hours=25):
            assert inviting.remind(now + timedelta(hours=25)) == 1

    def test_it_leaves_the_first_link_working_and_each_works_once(self, smtp, invitation, send):
        send()
        assert inviting.remind(invitation.deadline_at - timedelta(days=2)) == 1
        send()
        first, second = map(link_of, smtp.received())
        assert first != second
        assert (opens(first), opens(second)) == (True, True)
        assert (opens(first), opens(second)) == (False, False)

    def test_it_says_only_what_is_true(self, smtp, invitation, send):
        send()
        inviting.remind(invitation.deadline_at - timedelta(days=2))
        send()
        text = str(smtp.received()[1])
        assert "only reminder" not in text
        assert "ends soon" not in text

    def test_none_goes_to_somebody_whom_the_invitation_has_not_reached(self, as_hr, smtp, invitation, send):
        smtp.mood(rcpt={ADA: "550 5.1.1 No such user"})
        send()
        assert inviting.remind(invitation.deadline_at - timedelta(days=1)) == 0
        page = as_hr.post("/invitations/remind/", follow=True).content.decode()
        assert "0 reminders on the way. 1 have not got the mail before yet" in page

    def test_more_time_is_followed_by_another_one_but_not_at_once(self, smtp, invitation, send):
        send()
        inviting.remind(invitation.deadline_at - timedelta(days=2))
        send()
        invitation.refresh_from_db()
        inviting.extend(invitation, 1, by=None)
        send()
        assert inviting.remind(timezone.now()) == 0
        Mail.objects.update(sent_at=timezone.now() - timedelta(days=30))
        Invitation.objects.update(sent_at=timezone.now() - timedelta(days=30))
        assert inviting.remind(invitation.deadline_at - timedelta(days=1)) == 1


class TestLinks:
    def page(self, link, **changes):
        return " ".join(Client().get(link).content.decode().split())

    def test_more_time_lets_the_link_go_on_and_sending_again_ends_it(self, invitation, last_mail, link_in):
        first = link_in(last_mail(ADA))
        Mail.objects.update(state="sent")
        inviting.extend(invitation, 3, by=None)
        extended = link_in(last_mail(ADA))
        Mail.objects.update(state="sent")
        assert "Hello Ada Moor" in self.page(first)
        assert "Hello Ada Moor" in self.page(extended)
        inviting.resend(invitation, by=None)
        assert "A newer link has replaced this one" in self.page(first)
        assert "A newer link has replaced this one" in self.page(extended)
        assert opens(link_in(last_mail(ADA)))

    def test_each_end_of_a_link_has_its_own_sentence(self, invitation, last_mail, link_in):
        link = link_in(last_mail(ADA))
        Link.objects.update(expires_at=timezone.now())
        assert "This link has run out" in self.page(link)
        Link.objects.update(expires_at=timezone.now() + timedelta(days=1), ended_at=timezone.now())
        assert "This link no longer works" in self.page(link)
        Link.objects.update(ended_at=None)
        assert opens(link)
        assert "This link has been used" in self.page(link)
        assert "Mail me a fresh link" in self.page(link)

    def test_so_have_the_ends_of_a_reports_link(self, invitation, last_mail, link_in):
        delivery.send_report(invitation.person)
        link = link_in(last_mail(ADA))
        assert "until" in self.page(link)
        Link.objects.filter(purpose="report").update(expires_at=timezone.now())
        assert "This link has run out" in self.page(link)
        delivery.hand_over_report(invitation.person, by=None)
        assert "A newer link has replaced this one" in self.page(link)

    def test_its_age_is_told_where_it_ends_before_the_deadline(self, version, hr, last_mail, link_in):
        make_invitation(make_person(email="long@example.org"), version, hr, days=40)
        link = Link.objects.get()
        assert timedelta(days=13) < link.expires_at - timezone.now() <= timedelta(days=14)
        until = f"{timezone.localtime(link.expires_at):%-d %B %Y, %H:%M}"
        assert (
            f"until {timezone.localtime(link.expires_at):%A} {until}; after that" in last_mail("long@example.org").text
        )
        assert until in self.page(link_in(last_mail("long@example.org")))

    def test_it_never_outlives_the_deadline(self, invitation, last_mail):
        assert Link.objects.get().expires_at == invitation.deadline_at
        assert "The link works once." in last_mail(ADA).text


class TestPaper:
    @pytest.fixture
    def kiosk(self, version, hr):
        return make_invitation(make_person("Kim Ost", email=None), version, hr)

    def printed(self, client, invitation) -> str:
        page = client.post(f"/invitations/{invitation.pk}/paper/").content.decode()
        return re.search(r"https?://[^/\s]+(/i/[^<\s]+)", page).group(1)

    def test_who_has_no_address_is_invited_without_a_mail_and_hr_is_told(self, as_hr, version):
        people = [make_person("Kim Ost", email=None), make_person("Lou West", email=None), make_person("Ada Moor")]
        chosen = {"people": [one.pk for one in people]}
        assert "no e-mail address, you print the link" in as_hr.get("/invitations/new/", chosen).content.decode()
        day = timezone.localdate() + timedelta(days=10)
        data = {"role_version": version.pk, "deadline_on": str(day), **chosen}
        page = as_hr.post("/invitations/new/", data, follow=True).content.decode()
        assert "1 invitation on the way. 2 without an e-mail address: print their links below." in page
        assert [mail.to for mail in Mail.objects.all()] == [people[2].email]
        assert "No address: print the link" in row_of(page, "Kim Ost")
        assert "Print the links of 2 without an address" in page

    def test_a_printed_link_can_be_typed_and_works_once(self, as_hr, kiosk):
        link = self.printed(as_hr, kiosk)
        typed = link.upper().replace("/I/", "/i/").replace("-", "")
        assert "Hello Kim Ost" in Client().get(typed).content.decode()
        assert opens(typed)
        assert not opens(link)
        gone = Client().get(link).content.decode()
        assert "This link has been used" in gone
        assert "Ask whoever gave you this link for a fresh one." in gone
        assert "Mail me" not in gone
        assert link.split("/")[2] not in str(list(Link.objects.values()) + list(AuditEntry.objects.values()))

    def test_it_ends_with_its_age_or_the_next_printing_and_is_shown_as_handed_over(self, as_hr, kiosk):
        first, second = self.printed(as_hr, kiosk), self.printed(as_hr, kiosk)
        assert not opens(first)
        assert "Handed over on paper" in row_of(as_hr.get("/invitations/").content.decode(), "Kim Ost")
        Link.objects.update(expires_at=timezone.now())
        assert not opens(second)
        assert AuditEntry.objects.filter(action="invitation.printed").count() == 2

    def test_all_at_once_one_page_each(self, as_hr, version, hr):
        for name in ("Kim Ost", "Lou West"):
            make_invitation(make_person(name, email=None), version, hr)
        make_invitation(make_person("Ada Moor", email=ADA), version, hr)
        page = as_hr.post("/invitations/paper/").content.decode()
        assert page.count('<section class="paper">') == 2
        assert "Ada Moor" not in page
        again = as_hr.post("/invitations/paper/", follow=True).content.decode()
        assert "Nobody without an e-mail address waits for a link." in again

    def test_reminders_and_resending_say_that_there_is_no_address(self, as_hr, kiosk):
        assert inviting.remind(kiosk.deadline_at - timedelta(days=1)) == 0
        page = as_hr.post("/invitations/remind/", follow=True).content.decode()
        assert "0 reminders on the way. 1 have no e-mail address" in page
        refused = as_hr.post(f"/invitations/{kiosk.pk}/change/", {"what": "resend"})
        assert refused.status_code == 409
        assert "Kim Ost has no e-mail address. Print the link instead." in refused.content.decode()
        later = as_hr.post(f"/invitations/{kiosk.pk}/change/", {"what": "extend", "days": "3"}, follow=True)
        assert "Tell them yourself" in later.content.decode()
        assert not Mail.objects.exists()

    def test_printing_takes_back_a_mail_that_has_not_arrived(self, as_hr, smtp, invitation, send):
        smtp.mood(rcpt={ADA: ["450 later"]})
        send()
        link = self.printed(as_hr, invitation)
        send(minutes=5)
        assert smtp.received() == []
        assert opens(link)

    def test_an_answered_invitation_prints_nothing(self, as_hr, kiosk):
        Invitation.objects.update(submitted_at=timezone.now())
        answer = as_hr.post(f"/invitations/{kiosk.pk}/paper/")
        assert answer.status_code == 409
        assert "not open any more" in answer.content.decode()
        assert not Link.objects.exists()

    def test_the_report_is_handed_over_as_well(self, as_hr, kiosk):
        Invitation.objects.update(submitted_at=timezone.now())
        page = as_hr.get("/invitations/").content.decode()
        assert "No address: print the report’s link" in row_of(page, "Kim Ost")
        page = as_hr.post(f"/people/{kiosk.person_id}/report/paper/").content.decode()
        link = re.search(r"https?://[^/\s]+(/r/[^<\s]+)", page).group(1)
        assert opens(link)
        assert not opens(link)


def test_names_and_titles_with_line_breaks_stay_in_their_line(hr, smtp, send):
    version = make_version(hr, title="Care\r\nBcc: evil@example.org\r\n\r\nClick https://evil.example")
    person = make_person("Eve\r\nBcc: evil@example.org", email="eve@example.org")
    make_invitation(person, version, hr)
    send()
    (received,) = smtp.received()
    assert received["Bcc"] is None
    assert received["Subject"].startswith("Your self-assessment for Care Bcc: evil@example.org Click")
    lines = received.get_payload(decode=True).decode().splitlines()
    assert "Hello Eve Bcc: evil@example.org," in lines
    assert not [line for line in lines if line.startswith(("Bcc", "Click"))]


def test_extra_time_makes_links_that_arrived_last_longer_as_far_as_a_link_can(hr, version, link_in, last_mail):
    person = make_person("Bo Paper", email=None)
    soon = timezone.localdate() + timedelta(days=3)
    (invitation,), _ = inviting.invite([person], version, deadline_on=soon, by=hr)
    paper = delivery.hand_over(invitation, by=hr)
    inviting.extend(invitation, 5, by=hr)
    link = Link.objects.get()
    assert link.expires_at == invitation.deadline_at
    inviting.extend(invitation, 50, by=hr)
    link.refresh_from_db()
    assert link.expires_at == link.created_at + LINK_LASTS
    assert opens(paper.address.removeprefix(settings.BASE_URL))


def test_extra_time_revives_no_link_that_was_replaced(hr, invitation, link_in, last_mail):
    old = link_in(last_mail(ADA))
    inviting.resend(invitation, by=hr)
    inviting.extend(invitation, 5, by=hr)
    assert not opens(old)


def test_hr_s_own_request_for_a_report_is_never_dropped(as_hr, hr, invitation, smtp, send):
    for _ in range(delivery.MOST_LINKS_AN_HOUR):
        delivery.send_report(invitation.person, is_asked_by_hr=True)
    assert delivery.send_report(invitation.person) is None
    failed = Mail.objects.filter(about=f"report:{invitation.person.pk}").latest("created_at")
    sending.give_up(failed, timezone.now(), failure_of(smtplib.SMTPException("no"), connected=True))
    as_hr.post(reverse("mail:again", args=[failed.pk]))
    assert Mail.objects.filter(about=f"report:{invitation.person.pk}", state="queued").count() == 1
    assert not Mail.objects.failed().exists()


def test_a_report_goes_to_the_address_that_is_known_when_it_is_written(last_mail):
    person = make_person("Ada", email="old@example.org")
    Person.objects.filter(pk=person.pk).update(email="fresh@example.org")
    delivery.send_report(person)
    assert last_mail("old@example.org") is None
    assert "/r/" in last_mail("fresh@example.org").text
