"""Nobody but HR reads who said what: ratings are shown together, from three raters on, and stay until three more."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.append_only import opened
from accounts.factories import make_user
from assessments.models import RatingRequest
from candidates import actions, joining, matrix
from candidates.factories import give_evidence, make_person
from candidates.models import Evidence, ShownRating, ShownRatings
from candidates.shown import insiders_of, release_earlier
from roles.models import Skill
from scoring.evidence import DEFAULT_SOURCES, Observation, estimate

pytestmark = pytest.mark.django_db
SKILL = "tone-empathy"


@pytest.fixture
def boss():
    """Somebody who is rated, with an account and a manager of their own."""
    chief = make_person("Cora Chief", kind="employee", user=make_user("assessor"))
    return make_person("Tom Boss", kind="employee", user=make_user("employee", name="Tom"), manager=chief)


@pytest.fixture
def raters():
    return [make_user("employee", name=f"Rater {n}") for n in range(8)]


def rate(version, person, rater, level, kind="subordinate", note=""):
    """One rating on every skill of the role, handed in through the rater's own pages."""
    asked = RatingRequest.objects.create(subject=person.subject, rater=rater, kind=kind, role_version=version)
    client = Client()
    client.force_login(rater)
    for line in version.requirements.select_related("skill"):
        client.post(f"/ratings/{asked.pk}/skills/{line.skill.slug}/", {"level": str(level), "note": note})
    client.post(f"/ratings/{asked.pk}/hand-in/")
    asked.refresh_from_db()
    assert asked.submitted_at
    return asked


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


ANYTHING_NEW = re.compile(r"[A-Za-z0-9]{64}")  # tokens of forms


def seen(user, person) -> dict[str, str]:
    """Everything that somebody can open about a person, as text."""
    client = signed_in(user)
    found = {}
    paths = [f"/people/{person.pk}/", f"/people/{person.pk}/development/"]
    if person.user_id == user.pk:
        report = f"/report/{person.subject}/"
        paths += ["/", report, f"{report}my-skills.json", "/ratings/", f"/search/?q={person.name}"]
    for path in paths:
        found[path] = ANYTHING_NEW.sub("", client.get(path).content.decode())
    found["xlsx"] = json.dumps(sheets(client.get(f"/people/{person.pk}/profile.xlsx")), default=str)
    return found


def sheets(response) -> dict:
    from io import BytesIO

    from openpyxl import load_workbook

    book = load_workbook(BytesIO(response.content))
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


def level(user, person, slug=SKILL) -> float:
    """The level that somebody is shown, from the workbook."""
    rows = sheets(signed_in(user).get(f"/people/{person.pk}/profile.xlsx"))["Skills"]
    name = Skill.objects.get(slug=slug).name
    return next(row[2] for row in rows if row[1] == name)


def test_one_or_two_ratings_move_nothing_that_the_person_or_their_manager_can_open(version, boss, raters):
    give_evidence(boss, SKILL, 3, "self", rater="self")
    readers = (boss.user, boss.manager.user)
    before = [seen(reader, boss) for reader in readers]
    for rater in raters[:2]:
        rate(version, boss, rater, 0, note="Shouts at everybody.")
        assert [seen(reader, boss) for reader in readers] == before


def test_three_are_shown_as_one_and_notes_go_to_hr_only(version, boss, raters, as_hr):
    for rater, said, kind in zip(raters, (0, 2, 4), ("subordinate", "peer", "subordinate"), strict=False):
        rate(version, boss, rater, said, kind, note=f"Seen by number {said}.")
    for text in seen(boss.user, boss).values():
        assert "Seen by number" not in text
        assert "Peer rating" not in text
        assert "Rating by somebody they lead" not in text
    page = signed_in(boss.user).get(f"/people/{boss.pk}/").content.decode()
    assert "3 colleagues and people they lead" in page
    for_hr = as_hr.get(f"/people/{boss.pk}/").content.decode()
    assert all(word in for_hr for word in ("Peer rating", "Rating by somebody they lead", "Seen by number 0."))
    pieces = sheets(signed_in(boss.user).get(f"/people/{boss.pk}/profile.xlsx"))["Evidence"]
    ours = next(row for row in pieces if row[1] == "3 colleagues and people they lead")
    assert ours[3] == 2


