"""Importing people, step by step: keep the file, read it in a child process, match columns, judge, write.

The file is kept until its people are written, so that it can be read anew with another separator, sheet or heading.
"""

from django.conf import settings
from django.db import transaction

from candidates import import_fields
from candidates.import_judging import judge
from candidates.import_writing import WHY, error_file, write
from candidates.imports import ImportBatch, ImportFile, ImportRow
from socialstrategy.lib.text import clean
from socialstrategy.lib.uploads.reading import read
from socialstrategy.lib.uploads.tables import Choices, Limits, Row, UploadError

__all__ = ["ImportFileError", "create_batch", "error_file", "judge", "keep", "match", "take", "write"]

ImportFileError = UploadError
match = import_fields.match
CHUNK = 1000
SAMPLE = 50
"""Rows that are looked at where a heading alone does not tell what a column holds."""


def limits(seconds: int = 10) -> Limits:
    return Limits(rows=settings.IMPORT_MAX_ROWS, seconds=seconds)


@transaction.atomic
def keep(file_name: str, data: bytes, *, by) -> ImportBatch:
    """Store an uploaded file, to be read.

    Raises
    ------
    ImportFileError : larger than may be, or empty.
    """
    if len(data) > settings.IMPORT_MAX_BYTES:
        raise ImportFileError(
            f"The file is larger than {settings.IMPORT_MAX_BYTES // 2**20} MB. Split it and try again."
        )
    if not data.strip():
        raise ImportFileError("The file is empty.")
    name = clean(file_name)[:120] or "people.csv"
    batch = ImportBatch.objects.create(file_name=name, by=by, state=ImportBatch.State.READING)
    ImportFile.objects.create(batch=batch, data=data)
    return batch


def create_batch(file_name: str, data: bytes, *, by) -> ImportBatch:
    """Keep a file and its rows; they are judged afterwards, with the columns as matched.

    Raises
    ------
    ImportFileError : nothing that can be read; then nothing is kept.
    """
    batch = keep(file_name, data, by=by)
    try:
        take(batch)
    except ImportFileError:
        batch.delete()
        raise
    return batch


def take(batch: ImportBatch, seconds: int = 10) -> None:
    """Read a kept file into rows, as it is chosen to be read; once more, the rows of before go.

    No transaction is open while the child process reads.

    Raises
    ------
    ImportFileError : the file cannot be read, or is kept no more.
    """
    kept = ImportFile.objects.filter(batch=batch).first()
    if kept is None:
        raise ImportFileError("The file is kept no more. Send it again.")
    choices = Choices(**batch.choices, wanted=import_fields.wanted())
    with read(bytes(kept.data), choices, limits(seconds)) as table:
        header = [clean(cell)[:80] for cell in table.header]
        batch.rows.all().delete()
        sample: list[list[str]] = []
        for chunk in _chunks(table.rows()):
            sample += [cells for _, cells in chunk[: SAMPLE - len(sample)]]
            ImportRow.objects.bulk_create(_row(batch, number, cells, table.flaws) for number, cells in chunk)
        batch.header, batch.about = header, vars(table.about)
        batch.columns = match(header, sample)
    _match_as_before(batch)
    batch.message = ""
    batch.save(update_fields=["header", "about", "columns", "rules", "message"])


def refuse(batch: ImportBatch, error: ImportFileError, *, is_shown: bool = False) -> None:
    """Say on the batch why its file was not read; one that nobody has seen yet goes instead."""
    if batch.header or is_shown:
        ImportBatch.objects.filter(pk=batch.pk).update(state=ImportBatch.State.REFUSED, message=str(error)[:300])
    else:
        batch.delete()


def _row(batch: ImportBatch, number: int, cells: list[str], flaws: dict[int, str]) -> ImportRow:
    return ImportRow(
        batch=batch, number=number, cells=cells, flaw=flaws.get(number, "")[:200], fate=ImportRow.Fate.ERROR
    )


def _chunks(rows):
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) >= CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _match_as_before(batch: ImportBatch) -> None:
    """Columns and rules as the same person has chosen them for the same heading, such as in corrections of a file."""
    heading = [cell for cell in batch.header if cell != WHY]
    if batch.by_id is None or batch.header[: len(heading)] != heading:
        return
    earlier = ImportBatch.objects.filter(by=batch.by, header=heading).exclude(pk=batch.pk).exclude(rules={})
    chosen = earlier.order_by("-created_at").values_list("columns", "rules").first()
    if chosen:
        batch.columns, batch.rules = chosen
