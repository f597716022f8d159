"""The difference attack: an executive collects everything they can open, again and again, and subtracts.

Each world is lived twice, with and without what happens to somebody. What executives read must be the same to the last
sign, in the same week and in later ones, unless at least five people behind it have changed.
"""

import re
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from accounts.factories import make_user
from candidates import actions as people_actions
from candidates import matrix
from candidates.erasing import erase
from candidates.factories import give_evidence, make_person
from candidates.models import Estimate, Person
from roles.models import SkillSet
from socialstrategy.jobs.models import Job
from teams import actions, coverage, publication, snapshots, tasks, told, views
from teams.factories import join, make_demand, make_initiative, make_team
from teams.models import Initiative, Membership, Publication, Snapshot, Team, Telling

pytestmark = pytest.mark.django_db
WEDNESDAY = datetime(2026, 11, 25, 9, tzinfo=timezone.get_default_timezone())
TOKENS = re.compile(r"[A-Za-z0-9]{64}")
SKILLS = ("tone-empathy", "video", "crisis-response")


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands, and can be put forward."""

    class Clock:
        now = WEDNESDAY

        def forward(self, days):
            self.now += timedelta(days=days)

    found = Clock()
    monkeypatch.setattr(timezone, "now", lambda: found.now)
    return found


@pytest.fixture
def world(clock):
    """Four teams of two functions, some people in two of them, initiatives across them, everybody assessed."""
    rng = np.random.default_rng(11)
    teams = [make_team(name, function) for name, function in ORGANISATION]
    for number, team in enumerate(teams):
        for n in range(9):
            person = make_person(f"Member {number} {n}", kind="employee")
            join(team, person, share=50)
            if n < 2:
                join(teams[(number + 1) % len(teams)], person, share=50)
            for slug in SKILLS:
                if rng.random() < 0.8:
                    give_evidence(person, slug, int(rng.integers(0, 6)))
    first, second = make_initiative("Answer at night"), make_initiative("Films for all", "marketing")
    for n, team in enumerate(teams):
        make_demand(first, team, SKILLS[0], level=3, people=2)
        make_demand(second, team, SKILLS[n % 3], level=4, people=3)
        make_demand(second, team, SKILLS[1], level=2, people=4)
    return teams


ORGANISATION = (
    ("Desk", "service-support"),
    ("Night", "service-support"),
    ("Press", "marketing"),
    ("Studio", "marketing"),
)


def tell(clock) -> None:
    """The scheduled job of the week."""
    if publication.is_due(timezone.localdate()):
        publication.make(timezone.localdate())


def book(response) -> str:
    sheets = load_workbook(BytesIO(response.content))
    return "\n".join(str(row) for sheet in sheets for row in sheet.iter_rows(values_only=True))


def collected(user) -> dict[str, str]:
    """Every number on every page, export and search result that an executive can open."""
    client = Client()
    client.force_login(user)
    functions = ("service-support", "marketing")
    cells = [f"/overview/{f}/{s}/" for f in functions for s in SkillSet.objects.values_list("slug", flat=True)]
    pages = ["/", *cells, *(f"{cell}?page=1" for cell in cells), "/teams/", "/teams/?closed=1", "/initiatives/"]
    pages += ["/roles/", "/skills/", "/functions/"]
    pages += [f"/teams/{pk}/" for pk in Team.objects.values_list("pk", flat=True)]
    pages += [f"/initiatives/{pk}/" for pk in Initiative.objects.values_list("pk", flat=True)]
    pages += [f"/search/?q={word}" for word in ("Member", "Desk", "Films", "e")]
    found = {path: TOKENS.sub("", client.get(path).content.decode()) for path in pages}
    found["overview.xlsx"] = book(client.get("/overview/overview.xlsx"))
    for pk in Initiative.objects.values_list("pk", flat=True):
        found[f"{pk}.xlsx"] = book(client.get(f"/initiatives/{pk}/initiative.xlsx"))
    return found


@contextmanager
def undone():
    """A world that is lived and then has not been."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    forget()


