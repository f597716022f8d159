"""No whole page is ever drawn into a part of one: every address of the project, asked as htmx asks."""

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.access import LINK, RULES, STRANGER, page_above
from accounts.factories import make_user
from accounts.tests.test_access import address, world  # noqa: F401
from assessments.models import Response
from candidates.models import Person

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/people/?q=ada"}
USED = re.compile(r"""hx-(?:get|post|put|patch|delete)="(?:{% url '([\w:]+)'|{{ ([\w.]+) }})""")
BY_VARIABLE = {"edit_url": "roles:role_edit", "post_url": "assessments:wizard_skill", "row.url": "teams:cell"}


def is_a_part(response) -> bool:
    """A part of a page, a redirect of the window, or a sentence; no document, and no redirect that is followed."""
    is_led = response.status_code == 204 and "HX-Redirect" in response
    return response.status_code < 300 or is_led or response.get("HX-Reswap") == "none" or is_short(response)


def is_short(response) -> bool:
    return response.status_code >= 400 and b"<html" not in response.content and b"<main" not in response.content


@pytest.mark.parametrize("role", ["", "hr", "assessor", "executive", "employee"])
def test_every_address_answers_htmx_with_a_part(world, role):  # noqa: F811
    client = Client(headers=HTMX)
    if role:
        client.force_login(make_user(role))
    for name in RULES:
        if name in {"account_logout", "assessments:leave"}:
            continue
        for response in (client.get(address(name, world)), client.post(address(name, world))):
            if response.streaming:
                continue
            content = response.content.lower()
            assert b"<!doctype" not in content, name
            assert b"<html" not in content, name
            assert is_a_part(response), (name, response.status_code)


def test_whatever_htmx_asks_for_is_known_and_leads_strangers_to_sign_in_and_back_to_their_page(world, client):  # noqa: F811
    templates = Path(settings.BASE_DIR, "templates")
    texts = [path.read_text() for path in templates.rglob("*.html")]
    found = [match for text in texts for match in USED.findall(text)]
    assert len(found) == sum(len(re.findall(r"\bhx-(?:get|post|put|patch|delete)=", text)) for text in texts)
    names = {name or BY_VARIABLE[variable] for name, variable in found}
    assert {"jobs:job_progress", "teams:search", "roles:role_edit", "candidates:who_fits", "teams:cell"} <= names
    for name in names:
        if RULES[name] & {STRANGER, LINK}:
            continue
        response = client.get(address(name, world), headers=HTMX)
        assert response["HX-Redirect"] == "/sign-in/?next=/people/%3Fq%3Dada", name
        assert response.content == b""


def test_a_page_that_is_not_there_is_a_sentence(as_hr):
    response = as_hr.get("/jobs/00000000-0000-4000-8000-000000000000/", headers=HTMX)
    assert response.status_code == 404
    said = json.loads(response["HX-Trigger"])["said"]
    assert said["title"] == "We could not find that page"
    assert "Your work is safe." in said["text"]
    assert "<" not in said["text"]


def test_a_form_that_was_open_for_too_long_gets_a_token_that_is_good(hr):
    client = Client(enforce_csrf_checks=True, headers=HTMX)
    client.force_login(hr)
    response = client.post("/roles/1/draft/", {"x": "1"})
    assert response.status_code == 403
    said = json.loads(response["HX-Trigger"])["said"]
    assert said["who"] == str(hr.pk)
    again = client.post("/roles/1/draft/", {"x": "1"}, headers={"X-CSRFToken": said["token"]})
    assert again.status_code == 404  # there is no such draft; the token was taken


def refused(hr, origin, **data):
    client = Client(enforce_csrf_checks=True)
    client.force_login(hr)
    return client, client.post("/people/new/", data, headers={"Origin": origin})


def test_what_an_old_page_sent_can_be_sent_once_more_with_all_that_was_typed(hr):
    data = {"name": "Ada <b>", "email": "ada@example.org", "kind": "candidate", "job_title": "One\ntwo"}
    client, response = refused(hr, "http://testserver", **data)
    page = response.content.decode()
    assert response.status_code == 403
    assert "reload" not in page.lower()
    assert 'action="/people/new/"' in page
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert kept["name"] == "Ada &lt;b&gt;"
    assert kept["job_title"] == "One\ntwo"
    sent = data | {"csrfmiddlewaretoken": kept["csrfmiddlewaretoken"]}
    assert client.post("/people/new/", sent).status_code == 302
    assert Person.objects.get().email == "ada@example.org"


def test_nothing_of_another_site_and_no_password_is_offered_again(hr):
    for origin, data in (
        ("https://evil.example", {"name": "Ada"}),
        ("http://testserver", {"password": "secret-words"}),
    ):
        page = refused(hr, origin, **data)[1].content.decode()
        assert "Send it once more" not in page
        assert "secret-words" not in page


def test_every_address_that_only_takes_forms_leads_to_a_page_when_it_is_opened(world):  # noqa: F811
    """After signing in one is led to addresses by GET, also to those that a form was sent to."""
    for role in ("hr", "employee", ""):
        client = Client()
        if role:
            client.force_login(make_user(role))
        for name, rule in RULES.items():
            if role in rule or (not role and rule & {STRANGER, LINK}):
                response = client.get(address(name, world))
                assert response.status_code != 405, name
                if response.status_code == 302 and role == "hr":
                    assert client.get(response["Location"]).status_code != 404, (name, response["Location"])


def test_a_form_s_address_leads_to_the_page_above_it_that_one_may_open(hr):
    request = RequestFactory().get(reverse("candidates:invitation_mine", args=[uuid4()]))
    request.user = make_user("employee")
    assert page_above(request) == "/"
    request.user = hr
    assert page_above(request) == "/invitations/"


def test_whoever_is_asked_to_sign_in_on_sending_a_form_comes_back_to_the_form_s_page(client):
    asked = client.post(
        "/people/5/evidence/", {"note": "typed"}, headers={"Referer": "http://testserver/people/5/?x=1"}
    )
    assert asked["Location"] == "/sign-in/?next=/people/5/%3Fx%3D1"
    elsewhere = client.post("/people/5/evidence/", {}, headers={"Referer": "https://evil.example/people/5/"})
    assert elsewhere["Location"] == "/sign-in/?next=/people/5/evidence/"


def test_an_assessment_that_has_ended_says_so_beside_the_question_and_stores_nothing(client):
    response = client.post(f"/assessment/{uuid4()}/skills/video/", {"level": "3", "note": "typed"}, headers=HTMX)
    assert response.status_code == 410
    assert json.loads(response["HX-Trigger"])["said"]["title"] == "This assessment is not open in this browser"
    assert not Response.objects.exists()
