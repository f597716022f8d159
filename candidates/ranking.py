"""Everybody against one role, as the pages, the export and `manage.py rank` show it."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from django.db import connection
from django.db.models import Count

from candidates import matrix
from candidates.models import Person
from scoring import counting
from scoring import fit as engine
from scoring import ranking as scorer

BANDS = engine.BANDS
RANK = {"gap": 0, "uncertain": 1, "not_assessed": 2}


@dataclass
class Line:
    """One person in a ranking. ``states`` and the rest are in the order of the requirements."""

    person: Person
    place: int
    band: str
    fit: float
    fit_low: float
    fit_high: float
    all_essentials: float
    probability: list
    contribution: list
    shortfall: list
    states: list
    evidence: int
    name: str = ""
    where: str = ""
    code: str = ""
    href: str = ""
    opens_band: bool = False
    essentials: list = field(default_factory=list)
    gaps: list = field(default_factory=list)

    @property
    def label(self) -> str:
        """What the drawing says to those who hear it."""
        low, high = round(self.fit_low * 100), round(self.fit_high * 100)
        return f"fit {round(self.fit * 100)} of 100, 80% interval {low} to {high}"

    @property
    def first_gaps(self) -> list:
        return self.gaps[:2]

    @property
    def more_gaps(self) -> int:
        return max(0, len(self.gaps) - 2)


class RoleRanking:
    """The order of the people in reach of a role version; lines are made for a slice only.

    Bands are headings: within the engine's order (P_all, then F) people stand likely first, then open, unlikely, not
    assessed. Without a requirement there is no ranking (``is_empty``).
    """

    def __init__(self, version, *, people=None, relaxing=False):
        self.version = version
        self.requirements = list(version.requirements.all())
        self.is_empty = not self.requirements
        self.matrix = matrix.current()
        self.scored = matrix.scored(self.requirements)
        self.rows = self.matrix.everybody if people is None else self.matrix.rows(people)
        self.keep = np.full(self.rows.size, not self.is_empty)
        if self.is_empty:
            return
        if people is None and not relaxing:
            self.standing = self.matrix.standing(tuple(self.scored))
        else:
            self.standing = scorer.Standing(
                self.matrix.profiles,
                self.scored,
                among=self.rows,
                thresholds=self.matrix.thresholds,
                relaxing=relaxing,
            )

    def narrow(self, *, band="", kind="", gap=None) -> "RoleRanking":
        """Keep only some: a band, employees or candidates, or those with a gap in a requirement (its index)."""
        if self.is_empty:
            return self
        if band in BANDS:
            self.keep &= self.standing.band == BANDS.index(band)
        if kind in Person.Kind.values:
            self.keep &= self.matrix.is_employee[self.rows] == (kind == Person.Kind.EMPLOYEE)
        if gap is not None:
            self.keep &= self.standing.gaps(gap)
        return self

    def __len__(self) -> int:
        return int(self.keep.sum())

    def __getitem__(self, wanted: slice) -> list[Line]:
        """The lines of a slice, with everything that is shown of them: four queries, however many people there are."""
        return self.lines(wanted)

    def lines(self, wanted: slice, *, evidence: bool = True) -> list[Line]:
        """The same; without how much evidence there is, it is a query less."""
        start, stop, _ = wanted.indices(len(self))
        if start >= stop:
            return []
        columns = self.rows[self.standing.ordered(start, stop, self.keep)]
        keys = [int(key) for key in self.matrix.people[columns]]
        people = Person.objects.select_related("function").in_bulk(keys)
        counts = evidence_counts(keys, [line.skill_id for line in self.requirements]) if evidence else {}
        mean, sd, assessed = self.matrix.profiles.of(columns)
        fits = engine.fit(mean, sd, self.scored, assessed=assessed, thresholds=self.matrix.thresholds)
        return [
            self._line(people[key], start + n + 1, n, fits, counts.get(key, 0))
            for n, key in enumerate(keys)
            if key in people
        ]

    def _line(self, person, place, n, fits, evidence) -> Line:
        line = Line(
            person=person,
            place=place,
            band=str(fits.band[n]),
            fit=float(fits.fit[n]),
            fit_low=float(fits.fit_low[n]),
            fit_high=float(fits.fit_high[n]),
            all_essentials=float(fits.all_essentials[n]),
            probability=fits.probability[n].tolist(),
            contribution=fits.contribution[n].tolist(),
            shortfall=fits.shortfall[n].tolist(),
            states=fits.state[n].tolist(),
            evidence=evidence,
        )
        pairs = list(zip(self.requirements, line.states, line.shortfall, strict=True))
        line.essentials = [(requirement, state) for requirement, state, _ in pairs if requirement.is_essential]
        # Gaps first, then what is in doubt; an essential that nobody has looked at is in doubt as well.
        open_ = [
            pair for pair in pairs if pair[1] in {"gap", "uncertain"} or (pair[1] != "meets" and pair[0].is_essential)
        ]
        worst = sorted(open_, key=lambda pair: (RANK[pair[1]], not pair[0].is_essential, -pair[2]))
        line.gaps = [(requirement, state) for requirement, state, _ in worst]
        return line

    def count(self) -> int:
        return len(self)

    @cached_property
    def _counts(self) -> tuple[dict[str, int], dict[str, int], float]:
        if self.is_empty:
            return dict.fromkeys(BANDS, 0), dict.fromkeys(BANDS, 0), 0.0
        return self.standing.counts(self.matrix.is_employee[self.rows])

    def band_counts(self) -> dict[str, dict[str, int]]:
        """People per band, inside (employees) and among candidates."""
        inside, candidates, _ = self._counts
        return {"inside": inside, "candidates": candidates}

    def expected_qualified(self) -> float:
        """Σ P_all over those assessed."""
        return self._counts[2]

    def level_counts(self) -> list[list[int]]:
        """Of each requirement, how many of all assessed people sit at each level 0-5."""
        profiles = self.matrix.profiles
        columns = [line.skill.column for line in self.requirements]
        return [counting.levels(profiles.mean[k], profiles.assessed[k]).tolist() for k in columns]

    def relaxed(self) -> list[dict]:
        """What easing each requirement by a level would change, those that change most first (for ``relaxing``)."""
        if self.is_empty:
            return []
        rows = [
            {
                "requirement": self.requirements[one.requirement],
                "level": round(one.level),
                "likely": one.likely,
                "expected": one.expected,
                "fit": one.fit,
                "fit_points": f"{one.fit * 100:.1f}",
            }
            for one in scorer.relax(self.standing)
        ]
        return sorted(rows, key=lambda row: (-row["likely"], -row["expected"], -row["fit"]))


def evidence_counts(people: list[int], skills: list[int]) -> dict[int, int]:
    """Pieces of evidence per person over some skills."""
    if not people or not skills:
        return {}
    # SQL by hand: putting the query together would take longer than its answer, at every look at a ranking.
    each = [", ".join(["%s"] * len(keys)) for keys in (people, skills)]
    with connection.cursor() as cursor:
        cursor.execute(EVIDENCE.format(*each), [*people, *skills])
        return dict(cursor.fetchall())


EVIDENCE = """
SELECT person_id, sum(evidence_count) FROM candidates_estimate
WHERE person_id IN ({}) AND skill_id IN ({}) GROUP BY person_id
"""


def people_by_kind() -> dict[str, int]:
    return dict(Person.objects.current().order_by().values_list("kind").annotate(n=Count("pk")))
