"""What the overview shows HR, by name and at once; what executives read is in ``published``."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from django.urls import reverse

from candidates.models import Person
from scoring import INTERVAL_Z
from scoring.fit import GAP, MEETS
from scoring.readiness import READY
from teams.coverage import Board, Line
from teams.figures import NOTHING, Change, Share, cell_key
from teams.snapshots import exact, quarter_name

SHORT_NAMES = {"content": "Content", "change": "Change"}
MOST_INITIATIVES, MOST_DEEP, MOST_PEOPLE = 8, 6, 3
NO_CHANGE = Change(0.0)
MOST_DEMANDS = 3
"""Demands that the overview opens of a cell; the cell's own page shows all of them, a page at a time."""


@dataclass(frozen=True)
class Cell:
    """One field of the heatmap."""

    key: str
    url: str
    label: str
    share: Share | None
    change: str
    is_open: bool


def dashboard(board: Board, day: date, *, chosen: str = "") -> dict[str, Any]:
    """Everything of the overview but the open cell; ``chosen`` is its key, the widest if there is none such."""
    now = board.exact
    # A quarter in which nothing was asked for says nothing to compare with.
    quarters = [one for one in board.asked.quarters if exact(one).total.needed]
    before = exact(quarters[-1]) if quarters else None
    chosen = chosen if chosen in now.cells else widest(now)
    ready, deep, stale = ready_count(now), len(board.one_deep), board.stale
    return {
        "now": now,
        "quarter": quarter_name(day),
        "compared_on": quarters[-1].quarter_on if quarters else None,
        "gained": f", {now.total.change_from(before.total).words}" if before else "",
        "initiative_count": len(board.initiatives),
        "ready": ready,
        "ready_gained": changed(ready, ready_count(before), ", ") if before else "",
        "one_deep_count": deep,
        "one_deep_gained": changed(deep, quarters[-1].figures["one_deep"]) if quarters else "",
        "stale": stale,
        "stale_share": stale["old"] / stale["all"] if stale["all"] else 0.0,
        "skill_sets": [(s, SHORT_NAMES.get(s.slug, s.name)) for s in board.skill_sets],
        "rows": heat_rows(board, now, before, chosen),
        "initiatives": readiness(board, board.initiatives[:MOST_INITIATIVES]),
        "one_deep": one_deep(board, MOST_DEEP),
        "functions": since(board, now, before),
        "trend": trend([(quarter_name(q.quarter_on), exact(q).total) for q in quarters], now.total),
        "chosen": chosen,
        "line_at": READY,
    }


@lru_cache(4096)
def address(name: str, *args) -> str:
    """``reverse``, whose fifty lookups a page would otherwise take as long as drawing it."""
    return reverse(name, args=args)


def cell_url(key: str) -> str:
    return address("teams:cell", *key.split("/"))


def changed(now: float, before: float, joint: str = "") -> str:
    """The change since the last quarter, in words."""
    return joint + Change(now - before).words


def ready_count(figures) -> int:
    return sum(one.state == "meets" for one in figures.initiatives.values())


def widest(figures) -> str:
    """The cell that is short of most people: what one looks at first."""
    short = {key: one.short for key, one in figures.cells.items() if one.tint}
    return max(short, key=lambda key: (short[key], key)) if short else next(iter(figures.cells), "")


def heat_rows(board, now, before, chosen: str) -> list[tuple]:
    """[(function, [Cell, …]), …]: every function and skill set, asked for or not."""
    rows = []
    for function in board.functions:
        cells = []
        for one in board.skill_sets:
            key = cell_key(function.slug, one.slug)
            share = now.cells.get(key)
            old = before.cells.get(key) if before else None
            change = share.change_from(old) if share and old else NO_CHANGE
            label = f"{function}, {one}: "
            label += share.words if share else "nobody is asked for"
            if change.signed:
                label += f", {change.spoken}"
            cells.append(Cell(key, cell_url(key), label, share, change.signed, key == chosen))
        rows.append((function, cells))
    return rows