def test_the_level_shown_knows_the_mean_of_all_and_no_mean_of_a_part(version, boss, raters):
    """With a mean for each kind of rater the one colleague among three raters could be worked out."""
    for rater, said, kind in zip(raters, (5, 1, 0), ("peer", "subordinate", "subordinate"), strict=False):
        rate(version, boss, rater, said, kind)
    wanted = estimate([Observation("peer", 2.0, raters=1), Observation("subordinate", 2.0, raters=2)])
    assert level(boss.user, boss) == pytest.approx(wanted.mean, abs=0.006)


def test_a_late_rating_waits_for_two_more(version, boss, raters):
    for rater in raters[:3]:
        rate(version, boss, rater, 2)
    shown = seen(boss.user, boss)
    for rater in raters[3:5]:
        rate(version, boss, rater, 5)
        assert seen(boss.user, boss) == shown
    rate(version, boss, raters[5], 5)
    assert "6 colleagues and people they lead" in signed_in(boss.user).get(f"/people/{boss.pk}/").content.decode()


def test_hr_sees_each_rating_at_once(version, boss, raters, hr):
    give_evidence(boss, SKILL, 3, "self", rater="self")
    before = level(hr, boss)
    rate(version, boss, raters[0], 0)
    assert level(hr, boss) < before
    assert "Rating by somebody they lead" in signed_in(hr).get(f"/people/{boss.pk}/").content.decode()


def test_somebody_in_hr_does_not_read_who_said_what_about_themselves(version, hr, raters):
    person = make_person("Hanne Berg", kind="employee", user=hr)
    for rater in raters[:2]:
        rate(version, person, rater, 0, note="Keeps everything secret.")
    client = signed_in(hr)
    for path in (f"/people/{person.pk}/", f"/hiring/{version.pk}/{person.code}/", f"/report/{person.subject}/"):
        page = client.get(path).content.decode()
        assert "Rating by somebody they lead" not in page
        assert "Keeps everything secret" not in page
    assert client.post(f"/hiring/{version.pk}/{person.code}/keep/").status_code == 409


def test_somebody_in_hr_does_not_read_it_by_having_been_parted_from_their_account_either(version, hr, raters):
    me = make_person("Me", kind="employee", email=hr.email)
    rate(version, me, raters[0], 1, note="Too loud")
    me.refresh_from_db()
    assert "Too loud" not in "".join(seen(hr, me).values())
    joining.part(me, by=make_user("hr"))
    me.refresh_from_db()
    assert "Too loud" not in "".join(seen(hr, me).values())
    signed_in(hr).post(f"/people/{me.pk}/edit/", {"name": "Me", "kind": "employee", "email": "elsewhere@example.org"})
    me.refresh_from_db()
    assert me.email == "elsewhere@example.org"
    assert "Too loud" not in "".join(seen(hr, me).values())
    assert "Too loud" in "".join(seen(make_user("hr"), me).values())


def test_the_same_rater_three_times_is_one_rater(version, boss, raters):
    give_evidence(boss, SKILL, 3, "self", rater="self")
    shown = seen(boss.user, boss)
    for said in (0, 1, 0):
        rate(version, boss, raters[0], said)
    rate(version, boss, raters[1], 0)
    assert seen(boss.user, boss) == shown
    assert not ShownRatings.objects.exists()


def test_rating_again_waits_for_three_raters_and_then_the_newer_counts(version, boss, raters):
    for rater in raters[:3]:
        rate(version, boss, rater, 1)
    shown = seen(boss.user, boss)
    for rater in raters[:2]:
        rate(version, boss, rater, 4)
        assert seen(boss.user, boss) == shown
    rate(version, boss, raters[2], 4)
    group = ShownRatings.objects.filter(skill__slug=SKILL).last()
    assert (group.raters, group.value) == (3, 4.0)


