"""Decision quality: of the ten ranked first, how many truly meet every essential?

The world of measurement.md section 2: 200 people, ten skills whose residuals correlate .30 within a person, three
essentials, evidence that is uneven from person to person. Everybody ranks on the same evidence:

* engine: P_all, then F;
* peer: Σ min(x, 2r)/Σ r on the means of the raw ratings (the formula of the best open peer);
* weighted sum: Σ w·x on the same means;
* self: the peer's formula on self-ratings alone;
* chance: a random order.
"""

from __future__ import annotations

import math

import numpy as np

from scoring.evidence import DEFAULT_SOURCES, HALO_VARIANCE, Observation, estimate
from scoring.fit import Requirement, fit

PEOPLE, SKILLS, ESSENTIALS, FIRST = 200, 10, 3, 10
TAU, MEAN, LEVEL = 1.25, 2.5, 3.0
OTHERS = ("manager", "peer", "work_sample", "situational", "interview_panel")
ROLE = [Requirement(k, LEVEL, 1 + k % 3, essential=k < ESSENTIALS) for k in range(SKILLS)]
METHODS = ("engine", "peer formula", "weighted sum", "self-rating", "chance")


def observe(rng: np.random.Generator, theta: float, halo: float, name: str) -> Observation:
    """What a source says about somebody of true proficiency ``theta`` (prior SD units), on the 0-5 scale."""
    source = DEFAULT_SOURCES[name]
    reliability = source.reliability or 1.0
    s2 = HALO_VARIANCE if source.human else 0.0
    psi = max((1 - source.validity**2) * reliability - s2 + (1 - reliability), 0.02)
    y = source.validity * math.sqrt(reliability) * theta + math.sqrt(s2) * halo
    y += math.sqrt(psi) * rng.standard_normal() + source.bias
    return Observation(name, float(np.clip(MEAN + TAU * y, 0, 5)))


def world(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """True levels, and what each method knows about 200 people."""
    shared = rng.standard_normal((PEOPLE, 1))
    theta = math.sqrt(0.3) * shared + math.sqrt(0.7) * rng.standard_normal((PEOPLE, SKILLS))
    halo = rng.standard_normal(PEOPLE)
    shape = (PEOPLE, SKILLS)
    mean, sd, raw, own = np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape)
    for i in range(PEOPLE):
        amount = rng.integers(0, len(OTHERS) + 1)
        names = ["self", *rng.choice(OTHERS, size=amount, replace=False)]
        for k in range(SKILLS):
            rows = [observe(rng, theta[i, k], halo[i], name) for name in names]
            found = estimate(rows)
            mean[i, k], sd[i, k] = found.mean, found.sd
            raw[i, k] = np.mean([row.value for row in rows])
            own[i, k] = rows[0].value
    return {"truth": MEAN + TAU * theta, "mean": mean, "sd": sd, "raw": raw, "own": own}


def capped(values: np.ndarray) -> np.ndarray:
    """Σ min(x, 2r)/Σ r."""
    return np.minimum(values, 2 * LEVEL).sum(axis=1) / (SKILLS * LEVEL)


def precision(seeds: int = 20) -> dict[str, float]:
    """Method → mean share of the first ten who truly meet all essentials."""
    hits = dict.fromkeys(METHODS, 0.0)
    weight = np.array([one.weight for one in ROLE])
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        known = world(rng)
        meets = (known["truth"][:, :ESSENTIALS] >= LEVEL).all(axis=1)
        found = fit(known["mean"], known["sd"], ROLE)
        orders = {
            "engine": np.lexsort((-found.fit, -found.all_essentials)),
            "peer formula": np.argsort(-capped(known["raw"]), kind="stable"),
            "weighted sum": np.argsort(-(known["raw"] @ weight), kind="stable"),
            "self-rating": np.argsort(-capped(known["own"]), kind="stable"),
            "chance": rng.permutation(PEOPLE),
        }
        for name, order in orders.items():
            hits[name] += float(meets[order[:FIRST]].mean())
    return {name: total / seeds for name, total in hits.items()}
