"""What is kept how long, and why: the page shows this list, and a job by night carries it out.

Nothing goes that is still needed: mails on their way, links of open invitations, jobs that run, files being read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Exists, F, OuterRef, QuerySet, TextField, Value
from django.db.models.functions import Cast, Coalesce, Replace
from django.utils import timezone

from accounts.models import AuditEntry, Link
from candidates.changes import KEEP, Change
from candidates.imports import AwaitedManager, ImportBatch
from candidates.models import Invitation
from roles.models import OccupationFile
from socialstrategy.jobs.models import Job
from socialstrategy.mail.models import Mail


@dataclass(frozen=True)
class Age:
    """One kind of thing: how long it is kept (``after`` which it goes, ``since`` when), and why.

    ``old`` gives the rows that go, those whose time ended before a moment; without it they are kept as long as ``kept``
    says. ``tables`` are the models that the line speaks of.
    """

    what: str
    why: str
    tables: tuple[str, ...]
    since: str = ""
    after: timedelta = timedelta(0)
    kept: str = ""
    old: Callable[[datetime], QuerySet] | None = None
    is_only_added_to: bool = False

    @property
    def words(self) -> str:
        """How long, as one reads it."""
        if self.kept:
            return self.kept
        years, days = divmod(self.after.days, 365)
        number, unit = (years, "year") if years and not days else (self.after.days, "day")
        return f"{number} {unit}{'' if number == 1 else 's'} after {self.since}"


def _sessions(before):
    return Session.objects.filter(expire_date__lt=before)


def _mails(before):
    """Not what still waits, nor what an open invitation shows beside itself."""
    shown = Invitation.objects.open_at(timezone.now()).filter(mail=OuterRef("pk"))
    ended = Mail.objects.filter(created_at__lt=before).exclude(state=Mail.State.QUEUED)
    return ended.exclude(Exists(shown))


def _links(before):
    """Not those of open invitations: an old mail still leads to a fresh link."""
    ended = Link.objects.annotate(over_at=Coalesce("used_at", "ended_at", F("expires_at")))
    ended = ended.filter(over_at__lt=before, expires_at__lt=timezone.now())
    open_now = Invitation.objects.open_at(timezone.now()).annotate(key=_without_dashes(Cast("pk", TextField())))
    ended = ended.annotate(key=_without_dashes("target"))
    return ended.exclude(purpose=Link.Purpose.ASSESSMENT, key__in=open_now.values("key"))


def _without_dashes(key):
    """SQLite keeps an invitation's key without them."""
    return Replace(key, Value("-"), Value(""), output_field=TextField())


def _jobs(state):
    def ended(before):
        running = Job.objects.active().filter(parent=OuterRef("pk"))
        return Job.objects.filter(state=state, parent=None, finished_at__lt=before).exclude(Exists(running))

    return ended


def _imports(before):
    return ImportBatch.objects.filter(state=ImportBatch.State.DONE, created_at__lt=before)


def _idle(before):
    """Files that nobody has gone on with, and no job is reading or writing."""
    busy = Job.objects.active().filter(pk=OuterRef("job_id"))
    left = ImportBatch.objects.filter(created_at__lt=before).exclude(state=ImportBatch.State.DONE)
    return left.exclude(Exists(busy))


def _changes(before):
    newest = Change.objects.order_by("-pk").values_list("pk", flat=True).first()
    return Change.objects.filter(made_at__lt=before).exclude(pk=newest)


PERSON = "As long as the person: until HR erases them"
ALWAYS = "Always"