def forget() -> None:
    matrix.forget()
    coverage.forget()
    views.forget()


def member(team, n=0) -> Person:
    return Person.objects.filter(memberships__team=team, memberships__left_on=None).order_by("pk")[n]


def assess(teams, n=0):
    for slug in SKILLS:
        for source in ("work_sample", "interview_panel", "manager"):
            give_evidence(member(teams[0], n), slug, 5, source, rater="again")


def add(teams, n=0):
    person = make_person("Somebody New", kind="employee")
    join(teams[0], person)
    for slug in SKILLS:
        give_evidence(person, slug, 5)


def add_unknown(teams, n=0):
    join(teams[0], make_person("Unknown New", kind="employee"))


def leave(teams, n=0):
    membership = Membership.objects.current().get(team=teams[0], person=member(teams[0], n))
    actions.leave_team(membership, day=timezone.localdate(), by=None)


def archive(teams, n=0):
    people_actions.set_archived(member(teams[0], n), by=None, archived=True)


def move(teams, n=0):
    person = member(teams[0], n)
    leave(teams, n)
    if not Membership.objects.current().filter(team=teams[3], person=person).exists():
        join(teams[3], person, share=50)


def split(teams, n=0):
    """Part of a team becomes a team of its own that is asked the same."""
    anew = make_team(f"Part {Team.objects.count()}", "service-support")
    for person in [member(teams[0], k) for k in range(min(5, teams[0].memberships.current().count()))]:
        actions.leave_team(
            Membership.objects.current().get(team=teams[0], person=person), day=timezone.localdate(), by=None
        )
        join(anew, person, share=20)
    for slug in SKILLS:
        make_demand(make_initiative(f"Part {slug}"), anew, slug, level=3, people=2)


def outsider(teams, n=0):
    give_evidence(make_person("Outside", kind="employee"), SKILLS[0], 5)


def old_evidence(teams, n=0):
    day = timezone.localdate() - timedelta(days=500)
    give_evidence(make_person("Long Ago", kind="employee"), SKILLS[2], 3, observed_on=day)


EVENTS = [assess, add, add_unknown, leave, archive, move, outsider, old_evidence]


@pytest.mark.parametrize("happens", EVENTS, ids=lambda one: one.__name__)
def test_one_person_moves_nothing_this_week_or_any_other(clock, world, happens):
    ruth = make_user("executive", name="Ruth Board")
    tell(clock)
    before = collected(ruth)
    assert any("Films for all" in text for text in before.values())
    weeks = {}
    for is_so in (False, True):
        with undone():
            if is_so:
                happens(world)
                assert collected(ruth) == before
            seen = []
            for _ in range(2):
                clock.forward(7)
                tell(clock)
                seen.append(collected(ruth))
            weeks[is_so] = seen
            clock.forward(-14)
    assert weeks[True] == weeks[False]


def test_four_people_move_nothing_and_the_fifth_does(clock, world):
    ruth = make_user("executive")
    tell(clock)
    clock.forward(7)
    with undone():
        tell(clock)
        untouched = collected(ruth)
    for n in range(4):
        assess(world, n)
    with undone():
        tell(clock)
        assert collected(ruth) == untouched
    assess(world, 4)
    tell(clock)
    after = collected(ruth)
    assert after["/overview/service-support/communicating/"] != untouched["/overview/service-support/communicating/"]


def test_who_leaves_and_comes_back_is_not_told_by_what_was_told_before(clock, world):
    """Five leave and four come back: beside the figures of two weeks ago that would be the fifth alone."""
    tell(clock)
    clock.forward(7)
    people = [member(world[0], n) for n in range(2, 7)]
    for person in people:
        people_actions.set_archived(person, by=None, archived=True)
    tell(clock)
    clock.forward(7)
    ruth = make_user("executive")
    with undone():
        tell(clock)
        untouched = collected(ruth)
    for person in people[:4]:
        people_actions.set_archived(person, by=None, archived=False)
    tell(clock)
    assert collected(ruth) == untouched