def test_one_who_rates_as_colleague_and_as_somebody_led_counts_once(version, boss, raters):
    rate(version, boss, raters[0], 1, "peer")
    rate(version, boss, raters[0], 5, "subordinate")
    rate(version, boss, raters[1], 2, "peer")
    assert not ShownRatings.objects.exists()
    rate(version, boss, raters[2], 2, "peer")
    group = ShownRatings.objects.filter(skill__slug=SKILL).get()
    assert (group.peers, group.subordinates, group.value) == (2, 1, 3.0)


def test_the_manager_who_reads_the_page_is_none_of_the_three(version, boss, raters):
    """They know what they said themselves: with them three would be two."""
    rate(version, boss, boss.manager.user, 3, "peer")
    for rater in raters[:2]:
        rate(version, boss, rater, 1, "peer")
    assert not ShownRatings.objects.exists()
    rate(version, boss, raters[2], 1, "peer")
    assert ShownRatings.objects.filter(skill__slug=SKILL).get().raters == 4


def test_the_manager_s_own_rating_is_named_and_shown_at_once(version, boss):
    rate(version, boss, boss.manager.user, 4, "manager", note="Calm in a storm.")
    page = signed_in(boss.user).get(f"/people/{boss.pk}/").content.decode()
    assert "Manager rating" in page
    assert "Calm in a storm." in page


def test_two_who_rate_each_other_read_nothing_of_it(version):
    pair = [make_person(kind="employee", user=make_user("employee")) for _ in range(2)]
    before = [seen(one.user, one) for one in pair]
    rate(version, pair[0], pair[1].user, 1, "peer")
    first = seen(pair[0].user, pair[0])
    rate(version, pair[1], pair[0].user, 5, "peer")
    assert first == before[0]
    after = seen(pair[1].user, pair[1])
    assert {path: after[path] for path in after if path != "/ratings/"} == {
        path: before[1][path] for path in before[1] if path != "/ratings/"
    }


def test_what_is_shown_stays_when_a_rater_leaves_or_is_erased(version, boss, raters):
    team = [make_person(kind="employee", user=rater, manager=boss) for rater in raters[:3]]
    for rater, said in zip(raters, (1, 2, 5), strict=False):
        rate(version, boss, rater, said)
    shown = seen(boss.user, boss)
    mine = {path: shown[path] for path in shown if path != "/ratings/"}
    actions.set_archived(team[0], by=None, archived=True)
    with opened("One of them asked to be erased", "a test"):
        RatingRequest.objects.filter(rater=raters[1]).delete()
        Evidence.objects.filter(rater=f"user {raters[1].pk}").delete()
    raters[1].is_active = False
    raters[1].save()
    after = seen(boss.user, boss)
    assert {path: after[path] for path in mine} == mine
    rate(version, boss, raters[2], 0)
    after = seen(boss.user, boss)
    assert {path: after[path] for path in mine} == mine


def test_a_request_that_is_open_or_taken_back_shows_nowhere(version, boss, raters):
    before = seen(boss.user, boss)
    for rater in raters[:3]:
        RatingRequest.objects.create(subject=boss.subject, rater=rater, kind="peer", role_version=version)
    assert seen(boss.user, boss) == before
    RatingRequest.objects.update(withdrawn_at=timezone.now())
    assert seen(boss.user, boss) == before


def test_each_skill_needs_three_of_its_own(version, boss, raters):
    """Whoever can't judge a skill is not one of its three."""
    for n, rater in enumerate(raters[:3]):
        rows = [SKILL, "analytics"] if n else [SKILL]
        for slug in rows:
            give_evidence(boss, slug, 2, "peer", rater=f"user {rater.pk}")
    assert [group.skill.slug for group in ShownRatings.objects.all()] == [SKILL]
    assert "Analytics" not in signed_in(boss.user).get(f"/report/{boss.subject}/").content.decode()