def readiness(board: Board, initiatives) -> list[dict]:
    """Each initiative with its share, interval and what it is short of most."""
    return [
        {
            "initiative": one,
            "url": address("teams:initiative_detail", one.pk),
            "share": board.exact.initiatives.get(one.pk, NOTHING),
            "short_of": short_of(board, one.pk),
        }
        for one in initiatives
    ]


def short_of(board: Board, initiative: int, most: int = 2) -> list[str]:
    """The skills an initiative is short of most."""
    short: dict[str, float] = {}
    for n in board.lines_by_initiative.get(initiative, []):
        name = board.lines[n].demand.skill.name.lower()
        short[name] = short.get(name, 0.0) + board.lines[n].share.short
    worst = sorted(short, key=lambda name: -short[name])
    return [name for name in worst if short[name] >= 0.25][:most]


def one_deep(board: Board, most: int | None = None) -> list[dict]:
    """Skills that fall short once one colleague leaves: each once per team, with the initiatives that hang on it."""
    found: dict[tuple, dict] = {}
    for n in board.one_deep:
        line, demand = board.lines[n], board.lines[n].demand
        row = found.setdefault(
            (demand.team_id, demand.skill_id),
            {
                "skill": demand.skill,
                "level": demand.level,
                "team": demand.team.name,
                "person_id": line.best,
                "initiatives": set(),
                "url": cell_url(line.cell),
            },
        )
        row["level"] = max(row["level"], demand.level)
        row["initiatives"].add(demand.initiative_id)
    rows = sorted(found.values(), key=lambda row: -len(row["initiatives"]))[:most]
    people = named_people(board, [row["person_id"] for row in rows])
    for row in rows:
        row["person"] = people.get(row["person_id"])
        row["person_url"] = address("candidates:person_detail", row["person_id"])
    return rows


def since(board, now, before) -> list[dict]:
    """Covered percent of each function, then and now, with where the marks of its drawing stand."""
    rows = []
    for function in board.functions:
        share = now.functions.get(function.slug)
        if share:
            old = before.functions.get(function.slug) if before else None
            rows.append(
                {
                    "function": function,
                    "now": round(share.share * 100),
                    "was": round(old.share * 100) if old else None,
                    "now_x": f"{share.share * 100:.1f}%",
                    "was_x": f"{old.share * 100:.1f}%" if old else None,
                }
            )
    return rows


WIDTH, HEIGHT, LEFT, TOP = 366, 156, 34, 14
SPAN = 112


def trend(quarters: list[tuple[str, Share]], now: Share) -> dict[str, Any] | None:
    """Points of the line over stored quarters and today, in the drawing's own units; None without anything to draw."""
    points = [(name, share) for name, share in quarters if share.needed]
    if now.needed:
        points.append(("now", now))
    if len(points) < 2:
        return None
    step = (WIDTH - LEFT - 30) / (len(points) - 1)
    marks = [
        {
            "x": round(LEFT + n * step, 1),
            "y": _height(share.share),
            "low": _height(share.share if share.low is None else share.low),
            "high": _height(share.share if share.high is None else share.high),
            "name": name,
            "percent": round(share.share * 100),
            "label_y": _height(share.share) - 9,
            "short": name.split()[0],
        }
        for n, (name, share) in enumerate(points)
    ]
    edge = [f"{m['x']} {m['high']}" for m in marks] + [f"{m['x']} {m['low']}" for m in reversed(marks)]
    return {
        "marks": marks,
        "line": " ".join(f"{m['x']},{m['y']}" for m in marks),
        "band": "M" + "L".join(edge) + "Z",
        "grid": [
            (percent, _height(percent / 100), _height(percent / 100) + 4, percent == 80) for percent in (0, 40, 80)
        ],
        "label": ", ".join(f"{m['name']} {m['percent']} percent" for m in marks),
        "last": marks[-1],
    }


