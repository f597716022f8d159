"""What is known about one person, skill by skill, and how each number came about."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import scoring
from candidates import actions, parameters
from candidates import evidence as known
from candidates.evidence import SOURCE_ICONS, SOURCE_WORDS, Evidence
from candidates.models import Person
from candidates.parameters import InForce
from candidates.shown import POOLED, ShownRatings, readable, shown_to
from roles.interview import Prompt, prompt
from roles.models import Skill
from scoring.evidence import Estimate, expected_entropy_fall, information, sd_after
from socialstrategy.lib.levels import word

ICON_ORDER = ("self", "knowledge_test", "work_sample", "manager", "interview_panel")
ICON_GROUPS = {
    "self": ("Self-assessment", {"self"}),
    "knowledge_test": ("Test", {"knowledge_test", "performance_test", "situational"}),
    "work_sample": ("Work sample", {"work_sample"}),
    "manager": ("Rating", {"manager", "peer", "subordinate"}),
    "interview_panel": ("Interview", {"interview_panel", "interview_single", "interview_unstructured"}),
}
NEXT_SOURCES = {
    # What a further piece costs, in hours of everybody's time: an editable guess, used for the order only.
    "manager": 0.25,
    "peer": 0.25,
    "situational": 0.75,
    "work_sample": 2.0,
    "interview_single": 1.0,
    "knowledge_test": 0.5,
}
TEST_ERROR = 0.375
"""What an adaptive test reaches, in levels."""


@dataclass
class PieceRow:
    """One merged source behind an estimate."""

    label: str
    sources: frozenset[str]
    icon: str
    value: float
    low: float
    high: float
    observed_on: object
    raters: int
    contribution: float
    influence: float
    notes: list
    count: int


@dataclass
class SkillRow:
    """One skill of a person: the estimate, its pieces, and, against a role, requirement, probability and state."""

    skill: Skill
    estimate: Estimate
    pieces: list
    requirement: Any = None
    probability: float = 0.0
    contribution: float = 0.0
    loss: float = 0.0
    state: str = ""

    @property
    def assessed(self) -> bool:
        return self.estimate.assessed

    @property
    def width(self) -> float:
        return self.estimate.high - self.estimate.low

    @property
    def evidence_count(self) -> int:
        return sum(piece.count for piece in self.pieces)

    @property
    def share(self) -> float:
        """The most that this requirement can give to the fit."""
        return self.contribution + self.loss

    @property
    def chance_words(self) -> str:
        return f"{round(self.probability * 100)}% at level {self.requirement.level}"

    @property
    def span(self) -> str:
        """The interval in words."""
        low, high = word(self.estimate.low).lower(), word(self.estimate.high).lower()
        return f"between {low} and {high}" if low != high else f"quite surely {low}"

    @property
    def is_thin(self) -> bool:
        """Little evidence: the prior weighs more than everything seen."""
        return self.assessed and self.estimate.prior_influence > 0.5

    @property
    def groups(self) -> list:
        """Which kinds of evidence there are, for the row of icons."""
        present = frozenset().union(*(piece.sources for piece in self.pieces))
        return [
            (SOURCE_ICONS[name], label, not present.isdisjoint(sources))
            for name, (label, sources) in ((name, ICON_GROUPS[name]) for name in ICON_ORDER)
        ]


def explained(rows: list[Evidence], as_of, in_force: InForce, together: ShownRatings | None = None) -> tuple:
    """(estimate, its pieces with contribution and influence) of one person's evidence on one skill.

    ``together``: what is shown of ratings that are not among ``rows``; it is one piece.
    """
    merged = known.pieces(rows, as_of)
    pooled = together.observations(as_of) if together else []
    observations = [*(piece.observation() for piece in merged), *pooled]
    estimate = scoring.evidence.estimate(observations, sources=in_force.sources)
    pieces = []
    for piece, contribution, influence in zip(merged, estimate.contribution, estimate.influence, strict=False):
        alone = scoring.evidence.estimate([piece.observation()], sources=in_force.sources)
        half = scoring.INTERVAL_Z * (piece.standard_error or alone.sd)
        pieces.append(
            PieceRow(
                label=piece.label,
                sources=frozenset({piece.source}),
                icon=SOURCE_ICONS[piece.source],
                value=piece.value,
                low=piece.value - half,
                high=piece.value + half,
                observed_on=piece.observed_on,
                raters=len(piece.used),
                contribution=float(contribution),
                influence=float(influence),
                notes=[(row.note, row.link) for row in piece.used if row.note or row.link],
                count=piece.count,
            )
        )
    if together:
        parts = slice(len(merged), None)
        half = scoring.INTERVAL_Z * scoring.evidence.estimate(pooled, sources=in_force.sources).sd
        pieces.append(_together(together, half, estimate.contribution[parts].sum(), estimate.influence[parts].sum()))
    return estimate, pieces


def _together(shown: ShownRatings, half: float, contribution, influence) -> PieceRow:
    """Ratings that are shown together as one piece, without notes: those are for HR."""
    return PieceRow(
        label=shown.label,
        sources=frozenset(POOLED),
        icon=SOURCE_ICONS["peer"],
        value=shown.value,
        low=shown.value - half,
        high=shown.value + half,
        observed_on=shown.shown_on,
        raters=1,
        contribution=float(contribution),
        influence=float(influence),
        notes=[],
        count=shown.raters,
    )


def known_by_skill(person: Person, reader) -> dict[int, tuple[list[Evidence], ShownRatings | None]]:
    """Of each skill that ``reader`` may know something of: the pieces they may read, and ratings shown together."""
    grouped = defaultdict(list)
    for row in readable(person, reader):
        grouped[row.skill_id].append(row)
    together = {skill: groups[-1] for skill, groups in shown_to(person, reader).items()}
    return {skill: (grouped.get(skill, []), together.get(skill)) for skill in [*grouped, *(together.keys() - grouped)]}


def without_waiting(pairs: list[tuple[Person, int]]) -> dict[tuple[int, int], tuple[float, float]]:
    """(mean, sd) of those (person, skill) on whom there are ratings that others see together only: from what is shown.

    (prior mean, infinity) where nothing is shown.
    """
    people, skills = {person.pk for person, _ in pairs}, {skill for _, skill in pairs}
    rows = Evidence.objects.filter(person__in=people, skill__in=skills)
    pooled = set(rows.filter(source__in=POOLED).order_by().values_list("person", "skill").distinct())
    concerned = {pair for pair in pooled if pair in {(person.pk, skill) for person, skill in pairs}}
    grouped = defaultdict(list)
    for row in rows.filter(person__in={person for person, _ in concerned}).exclude(source__in=POOLED):
        grouped[row.person_id, row.skill_id].append(row)
    shown = ShownRatings.objects.filter(person__in={person for person, _ in concerned}, skill__in=skills)
    together = {(group.person_id, group.skill_id): group for group in shown}
    as_of, in_force = known.month_start(actions.today()), parameters.current()
    found = {}
    for pair in concerned:
        one, _ = explained(grouped[pair], as_of, in_force, together.get(pair))
        found[pair] = (one.mean, one.sd if one.assessed else float("inf"))
    return found


def skill_rows(person: Person, reader=None) -> list[tuple]:
    """[(skill set, [SkillRow, …]), …] of every skill somebody has evidence on, as ``reader`` may know it.

    None stands for the person, who opens a report by its link. Whatever is not shown yet moves no number here.
    """
    found = known_by_skill(person, reader)
    as_of, in_force = known.month_start(actions.today()), parameters.current()
    rows = []
    for skill in Skill.objects.filter(pk__in=found).with_anchors():
        pieces, together = found[skill.pk]
        rows.append(SkillRow(skill, *explained(pieces, as_of, in_force, together)))
    return by_set(rows)


def by_set(rows: list[SkillRow]) -> list[tuple]:
    """Rows under their skill sets, in the order given."""
    found: dict = {}
    for row in rows:
        found.setdefault(row.skill.skill_set, []).append(row)
    return list(found.items())


def against(person: Person, version, reader=None) -> tuple:
    """(fit, [SkillRow, …]) of a person against a role version, from what ``reader`` may know of the evidence now."""
    lines = list(version.requirements.all())
    known_here = known_by_skill(person, reader)
    as_of, in_force = known.month_start(actions.today()), parameters.current()
    rows = []
    for line in lines:
        read, together = known_here.get(line.skill_id, ([], None))
        estimate, pieces = explained(read, as_of, in_force, together)
        rows.append(SkillRow(line.skill, estimate, pieces, requirement=line))
    found = actions.fit_of(lines, {row.skill.pk: row.estimate for row in rows if row.assessed}, in_force.thresholds)
    total = sum(line.weight for line in lines)
    for n, row in enumerate(rows):
        row.probability = float(found.probability[n])
        row.contribution = float(found.contribution[n])
        row.loss = row.requirement.weight / total - row.contribution
        row.state = str(found.state[n])
    return found, rows


def waterfall(rows: list[SkillRow], most: int = 7) -> list[dict]:
    """Points lost from 100, largest first, small ones together; each with where its bar begins and ends."""
    losses = sorted(rows, key=lambda row: -row.loss)
    named = [row for row in losses[:most] if row.loss >= 0.0005]
    rest = [row for row in losses if row not in named]
    steps, at = [], 1.0
    for row in named:
        steps.append({"name": row.skill.name, "state": row.state, "from": at, "to": at - row.loss, "loss": row.loss})
        at -= row.loss
    if rest:
        loss = sum(row.loss for row in rest)
        steps.append(
            {
                "name": f"{len(rest)} other skill{'s' * (len(rest) != 1)}",
                "state": "",
                "from": at,
                "to": at - loss,
                "loss": loss,
            }
        )
    return steps


def to_ask(rows: list[SkillRow], most: int = 3) -> list[tuple[SkillRow, Prompt]]:
    """What to ask in the interview: the essentials that are least certain, those nearest to an even chance first."""
    open_ = [row for row in rows if row.requirement.is_essential and row.state in {"uncertain", "not_assessed"}]
    open_.sort(key=lambda row: abs(row.probability - 0.5))
    return [(row, prompt(row.skill)) for row in open_[:most]]


def next_best(rows: list[SkillRow], most: int = 3) -> list[dict]:
    """Which further evidence would settle most per hour it costs, where P(meets) lies between .2 and .8.

    Essentials count twice, since without them nothing is decided. What would not narrow the interval by as much as the
    page shows, a tenth of a level, is not proposed.
    """
    sources = parameters.current().sources
    found: list[dict[str, Any]] = []
    for row in rows:
        if not 0.2 <= row.probability <= 0.8:
            continue
        used = frozenset().union(*(piece.sources for piece in row.pieces))
        for source, hours in NEXT_SOURCES.items():
            name = "performance_test" if source == "knowledge_test" and not row.skill.is_knowledge else source
            if name in used:
                continue
            kappa = information(sources[name], standard_error=TEST_ERROR)
            requirement = row.requirement
            fall = expected_entropy_fall(
                row.estimate.mean, row.estimate.sd, requirement.level, kappa, level_error=requirement.standard_error
            )
            worth = fall / hours * (2.0 if requirement.is_essential else 1.0)
            width = 2 * scoring.INTERVAL_Z * sd_after(row.estimate.sd, kappa)
            if round(width, 1) >= round(row.width, 1):
                continue
            found.append(
                {"row": row, "label": SOURCE_WORDS[name], "icon": SOURCE_ICONS[name], "width": width, "worth": worth}
            )
    found.sort(key=lambda one: -one["worth"])
    chosen, skills = [], set()
    for one in found:
        if one["row"].skill.pk not in skills:
            skills.add(one["row"].skill.pk)
            chosen.append(one)
    return chosen[:most]
