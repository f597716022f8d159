"""Every page in both themes at both widths: axe finds nothing, nothing overflows, the console stays silent."""

from datetime import timedelta
from pathlib import Path

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from axe_playwright_python.sync_playwright import Axe
from django.urls import resolve
from django.utils import timezone

from accounts.access import RULES
from accounts.models import Link, User
from assessments.models import RatingRequest
from candidates import actions, importing
from candidates.models import Invitation, Person
from roles import actions as role_actions
from roles import occupation_imports
from roles.models import Occupation, RoleTemplate, RoleVersion
from socialstrategy.jobs.models import Job
from socialstrategy.mail.models import Mail
from teams.models import Initiative, Team

pytestmark = [pytest.mark.servers, pytest.mark.browser]
ONET = Path(__file__).resolve().parent.parent / "roles" / "tests" / "onet_fixture.csv"
LOOKS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]


def look_at(page, path, width, failures, status=200):
    response = page.goto(path)
    if "/draft/" in path:
        page.locator("#fits .fitrow").first.wait_for()
    where = f"{path} at {width}"
    if response.status != status:
        failures.append(f"{where}: status {response.status}")
    for violation in Axe().run(page).response["violations"]:
        targets = [node["target"] for node in violation["nodes"]][:2]
        failures.append(f"{where}: {violation['id']} {targets}")
    if page.evaluate("document.documentElement.scrollWidth") > width:
        failures.append(f"{where}: wider than the window")
    failures += [f"{where}: {problem}" for problem in page.problems if "status of 4" not in problem]
    page.problems.clear()


def in_all_states_of_mail() -> None:
    """Mails that wait for the server, are tried again, were given up; somebody without an address."""
    held_up, tried, given_up, printed = Invitation.objects.open_at(timezone.now())[:4]
    states = {
        held_up: {"trouble": "server", "error": "the mail server cannot be reached", "answer": "Connection refused"},
        tried: {"trouble": "mail", "error": "the receiving side asks to come back later"},
        given_up: {"state": "failed", "trouble": "mail", "error": "there is no such address", "text": ""},
    }
    for invitation, state in states.items():
        mail = Mail.objects.create(
            to=invitation.person.email,
            to_name=invitation.person.name,
            subject="Your self-assessment",
            about=f"invitation:{invitation.pk}",
            failed_at=timezone.now(),
            **state,
        )
        Invitation.objects.filter(pk=invitation.pk).update(mail=mail)
    Person.objects.filter(pk=printed.person_id).update(email=None)


