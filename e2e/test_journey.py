"""The main job, end to end: from a role to a ranking, in a real browser on real servers."""

import csv
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from accounts.models import User
from accounts.views import DEMO_DOMAIN
from candidates.factories import give_evidence, make_person
from candidates.models import Evidence, Invitation, Person
from roles.models import Role
from socialstrategy.mail.models import Mail

expect.set_options(timeout=15_000)
pytestmark = [pytest.mark.servers, pytest.mark.browser]
ONET = Path(__file__).resolve().parent.parent / "roles" / "tests" / "onet_fixture.csv"


def link_to(address: str) -> str:
    text = Mail.objects.filter(to=address).order_by("-created_at").first().text
    return re.search(r"https?://[^/\s]+(/i/\S+)", text).group(1)


def at(page, pattern: str) -> None:
    """Wait until the page at this address has loaded with its scripts."""
    expect(page).to_have_url(re.compile(pattern))
    page.wait_for_load_state("load")


def answer(page, skill: str, level: str) -> None:
    """Choose a card and go on; the choice is stored before the page moves."""
    at(page, f"/skills/{skill}/$")
    page.click(f"label[for=level-{level}]")
    expect(page.locator("#saved")).to_contain_text("Saved")
    page.click("#next")


@pytest.fixture
def organisation(live_server, settings):
    """An organisation with accounts and nobody in it yet."""
    settings.DEMO = True
    settings.BASE_URL = live_server.url
    for role, name in (("hr", "Hanne Berg"), ("assessor", "Tom Boss"), ("executive", "Ruth Board")):
        User.objects.create_user(f"{role}@{DEMO_DOMAIN}", "x" * 20, name=name, role=role)