def test_a_team_that_shrinks_is_not_told_by_being_merged(clock, world, behind):
    """Most leave a team: beside its neighbour's earlier figure the figure of both would be the few who stay."""
    tell(clock)
    clock.forward(7)
    for _ in range(9):
        leave(world)
    tell(clock)
    assert_nobody_can_be_told(behind)


def test_other_parameters_move_nothing_by_themselves(clock, world):
    """Nor does growing old: else one could tell a group in which somebody has changed from one in which nobody has."""
    ruth = make_user("executive")
    tell(clock)
    before = collected(ruth)
    seen = []
    for is_assessed in (False, True):
        with undone():
            if is_assessed:
                assess(world)
            Estimate.objects.update(mean=4.9)
            forget()
            assert collected(ruth) == before
            clock.forward(7)
            tell(clock)
            seen.append(collected(ruth))
            clock.forward(-7)
    assert seen[0] == seen[1]


def test_a_replaced_secret_key_tells_nobody(clock, world, settings):
    ruth = make_user("executive")
    tell(clock)
    clock.forward(7)
    with undone():
        tell(clock)
        untouched = collected(ruth)
    settings.SECRET_KEY = "another-" + "k3y9" * 16
    assess(world)
    tell(clock)
    assert collected(ruth) == untouched


def test_what_is_asked_anew_is_counted_when_nobody_has_changed_and_waits_when_somebody_has(clock, world):
    """A figure of the same people in the same skill, but of later, would be the difference to what was told."""
    ruth = make_user("executive")
    tell(clock)
    for is_assessed in (False, True):
        with undone():
            if is_assessed:
                assess(world)
            anew = make_initiative("Asked anew")
            make_demand(anew, world[0], SKILLS[0], level=3, people=5)
            clock.forward(7)
            tell(clock)
            page = collected(ruth)[f"/initiatives/{anew.pk}/"]
            assert bool(re.search(r"of 5 covered|about \d+% covered</", page)) is not is_assessed, page
            clock.forward(-7)


def test_a_part_of_a_team_that_becomes_a_team_is_not_told_beside_the_whole(clock, world, behind):
    """Five of nine: beside last week's figure of the nine, theirs would be the four others'."""
    tell(clock)
    clock.forward(7)
    for n in range(2):
        leave(world, n)
    split(world)
    tell(clock)
    assert_nobody_can_be_told(behind)


def test_teams_that_become_one_are_not_told_by_it(clock, world, behind):
    ruth = make_user("executive")
    tell(clock)
    clock.forward(7)
    assess(world)
    actions.close_team(world[1], into=world[0], day=timezone.localdate(), by=None)
    tell(clock)
    assert_nobody_can_be_told(behind)
    assert collected(ruth)


# Overlapping groups: no sum or difference of anything that was ever told speaks of one to four people.


@pytest.fixture
def behind(monkeypatch):
    """Who was behind each figure, by its marks: what the database itself does not keep."""
    found: dict[bytes, dict] = {}
    real = publication.marks_of

    def noted(people):
        marks = real(people)
        found[marks.tobytes()] = dict(people)
        return marks

    monkeypatch.setattr(publication, "marks_of", noted)
    return found


def rows_of(behind, family: str) -> tuple[np.ndarray, list[int]]:
    """One row for each figure of a skill set that was ever told, over people as they stood; whose each column is."""
    tellings = [row for row in Telling.objects.filter(kind="unit", family=family) if not row.body["hidden"]]
    groups = [behind[row.people_marks.tobytes()] for row in tellings]
    columns = sorted({(pk, str(state)) for group in groups for pk, state in group.items()})
    at = {column: n for n, column in enumerate(columns)}
    matrix_ = np.zeros((len(groups), len(columns)))
    for n, group in enumerate(groups):
        for pk, state in group.items():
            matrix_[n, at[pk, str(state)]] = 1
    return matrix_, [pk for pk, _ in columns]


