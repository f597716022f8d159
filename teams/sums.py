"""Sums over what was told of units, rounded to whole people and steps of five percent, as pages show them."""

import zlib
from base64 import b64decode
from collections import defaultdict
from datetime import date
from typing import Any

import numpy as np

from teams.coverage import Board
from teams.figures import cell_key

STEP = 0.05
FIVES = 5


def asked_as(demand) -> list[int]:
    """What a demand asks, to notice that it has changed."""
    return [demand.team_id, demand.skill_id, demand.level, demand.people]


def in_fives(count: int) -> int:
    """A number of people as it is told: 0 for fewer than five, else rounded down to 5, 10, 15, …"""
    return count // FIVES * FIVES


def in_steps(share: float) -> float:
    return round(round(share / STEP) * STEP, 2)


def outwards(low: float, high: float) -> tuple[float, float]:
    """An interval in steps of five percent that holds the exact one."""
    down, up = np.floor(low / STEP + 1e-9) * STEP, np.ceil(high / STEP - 1e-9) * STEP
    return round(float(down), 2), round(float(up), 2)


class Sum:
    """What units cover of what one field, function or initiative asks for."""

    def __init__(self) -> None:
        self.needed, self.covered, self.drawn, self.since = 0, 0.0, np.zeros(1), date.max

    def add(self, people: int, body: dict, drawn: np.ndarray, told_on: date) -> None:
        self.needed += people
        self.since = min(self.since, told_on)
        self.covered += people * body["covered"] / body["needed"]
        self.drawn = self.drawn + people * drawn / body["needed"]

    @property
    def row(self) -> list:
        """As it is told: whole people, shares in steps of five percent, and since when all of it stands."""
        low, high = outwards(*(np.quantile(self.drawn, [0.1, 0.9]) / self.needed))
        share = in_steps(self.covered / self.needed)
        return [round(self.covered), self.needed, low, high, share, self.since.isoformat()]


class Sums:
    """The sums of what was told of units (skill set, teams, day, body), and how pages show it."""

    def __init__(self, board: Board):
        self.board = board
        self.units: list[tuple[str, list[int], date, dict]] = []
        self.unknown: dict[tuple, int] = {}
        self.demands = {str(line.demand.pk): line.demand for line in board.lines}

    def counted(self, body: dict) -> list:
        """The demands of a unit that are still asked as they were when it was told."""
        if body["hidden"]:
            return []
        asked = ((self.demands.get(pk), was) for pk, was in body["demands"].items())
        return [demand for demand, was in asked if demand and asked_as(demand) == was]

    def sums(self) -> dict[tuple[str, str], Sum]:
        found: dict[tuple[str, str], Sum] = defaultdict(Sum)
        for slug, _, told_on, body in self.units:
            demands = self.counted(body)
            drawn = unpacked(body) if demands else np.zeros(1)
            for demand in demands:
                function = demand.team.function.slug
                keys = [("total", ""), ("functions", function), ("cells", cell_key(function, slug))]
                for key in [*keys, ("initiatives", str(demand.initiative_id))]:
                    found[key].add(demand.people, body, drawn, told_on)
        return found

    def figures(self) -> dict[str, Any]:
        """What the overview says."""
        sums = self.sums()
        told: dict[str, Any] = {"total": [0, 0, None, None, 1.0, ""], "functions": {}, "cells": {}, "initiatives": {}}
        for (kind, key), one in sums.items():
            if kind == "total":
                told["total"] = one.row
            else:
                told[kind][key] = one.row
        return told | {
            "function_names": [[one.slug, one.name] for one in self.board.functions],
            "set_names": [[one.slug, one.name] for one in self.board.skill_sets],
            "active": self._active(),
            "deep": self._deep(),
            "is_merged": any(len(teams) > 1 for _, teams, _, body in self.units if not body["hidden"]),
        }

    def _short_of(self) -> dict[int, list[str]]:
        """Of each initiative the skills that it is short of most."""
        short: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for _, _, _, body in self.units:
            for demand in self.counted(body):
                share = in_steps(body["covered"] / body["needed"])
                short[demand.initiative_id][demand.skill.name.lower()] += (1 - share) * demand.people
        worst = {pk: sorted(by_skill, key=lambda name: -by_skill[name]) for pk, by_skill in short.items()}
        return {pk: [name for name in names if short[pk][name] >= 0.25][:2] for pk, names in worst.items()}

    def _active(self) -> list[dict[str, Any]]:
        short = self._short_of()
        return [
            {
                "pk": one.pk,
                "title": one.title,
                "deadline": one.deadline_on.isoformat(),
                "function": one.function.name,
                "short_of": short.get(one.pk, []),
            }
            for one in self.board.initiatives
        ]

    def _deep(self) -> list[dict[str, Any]]:
        """Fields in which something hangs on one person, those first that most initiatives ask for. No team, no skill:
        who it is could be told from them."""
        found: dict[tuple[str, str], set] = defaultdict(set)
        for slug, _, _, body in self.units:
            for demand in self.counted(body):
                if demand.pk in body["deep"]:
                    found[demand.team.function.slug, slug].add(demand.initiative_id)
        rows = [{"function": f, "skill_set": s, "initiatives": len(found[f, s])} for f, s in found]
        return sorted(rows, key=lambda row: (-row["initiatives"], row["function"], row["skill_set"]))

    def parts(self) -> dict[str, Any]:
        """What each field and each initiative says, by its key."""
        cells: dict[str, list] = defaultdict(list)
        initiatives: dict[str, dict] = defaultdict(dict)
        counted: set[str] = set()
        for slug, teams, told_on, body in self.units:
            of_cell: dict[str, list[str]] = defaultdict(list)
            if body["hidden"]:
                continue
            shown = self._shown(slug, teams, told_on, body)
            for demand in self.counted(body):
                counted.add(str(demand.pk))
                of_cell[cell_key(demand.team.function.slug, slug)].append(demand.sentence)
                share = shown["row"][4]
                row = [round(share * demand.people), demand.people, None, None, share, told_on.isoformat()]
                initiatives[f"initiative/{demand.initiative_id}"][demand.pk] = shown | {"row": row}
            for key, sentences in of_cell.items():
                cells[f"cell/{key}"].append(shown | {"sentences": sentences})
        for pk, demand in self.demands.items():
            if pk not in counted:
                key = cell_key(demand.team.function.slug, demand.skill.skill_set.slug)
                cells[f"cell/{key}"].append({"sentences": [demand.sentence], "row": None})
        for rows in cells.values():
            rows.sort(key=lambda one: (one["row"] is None, one["row"][4] if one["row"] else 0.0))
        return cells | initiatives

    def _shown(self, slug: str, teams: list[int], told_on: date, body: dict) -> dict[str, Any]:
        one = Sum()
        one.add(body["needed"], body, unpacked(body), told_on)
        return {
            "label": " and ".join(body["names"]),
            "is_merged": len(teams) > 1,
            "row": one.row,
            "near": in_fives(body["near"]),
            "unknown": self.unknown.get((slug, tuple(teams)), 0),
        }


def unpacked(body: dict) -> np.ndarray:
    """How many each draw covers, all demands of the unit together."""
    return np.frombuffer(zlib.decompress(b64decode(body["drawn"])), dtype=np.int32)
