"""Erasing a person: everything that is known of them goes, in one transaction, and what must stay names nobody."""

from django.apps import apps
from django.db import transaction
from django.db.models import CASCADE

from accounts.closing import blank_entries, close, may_close
from accounts.erasure import Erasure, erasing
from accounts.models import User
from assessments import actions as assessments
from assessments.models import RatingRequest, Response
from candidates.changes import Change
from candidates.erasing_texts import TEXTS, WHOLES
from candidates.import_lookup import runs
from candidates.imports import AwaitedManager, ImportBatch, ImportRow, let_go
from candidates.models import Person
from candidates.traces import Traces, entries
from socialstrategy.lib.blanking import GONE, Blank

WORDS = {
    "candidates.background": ("entry of their background", "entries of their background"),
    "candidates.estimate": ("level", "levels"),
    "candidates.evidence": ("piece of evidence", "pieces of evidence"),
    "candidates.owntext": ("text in a field of your own", "texts in fields of your own"),
    "candidates.storedfit": ("fit that was kept", "fits that were kept"),
    "teams.membership": ("place in a team", "places in teams"),
}
"""One of them, and several, where the model's own name would not tell."""


def what_goes(person: Person) -> list[tuple[int, str]]:
    """(how many, of what) goes with somebody, the most first; what there is none of is left out."""
    traces = Traces.of(person)
    found = []
    for relation in Person._meta.related_objects:
        if relation.on_delete is CASCADE:
            meta = relation.related_model._meta
            count = relation.related_model._base_manager.filter(**{relation.field.name: person}).count()
            found.append((count, *WORDS.get(meta.label_lower, (meta.verbose_name, meta.verbose_name_plural))))
    answers = Response.objects.filter(sitting__subject=person.subject).count()
    asked = RatingRequest.objects.filter(subject=person.subject).count()
    found += [
        (answers, "answer in an assessment", "answers in assessments"),
        (asked, "rating of them, asked for or given", "ratings of them, asked for or given"),
        (traces.links.count(), "link", "links"),
        (traces.mails.count(), "mail", "mails"),
        (len(traces.import_rows), "line of an imported file", "lines of imported files"),
    ]
    return _counted(sorted(found, key=lambda one: -one[0]))


def what_stays(person: Person) -> list[tuple[int, str]]:
    """(how many, of what) stays, and names nobody any more."""
    given = RatingRequest.objects.filter(rater=person.user_id).exclude(submitted_at=None)
    instead = f"about {person.code} instead of a name"
    return _counted(
        [
            (entries(person).count(), f"entry in the audit log, {instead}", f"entries in the audit log, {instead}"),
            (given.count() if person.user_id else 0, "rating that they gave", "ratings that they gave others"),
            (person.reports.count(), "person who reported to them", "people who reported to them"),
        ]
    )


def _counted(found) -> list[tuple[int, str]]:
    return [(count, str(one if count == 1 else several)) for count, one, several in found if count]


@transaction.atomic
def erase(person: Person, *, reason: str, by: User, close_account: bool = False) -> dict[str, int] | None:
    """Erase somebody; returns what went, or None where somebody else has done it meanwhile.

    All of it or nothing: one transaction, listed among the erasures and audited with the key instead of the name.
    """
    locked = Person.objects.select_for_update(of=("self",)).select_related("user").filter(pk=person.pk).first()
    if locked is None:
        return None
    traces = Traces.of(locked)
    user = locked.user
    words = traces.words()
    with erasing(Erasure.Kind.PERSON, reason, by=by, row=person, key=locked.code) as erasure:
        counts = _erase_rows(traces)
        blank_entries(person, locked.code)
        if user and close_account and may_close(user, by=by):
            counts |= assessments.leave_open(user)
            close(user, by=by)
        counts["texts"] = _take_out(words)
        erasure.counts = {name: number for name, number in counts.items() if number}
    return erasure.counts


def _erase_rows(traces: Traces) -> dict[str, int]:
    """What leads to them first, themselves next with all that hangs on them, what they have answered last."""
    subject = traces.person.subject
    for keys in runs(traces.awaited()):
        AwaitedManager.objects.filter(pk__in=keys).delete()
    counts = {
        "links": traces.links.delete()[0],
        "mails": traces.mails.delete()[0],
        "lines of files": _let_go_of_files(traces),
    }
    counts |= {label.lower(): number for label, number in traces.person.delete()[1].items()}
    return counts | assessments.forget(subject)


def _let_go_of_files(traces: Traces) -> int:
    """Files that speak of them are kept no more; of what was taken for a heading and is their line nothing stays."""
    files = list(ImportBatch.objects.filter(pk__in=traces.import_files))
    let_go(files)
    for batch in files:
        if traces.is_first(batch):
            ImportBatch.objects.filter(pk=batch.pk).update(header=[GONE] * len(batch.header))
    return _empty(traces.import_rows)


def _take_out(words: set[str]) -> int:
    """Take words out of every text that stays; returns how many rows held them."""
    blank, wholes = Blank(words), set()
    for label, name in WHOLES.items():
        wholes |= blank.wholes(apps.get_model(label)._base_manager.all(), name)
    # What was a file's name or a link stands in the audit log and in jobs as well.
    blank = Blank(words | wholes)
    changed = sum(blank.rows(apps.get_model(label)._base_manager.all(), fields) for label, fields in TEXTS.items())
    if changed:
        # Titles of teams and roles are kept in memory.
        Change.note()
    return changed + len(wholes)


def _empty(keys: list[int]) -> int:
    """Lines of files lose what stood in them and keep their place; one that was still to be written no longer is."""
    for run in runs(keys):
        lines = ImportRow.objects.filter(pk__in=run)
        lines.update(cells=[], values={}, message="This person has been erased.")
        lines.exclude(batch__state=ImportBatch.State.DONE).update(fate=ImportRow.Fate.ERROR)
    return len(keys)


def is_named_in(person: Person, text: str) -> bool:
    """Whether a text holds their address, or any part of their name that is long enough to be one."""
    traces = Traces.of(person)
    parts = {part for name in traces.names for part in name.split() if len(part) > 2}
    return Blank(traces.addresses | traces.forms | parts)(text) != text
