"""Clearing the demo organisation: what it has made goes, what somebody has added to it stays.

The demo is known by its addresses, and its roles, teams and initiatives by their titles where an account of the demo
has made them. Figures and quarters go as a whole, since they are counted from its people.
"""

from collections import Counter

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model, Q, QuerySet

from accounts.closing import CLOSED_DOMAIN, close
from accounts.erasure import Erasure, erasing
from accounts.models import AuditEntry, Link, User
from accounts.views import DEMO_DOMAIN
from assessments import actions as assessments
from assessments.models import RatingRequest, Sitting
from candidates.models import Change, Evidence, ImportBatch, Invitation, Person, StoredFit
from roles.models import Role, RoleTemplate, RoleVersion
from socialstrategy.jobs.models import Job
from socialstrategy.mail import NOTICE
from socialstrategy.mail.models import Mail, about
from teams import demo
from teams.demo_initiatives import INITIATIVES, TEAMS
from teams.models import Demand, Initiative, Membership, Snapshot, Team
from teams.told import MarkKey, Publication, Telling

ADDRESSES = f"@{DEMO_DOMAIN}"
CHUNK = 500
"""Keys in one statement; SQLite takes only so many."""
REASON = "The demo organisation is cleared"


def accounts() -> QuerySet[User]:
    """The demo's, and what visitors have added to it under its addresses."""
    return User.objects.filter(email__iendswith=ADDRESSES)


def people() -> QuerySet[Person]:
    return Person.objects.filter(Q(email__iendswith=ADDRESSES) | Q(user__in=accounts()))


def roles() -> QuerySet[Role]:
    """Of a title that the demo takes from the templates, with no version by anybody else."""
    titles = RoleTemplate.objects.filter(slug__in=demo.ROLES).values("title")
    by_others = RoleVersion.objects.exclude(by__in=accounts())
    return Role.objects.filter(title__in=titles).exclude(pk__in=by_others.values("role"))


def teams() -> QuerySet[Team]:
    named = Q()
    for function, names in TEAMS.items():
        named |= Q(function__slug=function, name__in=names)
    return Team.objects.filter(named, pk__in=_made("team.created"))


def initiatives() -> QuerySet[Initiative]:
    titles = [title for title, *_ in INITIATIVES.values()]
    return Initiative.objects.filter(title__in=titles, pk__in=_made("initiative.created"))


def _made(action: str) -> list[int]:
    """Keys of what accounts of the demo have made."""
    targets = AuditEntry.objects.filter(action=action, by__in=accounts()).values_list("target", flat=True)
    return [int(target) for target in targets]


def others() -> list[str]:
    """How much of what is here and not the demo's, in words; what there is none of is left out."""
    found = {
        ("account", "accounts"): User.objects.exclude(email__iendswith=CLOSED_DOMAIN).exclude(pk__in=accounts()),
        ("person", "people"): Person.objects.exclude(pk__in=people()),
        ("role", "roles"): Role.objects.exclude(pk__in=roles()),
        ("team", "teams"): Team.objects.exclude(pk__in=teams()),
        ("initiative", "initiatives"): Initiative.objects.exclude(pk__in=initiatives()),
    }
    counts = {words: rows.count() for words, rows in found.items()}
    return [f"{count} {one if count == 1 else several}" for (one, several), count in counts.items() if count]


def is_here() -> bool:
    return accounts().exists() or people().exists()


@transaction.atomic
def clear() -> dict[str, int] | None:
    """Take the demo out, all of it or nothing; returns what went, or None where there is none.

    An account of the demo stays, closed and without a name, only where something that stays was done by it.
    """
    users = list(accounts().select_for_update())
    if not is_here():
        return None
    with erasing(Erasure.Kind.DEMO, REASON) as erasure:
        known = _Clearing(users)
        known.work()
        known.organisation()
        known.figures()
        known.trail()
        known.accounts()
        erasure.counts = dict(sorted((label, number) for label, number in known.gone.items() if number))
    Change.note()
    return erasure.counts


