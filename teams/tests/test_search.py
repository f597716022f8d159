"""Find anything, within one's reach."""

import pytest

from accounts.factories import make_user
from candidates import actions
from candidates.factories import make_person
from roles.factories import make_version
from teams.factories import make_initiative, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(hr):
    make_version(hr, title="Community host")
    make_version(hr, title="Community secret", published=False)
    make_person("Connie Communard")
    make_initiative("Community week")
    make_team("Community desk")
    actions.set_archived(make_person("Archived Communard"), by=None, archived=True)


def found(client, words) -> str:
    return client.get("/search/", {"q": words}).content.decode().split("<main")[1]


def test_hr_finds_people_roles_and_skills(as_hr, world):
    page = found(as_hr, "commun")
    for title in (
        "Connie Communard",
        "Community host",
        "Community secret",
        "Written communication",
        "Community week",
        "Community desk",
    ):
        assert title in page
    assert "Archived" not in page
    assert "Connie" in found(as_hr, "communard connie")
    assert "Nothing within your reach" in found(as_hr, "communard nobody")


@pytest.mark.parametrize(
    ("role", "sees", "never"),
    [
        ("assessor", {"Community host", "Written communication"}, {"Connie", "Community secret", "Community week"}),
        (
            "executive",
            {"Community host", "Written communication", "Community week", "Community desk"},
            {"Connie", "Community secret"},
        ),
        ("employee", {"Written communication"}, {"Connie", "Community"}),
    ],
)
def test_others_find_what_they_may_open(client, world, role, sees, never):
    client.force_login(make_user(role))
    page = found(client, "commun")
    assert all(text in page for text in sees)
    assert not any(text in page for text in never)


def test_an_employee_finds_themselves(client, world):
    user = make_user("employee")
    make_person("Myself Communard", user=user)
    client.force_login(user)
    assert "Myself Communard" in found(client, "commun")


@pytest.mark.parametrize("words", ["", "   ", "\x00", "<script>alert(1)</script>", "%", "x" * 5000])
def test_odd_queries_find_nothing_and_break_nothing(as_hr, world, words):
    page = found(as_hr, words)
    assert "<script>alert" not in page
    assert "Connie" not in page


def test_typing_brings_the_list_alone(as_hr, world):
    answer = as_hr.get("/search/", {"q": "connie"}, headers={"HX-Request": "true"}).content.decode()
    assert "Connie" in answer
    assert "<html" not in answer


def test_few_queries(as_hr, world, django_assert_max_num_queries):
    with django_assert_max_num_queries(7):
        found(as_hr, "a")