def isolated(rows: np.ndarray, people: list[int], most: int = 4) -> tuple | None:
    """A few people of whom some combination of the rows speaks alone.

    With the rows made orthonormal, a combination lies within some columns alone where these have a singular value of 1.
    It is never above the sum of their squares, so that most choices of people need no looking at.
    """
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    basis, whose = basis[sizes > 1e-9], np.array(people)
    weight = {pk: float(np.square(basis[:, whose == pk]).sum()) for pk in set(people)}
    heaviest = sorted(weight, key=lambda pk: -weight[pk])
    for size in range(1, most + 1):
        top = sum(weight[pk] for pk in heaviest[: size - 1])
        able = [pk for pk in heaviest if weight[pk] + top > 1 - 1e-9]
        for few in combinations(able, size):
            is_enough = sum(weight[pk] for pk in few) > 1 - 1e-9
            if is_enough and np.linalg.norm(basis[:, np.isin(whose, few)], 2) > 1 - 1e-9:
                return tuple(sorted(few))
    return None


def assert_nobody_can_be_told(behind) -> None:
    for family in Telling.objects.filter(kind="unit").values_list("family", flat=True).distinct():
        for row in Telling.objects.filter(kind="unit", family=family):
            assert row.body["hidden"] or np.count_nonzero(row.people_marks) >= 5
        rows, people = rows_of(behind, family)
        if len(rows):
            assert isolated(rows, people) is None


@pytest.mark.parametrize("seed", range(3))
def test_no_combination_of_figures_over_weeks_and_groups_speaks_of_fewer_than_five(clock, world, behind, seed):
    rng = np.random.default_rng(seed)
    tell(clock)
    for _ in range(4):
        clock.forward(7)
        for _ in range(int(rng.integers(1, 7))):
            teams = list(rng.permutation(np.array([team.pk for team in world])))
            order = [Team.objects.get(pk=pk) for pk in teams]
            happens = (*EVENTS[:6], split)[int(rng.integers(0, 7))]
            if order[0].memberships.current().count() > 1:
                happens(order, int(rng.integers(0, 2)))
        tell(clock)
        assert_nobody_can_be_told(behind)
    assert Telling.objects.filter(kind="unit").count() > 3


def test_the_check_itself_finds_what_can_be_told():
    """Ten people, and nine of them: the difference is somebody."""
    assert isolated(np.array([[1.0] * 10, [1.0] * 9 + [0.0]]), list(range(10))) == (9,)
    assert isolated(np.array([[1.0] * 10, [1.0] * 5 + [0.0] * 5]), list(range(10))) is None


@pytest.mark.parametrize(("gone", "may"), [(0, True), (1, False), (4, False), (5, True)])
def test_a_figure_moves_only_where_five_have_changed(gone, may):
    people = dict.fromkeys(range(1, 13), "as they are")
    rest = dict.fromkeys(range(1 + gone, 13), "as they are")
    assert told.may_be_told(told.marks_of(rest), [told.marks_of(people)]) is may


def test_two_groups_that_were_told_apart_are_not_told_together_where_one_changed():
    one, other = dict.fromkeys(range(1, 9), ""), dict.fromkeys(range(11, 19), "")
    both = told.marks_of(one | other)
    versions = [told.marks_of(one), told.marks_of(other)]
    assert told.may_be_told(both, versions)
    assert not told.may_be_told(told.marks_of(one | other | {5: "assessed anew"}), versions)


def test_nothing_told_is_of_one_to_four_people(clock, world):
    """No page or export of an executive has a count of people under five."""
    tell(clock)
    text = "\n".join(collected(make_user("executive")).values())
    assert "fewer than five" in text
    assert not re.search(r"\b[1-4] (member|colleague|person is|people are|people to reassess|person to reassess)", text)
    for row in Publication.objects.get().figures["sizes"].values():
        assert row == 0 or row >= 5


