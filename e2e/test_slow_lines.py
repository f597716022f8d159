"""Slow lines, no line and ended sessions, in a real browser: nothing typed is lost, and nothing false is said."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Link, User
from assessments.models import Response, Sitting
from candidates.factories import make_invitation, make_person
from candidates.models import Evidence, Person
from roles.factories import make_version
from roles.models import Requirement

expect.set_options(timeout=15_000)
pytestmark = [pytest.mark.servers, pytest.mark.browser]
PASSWORD = "a long pass phrase"


@pytest.fixture
def hr(transactional_db):
    return User.objects.create_user("hr@example.org", PASSWORD, name="Hanne Berg", role="hr")


@pytest.fixture
def invitation(hr):
    return make_invitation(make_person("Ada"), make_version(hr), hr)


@pytest.fixture
def begun(invitation, open_as):
    """A browser at the first question; gives (page, addresses of the questions)."""
    page = open_as()
    token = Link.objects.issue("assessment", invitation.pk, invitation.deadline_at)
    page.goto(f"/i/{token}/")
    page.click("text=Begin")
    page.check("#id_consent")
    page.get_by_role("button", name="Start").click()
    questions = [f"/assessment/{invitation.sitting_id}/skills/{s.slug}/" for s in invitation.sitting.skills()]
    arrived(page, questions[0])
    return page, questions


def arrived(page, path):
    expect(page).to_have_url(re.compile(re.escape(path) + "$"))
    page.wait_for_load_state("load")


def slow(page, milliseconds):
    line = page.context.new_cdp_session(page)
    conditions = {"offline": False, "latency": milliseconds, "downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", conditions)


def sign_in(page):
    page.fill("#id_login", "hr@example.org")
    page.fill("#id_password", PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()


def test_on_a_slow_line_choosing_twice_and_going_on_at_once_is_no_conflict(begun):
    page, questions = begun
    slow(page, 1500)
    page.click("label[for=level-2]")
    page.click("label[for=level-4]")
    page.click("#next")
    arrived(page, questions[1])
    assert Response.objects.get().level == 4
    # Also when the first choice has been stored and its answer is still on the way back.
    page.click("label[for=level-1]")
    expect(page.locator("#saved")).to_contain_text("Storing")
    page.click("label[for=level-3]")
    page.fill("#note", "Typed while it was slow")
    page.click("#next")
    arrived(page, questions[2])
    assert list(Response.objects.order_by("pk").values_list("level", "note")) == [
        (4, ""),
        (3, "Typed while it was slow"),
    ]


def test_without_a_line_it_says_not_stored_yet_and_goes_on_once_the_line_is_back(begun):
    page, questions = begun
    page.context.set_offline(True)
    page.click("label[for=level-5]")
    expect(page.locator("#saved")).to_contain_text("Not stored yet")
    page.fill("#note", "Typed without a line")
    page.click("#next")
    expect(page.locator("#saved")).to_contain_text("no connection. We go on as soon as it is.")
    assert page.input_value("#note") == "Typed without a line"
    assert not Response.objects.exists()
    page.context.set_offline(False)
    arrived(page, questions[1])
    stored = Response.objects.get()
    assert (stored.level, stored.note) == (5, "Typed without a line")


def cut(page):
    """A line that is dead though the browser takes it for well."""
    page.route("**/*", lambda route: route.abort())
    assert page.evaluate("navigator.onLine")


def test_a_dead_line_that_calls_itself_well_keeps_everybody_on_the_page_until_it_is_back(begun):
    page, questions = begun
    cut(page)
    page.click("label[for=level-2]")
    page.locator("#note").press_sequentially("Typed over a dead line")
    page.click("#next")
    expect(page.locator("#saved")).to_contain_text("We go on as soon as it is.")
    assert page.input_value("#note") == "Typed over a dead line"
    page.unroute("**/*")
    arrived(page, questions[1])
    stored = Response.objects.get()
    assert (stored.level, stored.note) == (2, "Typed over a dead line")


def test_what_was_sent_over_a_dead_line_is_there_after_going_back(begun):
    page, questions = begun
    page.click("label[for=level-2]")
    expect(page.locator("#saved")).to_contain_text("Saved")
    page.locator("#note").press_sequentially("Not stored yet")
    cut(page)
    page.evaluate("document.getElementById('answer').requestSubmit(document.getElementById('next'))")
    expect(page).to_have_url(re.compile("^chrome-error:"))
    page.unroute("**/*")
    page.go_back()
    page.goto(questions[0])
    expect(page.locator("#note")).to_have_value("Not stored yet")
    page.click("#next")
    arrived(page, questions[1])
    assert Response.objects.get().note == "Not stored yet"
    page.goto(questions[0])
    expect(page.locator("#note")).to_have_value("Not stored yet")
    assert "is here again" not in page.locator("body").inner_text()


def test_leaving_the_computer_waits_for_what_is_on_its_way(begun):
    page, _ = begun
    slow(page, 1500)
    page.click("label[for=level-2]")
    page.click("label[for=level-4]")
    page.click("text=Leave this computer")
    arrived(page, "/assessment/left/")
    assert Response.objects.get().level == 4


def test_whoever_must_leave_without_a_line_presses_again(begun):
    page, questions = begun
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.route(f"**{questions[0]}", lambda route: route.abort())
    page.click("label[for=level-3]")
    expect(page.locator("#saved")).to_contain_text("Not stored yet")
    page.click("text=Leave this computer")
    expect(page.locator("#saved")).to_contain_text("Press again to go on without it.")
    page.click("text=Leave this computer")
    arrived(page, "/assessment/left/")
    assert asked == []
    assert not Response.objects.exists()


def test_what_the_server_could_not_take_is_tried_again_by_itself(begun):
    page, questions = begun
    left = [1, 1]

    def answer(route):
        if route.request.method == "POST" and left:
            left.pop()
            route.fulfill(status=502, body="Bad gateway")
        else:
            route.continue_()

    page.route(f"**{questions[0]}", answer)
    page.click("label[for=level-3]")
    expect(page.locator("#saved")).to_contain_text("Not stored yet")
    expect(page.locator("#saved")).to_contain_text("Saved")
    assert Response.objects.get().level == 3


def test_two_tabs_that_say_different_things_are_told(begun):
    page, questions = begun
    other = page.context.new_page()
    other.goto(questions[0])
    page.click("label[for=level-2]")
    expect(page.locator("#saved")).to_contain_text("Saved")
    other.click("label[for=level-5]")
    expect(other.locator("#saved")).to_contain_text("in another tab")
    assert Response.objects.get().level == 2


def test_a_token_that_has_gone_is_replaced_without_a_word(begun):
    page, _ = begun
    page.context.clear_cookies(name="csrftoken")
    page.click("label[for=level-3]")
    expect(page.locator("#saved")).to_contain_text("Saved")
    assert Response.objects.get().level == 3


def test_an_assessment_that_ends_meanwhile_says_so_and_leaves_what_was_typed(begun):
    page, _ = begun
    Sitting.objects.update(deadline_at=timezone.now() - timedelta(minutes=1))
    page.fill("#note", "A long story")
    page.click("label[for=level-3]")
    expect(page.locator("#said")).to_contain_text("The deadline has passed.")
    expect(page.locator("#saved")).to_contain_text("Not stored")
    assert page.input_value("#note") == "A long story"
    assert page.locator("h1").count() == 1


@pytest.fixture
def editor(hr, open_as):
    """HR at the grid of a draft; gives (page, its first two lines)."""
    version = make_version(hr, published=False)
    page = open_as()
    page.goto(f"/sign-in/?next=/roles/{version.role_id}/draft/")
    sign_in(page)
    arrived(page, f"/roles/{version.role_id}/draft/")
    return page, list(version.requirements.all()[:2])


def level_of(line) -> int:
    return Requirement.objects.get(pk=line.pk).level


def test_the_role_editor_keeps_the_order_of_choices_on_a_slow_line(editor):
    page, (one, two) = editor
    slow(page, 1000)
    for line, level in ((one, 5), (one, 1), (two, 4)):
        page.click(f"label[for=level-{line.pk}-{level}]")
    expect(page.locator("#saved")).to_contain_text("Storing")
    expect(page.locator(f"#above-{two.pk}")).to_be_visible()
    expect(page.locator("#saved")).to_contain_text("Saved")
    page.wait_for_load_state("networkidle")
    assert (level_of(one), level_of(two)) == (1, 4)


def test_the_role_editor_stores_what_was_chosen_without_a_line(editor):
    page, (one, two) = editor
    page.context.set_offline(True)
    page.click(f"label[for=level-{one.pk}-5]")
    page.click(f"label[for=weight-{two.pk}-1]")
    expect(page.locator("#saved")).to_contain_text("Not stored yet")
    page.context.set_offline(False)
    expect(page.locator("#saved")).to_contain_text("Saved")
    page.wait_for_load_state("networkidle")
    assert level_of(one) == 5
    assert Requirement.objects.get(pk=two.pk).weight == 1


def test_the_role_editor_tells_of_two_tabs_that_change_the_same(editor):
    page, (one, _) = editor
    other = page.context.new_page()
    other.goto(page.url)
    page.click(f"label[for=level-{one.pk}-5]")
    expect(page.locator("#saved")).to_contain_text("Saved")
    other.click(f"label[for=level-{one.pk}-1]")
    expect(other.locator("#saved")).to_contain_text("in another tab")
    assert level_of(one) == 5


def test_signing_in_again_leads_back_to_the_role_editor_with_what_was_typed(editor):
    page, (one, _) = editor
    place = page.url
    page.locator(f"#more-{one.pk} summary").click()
    Session.objects.all().delete()
    page.fill(f"#reason-{one.pk}", "Because of nights")
    page.locator(f"#reason-{one.pk}").blur()
    expect(page.locator("h1")).to_have_text("Sign in")
    sign_in(page)
    expect(page).to_have_url(place)
    expect(page.locator("#said")).to_contain_text("What you typed is here again")
    expect(page.locator("#saved")).to_contain_text("Saved")
    assert Requirement.objects.get(pk=one.pk).reason == "Because of nights"


def test_what_was_typed_into_a_form_is_there_after_signing_in_again(hr, open_as):
    person = make_person("Ada")
    make_version(hr)
    page = open_as()
    page.goto(f"/sign-in/?next=/people/{person.pk}/")
    sign_in(page)
    form = page.locator(f"form[action='/people/{person.pk}/evidence/']")
    page.click("text=A test, work sample, interview or certificate")
    form.locator("[name=skill]").select_option(label="Analytics")
    form.locator("[name=source]").select_option(label="Work sample")
    form.locator("[name=value]").fill("3")
    form.locator("[name=note]").fill("Two\nlines")
    Session.objects.all().delete()
    form.get_by_role("button", name="Add").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    assert not Evidence.objects.exists()
    sign_in(page)
    expect(page).to_have_url(re.compile(f"/people/{person.pk}/$"))
    expect(form.locator("[name=note]")).to_have_value("Two\nlines")
    form.get_by_role("button", name="Add").click()
    expect(page.locator("main")).to_contain_text("Added")
    assert Evidence.objects.get().note == "Two\nlines"


def test_what_a_form_that_came_back_with_a_fault_holds_is_there_after_signing_in_again(hr, open_as):
    person = make_person("Ada", email="ada@example.org")
    make_person("Bea", email="bea@example.org")
    page = open_as()
    page.goto(f"/sign-in/?next=/people/{person.pk}/edit/")
    sign_in(page)
    page.fill("[name=job_title]", "Community host")
    page.fill("[name=email]", "bea@example.org")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Somebody has this address already")
    Session.objects.all().delete()
    page.fill("[name=email]", "ada@fresh.example.org")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    sign_in(page)
    expect(page.locator("[name=email]")).to_have_value("ada@fresh.example.org")
    expect(page.locator("[name=job_title]")).to_have_value("Community host")


def test_what_somebody_else_has_saved_meanwhile_stays_after_a_fault_and_signing_in_again(hr, open_as):
    person = make_person("Ada", email="ada@example.org", location="York")
    make_person("Bea", email="bea@example.org")
    page = open_as()
    page.goto(f"/sign-in/?next=/people/{person.pk}/edit/")
    sign_in(page)
    page.fill("[name=email]", "bea@example.org")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Somebody has this address already")
    Person.objects.filter(pk=person.pk).update(location="Leeds")
    Session.objects.all().delete()
    page.fill("[name=email]", "ada@fresh.example.org")
    page.get_by_role("button", name="Save").click()
    sign_in(page)
    expect(page.locator("[name=email]")).to_have_value("ada@fresh.example.org")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Ada")
    assert Person.objects.get(pk=person.pk).location == "Leeds"