AGES = (
    Age(
        "People, their background, goals and fields of your own",
        "They are what the organisation works with. Whoever is archived can come back.",
        (
            "candidates.person",
            "candidates.background",
            "candidates.goal",
            "candidates.ownfield",
            "candidates.owntext",
            "teams.membership",
        ),
        kept=PERSON,
    ),
    Age(
        "Evidence, levels, and fits that somebody has kept",
        "Evidence grows less certain with age by itself, and explains how each level came about.",
        (
            "candidates.evidence",
            "candidates.estimate",
            "candidates.storedfit",
            "candidates.shownrating",
            "candidates.shownratings",
        ),
        kept=PERSON,
    ),
    Age(
        "Invitations, answers and ratings",
        "A level can be contested, and then one has to see what was asked and answered.",
        (
            "candidates.invitation",
            "assessments.sitting",
            "assessments.response",
            "assessments.ratingrequest",
            "assessments.rating",
        ),
        kept=PERSON,
    ),
    Age(
        "Accounts",
        "What somebody has done is told with their name. A closed account keeps its number only.",
        ("accounts.user", "account.emailaddress", "account.emailconfirmation"),
        kept="Until they are closed for good, with the person they belong to",
    ),
    Age(
        "Sessions of whoever is signed in or answers an assessment",
        "They are of no use afterwards.",
        ("sessions.session",),
        kept="Until they run out",
        old=_sessions,
    ),
    Age(
        "Mails: to whom, about what, and whether they arrived",
        "So that one can tell whether somebody was written to. Their text goes once they are sent.",
        ("mail.mail",),
        since="they were written, unless they still wait or belong to an open invitation",
        after=timedelta(days=90),
        old=_mails,
    ),
    Age(
        "Links in mails: that they were sent, and when they ended",
        "Until then an old mail still says why its link no longer opens. The link itself is never stored.",
        ("accounts.link",),
        since="they were used, replaced or ran out, unless their invitation is open",
        after=timedelta(days=365),
        old=_links,
    ),
    Age(
        "Work in the background that is done",
        "Its page says what it did.",
        ("jobs.job",),
        since="it was done",
        after=timedelta(days=30),
        old=_jobs(Job.State.DONE),
    ),
    Age(
        "Work in the background that failed",
        "Somebody has to find out why.",
        ("jobs.job",),
        since="it failed",
        after=timedelta(days=90),
        old=_jobs(Job.State.FAILED),
    ),
    Age(
        "Imported files and what became of each line",
        "Rows that were not taken can be corrected and sent again. The audit log keeps the counts.",
        ("candidates.importbatch", "candidates.importrow", "candidates.importfile"),
        since="they were uploaded",
        after=timedelta(days=90),
        old=_imports,
    ),
    Age(
        "Managers whom a file has named and who are not on the list yet",
        "They are set as soon as somebody enters them or brings them back.",
        ("candidates.awaitedmanager",),
        since="a file has named them last",
        after=timedelta(days=365),
        old=lambda before: AwaitedManager.objects.filter(since__lt=before),
    ),
    Age(
        "Files that were uploaded and never imported",
        "Nobody has gone on with them.",
        ("candidates.importbatch", "candidates.importrow"),
        since="they were uploaded",
        after=timedelta(days=7),
        old=_idle,
    ),
    Age(
        "Catalogue files that were uploaded and never read",
        "They are read at once, or never.",
        ("roles.occupationfile",),
        since="they were uploaded",
        after=timedelta(days=7),
        old=lambda before: OccupationFile.objects.filter(created_at__lt=before),
    ),
    Age(
        "Notes of which person has changed, by number",
        "Pages that keep rankings in memory follow them.",
        ("candidates.change",),
        since="the change",
        after=KEEP,
        old=_changes,
    ),
    Age(
        "The audit log",
        "Decisions about people can be contested for years, and who did what must stay clear.",
        ("accounts.auditentry",),
        since="the entry",
        after=timedelta(days=3650),
        old=lambda before: AuditEntry.objects.filter(at__lt=before),
        is_only_added_to=True,
    ),
    Age(
        "What was changed in Django’s admin before it only showed",
        "As the audit log.",
        ("admin.logentry",),
        since="the change",
        after=timedelta(days=3650),
        old=lambda before: LogEntry.objects.filter(action_time__lt=before),
    ),
    Age(
        "That somebody was erased: when, why and by whom, without a name",
        "So that what a backup brings back can be erased again.",
        ("accounts.erasure",),
        kept=ALWAYS,
    ),
    Age(
        "Counts of quarters, what executives read each week, and how many are likely for each role",
        "They name nobody.",
        (
            "teams.snapshot",
            "teams.publication",
            "teams.publishedpart",
            "teams.telling",
            "teams.markkey",
            "candidates.rolestanding",
        ),
        kept=ALWAYS,
    ),
    Age(
        "Skills, roles, occupations, teams, initiatives, and what evidence is worth",
        "They are about work, not about people.",
        (
            "roles.anchor",
            "roles.enterprisefunction",
            "roles.occupation",
            "roles.occupationelement",
            "roles.requirement",
            "roles.role",
            "roles.roletemplate",
            "roles.roleversion",
            "roles.skill",
            "roles.skillset",
            "roles.templaterequirement",
            "teams.team",
            "teams.initiative",
            "teams.demand",
            "candidates.parameters",
            "auth.group",
            "auth.permission",
            "contenttypes.contenttype",
            "operations.sign",
        ),
        kept="Until HR removes them",
    ),
)