def test_what_hangs_on_one_person_is_told_by_function_and_skill_set_only(clock):
    team = make_team("Desk")
    for n in range(6):
        person = make_person(f"Deskmate {n}", kind="employee")
        join(team, person)
        for source in ("work_sample", "manager", "interview_panel"):
            give_evidence(person, "tone-empathy", 5 if n == 0 else 1, source)
    make_demand(make_initiative("Answer at night"), team, people=1, level=4)
    found = collected(make_user("executive"))
    home = found["/"]
    panel = home[home.index("One person deep") :]
    panel = panel[: panel.index("</section>")]
    assert "Communicating" in panel
    assert "Service &amp; support" in panel
    for word in ("Desk", "Tone", "level 4"):
        assert word not in panel
    assert "('Service & support', 'Communicating', 1)" in found["overview.xlsx"]


def test_the_erased_leave_nothing_that_tells_them(clock, world):
    """Erasing a person moves nothing, in the same week and the next, and no table of teams holds anything of them."""
    ruth, hr = make_user("executive"), make_user("hr")
    tell(clock)
    before = collected(ruth)
    person = member(world[0], 5)
    Initiative.objects.filter(title="Answer at night").update(owner=person)
    tables = list(apps.get_app_config("teams").get_models())
    with undone():
        clock.forward(7)
        tell(clock)
        later = collected(ruth)
    clock.forward(-7)
    key, traces = person.pk, (person.name, person.email, person.code)
    assert erase(person, reason="They asked for it", by=hr)["teams.membership"] >= 1
    forget()
    assert collected(ruth) == before
    clock.forward(7)
    tell(clock)
    assert collected(ruth) == later
    stored = str([list(model._base_manager.values()) for model in tables])
    assert [trace for trace in traces if trace in stored] == []
    keyed = [(model, field) for model in tables for field in model._meta.fields if field.related_model is Person]
    assert len(keyed) == 2
    assert not any(model._base_manager.filter(**{field.name: key}).exists() for model, field in keyed)


# The week


def test_the_job_of_the_week_makes_it_once(clock, world, run_jobs):
    tasks.publish()
    tasks.publish()
    run_jobs()
    tasks.publish()
    assert Job.objects.filter(kind="figures.publish").count() == 1
    assert [one.week_on.isoformat() for one in Publication.objects.all()] == ["2026-11-23"]
    clock.forward(4)
    tasks.publish()
    run_jobs()
    assert Publication.objects.count() == 1
    clock.forward(1)
    tasks.publish()
    run_jobs()
    assert Publication.objects.last().told_on.isoformat() == "2026-11-30"


def test_without_an_initiative_there_is_nothing_to_tell(clock):
    tell(clock)
    assert not Publication.objects.exists()
    client = Client()
    client.force_login(make_user("executive"))
    for path in ("/", "/teams/", "/initiatives/", "/overview/overview.xlsx"):
        assert client.get(path).status_code == 200
    assert not Publication.objects.exists()


def test_executives_read_what_is_stored_and_nothing_is_worked_out(
    clock, world, monkeypatch, django_assert_max_num_queries
):
    client = Client()
    client.force_login(make_user("executive"))
    client.get("/")
    monkeypatch.setattr(matrix, "current", lambda: pytest.fail("everybody's levels were read"))
    with django_assert_max_num_queries(9):
        assert "Figures of Wednesday, 25 November 2026" in client.get("/").content.decode()
    views.forget()
    with django_assert_max_num_queries(12):
        assert client.get("/").status_code == 200
    assert client.get("/initiatives/").status_code == 200


def test_a_quarter_holds_for_executives_what_they_read_and_not_its_own_day(clock, world):
    tell(clock)
    assess(world)
    snapshots.take(snapshots.last_quarter_end(timezone.localdate()))
    stored = Snapshot.objects.get().figures
    assert stored["told"]["total"] == Publication.objects.get().figures["total"]
    assert "merged" not in stored


def test_two_who_look_first_at_once_make_one(clock, world):
    first = publication.make(timezone.localdate())
    assert publication.make(timezone.localdate()).pk == first.pk
    assert Publication.objects.count() == 1
