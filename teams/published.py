"""What executives' pages and workbooks show: the newest publication, and nothing that moves between two of them."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from scoring.readiness import READY
from socialstrategy.lib.templatetags.components import figure
from teams import dashboard
from teams.figures import Change, Share, cell_key
from teams.models import Snapshot
from teams.privacy import MINIMUM
from teams.publication import newest
from teams.snapshots import quarter_name
from teams.told import Publication, PublishedPart

FEWER = "fewer than five"
MOST_QUARTERS = 8


@dataclass(frozen=True)
class ToldShare(Share):
    """A share in steps of five percent; fewer than five people who are covered are told as that share alone."""

    step: float = 1.0
    told: str = ""

    @property
    def since(self) -> date | None:
        """The day since which all of it stands as it is."""
        return date.fromisoformat(self.told) if self.told else None

    @property
    def share(self) -> float:
        return self.step

    @property
    def is_counted(self) -> bool:
        return self.covered >= MINIMUM

    @property
    def rest(self) -> str:
        """How many are missing, where nothing below five can be worked out from it."""
        return figure(self.short) if self.is_counted and self.short >= MINIMUM else ""

    def change_from(self, before: Share) -> Change:
        """In points: the change in people is mostly of one or two."""
        return Change(round((self.share - before.share) * 100), " points")

    @property
    def spoken(self) -> str:
        if self.low is None or self.high is None:
            return f"about {self.share:.0%} covered"
        return f"about {self.share:.0%} covered, 80% interval {self.low:.0%} to {self.high:.0%}, {self.word.lower()}"


NOTHING = ToldShare(0.0, 0.0)


@dataclass(frozen=True)
class Named:
    """A function or a skill set as it was called when the figures were made."""

    slug: str
    name: str

    def __str__(self):
        return self.name


@dataclass(frozen=True)
class Active:
    """An initiative as it was when the figures were made."""

    pk: int
    title: str
    deadline_on: date
    function: str
    short_of: list[str]

    def __str__(self):
        return self.title


class Figures:
    """Told figures of one day: sums over demands, in whole people and steps of five percent."""

    def __init__(self, told: dict[str, Any]):
        self.total = ToldShare(*told["total"])
        self.functions = {key: ToldShare(*row) for key, row in told["functions"].items()}
        self.cells = {key: ToldShare(*row) for key, row in told["cells"].items()}
        self.initiatives = {int(key): ToldShare(*row) for key, row in told["initiatives"].items()}


class Told:
    """One publication, as pages read it."""

    def __init__(self, publication: Publication):
        self.publication = publication
        self.told_on = publication.told_on

    @cached_property
    def stored(self) -> dict[str, Any]:
        return self.publication.figures

    @cached_property
    def figures(self) -> Figures:
        return Figures(self.stored)

    @cached_property
    def functions(self) -> list[Named]:
        return [Named(*pair) for pair in self.stored["function_names"]]

    @cached_property
    def skill_sets(self) -> list[Named]:
        return [Named(*pair) for pair in self.stored["set_names"]]

    @cached_property
    def initiatives(self) -> list[Active]:
        return [
            Active(row["pk"], row["title"], date.fromisoformat(row["deadline"]), row["function"], row["short_of"])
            for row in self.stored["active"]
        ]

    def fields(self) -> list[tuple[Named, Named, ToldShare]]:
        """The fields that are told: function, skill set and what is covered."""
        pairs = [
            (f, s, self.figures.cells.get(cell_key(f.slug, s.slug))) for f in self.functions for s in self.skill_sets
        ]
        return [(f, s, share) for f, s, share in pairs if share]

    def part(self, key: str):
        """What a field or an initiative says; None where nothing was asked for there."""
        parts = PublishedPart.objects.filter(publication=self.publication, key=key)
        return parts.values_list("body", flat=True).first()

    def rows(self, initiatives) -> list[dict[str, Any]]:
        """Initiatives with their shares; those that were asked for later have none yet."""
        short = {one.pk: one.short_of for one in self.initiatives}
        return [
            {
                "initiative": one,
                "url": dashboard.address("teams:initiative_detail", one.pk),
                "share": self.figures.initiatives.get(one.pk, NOTHING),
                "short_of": short.get(one.pk, []),
            }
            for one in initiatives
        ]

    def deep(self) -> list[dict[str, Any]]:
        """Fields in which something hangs on one person alone."""
        functions = {one.slug: one for one in self.functions}
        sets = {one.slug: one for one in self.skill_sets}
        return [
            {
                "skill": sets[row["skill_set"]],
                "team": functions[row["function"]],
                "initiatives": range(row["initiatives"]),
                "url": dashboard.cell_url(cell_key(row["function"], row["skill_set"])),
            }
            for row in self.stored["deep"]
        ]

    def demands(self, initiative: int) -> dict[int, dict[str, Any]]:
        """Of each demand that is counted its share, and with whom it is counted together since when."""
        found = self.part(f"initiative/{initiative}") or {}
        return {int(pk): shown(row) for pk, row in found.items()}


def current() -> Told | None:
    """What executives read now; None as long as there is nothing to tell."""
    publication = newest()
    return Told(publication) if publication else None


def size(told: Told | None, team) -> str:
    """How many people are in a team, in words; of one that is closed nothing."""
    if team.closed_on:
        return ""
    return or_more(told.stored["sizes"].get(str(team.pk), 0) if told else 0)


def or_more(fives: int) -> str:
    """A number of people as it is told."""
    return f"{fives} or more" if fives else FEWER


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A unit as templates read it."""
    return row | {
        "share": ToldShare(*row["row"]) if row.get("row") else None,
        "near_words": or_more(row.get("near", 0)),
        "unknown_words": or_more(row.get("unknown", 0)),
    }


