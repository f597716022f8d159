"""Putting together what executives read for a week: figures of units of teams, each rested on five people or more.

Units are told or left as they were (``told``); fields, functions, initiatives and the total are sums of what was told
of units, so that whatever is added or subtracted, nothing finer comes out.
"""

import zlib
from base64 import b64encode
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction
from django.utils import timezone

import scoring
from candidates import matrix, parameters
from candidates.models import Estimate
from teams.coverage import OLD, Asked, Board
from teams.models import Membership, Team
from teams.privacy import MINIMUM, Group, merge_small
from teams.sums import Sums, asked_as, in_fives, in_steps
from teams.told import Ledger, Publication, PublishedPart, Telling, marks_of

CHUNK = 2_000
KEPT = 2
"""Publications whose fields and initiatives are kept; of older ones the overview's figures stay."""


def week_of(day: date) -> date:
    """Its Monday."""
    return day - timedelta(days=day.weekday())


def newest(day: date | None = None) -> Publication | None:
    """What executives read now; the first one is made when somebody asks and something is asked of teams."""
    return Publication.objects.last() or make(day or timezone.localdate())


def is_due(day: date) -> bool:
    """Whether a week has begun without its figures."""
    return not Publication.objects.filter(week_on__gte=week_of(day)).exists()


def make(day: date) -> Publication | None:
    """The figures of the week of ``day``, once; None as long as no initiative has ever been active."""
    board, evidence = _settled(day)
    if not (board.initiatives or Publication.objects.exists()):
        return None
    try:
        with transaction.atomic():
            # First of all, so that of two who make it one waits for the other.
            made = Publication.objects.create(
                week_on=week_of(day),
                told_on=day,
                engine=scoring.ENGINE_VERSION,
                parameters=parameters.current().name,
                figures={},
            )
            _fill(made, board, evidence, day)
    except IntegrityError:
        return Publication.objects.get(week_on=week_of(day))
    return made


def _fill(made: Publication, board: Board, evidence: dict, day: date) -> None:
    told = Sums(board)
    for skill_set in board.skill_sets:
        units = candidates_of(board, skill_set.pk, skill_set.slug, evidence)
        ledger = _tell_units(board, skill_set.slug, units, day)
        told.units += [(skill_set.slug, row.teams, row.told_on, row.body) for row in ledger.current]
        told.unknown |= _tell_unknown(board, skill_set.slug, units, day)
    made.figures = told.figures() | {"sizes": _tell_sizes(day), "stale": _tell_stale(board, day)}
    made.save(update_fields=["figures"])
    PublishedPart.objects.bulk_create(
        [PublishedPart(publication=made, key=key, body=body) for key, body in told.parts().items()], batch_size=500
    )
    older = Publication.objects.order_by("-week_on").values_list("pk", flat=True)[KEPT:]
    PublishedPart.objects.filter(publication__in=list(older)).delete()


def _settled(day: date) -> tuple[Board, dict]:
    """A board of its own, and the evidence that there was on its people: of one moment, unless changes never cease."""
    for _ in range(3):
        profiles = matrix.current()
        board = Board(Asked(day), profiles)
        evidence = _evidence(board)
        if matrix.current().version == profiles.version:
            break
    return board, evidence


def _evidence(board: Board) -> dict[tuple[int, int], tuple]:
    """Of everybody behind a demand, by person and column: how much evidence there is, and its newest day."""
    people = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(line.people for line in board.lines)])).tolist()
    rows = Estimate.objects.filter(skill__in={line.demand.skill_id for line in board.lines}).order_by()
    found = {}
    for start in range(0, len(people), CHUNK):
        part = rows.filter(person__in=people[start : start + CHUNK])
        for person, column, count, newest_on in part.values_list(
            "person", "skill__column", "evidence_count", "newest_on"
        ):
            found[person, column] = (column, count, newest_on.isoformat())
    return found


@dataclass
class Candidate:
    """Teams that may be told as one, the demands on them, and the people behind these with the evidence on them."""

    teams: tuple[int, ...]
    lines: list[int]
    people: dict[int, list]


def candidates_of(board: Board, skill_set: int, slug: str, evidence: dict) -> list[Candidate]:
    """Units of a skill set: those of last time, new teams beside them, small ones merged with a neighbour.

    Teams that were told together stay together: the parts of what was told once could be worked out.
    """
    of_team = board.asked.by_set.get(skill_set, {})
    people = {team: _people(board, lines, evidence) for team, lines in of_team.items()}
    groups = [
        Group(keys, frozenset().union(*(people[team] for team in keys)))
        for keys in _kept_together(board, slug, of_team)
    ]
    found = []
    for group in merge_small(groups):
        states: dict[int, set] = defaultdict(set)
        for team in group.keys:
            for pk, state in people[team].items():
                states[pk] |= state
        lines = [n for team in group.keys for n in of_team[team]]
        found.append(Candidate(group.keys, lines, {pk: sorted(state) for pk, state in states.items()}))
    return found


def _people(board: Board, lines: list[int], evidence: dict) -> dict[int, set]:
    """Everybody who is assessed in what is asked of a team, with the evidence there is on it."""
    found: dict[int, set] = defaultdict(set)
    for n in lines:
        column = board.lines[n].demand.skill.column
        for pk in board.lines[n].people.tolist():
            found[pk].add(evidence.get((pk, column), (column, 0, "")))
    return found


