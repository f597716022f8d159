"""An organisation that begins with nothing but its first HR manager, and goes by pages and mails alone."""

import re
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from candidates.models import Evidence, Person
from socialstrategy.mail.models import Mail

expect.set_options(timeout=15_000)
pytestmark = [pytest.mark.servers, pytest.mark.browser]
PASSWORD = "eleven blue herons"


@pytest.fixture
def mails(settings, monkeypatch):
    """The texts that were posted, newest last: on a real installation they go out and nothing stays."""
    from socialstrategy import mail

    sent = []
    post = mail.post

    def keep(to, template, context, **options):
        posted = post(to, template, context, **options)
        sent.append((to, posted.text))
        return posted

    monkeypatch.setattr(mail, "post", keep)
    return sent


def link_for(mails, address: str, part: str) -> str:
    """The path of the newest link to an address."""
    text = next(text for to, text in reversed(mails) if to == address and part in text)
    return re.search(rf"https?://[^/\s]+(/\S*{part.strip('/')}\S*)", text).group(1)


@pytest.fixture
def hr(live_server, settings, open_as, mails):
    """The first HR manager, made at the server as the guide says, with a role that people can be invited to."""
    settings.DEMO = False
    settings.BASE_URL = live_server.url
    from accounts.models import User

    call_command("createsuperuser", email="hanne@example.org", interactive=False)
    first = User.objects.get()
    first.set_password(PASSWORD)
    first.save()
    page = open_as()
    sign_in(page, "hanne@example.org")
    page.goto("/roles/new/")
    page.fill("#id_title", "Community host")
    page.select_option("#id_function", index=1)
    page.select_option("#id_phase", label="Manage")
    page.select_option("#id_start", index=1)
    page.get_by_role("button", name="Create the draft").click()
    page.get_by_role("button", name="Publish version 1").click()
    expect(page.locator("main")).to_contain_text("Published version 1")
    return page


def sign_in(page, address: str) -> None:
    page.goto("/sign-in/")
    page.fill("#id_login", address)
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def add(hr, name: str, address: str, manager: str = "") -> None:
    hr.goto("/people/")
    hr.get_by_role("link", name="Add a person").click()
    hr.fill("#id_name", name)
    hr.fill("#id_email", address)
    hr.select_option("#id_kind", "employee")
    hr.fill("#id_manager_email", manager)
    hr.get_by_role("button", name="Save").click()
    expect(hr.locator("h1")).to_have_text(name)


def invite_to_an_account(hr) -> None:
    """From the person's page that is open."""
    hr.get_by_role("button", name="Invite to an account").click()
    expect(hr.locator("main")).to_contain_text("gets a mail with a link to choose a password")


def choose_a_password(page, mails, address: str) -> None:
    page.goto(link_for(mails, address, "/password/new/"))
    page.fill("#id_password1", PASSWORD)
    page.fill("#id_password2", PASSWORD)
    page.get_by_role("button", name="Save").click()
    sign_in(page, address)


def test_an_employee_with_an_account(hr, mails, open_as):
    add(hr, "Ines Okafor", "ines@example.org")
    invite_to_an_account(hr)
    hr.get_by_role("link", name="Invite", exact=True).click()
    hr.select_option("#id_role_version", label="Community host, version 1")
    hr.fill("#id_deadline_on", (date.today() + timedelta(days=10)).isoformat())
    hr.get_by_role("button", name="Send the invitation").click()
    expect(hr.locator("main")).to_contain_text("1 invitation on the way")

    # She chooses a password, and finds what waits for her without the link in the other mail.
    ines = open_as(width=390)
    choose_a_password(ines, mails, "ines@example.org")
    ines.locator("main").get_by_role("button", name=re.compile("Begin|Start|Go on")).first.click()
    ines.check("#id_consent")
    ines.get_by_role("button", name="Start").click()
    while ines.locator("[name=level]").count():
        ines.locator("label[for=level-4]").click()
        expect(ines.locator("#saved")).to_contain_text("Saved")
        before = ines.url
        ines.click("#next")
        ines.wait_for_url(lambda url, before=before: url != before)
        ines.wait_for_load_state("load")
    ines.get_by_role("button", name="Hand in", exact=True).click()
    expect(ines.locator("h1")).to_have_text("What we learned about your skills")

    # Her own page is hers, and says the same another day.
    ines.goto("/")
    person = Person.objects.get(email="ines@example.org")
    ines.locator(f'main a[href="/people/{person.pk}/"]').first.click()
    expect(ines.locator("h1")).to_have_text("Ines Okafor")
    ines.get_by_role("link", name="My report").click()
    expect(ines.locator("h1")).to_have_text("What we learned about your skills")
    assert Evidence.objects.filter(person=person, source="self").exists()
    assert Mail.objects.filter(to="ines@example.org").count() >= 2
    assert hr.problems == ines.problems == []


def test_a_manager_with_an_account(hr, mails, open_as):
    # The account first, the person afterwards: they are one all the same.
    hr.goto("/accounts/")
    hr.get_by_role("link", name="New account").click()
    hr.fill("#id_name", "Tom Boss")
    hr.fill("#id_email", "Tom@Example.org")
    hr.select_option("#id_role", "assessor")
    hr.get_by_role("button", name="Save").click()
    add(hr, "Tom Boss", "tom@example.org")
    expect(hr.locator("main")).to_contain_text("Signs in as tom@example.org")
    add(hr, "Ines Okafor", "ines@example.org", manager="tom@example.org")

    # He is offered as rater of his own people.
    hr.get_by_text("By their manager, a colleague").click()
    expect(hr.locator("#id_rater")).to_have_value("tom@example.org")
    hr.get_by_role("button", name="Ask", exact=True).click()
    expect(hr.locator("main")).to_contain_text("Tom Boss finds it in the queue")
    ines = hr.url

    # He chooses a password, finds her in his queue, rates and hands in.
    tom = open_as()
    choose_a_password(tom, mails, "tom@example.org")
    tom.goto("/ratings/")
    expect(tom.locator("main")).to_contain_text("Ines Okafor")
    tom.locator("main").get_by_role("link", name=re.compile("Rate|Ines")).first.click()
    while tom.locator("[name=level]").count():
        tom.locator("label[for=level-3]").click()
        before = tom.url
        tom.click("#next")
        tom.wait_for_url(lambda url, before=before: url != before)
        tom.wait_for_load_state("load")
    tom.get_by_role("button", name="Hand in", exact=True).click()
    expect(tom.locator("main")).to_contain_text("Thank you")

    # HR sees it on her page.
    hr.goto(ines)
    hr.locator("summary.sk").first.click()
    expect(hr.locator("details[open] .evd").first).to_contain_text("Manager")
    assert set(Evidence.objects.values_list("source", flat=True)) == {"manager"}
    assert hr.problems == tom.problems == []
