"""Speed of the engine at 10,000 to a million people: medians of interleaved runs, as ratios to reading the bytes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from scoring import ranking
from scoring.fit import Requirement
from scoring.profiles import Profiles

SKILLS = 40
ROLE = [Requirement(3 * k % SKILLS, 3.0, 1 + k % 3, essential=k < 3) for k in range(12)]
PLAIN = [replace(one, essential=False) for one in ROLE]


def people(n: int) -> Profiles:
    """Seeded profiles of ``n`` people over 40 skills, 70 % assessed."""
    rng = np.random.default_rng(n)
    known = rng.random((SKILLS, n)) < 0.7
    mean = np.where(known, rng.normal(2.5, 1.1, (SKILLS, n)), 2.5).astype(np.float32)
    sd = np.where(known, rng.uniform(0.3, 1.1, (SKILLS, n)), 1.25).astype(np.float32)
    return Profiles(mean, sd, known)


def read_bytes(profiles: Profiles, role: Sequence[Requirement] = ROLE) -> float:
    """Merely reading what a ranking needs, on one thread."""
    columns = [one.skill for one in role]
    return sum(float(profiles.mean[k].sum() + profiles.inverse[k].sum()) for k in columns)


def medians(tasks: dict[str, Callable[[], object]], rounds: int = 15) -> dict[str, float]:
    """Median seconds of each task, run in turn so that all meet the same machine."""
    for task in tasks.values():
        task()
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            begun = time.perf_counter()
            task()
            taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(times) for name, times in taken.items()}


def rows() -> list[dict]:
    """One row a size and task: seconds, and the ratio to reading the bytes in the same run."""
    found = []
    for n in (10_000, 100_000, 1_000_000):
        profiles = people(n)
        draft, eased = ranking.Draft(profiles, ROLE), replace(ROLE[1], level=2.0)
        many = _many_roles()
        tasks = {
            "read the bytes": lambda p=profiles: read_bytes(p),
            "rank, F alone": lambda p=profiles: ranking.rank(p, PLAIN),
            "rank, P_all, top 50": lambda p=profiles: ranking.rank(p, ROLE),
            "one requirement changed": lambda d=draft, e=eased: d.rank(1, e),
            "100 roles, each": lambda p=profiles, m=many: ranking.rank_many(p, m),
            "bands of everybody": lambda p=profiles: ranking.Standing(p, ROLE),
            "NumPy and ndtr, F alone": lambda p=profiles: _numpy(p),
        }
        standing = ranking.Standing(profiles, ROLE, relaxing=True)
        tasks["what relaxing changes"] = lambda s=standing: ranking.relax(s)
        times = medians(tasks, rounds=15 if n <= 100_000 else 7)
        times["100 roles, each"] /= len(many)
        base = times["read the bytes"]
        found += [{"people": n, "task": name, "ms": 1000 * s, "ratio": s / base} for name, s in times.items()]
    return found


def _many_roles(count: int = 100) -> list[list[Requirement]]:
    """Seeded roles of twelve requirements at whole levels, three of them essential."""
    rng = np.random.default_rng(100)
    return [
        [
            Requirement(int(skill), float(rng.integers(1, 6)), 1 + k % 3, essential=k < 3)
            for k, skill in enumerate(rng.choice(SKILLS, 12, replace=False))
        ]
        for _ in range(count)
    ]


def _numpy(profiles: Profiles) -> np.ndarray:
    """F alone with NumPy and SciPy's ndtr, as one would write it first; dividing by sd is spared it."""
    total = sum(one.weight for one in ROLE)
    fit = sum(
        one.weight / total * ndtr((profiles.mean[one.skill] - one.level) * profiles.inverse[one.skill]) for one in ROLE
    )
    return np.argpartition(-fit, 50)[:50]