def _kept_together(board: Board, slug: str, asked: dict) -> list[tuple[int, ...]]:
    """The teams that are asked, in the order of their functions, those together that were told together."""
    heirs = _heirs()
    place: dict[int, int] = {}
    told = Telling.objects.current().filter(kind=Telling.Kind.UNIT, family=slug).order_by("pk")
    for number, teams in enumerate(told.values_list("teams", flat=True)):
        here = {heirs.get(team, team) for team in teams}
        # A team that has taken in another brings both groups together.
        joined = {place[team] for team in here if team in place}
        for team, at in place.items():
            place[team] = number if at in joined else at
        place |= dict.fromkeys(here, number)
    groups: dict = {}
    for team in board.asked.teams:
        if team in asked:
            groups.setdefault(place.get(team, -team), []).append(team)
    return [tuple(teams) for teams in groups.values()]


def _heirs() -> dict[int, int]:
    """Of each team that was merged the one that it is part of now."""
    merged = Team.objects.exclude(merged_into=None).values_list("pk", "merged_into")
    into = {team: heir for team, heir in merged if heir is not None}
    found = {}
    for team in into:
        at, seen = team, {team}
        while at in into and into[at] not in seen:
            at = into[at]
            seen.add(at)
        found[team] = at
    return found


def _lineage(teams: tuple[int, ...], heirs: dict[int, int]) -> set[int]:
    return {team for team, heir in heirs.items() if heir in teams}


def _tell_units(board: Board, slug: str, units: list[Candidate], day: date) -> Ledger:
    ledger, heirs = Ledger(Telling.Kind.UNIT, slug, day), _heirs()
    for unit in units:
        ledger.tell(unit.teams, marks_of(unit.people), body_of(board, unit), lineage=_lineage(unit.teams, heirs))
    asked = {team for unit in units for team in unit.teams}
    for row in ledger.current:
        if not asked.intersection(row.teams):
            row.is_current = False
            row.save(update_fields=["is_current"])
    return ledger


def body_of(board: Board, unit: Candidate) -> dict[str, Any]:
    """What a unit covers, as it is kept: exact here, and rounded only where it is told."""
    lines = [board.lines[n] for n in unit.lines]
    is_hidden = len(unit.people) < MINIMUM
    body: dict[str, Any] = {"hidden": is_hidden, "names": [board.asked.teams[pk].name for pk in unit.teams]}
    if is_hidden:
        return body
    near = set().union(*(board.near(line) for line in lines))
    drawn = board.drawn_sum(unit.lines)
    return body | {
        "covered": sum(line.coverage.covered for line in lines),
        "needed": sum(line.demand.people for line in lines),
        "drawn": b64encode(zlib.compress(drawn.astype(np.int32).tobytes())).decode(),
        "demands": {str(line.demand.pk): asked_as(line.demand) for line in lines},
        "deep": [line.demand.pk for line in lines if line.coverage.is_one_deep],
        "near": len(near),
    }


def _tell_unknown(board: Board, slug: str, units: list[Candidate], day: date) -> dict[tuple, int]:
    """How many members of each unit's teams nobody has assessed in what is asked of them; in fives."""
    ledger, heirs = Ledger(Telling.Kind.UNKNOWN, slug, day), _heirs()
    for unit in units:
        missing: set[int] = set()
        for n in unit.lines:
            missing |= set(board.members_of(n)) - set(board.lines[n].people.tolist())
        body = {"people": in_fives(len(missing))}
        ledger.tell(unit.teams, marks_of(dict.fromkeys(missing)), body, lineage=_lineage(unit.teams, heirs))
    return {(slug, tuple(row.teams)): row.body["people"] for row in ledger.current}


def _tell_sizes(day: date) -> dict[str, int]:
    """How many people are in each team, in fives."""
    members: dict[int, set] = {pk: set() for pk in Team.objects.current().values_list("pk", flat=True)}
    for team, person in Membership.objects.present().order_by().values_list("team", "person"):
        members.setdefault(team, set()).add(person)
    ledger = Ledger(Telling.Kind.SIZE, "", day)
    for team, people in members.items():
        ledger.tell((team,), marks_of(dict.fromkeys(people)), {"people": in_fives(len(people))})
    return {str(row.teams[0]): row.body["people"] for row in ledger.current}


def _tell_stale(board: Board, day: date) -> dict[str, Any]:
    """How many people have evidence older than a year, in fives, and the share of all levels that rest on it."""
    old = Estimate.objects.of_current_people().filter(newest_on__lt=day - OLD)
    people = set(old.order_by().values_list("person", flat=True).distinct())
    share = board.stale["old"] / board.stale["all"] if board.stale["all"] else 0.0
    body = {"people": in_fives(len(people)), "share": in_steps(share) if len(people) >= MINIMUM else None}
    ledger = Ledger(Telling.Kind.STALE, "", day)
    ledger.tell((), marks_of(dict.fromkeys(people)), body)
    return ledger.current[-1].body


def afresh(board: Board) -> dict[str, Any]:
    """Figures as they would be told of a board if nothing had been told before."""
    told = Sums(board)
    for skill_set in board.skill_sets:
        of_team = board.asked.by_set.get(skill_set.pk, {})
        people = {team: _people(board, lines, {}) for team, lines in of_team.items()}
        groups = merge_small(Group((team,), frozenset(people[team])) for team in board.asked.teams if team in of_team)
        for group in groups:
            lines = [n for team in group.keys for n in of_team[team]]
            unit = Candidate(group.keys, lines, {pk: [] for pk in group.people})
            told.units.append((skill_set.slug, list(group.keys), board.day, body_of(board, unit)))
    return told.figures()
