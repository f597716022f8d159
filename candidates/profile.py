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
        present = {piece.label for piece in self.pieces}
        return [
            (SOURCE_ICONS[name], label, any(SOURCE_WORDS[source] in present for source in sources))
            for name, (label, sources) in ((name, ICON_GROUPS[name]) for name in ICON_ORDER)
        ]


def explained(rows: list[Evidence], as_of, in_force: InForce) -> tuple:
    """(estimate, its pieces with contribution and influence) of one person's evidence on one skill."""
    estimate, merged = known.estimate(rows, as_of, in_force)
    pieces = []
    for piece, contribution, influence in zip(merged, estimate.contribution, estimate.influence, strict=True):
        alone = scoring.evidence.estimate([piece.observation()], sources=in_force.sources)
        half = scoring.INTERVAL_Z * (piece.standard_error or alone.sd)
        pieces.append(
            PieceRow(
                label=piece.label,
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
    return estimate, pieces


def evidence_by_skill(person: Person) -> dict[int, list[Evidence]]:
    grouped = defaultdict(list)
    for row in Evidence.objects.filter(person=person):
        grouped[row.skill_id].append(row)
    return grouped


def skill_rows(person: Person) -> list[tuple]:
    """[(skill set, [SkillRow, …]), …] of every skill somebody has evidence on."""
    grouped = evidence_by_skill(person)
    as_of, in_force = known.month_start(actions.today()), parameters.current()
    skills = Skill.objects.filter(pk__in=grouped).with_anchors()
    return by_set([SkillRow(skill, *explained(grouped[skill.pk], as_of, in_force)) for skill in skills])


def by_set(rows: list[SkillRow]) -> list[tuple]:
    """Rows under their skill sets, in the order given."""
    found: dict = {}
    for row in rows:
        found.setdefault(row.skill.skill_set, []).append(row)
    return list(found.items())


def against(person: Person, version) -> tuple:
    """(fit, [SkillRow, …]) of a person against a role version, computed from the evidence as it is now."""
    lines = list(version.requirements.all())
    grouped = evidence_by_skill(person)
    as_of, in_force = known.month_start(actions.today()), parameters.current()
    rows = []
    for line in lines:
        estimate, pieces = explained(grouped.get(line.skill_id, []), as_of, in_force)
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
        used = {piece.label for piece in row.pieces}
        for source, hours in NEXT_SOURCES.items():
            name = "performance_test" if source == "knowledge_test" and not row.skill.is_knowledge else source
            if SOURCE_WORDS[name] in used:
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