@pytest.fixture
def places(demo):
    """Addresses of the demo, by who opens them."""
    published = RoleVersion.objects.published().filter(role__title="Community manager").get()
    draft = RoleVersion.objects.drafts().first()
    person = Person.objects.get(user__role="employee")
    unknown = Person.objects.get(evidence=None)
    other, gone = Person.objects.filter(kind="candidate").exclude(evidence=None)[:2]
    actions.set_archived(gone, by=None, archived=True)
    occupation_imports.import_file(ONET.read_bytes(), "O*NET 29.3")
    batch = importing.create_batch("people.csv", b"Name,E-mail\nAda,ada@example.org\n,x\n", by=None)
    importing.judge(batch)
    unread = importing.create_batch("plain.csv", b"Name;E-mail\nAda;ada@example.org\n", by=None)
    importing.refuse(unread, importing.ImportFileError("The file is not text in this encoding. Choose another one."))
    template = RoleTemplate.objects.first()
    stored = actions.store_fit(person, published, by=None)
    rating = RatingRequest.objects.open().first()
    rated = rating.role_version.requirements.first().skill.slug
    now = timezone.now()
    User.objects.filter(pk=person.user_id).update(new_email="ines@müller.example")
    address = Link.objects.issue("address", person.user_id, now + timedelta(days=1))
    states = [{"state": "running", "done": 3, "total": 10}, {"state": "done"}, {"state": "failed", "message": "No."}]
    # Running jobs ask for news every 700 ms: the one looked at has a far heartbeat and no worker.
    jobs = [Job.objects.create(kind="people.read", heartbeat_at=now, **state) for state in states]
    initiative = Initiative.objects.first()
    team = Team.objects.get(name="Care by night")
    demand = initiative.demands.first()
    field = "/overview/service-support/communicating/"
    role_actions.next_version(published.role, by=None)
    in_all_states_of_mail()
    board = ["/", field, f"{field}?page=1", "/initiatives/", f"/initiatives/{initiative.pk}/"]
    board += ["/initiatives/?q=nothing-is-called-so", "/teams/", f"/teams/{team.pk}/", "/teams/?closed=1"]
    both = f"p={person.code}&p={other.code}"
    return {
        "hr": [
            *board,
            "/initiatives/new/",
            f"/initiatives/{initiative.pk}/edit/",
            f"/initiatives/{initiative.pk}/demands/add/",
            f"/initiatives/{initiative.pk}/demands/{demand.pk}/",
            "/teams/new/",
            f"/teams/{team.pk}/edit/",
            f"/people/{person.pk}/development/",
            f"/roles/{published.role_id}/compare/",
            "/roles/",
            "/search/?q=a",
            "/search/?q=nothing-is-called-so",
            "/roles/new/",
            f"/roles/{draft.role_id}/draft/",
            f"/roles/{published.role_id}/",
            f"/roles/{published.role_id}/describe/",
            "/roles/templates/",
            f"/roles/templates/{template.pk}/",
            f"/roles/templates/{template.pk}/edit/",
            f"/roles/templates/{template.pk}/lines/add/",
            f"/roles/occupations/{Occupation.objects.get().pk}/",
            "/roles/skills/new/",
            "/roles/skill-sets/content/",
            "/roles/functions/it/",
            "/people/new/",
            f"/people/import/{batch.pk}/",
            f"/people/import/{unread.pk}/",
            f"/fits/{stored.pk}/",
            "/accounts/new/",
            f"/accounts/{person.user_id}/",
            f"/outbox/{Mail.objects.first().pk}/",
            f"/hiring/{published.pk}/who-fits/",
            "/roles/occupations/",
            "/roles/skills/",
            "/roles/skills/analytics/",
            "/roles/skills/analytics/edit/",
            "/roles/functions/",
            "/people/",
            "/people/?q=nobody-at-all",
            f"/people/{person.pk}/",
            f"/people/{unknown.pk}/",
            f"/people/{gone.pk}/",
            f"/people/{person.pk}/edit/",
            f"/people/{person.pk}/erase/",
            "/kept/",
            "/people/import/",
            "/hiring/",
            f"/hiring/{published.pk}/",
            f"/hiring/{published.pk}/{person.code}/",
            f"/hiring/{published.pk}/{unknown.code}/",
            f"/hiring/{published.pk}/compare/?{both}",
            "/invitations/",
            f"/invitations/new/?people={person.pk}",
            "/evidence/sources/",
            "/evidence/sources/edit/",
            "/password/first/",
            *[f"/jobs/{job.pk}/" for job in jobs],
            "/audit/",
            "/accounts/",
            "/settings/",
            "/outbox/",
            "/outbox/undelivered/",
        ],
        "assessor": ["/", "/ratings/", f"/ratings/{rating.pk}/skills/{rated}/", f"/ratings/{rating.pk}/hand-in/"],
        "executive": [*board, "/roles/"],
        "employee": [
            "/",
            f"/address/{address}/",
            f"/report/{person.subject}/",
            f"/people/{person.pk}/background/add/",
            f"/people/{person.pk}/development/",
        ],
    }


