"""What was known on an earlier day: the same engine on the evidence that there was then."""

from collections import defaultdict
from dataclasses import replace
from datetime import date

import numpy as np

import scoring
from candidates import evidence as known
from candidates import matrix, parameters
from candidates.models import Evidence, Person
from candidates.shown import readable, shown_to
from roles.models import Skill
from scoring.evidence import Estimate
from scoring.profiles import Profiles


def matrix_on(day: date) -> matrix.ProfileMatrix:
    """The profile matrix of today's people from the evidence observed up to ``day``, with today's parameters."""
    now = matrix.current()
    shape = now.profiles.mean.shape
    mean = np.full(shape, scoring.PRIOR_MEAN, dtype=np.float32)
    sd = np.full(shape, scoring.PRIOR_SD, dtype=np.float32)
    assessed = np.zeros(shape, dtype=np.bool_)
    columns = dict(Skill.objects.values_list("pk", "column"))
    at = {int(now.people[n]): n for n in now.everybody}
    as_of, in_force = known.month_start(day), parameters.current()
    for (person, skill), rows in _by_person_and_skill(Evidence.objects.filter(observed_on__lte=day)).items():
        if person in at:
            found, _ = known.estimate(rows, as_of, in_force)
            cell = columns[skill], at[person]
            mean[cell], sd[cell], assessed[cell] = found.mean, found.sd, True
    inverse = Profiles(mean, sd, assessed).inverse
    return replace(
        now,
        profiles=Profiles.of_inverse(mean, inverse, assessed, now.present),
        by_person=np.stack([mean.T, np.where(assessed, inverse, 0).T], axis=2),
    )


def _by_person_and_skill(evidence) -> dict[tuple[int, int], list[Evidence]]:
    grouped = defaultdict(list)
    for row in evidence.order_by("person", "skill", "observed_on", "pk"):
        grouped[row.person_id, row.skill_id].append(row)
    return grouped


def levels_on(person: Person, days: list[date], reader=None) -> dict[int, list[Estimate | None]]:
    """For each skill that ``reader`` may know something of, the engine's estimate on each of ``days`` from what they
    could know then; None before the first of it."""
    in_force = parameters.current()
    together = shown_to(person, reader)
    rows = {skill: rows for (_, skill), rows in _by_person_and_skill(readable(person, reader)).items()}
    found: dict[int, list[Estimate | None]] = {}
    for skill in [*rows, *(together.keys() - rows)]:
        found[skill] = []
        for day in days:
            seen = [row for row in rows.get(skill, []) if row.observed_on <= day]
            groups = [group for group in together.get(skill, []) if group.shown_on <= day]
            as_of = known.month_start(day)
            observations = [piece.observation() for piece in known.pieces(seen, as_of)]
            observations += groups[-1].observations(as_of) if groups else []
            one = scoring.evidence.estimate(observations, sources=in_force.sources) if observations else None
            found[skill].append(one)
    return found
