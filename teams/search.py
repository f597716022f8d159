"""Find anything: people, roles, initiatives, teams and skills within the caller's reach."""

from dataclasses import dataclass

from django.urls import reverse

from candidates.models import Person
from roles.models import Role, Skill
from socialstrategy.lib.searching import matching
from teams.models import Initiative, Team

MOST = 8
"""Hits shown of each kind; the lists behind them show all."""


@dataclass(frozen=True)
class Hit:
    """One thing found: what it is called, what it is, and where it stands."""

    title: str
    note: str
    url: str


def find(user, words: str) -> list[tuple[str, list[Hit]]]:
    """[(kind, hits), …] whose title holds every word, kinds without a hit left out. Nothing for an empty query."""
    if not words:
        return []
    groups = [
        ("People", people(user, words)),
        ("Roles", roles(user, words)),
        ("Initiatives", initiatives(user, words)),
        ("Teams", teams(user, words)),
        ("Skills", skills(words)),
    ]
    return [(kind, hits) for kind, hits in groups if hits]


def people(user, words: str) -> list[Hit]:
    """HR finds everybody who is not archived, others those whose levels they may read."""
    found = Person.objects.reportable_to(user).current().select_related("function").search(words)
    return [Hit(p.name, p.where, reverse("candidates:person_detail", args=[p.pk])) for p in found[:MOST]]


def roles(user, words: str) -> list[Hit]:
    found = matching(Role.objects.visible_to(user).current().select_related("function"), words, "title")
    return [Hit(r.title, r.function.name, reverse("roles:role_detail", args=[r.pk])) for r in found[:MOST]]


def initiatives(user, words: str) -> list[Hit]:
    found = matching(Initiative.objects.visible_to(user).select_related("function"), words, "title")
    return [Hit(i.title, i.state_word, reverse("teams:initiative_detail", args=[i.pk])) for i in found[:MOST]]


def teams(user, words: str) -> list[Hit]:
    found = matching(Team.objects.visible_to(user).current().select_related("function"), words, "name")
    return [Hit(t.name, t.function.name, reverse("teams:team_detail", args=[t.pk])) for t in found[:MOST]]


def skills(words: str) -> list[Hit]:
    found = matching(Skill.objects.current().select_related("skill_set"), words, "name")
    return [Hit(s.name, s.skill_set.name, reverse("roles:skill_detail", args=[s.slug])) for s in found[:MOST]]