WITH_A_LINK = {
    *("account_login", "account_inactive", "account_reset_password", "account_reset_password_done"),
    *("account_reset_password_from_key", "account_reset_password_from_key_done", "assessments:wizard_ended"),
    *("candidates:invitation_open", "candidates:report_open", "assessments:wizard_intro", "assessments:wizard_skill"),
    *("assessments:wizard_later", "candidates:wizard_background", "candidates:wizard_background_add"),
    *("assessments:left",),
}
"""Looked at by the two tests below."""
NO_PAGES = {
    # Files and signs of life.
    *(
        "healthz",
        "readyz",
        "favicon",
        "candidates:import_errors",
        "candidates:ranking_export",
        "candidates:person_export",
    ),
    *("candidates:report_json", "candidates:report_xlsx", "teams:overview_export", "teams:initiative_export"),
    # They change something and lead on.
    *("accounts:demo_sign_in", "accounts:theme", "account_logout", "account_change_password"),
    *("roles:requirement_add", "roles:requirement_remove", "roles:requirement_edit", "roles:role_undo"),
    *("roles:role_publish", "roles:role_next_version", "roles:role_retire", "roles:role_discard"),
    *("roles:role_template", "roles:template_retire", "roles:skill_retire", "roles:template_line_edit"),
    *("roles:occupation_import", "candidates:fit_store", "candidates:background_remove", "candidates:evidence_add"),
    *("candidates:background_edit", "candidates:import_start", "candidates:invitation_change"),
    *("candidates:invitation_remind", "candidates:invitation_begin", "candidates:invitation_fresh"),
    *("mail:again", "mail:again_all", "mail:set_aside", "mail:try_now"),
    # Shown once, in answer to a button: see test_mail.py.
    *("candidates:paper", "candidates:paper_all", "candidates:paper_report"),
    *("candidates:invitation_mine", "candidates:continue_elsewhere", "candidates:wizard_submit"),
    *("candidates:wizard_background_edit", "candidates:wizard_background_remove", "candidates:rating_go_on"),
    *("assessments:leave", "candidates:wizard_at_deadline"),
    *("candidates:report_begin", "candidates:report_fresh", "candidates:rating_ask", "candidates:ranking_blind"),
    *("candidates:hiring_count", "candidates:person_archive", "candidates:account_join", "candidates:account_part"),
    *("candidates:account_invite", "accounts:account_password", "accounts:address_change"),
    *("candidates:goal_add", "candidates:goal_close", "candidates:help_offer"),
    *("teams:member_add", "teams:member_change", "teams:team_close", "teams:initiative_state", "teams:demand_remove"),
}


