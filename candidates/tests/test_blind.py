"""A blind review: nothing on any page of it says who somebody is, and switching it on or off is on record."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from candidates import actions
from candidates.factories import give_evidence
from candidates.models import Invitation, Person

pytestmark = pytest.mark.django_db
NAMES = {"Zenobia Quill": 70000017, "Xaver Yttrium": 70000029, "Wilhelmina Vogelsang": 70000031}
WAY = re.compile(r'(?:href|hx-get)="(/[^"#]*)')


@pytest.fixture
def people(hr):
    """With names, keys and addresses that stand nowhere else, and with notes and links that give them away."""
    found = []
    for name, key in NAMES.items():
        first, last = name.lower().split()
        person = Person.objects.create(
            pk=key, name=name, email=f"{first}@{last}.example", kind="employee", job_title=f"Head of {last}"
        )
        for skill in ("tone-empathy", "micro-copy", "analytics"):
            give_evidence(person, skill, 3, note=f"{name} did it", link=f"https://{last}.example/me")
        found.append(person)
    return found


@pytest.fixture
def blind(as_hr, version, people):
    as_hr.post(f"/hiring/{version.pk}/blind/", {"blind": "on"})
    return as_hr


def tells(response) -> list[str]:
    """What a page says of who somebody is: parts of names and addresses, and keys."""
    text = (response.content.decode("utf-8", "ignore") + response.get("Location", "")).lower()
    text += response.get("Content-Disposition", "").lower()
    words = [word.lower() for name in NAMES for word in name.split()] + [str(key) for key in NAMES.values()]
    return [word for word in words if word in text]


def ways_on(page: str) -> set[str]:
    """Addresses that a page leads to by itself: not those that the menu of every page names anyway."""
    menu, _, own = page.partition('aria-label="Breadcrumb"')
    paths = [{path.replace("&amp;", "&") for path in WAY.findall(part)} for part in (menu, own)]
    return {path for path in paths[1] - paths[0] if not path.startswith(("/static/", "/search/"))}


def test_no_page_that_is_reached_blind_tells_who_somebody_is(blind, version, people):
    first = f"/hiring/{version.pk}/"
    codes = "&".join(f"p={person.code}" for person in people)
    stored = actions.store_fit(people[0], version, by=None)
    begin = [
        first,
        f"/hiring/{version.pk}/compare/?{codes}",
        f"/hiring/{version.pk}/who-fits/",
        f"/fits/{stored.pk}/",
        f"/invitations/new/?role_version={version.pk}&{codes}",
        f"/hiring/{version.pk}/ranking.csv",
        f"/hiring/{version.pk}/compare/?{codes}&{codes}",
    ]
    seen, waiting = {}, dict.fromkeys(begin)
    while waiting and len(seen) < 120:
        path = next(iter(waiting))
        seen[path] = waiting.pop(path)
        response = blind.get(path)
        assert response.status_code < 500, path
        assert tells(response) == [], f"{path}, reached from {seen[path]}"
        if "html" in response.get("Content-Type", ""):
            new = ways_on(response.content.decode()) - seen.keys() - waiting.keys()
            waiting |= dict.fromkeys(sorted(new), path)
    assert sum(path.startswith(f"/hiring/{version.pk}/") for path in seen) > len(people)
    assert any(path.startswith("/invitations/new/?") for path in seen)


def forms_on(page: str) -> list[tuple[str, str, dict]]:
    """Of each form of a page: its method, its address, and what it sends as it stands, all boxes ticked."""
    found = []
    for opening, inside in re.findall(
        r"<form([^>]*)>(.*?)</form>", page.partition('aria-label="Breadcrumb"')[2], re.DOTALL
    ):
        action = re.search(r'action="([^"]*)"', opening)
        fields: dict = {}
        for field in re.findall(r"<input[^>]*>", inside):
            name, value = re.search(r'name="(\w+)"', field), re.search(r'value="([^"]*)"', field)
            if name and value:
                fields.setdefault(name.group(1), []).append(value.group(1))
        found.append(("post" if "post" in opening else "get", action.group(1) if action else "", fields))
    return found


def test_what_a_blind_page_leads_to_is_blind_though_another_tab_has_ended_the_review(blind, version, people):
    first = f"/hiring/{version.pk}/"
    codes = "&".join(f"p={person.code}" for person in people)
    stored = actions.store_fit(people[0], version, by=None)
    pages = [
        first,
        f"{first}compare/?{codes}",
        f"{first}person/{people[0].code}/",
        f"/fits/{stored.pk}/",
        f"/invitations/new/?role_version={version.pk}&{codes}",
    ]
    pages[2] = next(path for path in ways_on(blind.get(first).content.decode()) if people[0].code in path)
    shown = {path: blind.get(path).content.decode() for path in pages}
    day = timezone.localdate() + timedelta(days=9)
    blind.post(f"{first}blind/", {"blind": "off"})
    assert tells(blind.get(first)) != []
    for path, page in shown.items():
        for way in ways_on(page):
            if "/people/" not in way and way != "/hiring/":
                assert tells(blind.get(way)) == [], f"{way}, from {path}"
        for method, action, fields in forms_on(page):
            if "blind" in fields or not (action or path).startswith(("/hiring/", "/fits/", "/invitations/")):
                continue
            sent = fields | ({"deadline_on": day, "role_version": version.pk} if method == "post" else {})
            target = action or path
            answer = getattr(blind, method)(target, sent, follow=True)
            assert tells(answer) == [], f"{target}, from {path}"
            if "p" in fields:
                assert tells(blind.get("/invitations/new/", sent | {"role_version": version.pk})) == []


def test_people_are_invited_blind_by_their_codes(blind, version, people):
    data = {"role_version": version.pk, "deadline_on": timezone.localdate() + timedelta(days=9)}
    wrong = blind.post("/invitations/new/", data | {"p": people[0].code, "deadline_on": "2001-01-01"})
    assert (wrong.status_code, tells(wrong)) == (400, [])
    assert f'value="{people[0].code}"' in wrong.content.decode()
    sent = blind.post("/invitations/new/", data | {"p": [people[0].code, people[1].code]})
    assert (sent.status_code, tells(sent)) == (302, [])
    assert sent.url == f"/hiring/{version.pk}/?unnamed=1"
    assert tells(blind.get(sent.url)) == []
    assert set(Invitation.objects.values_list("person", flat=True)) == {people[0].pk, people[1].pk}


def test_keys_and_codes_are_never_on_one_page(blind, people):
    """Whoever is chosen by name on the list of people shows the name and no code."""
    page = blind.get(f"/invitations/new/?people={people[0].pk}").content.decode()
    assert people[0].name in page
    assert people[0].code[:6] not in page
    both = blind.get(f"/invitations/new/?people={people[1].pk}&p={people[0].code}").content.decode()
    assert "Yttrium" not in both
    assert people[1].code not in both
    assert f'value="{people[1].pk}"' not in both


def test_codes_stand_in_an_order_that_says_nothing(blind, version, people):
    codes = "&".join(f"p={person.code}" for person in people)
    page = blind.get(f"/invitations/new/?{codes}").content.decode()
    assert re.findall(r'name="p"[^>]*\svalue="(\w+)"', page) == sorted(person.code for person in people)


def test_switching_is_on_record_with_who_and_once_each(as_hr, hr, version):
    for wanted in ("on", "on", "off", "off"):
        as_hr.post(f"/hiring/{version.pk}/blind/", {"blind": wanted})
    entries = AuditEntry.objects.filter(action__startswith="review.blind").order_by("pk")
    assert [(entry.action, entry.by) for entry in entries] == [("review.blind on", hr), ("review.blind off", hr)]
    assert str(version) in entries[0].summary
