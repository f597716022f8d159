"""Taking in what O*NET and ESCO say of occupations. What a file does not speak of stays as it is."""

import io
from collections.abc import Callable
from pathlib import PurePath
from typing import BinaryIO

from django.db import transaction

from accounts.models import record
from roles import occupation_files
from roles.models import Occupation, OccupationElement, OccupationFile
from roles.occupation_files import Said
from socialstrategy import jobs
from socialstrategy.lib.text import clean

BATCH = 200
AT_ONCE_BYTES = 2 * 2**20
"""Files of this size altogether are taken in within the request, larger ones as a job with progress."""


def take_in(files: list[tuple[str, BinaryIO]], source: str = "", *, by=None) -> int:
    """Read (name, file) pairs and store all or none; returns how many occupations they speak of.

    Raises
    ------
    OccupationFileError : one of the files cannot be read; names it where there are several.
    """
    said = [(name, _read(name, file, len(files) > 1)) for name, file in files]
    with transaction.atomic():
        return _store(said, source, by=by)


def _read(name: str, file: BinaryIO, is_one_of_many: bool) -> Said:
    try:
        return occupation_files.read(file)
    except occupation_files.OccupationFileError as error:
        raise occupation_files.OccupationFileError(f"{name}: {error}" if is_one_of_many else str(error)) from error


def import_file(data: bytes, source: str = "", *, by=None) -> int:
    """Take in one file that is held in memory."""
    return take_in([("file", io.BytesIO(data))], source, by=by)


@transaction.atomic
def send_to_worker(files: list[tuple[str, BinaryIO]], source: str, *, by):
    """Leave large files for a worker; returns the job."""
    keys = [
        OccupationFile.objects.create(name=clean(PurePath(name).name)[:120], source=source, data=file.read()).pk
        for name, file in files
    ]
    return jobs.enqueue("occupations.read", by=by, total=100, result_url="/roles/occupations/", files=keys)


@jobs.handles("occupations.read")
def read_job(job) -> None:
    """A file that cannot be read is let go of as well; the job's page says why."""
    files = list(OccupationFile.objects.filter(pk__in=job.arguments["files"]))
    if not files:
        return
    jobs.progress(job, 0, message="Reading")
    try:
        pairs = [(file.name, io.BytesIO(file.data)) for file in files]
        said = [(name, _read(name, data, len(pairs) > 1)) for name, data in pairs]
    except occupation_files.OccupationFileError:
        OccupationFile.objects.filter(pk__in=job.arguments["files"]).delete()
        raise
    # Part by part, so that nobody else waits; after a lost worker the next one writes the same once more.
    _store(said, files[0].source, by=job.by, tell=lambda share: jobs.progress(job, int(99 * share)))
    OccupationFile.objects.filter(pk__in=job.arguments["files"]).delete()


def _store(said: list[tuple[str, Said]], source: str, *, by, tell: Callable[[float], None] = lambda share: None) -> int:
    total = sum(len(one.occupations) for _, one in said) or 1
    done, seen = 0, set()
    for name, one in said:
        named = (source or Occupation.Scheme(one.scheme).label)[:120]
        _name_elements(one.names)
        keys = list(one.occupations)
        for start in range(0, len(keys), BATCH):
            part = keys[start : start + BATCH]
            _merge(one.scheme, {key: one.occupations[key] for key in part}, named)
            done += len(part)
            tell(done / total)
        seen.update(keys)
        what = f"{len(keys)} occupations and {len(one.names)} names of elements, from {named}"
        row = Occupation.objects.filter(identifier__in=keys[:1]).first() or OccupationElement.objects.first()
        record("occupations.imported", row, f"{name}: {what}"[:200], by=by, count=len(keys))
    return len(seen)


def _name_elements(names: dict[str, str]) -> None:
    rows = [OccupationElement(key=key, name=name) for key, name in names.items()]
    OccupationElement.objects.bulk_create(
        rows, batch_size=BATCH, update_conflicts=True, unique_fields=["key"], update_fields=["name"]
    )


@transaction.atomic
def _merge(scheme: str, spoken_of: dict[str, dict], source: str) -> None:
    """Write what is said of some occupations into what is known of them."""
    fields = ["code", "title", "source", "ratings", "rating_count"]
    rows = Occupation.objects.select_for_update().filter(scheme=scheme, identifier__in=spoken_of)
    known = {row.identifier: row for row in rows}
    for key, one in spoken_of.items():
        row = known.setdefault(key, Occupation(scheme=scheme, identifier=key))
        row.code = one.get("code") or row.code
        row.title = one.get("title") or row.title
        row.source = source if one["ratings"] or not row.source else row.source
        row.ratings = _merged(row.ratings, one["ratings"], source)
        row.rating_count = len(row.ratings)
    Occupation.objects.bulk_create([row for row in known.values() if row.pk is None], batch_size=BATCH)
    Occupation.objects.bulk_update([row for row in known.values() if row.pk], fields, batch_size=BATCH)


def _merged(ratings: dict, changes: dict, source: str) -> dict:
    """Ratings with the figures that a file gives, and without those that it takes back."""
    merged = dict(ratings)
    for key, figures in changes.items():
        kept = {**merged.get(key, {}), **figures, "source": source}
        merged[key] = {name: value for name, value in kept.items() if value is not None}
        if set(merged[key]) == {"source"}:
            del merged[key]
    return merged