def quarters(day: date) -> list[tuple[Snapshot, Figures]]:
    """The last quarters that were told executives, the earliest first."""
    rows = Snapshot.objects.filter(quarter_on__lt=day, figures__told__isnull=False).order_by("-quarter_on")
    found = [(one, Figures(one.figures["told"])) for one in rows[:MOST_QUARTERS]]
    return [(one, figures) for one, figures in found if figures.total.needed][::-1]


def overview(told: Told, day: date, *, chosen: str = "") -> dict[str, Any]:
    """Everything of an executive's overview but the open cell."""
    now, earlier = told.figures, quarters(day)
    before = earlier[-1][1] if earlier else None
    chosen = chosen if chosen in now.cells else dashboard.widest(now)
    deep, stale, ready = told.deep(), told.stored["stale"], dashboard.ready_count(now)
    return {
        "now": now,
        "told_on": told.told_on,
        "quarter": quarter_name(day),
        "compared_on": earlier[-1][0].quarter_on if earlier else None,
        "gained": f", {now.total.change_from(before.total).words}" if before else "",
        "initiative_count": len(told.initiatives),
        "ready": ready,
        "ready_gained": dashboard.changed(ready, dashboard.ready_count(before), ", ") if before else "",
        "one_deep_count": len(deep),
        "stale": {"words": or_more(stale["people"])},
        "stale_share": stale["share"],
        "skill_sets": [(one, dashboard.SHORT_NAMES.get(one.slug, one.name)) for one in told.skill_sets],
        "rows": dashboard.heat_rows(told, now, before, chosen),
        "initiatives": told.rows(told.initiatives[: dashboard.MOST_INITIATIVES]),
        "one_deep": deep[: dashboard.MOST_DEEP],
        "functions": dashboard.since(told, now, before),
        "trend": dashboard.trend([(quarter_name(one.quarter_on), f.total) for one, f in earlier], now.total),
        "chosen": chosen,
        "is_merged": told.stored["is_merged"],
        "line_at": READY,
    }


def cell(told: Told, key: str, *, start: int = 0, most: int = dashboard.MOST_DEMANDS) -> dict[str, Any] | None:
    """Some units of one cell, the worst first; None where nobody was asked for."""
    rows = told.part(f"cell/{key}")
    if not rows:
        return None
    function, skill_set = key.split("/")
    names = {one.slug: one.name for one in (*told.functions, *told.skill_sets)}
    return {
        "title": f"{names[function]}, {names[skill_set].lower()}",
        "share": told.figures.cells.get(key),
        "url": dashboard.cell_url(key),
        "told_on": told.told_on,
        "is_deep": any(row["function"] == function and row["skill_set"] == skill_set for row in told.stored["deep"]),
        "units": [shown(row) for row in rows[start : start + most]],
        **dashboard.pages(start, most, len(rows)),
    }
