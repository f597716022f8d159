"""What is answered reaches the sitting and the skill that the page showed, or nothing is stored and a sentence says so.

Two assessments are open in one browser, while skills are retired and moved, and assessments are handed in, taken back
and gone on with elsewhere.
"""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.factories import make_user
from accounts.models import Link
from assessments.models import Rating, RatingRequest, Response, Sitting
from candidates import actions as people
from candidates import inviting
from candidates.factories import make_invitation, make_person
from candidates.models import Background, Evidence
from roles import actions as roles
from roles.factories import make_version
from roles.models import Skill, SkillSet

pytestmark = pytest.mark.django_db
LEVELS = "012345"


def begin(browser, invitation) -> str:
    """Open an assessment in a browser and consent to it; gives its address."""
    token = Link.objects.issue(Link.Purpose.ASSESSMENT, invitation.pk, invitation.deadline_at)
    home = browser.post(f"/i/{token}/begin/")["Location"]
    browser.post(home, {"consent": "on"})
    return home


def two(hr):
    """Two invitations of two people to two roles that share their skills."""
    found = []
    for name in ("Ada", "Bob"):
        found.append(make_invitation(make_person(name), make_version(hr, title=f"For {name}"), hr))
    return found


def fields(page: str) -> dict:
    """What the form of a page would send besides what is chosen."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)"[^>]* value="([^"]*)"', page))


@pytest.fixture
def tab():
    return Client()


def test_an_answer_goes_to_the_assessment_whose_page_was_answered(tab, hr):
    ada, bob = two(hr)
    home = begin(tab, ada)
    first = f"{home}skills/{ada.sitting.skills()[0].slug}/"
    page = tab.get(first).content.decode()
    begin(tab, bob)
    assert tab.post(first, fields(page) | {"level": "4"}).status_code == 302
    stored = Response.objects.get()
    assert (stored.sitting_id, stored.skill, stored.level) == (ada.sitting_id, ada.sitting.skills()[0], 4)


def test_handing_in_and_going_on_elsewhere_mean_the_assessment_of_the_page(tab, hr, last_mail):
    ada, bob = two(hr)
    homes = [begin(tab, one) for one in (ada, bob)]
    for home, one in zip(homes, (ada, bob), strict=True):
        tab.post(f"{home}skills/{one.sitting.skills()[0].slug}/", {"level": "2"})
    Link.objects.update(created_at=timezone.now() - timedelta(hours=1))
    tab.post(f"{homes[0]}elsewhere/")
    assert "new link" in last_mail(ada.person.email).subject
    assert "new link" not in last_mail(bob.person.email).subject
    assert tab.post(f"{homes[0]}submit/")["Location"] == f"/report/{ada.person.subject}/"
    bob.refresh_from_db()
    assert bob.submitted_at is None
    assert set(Evidence.objects.values_list("person", flat=True)) == {ada.person_id}
    assert tab.get(f"{homes[1]}later/").status_code == 200


def test_each_report_has_an_address_of_its_own(tab, hr):
    ada, bob = two(hr)
    for one in (ada, bob):
        home = begin(tab, one)
        tab.post(f"{home}skills/{one.sitting.skills()[0].slug}/", {"level": "2"})
        tab.post(f"{home}submit/")
    for one in (ada, bob):
        assert one.person.name in tab.get(f"/report/{one.person.subject}/").content.decode()
        assert tab.get(f"/report/{one.person.subject}/my-skills.json").json()["name"] == one.person.name
    stranger = make_person("Somebody else")
    assert tab.get(f"/report/{stranger.subject}/").status_code == 410
    assert Client().get(f"/report/{ada.person.subject}/").status_code == 410


def test_the_background_is_that_of_the_page_s_person(tab, hr):
    ada, bob = two(hr)
    homes = [begin(tab, one) for one in (ada, bob)]
    data = {"kind": "training", "title": "Course", "frequency": "weekly"}
    assert tab.post(f"{homes[0]}background/add/", data)["Location"] == f"{homes[0]}background/"
    assert Background.objects.get().person == ada.person
    assert "Course" not in tab.get(f"{homes[1]}background/").content.decode()


def test_going_on_with_an_account_opens_what_the_page_named_and_keeps_the_other(tab, hr):
    user = make_user("employee")
    person = make_person("Ada", kind="employee", user=user)
    first, second = (make_invitation(person, make_version(hr, title=title), hr) for title in ("One", "Two"))
    tab.force_login(user)
    for one in (first, second):
        assert tab.post(f"/invitations/{one.pk}/mine/")["Location"] == f"/assessment/{one.sitting_id}/"
    for one in (first, second):
        assert one.role_version.role.title in tab.get(f"/assessment/{one.sitting_id}/").content.decode()


def test_a_browser_that_does_not_hold_an_assessment_learns_and_changes_nothing(hr):
    ada, _ = two(hr)
    owner, other = Client(), Client()
    home = begin(owner, ada)
    slug = ada.sitting.skills()[0].slug
    for path in ("", f"skills/{slug}/", "later/", "background/", "background/add/", "ended/"):
        response = other.get(home + path)
        assert response.status_code == 410, path
        assert "Ada" not in response.content.decode()
    for path in ("", f"skills/{slug}/", "background/add/", "submit/", "elsewhere/", "background/1/remove/"):
        response = other.post(home + path, {"level": "3", "consent": "on"})
        assert response.status_code == 410, path
        assert "Nothing was stored" in response.content.decode()
    assert not Response.objects.exists()


def test_a_moved_skill_takes_its_open_page_s_answer(tab, hr):
    """It is asked at another place now; the page that shows it names it all the same."""
    ada, _ = two(hr)
    home = begin(tab, ada)
    skill = ada.sitting.skills()[0]
    page = tab.get(f"{home}skills/{skill.slug}/").content.decode()
    skill.skill_set = SkillSet.objects.order_by("-position").first()
    skill.save()
    assert ada.sitting.skills()[0] != skill
    tab.post(f"{home}skills/{skill.slug}/", fields(page) | {"level": "1"})
    assert Response.objects.get().skill == skill


def test_a_rating_goes_to_the_skill_whose_page_was_answered(hr):
    boss = make_user("assessor")
    person, version = make_person("Ada"), make_version(hr)
    asked = people.ask_for_rating(person, version, boss, kind="manager", by=hr)
    browser = Client()
    browser.force_login(boss)
    address = browser.get(f"/ratings/{asked.pk}/")["Location"]
    skill = Skill.objects.get(slug=address.split("/")[-2])
    skill.skill_set = SkillSet.objects.order_by("-position").first()
    skill.save()
    assert browser.post(address, {"level": "4"}).status_code == 302
    assert Rating.objects.get().skill == skill
    response = browser.post(f"/ratings/{asked.pk}/skills/video/", {"level": "4"})
    assert response.status_code == 409
    assert "Nothing was stored" in response.content.decode()
    assert Rating.objects.count() == 1
    RatingRequest.objects.update(withdrawn_at=timezone.now())
    assert browser.post(address, {"level": "1"}).status_code == 410
    assert Rating.objects.get().level == 4


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "answer", "answer", "retire", "move", "hand in", "elsewhere", "revoke"]),
        st.sampled_from([0, 1]),
        st.sampled_from([0, 1, 2]),
        st.sampled_from(LEVELS),
    ),
    max_size=14,
)


class Interleavings(TestCase):
    """Whatever comes between a page and its answer: where it says stored, exactly that is stored, there."""

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(steps=STEPS)
    def test_every_order_of_steps(self, steps):
        hr = make_user("hr")
        self.invitations = two(hr)
        self.browser = Client()
        self.homes = [begin(self.browser, one) for one in self.invitations]
        self.pages, self.expected = {}, {}
        for one in (0, 1):
            for nth in (0, 1, 2):
                self.open(one, nth, "")
        for what, one, nth, level in steps:
            getattr(self, what.replace(" ", "_"))(one, nth, level)
            found = {(r.sitting_id, r.skill_id): r.level for r in Response.objects.all()}
            assert found == self.expected

    def address(self, one, nth):
        """Skills by the place where each was at first: its address stays the same."""
        lines = self.invitations[one].role_version.requirements.order_by("pk")
        return f"{self.homes[one]}skills/{lines[nth].skill.slug}/", lines[nth].skill

    def open(self, one, nth, level):
        address, skill = self.address(one, nth)
        response = self.browser.get(address)
        if response.status_code == 200:
            page = response.content.decode()
            assert skill.question in page
            self.pages[one, nth] = fields(page)

    def answer(self, one, nth, level):
        """Send what the page, opened some time ago, would send."""
        address, skill = self.address(one, nth)
        response = self.browser.post(address, self.pages[one, nth] | {"level": level, "go": "next"})
        sitting = Sitting.objects.get(pk=self.invitations[one].sitting_id)
        if response.status_code == 302:
            assert sitting.is_open(timezone.now())
            self.expected[sitting.pk, skill.pk] = int(level)
        else:
            assert response.status_code in {409, 410}
            assert "<h1" in response.content.decode()

    def retire(self, one, nth, level):
        skill = self.address(one, nth)[1]
        roles.set_retired(skill, by=None, retired=skill.retired_at is None)

    def move(self, one, nth, level):
        skill = self.address(one, nth)[1]
        skill.skill_set = SkillSet.objects.order_by("position")[int(level)]
        skill.save()

    def hand_in(self, one, nth, level):
        before = Evidence.objects.exclude(person=self.invitations[one].person).count()
        self.browser.post(f"{self.homes[one]}submit/")
        assert Evidence.objects.exclude(person=self.invitations[one].person).count() == before
        own = {r.skill_id: r.level for r in Response.objects.filter(sitting=self.invitations[one].sitting_id)}
        rows = Evidence.objects.filter(person=self.invitations[one].person)
        assert all(own[row.skill_id] == row.value for row in rows)

    def elsewhere(self, one, nth, level):
        """Somebody goes on in another browser and answers there."""
        invitation = type(self.invitations[one]).objects.get(pk=self.invitations[one].pk)
        if invitation.state(timezone.now()) in {"submitted", "revoked"}:
            return
        other = Client()
        home = begin(other, invitation)
        address, skill = self.address(one, nth)
        page = other.get(address).content.decode()
        assert home == self.homes[one]
        assert other.post(address, fields(page) | {"level": level, "go": "next"}).status_code == 302
        self.expected[invitation.sitting_id, skill.pk] = int(level)

    def revoke(self, one, nth, level):
        invitation = type(self.invitations[one]).objects.get(pk=self.invitations[one].pk)
        if invitation.state(timezone.now()) not in {"submitted", "revoked"}:
            inviting.revoke(invitation, by=None)


def reword(skill, hr):
    roles.save_skill(skill, [f"Other words for {level}" for level in range(6)], by=hr)


def test_lines_that_were_reworded_since_the_page_was_opened_are_read_again_first(tab, hr):
    ada, _ = two(hr)
    home = begin(tab, ada)
    skill = ada.sitting.skills()[0]
    address = f"{home}skills/{skill.slug}/"
    sent = fields(tab.get(address).content.decode()) | {"level": "4", "note": "Typed before"}
    reword(skill, hr)
    response = tab.post(address, sent)
    page = response.content.decode()
    assert response.status_code == 409
    assert "reworded since you opened the page, so nothing was stored" in page
    assert "Typed before" in page
    assert not Response.objects.exists()
    tab.post(address, fields(page) | {"level": "4"})
    assert Response.objects.get().statement == "Other words for 4"


def test_a_rating_by_reworded_lines_is_read_again_first(hr):
    boss = make_user("assessor")
    asked = people.ask_for_rating(make_person("Ada"), make_version(hr), boss, kind="manager", by=hr)
    browser = Client()
    browser.force_login(boss)
    address = browser.get(f"/ratings/{asked.pk}/")["Location"]
    sent = fields(browser.get(address).content.decode()) | {"level": "4", "note": "Seen it"}
    reword(Skill.objects.get(slug=address.split("/")[-2]), hr)
    response = browser.post(address, sent)
    assert response.status_code == 409
    assert "Seen it" in response.content.decode()
    assert not Rating.objects.exists()
    assert browser.post(address, fields(response.content.decode()) | {"level": "4"}).status_code == 302


def test_what_was_typed_is_shown_where_another_tab_was_first(tab, hr):
    ada, _ = two(hr)
    address = f"{begin(tab, ada)}skills/{ada.sitting.skills()[0].slug}/"
    pages = [fields(tab.get(address).content.decode()) for _ in range(2)]
    tab.post(address, pages[0] | {"level": "2", "note": "The first"})
    page = tab.post(address, pages[1] | {"level": "3", "note": "The second"}).content.decode()
    assert "The first" in page
    assert "The second" in page
