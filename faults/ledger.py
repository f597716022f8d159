"""What people were told is done, and whether it is there, once.

Each answer, rating and person bears a mark of its own, so that it can be looked for by itself.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from faults.mailbox import Mailbox

MARK = "mark-"


@dataclass
class Found:
    """What a comparison gives; each line says what is missing or double."""

    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)

    def look(self, what: str, wanted, counts: Counter) -> None:
        """Each of ``wanted`` once; nothing at all more than once."""
        self.lost |= {f"{what} {one}" for one in wanted if not counts[one]}
        self.doubled |= {f"{what} {one}: {n} times" for one, n in counts.items() if n > 1}


class Ledger:
    """Filled by people at work, each line when the page said so."""

    def __init__(self, mailbox: Mailbox):
        self.mailbox = mailbox
        self.lock = threading.Lock()
        self.numbers = 0
        self.answers: dict[str, int] = {}
        self.ratings: dict[str, int] = {}
        self.handed_in: dict[str, list[str]] = {}
        self.rated: dict[str, list[str]] = {}
        self.people: set[str] = set()
        self.invited: dict[str, float] = {}
        self.imports: dict[str, list[str]] = {}
        self.went: dict[str, float] = defaultdict(float)
        self.refused: list[str] = []

    def number(self) -> int:
        with self.lock:
            self.numbers += 1
            return self.numbers

    def mark(self) -> str:
        return f"{MARK}{self.number()}"

    def success(self, kind: str, begun: float) -> None:
        """A request or job of this kind, begun at ``begun``, went through."""
        with self.lock:
            self.went[kind] = max(self.went[kind], begun)

    def refuse(self, sentence: str) -> None:
        with self.lock:
            self.refused.append(sentence)

    @property
    def size(self) -> int:
        """Acknowledged writes."""
        with self.lock:
            single = (self.answers, self.ratings, self.handed_in, self.rated, self.people, self.invited)
            return sum(map(len, single)) + sum(map(len, self.imports.values()))

    def without_mail(self, since: float) -> list[str]:
        """Who was invited before ``since`` and has got no mail."""
        with self.lock:
            invited = [email for email, at in self.invited.items() if at <= since]
        return [email for email in invited if not self.mailbox.messages(email)]

    def compare(self) -> Found:
        """The ledger beside the database. What is being written meanwhile is not in the copy of the ledger."""
        with self.lock:
            answers, ratings = dict(self.answers), dict(self.ratings)
            handed_in, rated = dict(self.handed_in), dict(self.rated)
            people, invited, imports = set(self.people), set(self.invited), dict(self.imports)
        found = Found()
        self._answers(found, answers, handed_in)
        self._ratings(found, ratings, rated)
        self._people(found, people, invited, imports)
        self._jobs(found)
        for email in invited:
            by_subject: dict[str, set[str]] = defaultdict(set)
            for one in self.mailbox.messages(email):
                by_subject[one["Subject"]].add(one["Message-ID"])
            found.doubled |= {f"mail {s!r} to {email}" for s, ids in by_subject.items() if len(ids) > 1}
        return found

    @staticmethod
    def _marked(found: Found, what: str, model, wanted: dict[str, int], level: str) -> None:
        rows = list(model.objects.filter(note__startswith=MARK).values_list("note", level))
        found.look(what, wanted, Counter(note for note, _ in rows))
        stored = dict(rows)
        found.lost |= {
            f"{what} {mark}: {stored[mark]} instead of {value}"
            for mark, value in wanted.items()
            if mark in stored and stored[mark] != value
        }

    def _answers(self, found: Found, answers, handed_in) -> None:
        from assessments.models import Response
        from candidates.models import Evidence, Invitation

        self._marked(found, "answer", Response, answers, "level")
        submitted = Invitation.objects.exclude(submitted_at=None).values_list("person__email", flat=True)
        found.look("assessment handed in by", handed_in, Counter(submitted))
        evidence = Counter(Evidence.objects.filter(note__startswith=MARK).values_list("note", flat=True))
        found.look("evidence of", [mark for marks in handed_in.values() for mark in marks], evidence)
        found.look("audit entry of", (), _audited("assessment.submitted"))

    def _ratings(self, found: Found, ratings, rated) -> None:
        from assessments.models import Rating
        from candidates.models import Evidence

        self._marked(found, "rating", Rating, ratings, "level")
        evidence = Counter(Evidence.objects.filter(note__startswith=MARK).values_list("note", flat=True))
        found.look("evidence of rating", [mark for marks in rated.values() for mark in marks], evidence)
        audited = _audited("rating.submitted")
        found.look("audit entry of rating", rated, audited)

    def _people(self, found: Found, people, invited, imports) -> None:
        from candidates.imports import ImportBatch
        from candidates.models import Invitation, Person

        there = Counter(Person.objects.values_list("email", flat=True))
        done = set(map(str, ImportBatch.objects.filter(state="done").values_list("pk", flat=True)))
        found.look("person", people, there)
        imported = [email for batch, emails in imports.items() if batch in done for email in emails]
        found.look("imported person", imported, there)
        invitations = Counter(Invitation.objects.values_list("person__email", flat=True))
        found.look("invitation of", invited, invitations)
        by_hand = dict(Person.objects.filter(email__in=people).values_list("email", "pk"))
        created = _audited("person.created")
        found.look("audit entry of person", [str(pk) for pk in by_hand.values()], created)
        found.look("audit entry of invitation", (), _audited("invitation.sent"))
        found.look("audit entry of import", [batch for batch in imports if batch in done], _audited("people.imported"))

    @staticmethod
    def _jobs(found: Found) -> None:
        """Nothing is given up, and each part counts once."""
        from django.db.models import F

        from socialstrategy.jobs.models import Job
        from socialstrategy.mail.models import Mail

        given_up = Job.objects.filter(state=Job.State.FAILED)
        found.lost |= {f"job {one.kind} {one.pk}: {one.message}" for one in given_up}
        found.lost |= {f"mail to {one.to}: {one.error}" for one in Mail.objects.filter(state=Mail.State.FAILED)}
        spread = Job.objects.filter(state=Job.State.DONE, parts__isnull=False).exclude(done=F("total")).distinct()
        found.doubled |= {f"job {one.kind} {one.pk}: {one.done} of {one.total}" for one in spread}

    def jobs_left(self, since) -> list[str]:
        """Jobs begun before ``since`` that are not done, imports and mails among them."""
        from candidates.imports import ImportBatch
        from socialstrategy.jobs.models import Job
        from socialstrategy.mail.models import Mail

        jobs = Job.objects.active().filter(created_at__lte=since)
        with self.lock:
            imports = list(self.imports)
        batches = ImportBatch.objects.filter(pk__in=imports, created_at__lte=since).exclude(state="done")
        mails = Mail.objects.filter(created_at__lte=since, state=Mail.State.QUEUED)
        left = [f"{one.kind} {one.state} {one.message}".strip() for one in jobs]
        return left + [f"import {one}" for one in batches] + [f"mail to {one.to}: {one.error}" for one in mails]


def _audited(action: str) -> Counter:
    from accounts.models import AuditEntry

    return Counter(AuditEntry.objects.filter(action=action).values_list("target", flat=True))


def asked_again(question, seconds: float = 60):
    """What ``question`` gives, asked again while the database is away."""
    from django.db import DatabaseError, connection

    deadline = time.monotonic() + seconds
    while True:
        try:
            return question()
        except DatabaseError:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