def _height(share: float) -> float:
    return round(TOP + SPAN * (1 - share), 1)


def cell(board: Board, key: str, *, start: int = 0, most: int = MOST_DEMANDS) -> dict[str, Any] | None:
    """Some demands of one cell, the worst first, with what would close each; None where nobody is asked for."""
    numbers = board.lines_by_cell.get(key, [])
    if not numbers:
        return None
    demand = board.lines[numbers[0]].demand
    return {
        "title": f"{demand.team.function}, {demand.skill.skill_set.name.lower()}",
        "share": board.exact.cells.get(key),
        "url": cell_url(key),
        "demands": named(board, numbers[start : start + most]),
        **pages(start, most, len(numbers)),
    }


def pages(start: int, most: int, total: int) -> dict[str, int]:
    return {"first": start + 1, "last": min(start + most, total), "total": total}


def named(board: Board, numbers: list[int]) -> list[dict[str, Any]]:
    """Demands with their closest people and what would close each, for HR."""
    closest = {n: _closest(board.lines[n]) for n in numbers}
    people = named_people(board, [pk for found in closest.values() for pk, _ in found])
    return [
        {
            "line": board.lines[n],
            "url": address("teams:initiative_detail", board.lines[n].demand.initiative_id),
            "closest": [
                {
                    "name": people[pk],
                    "url": address("candidates:person_detail", pk),
                    "state": state_of(p),
                    **_level(board, board.lines[n], pk),
                }
                for pk, p in closest[n]
                if pk in people
            ],
            "closing": closing(board, (n,)),
        }
        for n in numbers
    ]


def named_people(board: Board, keys: list[int]) -> dict[int, str]:
    """Names of members; the board keeps them until somebody changes."""
    missing = [pk for pk in keys if pk not in board.names]
    if missing:
        board.names |= dict(Person.objects.filter(pk__in=missing).order_by().values_list("pk", "name"))
    return {pk: board.names[pk] for pk in keys if pk in board.names}


def _closest(line: Line) -> list[tuple[int, float]]:
    order = np.argsort(-line.probability, kind="stable")[:MOST_PEOPLE]
    return [(int(line.people[k]), float(line.probability[k])) for k in order]


def _level(board: Board, line: Line, pk: int) -> dict[str, float]:
    (row,) = line.rows[line.people == pk]
    profiles, column = board.profiles.profiles, line.demand.skill.column
    mean, half = float(profiles.mean[column][row]), INTERVAL_Z / float(profiles.inverse[column][row])
    return {"mean": mean, "low": mean - half, "high": mean + half}


def state_of(probability: float) -> str:
    if probability >= MEETS:
        return "meets"
    return "gap" if probability <= GAP else "uncertain"


def closing(board: Board, numbers: tuple[int, ...]) -> dict[str, int]:
    """What would close the gap of some demands: assessments missing, people within a level, people elsewhere.

    Kept with the board, since it holds as long as the board does.
    """
    found = board.closing.get(numbers)
    if found is None:
        lines = [board.lines[n] for n in numbers]
        found = board.closing[numbers] = {
            "short": round(sum(line.share.short for line in lines)),
            "unknown": sum(line.unknown for line in lines),
            "near": len(set().union(*(board.near(line) for line in lines))),
            "elsewhere": _elsewhere(board, lines),
        }
    return found


def _elsewhere(board: Board, lines: list[Line]) -> int:
    """Employees outside the teams who more likely than not meet one of the demands."""
    profiles = board.profiles
    anybody = np.zeros(len(profiles.people), dtype=np.bool_)
    for line in lines:
        column = line.demand.skill.column
        able = profiles.profiles.mean[column] >= line.demand.level
        able &= profiles.profiles.assessed[column]
        able[line.rows] = False
        anybody |= able
    return int((anybody & profiles.is_employee).sum())