def test_the_way_so_far_is_that_of_what_was_shown(version, boss, raters, monkeypatch):
    """A rating that is not shown moves no earlier level either."""
    day = timezone.localdate()
    give_evidence(boss, SKILL, 3, "self", rater="self", observed_on=day - timedelta(days=300))
    before = signed_in(boss.user).get(f"/people/{boss.pk}/development/").content.decode()
    assert "The way so far" in before
    give_evidence(boss, SKILL, 0, "peer", rater="user 1", observed_on=day - timedelta(days=200))
    after = signed_in(boss.user).get(f"/people/{boss.pk}/development/").content.decode()
    assert ANYTHING_NEW.sub("", after) == ANYTHING_NEW.sub("", before)


def test_nobody_is_named_as_a_coach_by_a_rating_that_is_not_shown(version, boss, raters):
    """Nor kept from it: who is named to others is told of what is shown, too."""
    learner = make_person("Lea Learner", kind="employee", user=make_user("employee"))
    learner.goals.create(skill=Skill.objects.get(slug=SKILL), level=3, due_on=timezone.localdate() + timedelta(days=90))
    for source in ("work_sample", "interview_panel"):
        give_evidence(boss, SKILL, 5, source)
    boss.offers_help = True
    boss.save()
    path = f"/people/{learner.pk}/development/"
    assert "Tom Boss" in signed_in(learner.user).get(path).content.decode()
    for n in range(2):
        give_evidence(boss, SKILL, 0, "peer", rater=f"user {9000 + n}")
    assert "Tom Boss" in signed_in(learner.user).get(path).content.decode()
    give_evidence(boss, SKILL, 0, "peer", rater="user 9002")
    assert "Tom Boss" not in signed_in(learner.user).get(path).content.decode()


def test_rankings_have_every_rating_at_once(version, boss, raters):
    column = Skill.objects.get(slug=SKILL).column
    give_evidence(boss, SKILL, 3, "self", rater="self")

    def mean():
        found = matrix.current()
        return float(found.profiles.mean[column, found.rows([boss.pk])[0]])

    before = mean()
    rate(version, boss, raters[0], 0)
    assert mean() < before


@pytest.mark.parametrize(
    ("kind", "said", "unsaid"),
    [
        ("peer", "Only HR reads it", "as their manager"),
        ("subordinate", "Only HR reads it", "as their manager"),
        ("manager", "as their manager’s", "Only HR reads it"),
    ],
)
def test_raters_are_told_who_reads_what_before_they_write(version, boss, raters, kind, said, unsaid):
    asked = RatingRequest.objects.create(subject=boss.subject, rater=raters[0], kind=kind, role_version=version)
    path = f"/ratings/{asked.pk}/skills/{SKILL}/"
    page = signed_in(raters[0]).get(path).content.decode()
    assert said in page
    assert unsaid not in page
    assert page.index(said) < page.index("<footer")


def test_earlier_ratings_are_shown_as_they_would_have_been(boss, raters):
    """The migration's step gives the same groups as showing them one by one has given."""
    for n, rater in enumerate([*raters, *raters[:2]]):
        give_evidence(boss, SKILL, n % 6, "peer", rater=f"user {rater.pk}")
    give_evidence(boss, SKILL, 3, "peer", rater=f"user {boss.manager.user_id}")
    wanted = [(g.peers, g.subordinates, g.value, g.shown_on) for g in ShownRatings.objects.all()]
    members = list(ShownRating.objects.order_by("evidence").values_list("evidence", flat=True))
    assert len(wanted) == 3
    with opened("As it was before", "a test"):
        ShownRatings.objects.all().delete()
    people = type(boss).objects
    release_earlier(Evidence.objects, ShownRatings.objects, ShownRating.objects, insiders_of(people))
    assert [(g.peers, g.subordinates, g.value, g.shown_on) for g in ShownRatings.objects.all()] == wanted
    assert list(ShownRating.objects.order_by("evidence").values_list("evidence", flat=True)) == members


def test_pooled_sources_are_all_that_people_give_of_each_other():
    """A source of ratings that is added later has to be decided about here."""
    assert {name for name, one in DEFAULT_SOURCES.items() if one.human} == {"self", "manager", "peer", "subordinate"}