def test_every_page_of_the_project_is_looked_at(places):
    looked_at = {resolve(path.split("?")[0]).view_name for paths in places.values() for path in paths}
    assert set(RULES) - looked_at - WITH_A_LINK == NO_PAGES


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_pages_of_those_who_sign_in(places, open_as, width, theme):
    failures = []
    for role, paths in places.items():
        page = open_as(role, width=width, theme=theme)
        for path in paths:
            look_at(page, path, width, failures)
        if role == "hr":
            alone = next(path for path in paths if "/compare/?p=" in path).split("&")[0]
            look_at(page, alone, width, failures, status=400)
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_pages_of_those_who_have_a_link(demo, open_as, width, theme):
    failures = []
    page = open_as(width=width, theme=theme)
    user = User.objects.get(role="executive")
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    words = ("forgotten", "sent", f"new/{key}", "new/1-wrong", "done")
    for path in ("/sign-in/", "/sign-in/closed/", *[f"/password/{word}/" for word in words]):
        look_at(page, path, width, failures)
    invitation = Invitation.objects.filter(submitted_at=None, opened_at=None).first()
    home = f"/assessment/{invitation.sitting_id}/"
    look_at(page, f"{home}ended/", width, failures, status=410)
    look_at(page, "/assessment/left/", width, failures)
    token = Link.objects.issue("assessment", invitation.pk, invitation.deadline_at)
    look_at(page, f"/i/{token}/", width, failures)
    page.goto(f"/i/{token}/")
    page.click("text=Begin")
    look_at(page, home, width, failures)
    page.check("#id_consent")
    page.get_by_role("button", name="Start").click()
    first = invitation.sitting.skills()[0].slug
    for path in (f"skills/{first}/", "later/", "background/", "background/add/"):
        look_at(page, home + path, width, failures)
    look_at(page, f"{home}skills/not-asked/", width, failures, status=404)
    look_at(page, "/nothing-here/", width, failures, status=404)
    report = Link.objects.issue("report", invitation.person_id, invitation.deadline_at)
    look_at(page, f"/r/{report}/", width, failures)
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_pages_of_links_that_open_nothing(demo, open_as, width, theme):
    failures = []
    page = open_as(width=width, theme=theme)
    now = timezone.now()
    ends = {
        "used": {},
        "submitted": {"submitted_at": now},
        "revoked": {"revoked_at": now},
        "expired": {"deadline_at": now - timedelta(days=1)},
        "run out": {},
        "replaced": {},
        "ended": {},
    }
    waiting = Invitation.objects.filter(submitted_at=None, opened_at=None)[: len(ends)]
    for (end, fields), invitation in zip(ends.items(), waiting, strict=True):
        token = Link.objects.issue("assessment", invitation.pk, invitation.deadline_at)
        if end == "used":
            Link.objects.consume("assessment", token, now)
        if end == "run out":
            Link.objects.filter(target=invitation.pk).update(expires_at=now)
        if end == "replaced":
            Link.objects.issue("assessment", invitation.pk, invitation.deadline_at)
        if end == "ended":
            Link.objects.end("assessment", invitation.pk)
        Invitation.objects.filter(pk=invitation.pk).update(**fields)
        look_at(page, f"/i/{token}/", width, failures, status=410)
    report = Link.objects.issue("report", invitation.person_id, now - timedelta(days=1))
    look_at(page, f"/r/{report}/", width, failures, status=410)
    look_at(page, "/r/nothing/", width, failures, status=404)
    look_at(page, "/i/nothing/", width, failures, status=404)
    assert not failures, "\n".join(failures)


def test_the_assessment_works_without_javascript(demo, browser, live_server):
    context = browser.new_context(
        java_script_enabled=False, base_url=live_server.url, viewport={"width": 390, "height": 800}
    )
    page = context.new_page()
    invitation = Invitation.objects.filter(submitted_at=None, opened_at=None).first()
    token = Link.objects.issue("assessment", invitation.pk, invitation.deadline_at)
    page.goto(f"/i/{token}/")
    page.click("text=Begin")
    page.check("#id_consent")
    page.get_by_role("button", name="Start").click()
    for level in (3, 4):
        page.click(f"label[for=level-{level}]")
        page.click("#next")
    page.click("text=Back")
    assert page.is_checked("#level-4")
    assert invitation.sitting.responses.count() == 2
    page.goto(f"/assessment/{invitation.sitting_id}/background/")
    page.get_by_role("button", name="Hand in").click()
    assert page.inner_text("h1") == "What we learned about your skills"
    context.close()


def test_the_menu_opens_on_a_phone_and_closes_with_escape(demo, open_as):
    page = open_as("hr", width=390)
    page.click("summary[aria-label=Menu]")
    page.click("details.menu >> text=People")
    assert page.url.endswith("/people/")
    page.click("summary[aria-label=Menu]")
    page.keyboard.press("Escape")
    assert not page.is_visible("details.menu nav")


def test_slash_finds_a_person_by_keyboard_alone(demo, open_as):
    page = open_as("hr")
    page.wait_for_load_state("load")
    page.keyboard.press("/")
    page.keyboard.type("ines okafor")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=ines+okafor")
    page.get_by_role("link", name="Ines Okafor").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/people/*/")
    assert page.inner_text("h1") == "Ines Okafor"