def test_from_an_occupation_to_a_ranking(organisation, celery_worker, wait_until, open_as, tmp_path):
    hr = open_as("hr")

    # HR reads a real occupation and makes a role of it.
    hr.goto("/roles/occupations/")
    hr.set_input_files("#id_uploads", ONET)
    hr.click("text=Read the files")
    hr.click("text=Public Relations Specialists")
    hr.click("text=Start a role from it")
    hr.fill("#id_title", "Digital press person")
    hr.select_option("#id_function", label="Public relations")
    hr.select_option("#id_phase", label="Manage")
    hr.click("text=Create the draft")
    at(hr, "/draft/")
    role = Role.objects.get(title="Digital press person")
    lines = list(role.draft.requirements.select_related("skill"))
    assert len(lines) >= 8

    # A level is changed with the keyboard, saved as she goes, and undone.
    first = lines[0]
    hr.locator(f"#level-{first.pk}-{first.level}").focus()
    hr.keyboard.press("ArrowLeft")
    expect(hr.locator("#saved")).to_contain_text("Saved")
    assert role.draft.requirements.get(pk=first.pk).level == first.level - 1
    hr.click("text=Undo")
    expect(hr.locator("main")).to_contain_text("The last change is undone")
    hr.click("text=Publish version 1")
    expect(hr.locator("main")).to_contain_text("Published version 1")

    # She imports people; every row's fate is shown first, the worker writes.
    people = tmp_path / "people.csv"
    with people.open("w", newline="") as out:
        csv.writer(out).writerows(
            [
                ["Name", "E-mail", "Type", "Manager"],
                ["Tom Boss", "tom@example.org", "employee", ""],
                ["Ines Okafor", "ines@example.org", "employee", "tom@example.org"],
                ["", "nobody@example.org", "employee", ""],
            ]
        )
    hr.goto("/people/import/")
    hr.set_input_files("#id_file", people)
    hr.click("text=Read the file")
    expect(hr.locator("main")).to_contain_text("Name is missing")
    hr.click("text=Write 2 people")
    wait_until(lambda: Person.objects.count() == 2)
    Person.objects.filter(email="tom@example.org").update(user=User.objects.get(role="assessor"))

    # She invites Ines, and asks Tom for a rating.
    hr.goto("/people/")
    hr.get_by_label("Select Ines Okafor").check()
    expect(hr.locator("[data-count]")).to_have_text("1")
    hr.locator("[data-selection]").get_by_text("Invite").click()
    hr.select_option("#id_role_version", label="Digital press person, version 1")
    hr.get_by_role("button", name="Send the invitation").click()
    wait_until(lambda: Mail.objects.filter(to="ines@example.org", state="sent").exists())
    ines = Person.objects.get(email="ines@example.org")
    hr.goto(f"/people/{ines.pk}/")
    hr.click("text=By their manager, a colleague")
    hr.get_by_role("button", name="Ask", exact=True).click()

    # Ines answers on her phone, and is interrupted.
    phone = open_as(width=390)
    phone.goto(link_to("ines@example.org"))
    phone.click("text=Begin")
    phone.check("#id_consent")
    phone.get_by_role("button", name="Start").click()
    expect(phone.locator("h1")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    skills = [skill.slug for skill in Invitation.objects.get(person=ines).sitting.skills()]
    for skill, level in zip(skills, "34", strict=False):
        answer(phone, skill, level)
    phone.click("text=Finish later")
    phone.click("text=Mail me a link for another device")

    # She goes on at her desk, by keyboard, where she left off.
    wait_until(lambda: Mail.objects.filter(to="ines@example.org", state="sent").count() == 2)
    desk = open_as()
    desk.goto(link_to("ines@example.org"))
    expect(desk.locator("main")).to_contain_text("2 of")
    desk.click("text=Go on")
    desk.click("button:has-text('Go on')")
    for place, skill in enumerate(skills[2:], start=3):
        at(desk, f"/skills/{skill}/$")
        desk.keyboard.press("4" if place % 2 else "5")
        expect(desk.locator("#saved")).to_contain_text("Saved")
        desk.keyboard.press("Enter")
    desk.get_by_role("button", name="Hand in").click()
    expect(desk.locator("h1")).to_have_text("What we learned about your skills")
    assert Invitation.objects.get(person=ines).submitted_at

    # Her manager rates her; what others said stays hidden until then.
    boss = open_as("assessor")
    boss.goto(f"/people/{ines.pk}/")
    expect(boss.locator("main")).to_contain_text("once yours is in")
    boss.click("text=Rate now")
    for skill in skills:
        at(boss, f"/skills/{skill}/$")
        boss.click("label[for=level-5]")
        boss.click("#next")
    boss.get_by_role("button", name="Hand in").click()
    expect(boss.locator("main")).to_contain_text("Thank you")
    assert set(Evidence.objects.filter(person=ines).values_list("source", flat=True)) == {"self", "manager"}

    # The ranking shows her with interval and reasons, and so does the next draft's preview.
    hr.goto(f"/hiring/{role.versions.get().pk}/")
    row = hr.locator("tbody tr", has_text="Ines Okafor")
    expect(row.locator("svg.track")).to_have_attribute("aria-label", re.compile("80% interval"))
    row.get_by_text("Ines Okafor").click()
    expect(hr.locator("main")).to_contain_text("Points lost from 100")
    hr.locator("summary").nth(1).click()
    hr.get_by_text("Manager rating").first.wait_for()
    hr.goto(f"/roles/{role.pk}/")
    hr.click("text=Start the next version")
    expect(hr.locator("#fits")).to_contain_text("Ines Okafor")
    expect(hr.locator("#fits")).to_contain_text("of 1 assessed inside")

    board(hr, boss, ines, lines[1].skill, role, open_as, tmp_path)
    for page in (hr, phone, desk, boss):
        assert page.problems == []


def board(hr, boss, ines, skill, role, open_as, tmp_path) -> None:
    """From the ranking to the board: a team, an initiative, a rating that moves the heatmap, and the executive."""
    for n in range(5):
        colleague = make_person(f"Colleague {n}", kind="employee")
        for source in ("work_sample", "peer"):
            give_evidence(colleague, skill.slug, 1, source)

    # HR makes a team of Ines and her colleagues.
    hr.goto("/teams/new/")
    hr.fill("#id_name", "Press desk")
    hr.select_option("#id_function", label="Public relations")
    hr.get_by_role("button", name="Save").click()
    for person in [ines, *Person.objects.filter(name__startswith="Colleague")]:
        hr.fill("#id_email", person.email)
        hr.get_by_role("button", name="Add", exact=True).click()
        expect(hr.locator("main")).to_contain_text(f"{person.name} is in Press desk now")

    # She says what it is for, asks for one person, and activates it.
    hr.goto("/initiatives/new/")
    hr.fill("#id_title", "First word in ten minutes")
    hr.select_option("#id_function", label="Public relations")
    hr.fill("#id_goal", "Customers read it from us first.")
    hr.fill("#id_deadline_on", (date.today() + timedelta(days=90)).isoformat())
    hr.get_by_role("button", name="Save").click()
    hr.get_by_role("link", name="Add a demand").first.click()
    hr.select_option("#id_team", label="Press desk")
    hr.select_option("#id_skill", label=skill.name)
    hr.get_by_role("button", name="Save", exact=True).click()
    expect(hr.locator("main")).to_contain_text("At least 1 person in Press desk")
    hr.get_by_role("button", name="Activate").click()
    expect(hr.locator("main")).to_contain_text("Active")
    hr.goto("/")
    cell = hr.locator("[data-cell]")
    before = cell.inner_text()
    expect(hr.locator("#cell")).to_contain_text("Ines Okafor")

    # The executive sees it by count, finds what hangs on one person, and takes a page along.
    ruth = open_as("executive")
    ruth.get_by_role("link", name="Look at the field").click()
    expect(ruth.locator("#cell")).to_contain_text("hangs on one person alone")
    expect(ruth.locator("main")).not_to_contain_text("Okafor")
    paper = tmp_path / "board.pdf"
    ruth.pdf(path=paper, format="A4")
    assert paper.read_bytes().count(b"/Type /Page\n") <= 2

    # Her manager has changed his mind: the new rating moves the heatmap.
    hr.goto(f"/people/{ines.pk}/")
    hr.click("text=By their manager, a colleague")
    hr.get_by_role("button", name="Ask", exact=True).click()
    boss.goto("/ratings/")
    boss.locator("main").get_by_role("link", name=re.compile("Rate|Ines")).first.click()
    for asked in Invitation.objects.get(person=ines).sitting.skills():
        at(boss, f"/skills/{asked.slug}/$")
        boss.click("label[for=level-2]")
        boss.click("#next")
    boss.get_by_role("button", name="Hand in").click()
    expect(boss.locator("main")).to_contain_text("Thank you")
    hr.goto("/")
    expect(cell).not_to_have_text(before)
    assert ruth.problems == []