class _Clearing:
    """One clearing. Whose and which is asked first, since nothing tells it once rows have gone."""

    def __init__(self, users: list[User]):
        self.users = users
        self.keys = [user.pk for user in users]
        self.gone: Counter[str] = Counter()
        self.without_row = _without_row()
        self.people = list(people().values_list("pk", flat=True))
        self.subjects = list(people().values_list("subject", flat=True))
        self.roles = list(roles().values_list("pk", flat=True))
        self.teams = list(teams().values_list("pk", flat=True))
        self.initiatives = list(initiatives().values_list("pk", flat=True))
        self.invitations = list(Invitation.objects.filter(person__in=people()).values_list("pk", flat=True))

    def take(self, model: type[Model], keys: list, field: str = "pk", **more) -> None:
        """Delete these rows of a model, with all that hangs on them."""
        for start in range(0, len(keys), CHUNK):
            rows = model._base_manager.filter(**{f"{field}__in": keys[start : start + CHUNK]}, **more)
            self.gone.update({label.lower(): number for label, number in rows.delete()[1].items()})

    def work(self) -> None:
        """What is under way: links, mails, jobs, imported files, sessions."""
        self.take(Link, [*map(str, self.invitations)], "target", purpose=Link.Purpose.ASSESSMENT)
        self.take(Link, [*map(str, self.people)], "target", purpose=Link.Purpose.REPORT)
        self.take(Link, [*map(str, self.keys)], "target", purpose=Link.Purpose.ADDRESS)
        mails = self._mails()
        self.take(Mail, mails)
        self.take(Job, [str(key) for key in mails], "arguments__mail_id", kind="mail.send")
        self.take(Job, self.keys, "by")
        self.take(ImportBatch, self.keys, "by")
        signed_in = set(map(str, self.keys))
        sessions = Session.objects.iterator()
        self.take(Session, [one.pk for one in sessions if one.get_decoded().get(SESSION_KEY) in signed_in])

    def _mails(self) -> list:
        """To an address of the demo, or about somebody of it."""
        found = set(Mail.objects.filter(to__iendswith=ADDRESSES).values_list("pk", flat=True))
        kinds: dict[str, list] = {"invitation": self.invitations, "report": self.people}
        kinds |= dict.fromkeys(("account", "address", NOTICE), self.keys)
        matters = [about(kind, key) for kind, keys in kinds.items() for key in keys]
        for start in range(0, len(matters), CHUNK):
            few = Mail.objects.filter(about__in=matters[start : start + CHUNK])
            found |= set(few.values_list("pk", flat=True))
        return list(found)

    def organisation(self) -> None:
        """Initiatives, people with all that is known of them, then the teams and roles that nobody else is in."""
        self.take(Initiative, self.initiatives)
        self.take(Person, self.people)
        for model in (Sitting, RatingRequest):
            self.take(model, self.subjects, "subject")
        for user in self.users:
            left_open = assessments.leave_open(user).values()
            self.gone["assessments.ratingrequest"] += sum(left_open)
        needed = {*Membership.objects.values_list("team", flat=True), *Demand.objects.values_list("team", flat=True)}
        self.take(Team, [key for key in self.teams if key not in needed])
        used: set[int] = set()
        in_use: tuple[type[Model], ...] = (Sitting, RatingRequest, Invitation, StoredFit)
        for used_by in in_use:
            used |= set(used_by._base_manager.values_list("role_version__role", flat=True).distinct())
        self.take(Role, [key for key in self.roles if key not in used])

    def figures(self) -> None:
        """Quarters and published figures, which are counted from the demo's people."""
        for model in (Snapshot, Publication, Telling, MarkKey):
            self.take(model, list(model._base_manager.values_list("pk", flat=True)))
        self.take(Job, ["roles.count"], "kind", by=None)

    def trail(self) -> None:
        """What the audit says of rows that have gone, now or through an account of the demo before."""
        self.take(LogEntry, self.keys, "user")
        now = _without_row(self.keys)
        by_the_demo = set(AuditEntry.objects.filter(by__in=self.keys).values_list("pk", flat=True))
        self.take(AuditEntry, sorted((now - self.without_row) | (now & by_the_demo)))

    def accounts(self) -> None:
        kept: set[int] = set()
        for model, field in ((AuditEntry, "by"), (Erasure, "by"), (Evidence, "made_by"), (RatingRequest, "rater")):
            kept |= set(model._base_manager.filter(**{f"{field}__in": self.keys}).values_list(field, flat=True))
        self.take(User, [key for key in self.keys if key not in kept])
        for user in self.users:
            if user.pk in kept:
                close(user, by=None)
                self.gone["accounts closed"] += 1


def _without_row(leaving: list[int] | None = None) -> set[int]:
    """Keys of audit entries about rows that are not there; accounts that are ``leaving`` count as gone."""
    found: set[int] = set()
    for label in AuditEntry.objects.order_by().values_list("label", flat=True).distinct():
        model = apps.get_model(label)
        there = {str(key) for key in model._base_manager.values_list("pk", flat=True)}
        if model is User:
            there -= set(map(str, leaving or []))
        entries = AuditEntry.objects.filter(label=label).values_list("pk", "target")
        found |= {key for key, target in entries if target not in there}
    return found
