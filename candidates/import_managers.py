"""Managers in a file of people: whom an address, a number or a name means, rows that wait for one another, circles."""

from collections import defaultdict
from typing import TYPE_CHECKING

from candidates.import_fields import EMPTIES
from candidates.import_lookup import Known, lines_up, names_of
from candidates.reporting_lines import circle_words
from socialstrategy.lib.addresses import shown
from socialstrategy.lib.searching import folded

if TYPE_CHECKING:
    from candidates.import_judging import Entry, Judging

MOST_ROUNDS = 20
"""Refusing a circle's rows leaves older lines in force, which may close another one."""


class Lines:
    """Sets every entry's ``manager``: {"pk": somebody on the list or None} or {"line": a row} or {"wanted": a text}."""

    def __init__(self, judging: "Judging"):
        self.entries, self.people, self.key = judging.entries, judging.people, judging.key
        self.bring_back = judging.rules.bring_back
        self.by_email = {entry.email: entry for entry in reversed(self.entries) if entry.email}
        self.by_number: dict[str, Entry] = {}
        if self.key:
            self.by_number = {entry.values[self.key]: entry for entry in reversed(self.entries)}
        self.by_name: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            self.by_name[folded(entry.name) or ""].append(entry)

    def decide(self) -> None:
        meant = {}
        for entry in self.entries:
            said = entry.values.get("manager", "")
            if entry.problem or not said:
                continue
            if said == EMPTIES:
                entry.manager = {"pk": None, "name": ""}
                continue
            target, entry.problem = self._find(said)
            if target is entry or (target and target is entry.person):
                entry.problem = "Somebody can't be their own manager."
            elif target:
                meant[entry.number] = target
        for _ in range(MOST_ROUNDS):
            if not self._refuse_circles(meant):
                break
        self.coming_back = {one.person.pk for one in self.entries if one.person and not one.problem and self.bring_back}
        for entry in self.entries:
            if not entry.problem and entry.number in meant:
                self._point(entry, meant[entry.number])

    def _find(self, said: str) -> "tuple[Entry | Known | None, str]":
        """Whom a cell means, a row or somebody on the list, or why nobody."""
        if "@" in said:
            target = self.people.by_email.get(said) or self.by_email.get(said)
            return target, "" if target else f"No person has the manager's e-mail {shown(said)}."
        if self.key:
            holders = self.people.by_key.get(said, [])
            if len(holders) == 1:
                return holders[0], ""
            if said in self.by_number:
                return self.by_number[said], ""
        return self._find_by_name(said)

    def _find_by_name(self, said: str) -> "tuple[Entry | Known | None, str]":
        found: dict[tuple[str, int], Entry | Known] = {}
        for name in names_of(said):
            for entry in self.by_name.get(name, ()):
                mark = ("pk", entry.person.pk) if entry.person else ("line", entry.number)
                found[mark] = entry.person or entry
            for person in self.people.by_name.get(name, ()):
                found["pk", person.pk] = person
        # Of two with the same name, the one who is still there is meant.
        present = {mark: one for mark, one in found.items() if not (isinstance(one, Known) and one.is_archived)}
        found = present or found
        if not found:
            return None, f"No person is called {said}, whom this row names as manager."
        if len(found) > 1:
            return None, f"{len(found)} people are called {said}. Give the manager's e-mail."
        return next(iter(found.values())), ""

    def _node(self, one: "Entry | Known") -> int:
        """People on the list by their key, new ones by their line, below zero."""
        if isinstance(one, Known):
            return one.pk
        return one.person.pk if one.person else -one.number

    def _refuse_circles(self, meant: dict) -> bool:
        """Whether rows were refused because they would close a circle."""
        going = {self._node(entry): entry for entry in self.entries if not entry.problem and entry.number in meant}
        above = lines_up(pk for pk in {*going, *map(self._node, meant.values())} if pk > 0)
        above |= {node: self._node(meant[entry.number]) for node, entry in going.items()}
        names = {self._node(entry): entry.name for entry in self.entries}
        names |= {pk: person.name for pk, person in self.people.by_pk.items() if pk not in names}
        refused = False
        for circle in circles(above):
            for at, node in enumerate(circle):
                if node in going:
                    way = [*circle[at + 1 :], *circle[: at + 1]]
                    going[node].problem = circle_words([names.get(one, "somebody") for one in way])
                    refused = True
        return refused

    def _point(self, entry: "Entry", target: "Entry | Known") -> None:
        person = target if isinstance(target, Known) else target.person
        if person and person.is_archived and person.pk not in self.coming_back:
            self._await(entry, f"{person.name} is archived")
        elif person:
            entry.manager = {"pk": person.pk, "name": person.name}
        elif not isinstance(target, Known):
            self._point_to_line(entry, target)

    def _point_to_line(self, entry: "Entry", target: "Entry") -> None:
        if target.problem:
            self._await(entry, f"their row (line {target.number}) is not taken")
        else:
            entry.manager = {"line": target.number, "name": target.name}

    def _await(self, entry: "Entry", why: str) -> None:
        said = entry.values["manager"]
        entry.manager = {"wanted": said, "name": f"{shown(said)}, once they are on the list"}
        entry.notes.append(f"The manager is not set yet: {why}. It is set as soon as they are on the list.")


def circles(above: dict[int, int | None]) -> list[list[int]]:
    """Every circle of those who are ``above`` one another, each once, in time proportional to how many there are."""
    found: list[list[int]] = []
    seen: dict[int, int] = {}
    for walk, start in enumerate(above):
        way: list[int] = []
        node: int | None = start
        while node is not None and node not in seen:
            seen[node] = walk
            way.append(node)
            node = above.get(node)
        if node is not None and seen[node] == walk:
            found.append(way[way.index(node) :])
    return found
