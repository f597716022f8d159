"""Importing people from CSV or XLSX: read, match columns, judge every row, then write what was promised."""

import csv
import io

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts.models import record
from candidates import spreadsheets
from candidates.imports import ImportBatch, ImportRow
from candidates.models import Person
from roles.models import EnterpriseFunction
from socialstrategy.lib.text import clean, harmless

FIELDS = {
    "name": "Name",
    "email": "E-mail",
    "kind": "Candidate or employee",
    "job_title": "Job title",
    "function": "Function",
    "location": "Location",
    "manager": "Manager's e-mail",
}
NEEDED = ("name", "email")
GUESSES = {
    "name": {"name", "full name", "person", "employee name"},
    "email": {"email", "e-mail", "mail", "e-mail address", "email address"},
    "kind": {"kind", "type", "candidate or employee", "status"},
    "job_title": {"job", "job title", "title", "position"},
    "function": {"function", "department", "area"},
    "location": {"location", "site", "city", "office"},
    "manager": {"manager", "manager email", "manager's e-mail", "line manager", "reports to"},
}
LONGEST = {"name": 120, "email": 254, "job_title": 120, "location": 80}
KINDS = {
    "": "candidate",
    "candidate": "candidate",
    "applicant": "candidate",
    "employee": "employee",
    "staff": "employee",
}
MOST_COLUMNS = 60
CHUNK = 1000


class ImportFileError(ValueError):
    """A file that cannot be read at all, with a sentence that says why."""


def read(data: bytes) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of a CSV or XLSX file, blank rows left out.

    Raises
    ------
    ImportFileError : empty, too large, not text, no table, too many columns or rows, a workbook that is refused.
    """
    if len(data) > settings.IMPORT_MAX_BYTES:
        raise ImportFileError(
            f"The file is larger than {settings.IMPORT_MAX_BYTES // 2**20} MB. Split it and try again."
        )
    if not data.strip():
        raise ImportFileError("The file is empty.")
    try:
        rows = spreadsheets.rows(data) if spreadsheets.is_spreadsheet(data) else _csv_rows(data)
    except spreadsheets.SpreadsheetError as error:
        raise ImportFileError(str(error)) from error
    if not rows:
        raise ImportFileError("The file is empty.")
    header = [clean(cell)[:80] for cell in rows[0]]
    if len(header) > MOST_COLUMNS:
        raise ImportFileError(f"The file has {len(header)} columns; {MOST_COLUMNS} are the most that can be read.")
    if len(rows) == 1:
        raise ImportFileError("The file has a heading and no people below it.")
    if len(rows) - 1 > settings.IMPORT_MAX_ROWS:
        raise ImportFileError(f"The file has more than {settings.IMPORT_MAX_ROWS:,} rows. Split it and try again.")
    return header, rows[1:]


def _csv_rows(data: bytes) -> list[list[str]]:
    if b"\x00" in data[:4096]:
        raise ImportFileError("This is neither CSV nor XLSX. In a spreadsheet, choose “Save as” and one of them.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportFileError(
            "The file is not UTF-8 text. In a spreadsheet, choose “Save as” and “CSV UTF-8”."
        ) from error
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
        return [row for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise ImportFileError(f"The file cannot be read as a table: {error}.") from error


def match(header: list[str]) -> dict[str, int]:
    """Which column holds which field, by its heading; each column once."""
    found: dict[str, int] = {}
    for field, names in GUESSES.items():
        at = next((n for n, cell in enumerate(header) if cell.lower() in names and n not in found.values()), None)
        if at is not None:
            found[field] = at
    return found


@transaction.atomic
def create_batch(file_name: str, data: bytes, *, by) -> ImportBatch:
    """Keep an uploaded file's rows; they are judged afterwards, with the columns as matched."""
    header, rows = read(data)
    batch = ImportBatch.objects.create(
        file_name=clean(file_name)[:120] or "people.csv",
        header=header,
        columns=match(header),
        by=by,
        state=ImportBatch.State.READING,
    )
    ImportRow.objects.bulk_create(
        (
            ImportRow(batch=batch, number=n, cells=cells, fate=ImportRow.Fate.ERROR)
            for n, cells in enumerate(rows, start=2)
        ),
        batch_size=CHUNK,
    )
    return batch


def judge(batch: ImportBatch, tell=lambda done, total: None) -> None:
    """Decide every row's fate; writes nothing but the preview. Can be repeated with other columns."""
    total = batch.rows.count()
    functions = {name.lower(): pk for pk, slug, name in EnterpriseFunction.objects.values_list("pk", "slug", "name")}
    functions |= {slug: pk for pk, slug in EnterpriseFunction.objects.values_list("pk", "slug")}
    people = {person.email: person for person in Person.objects.select_related("manager").iterator(chunk_size=2000)}
    rows = list(batch.rows.all())
    emails_in_file = {_cell(batch, row, "email").lower() for row in rows}
    seen: dict[str, int] = {}
    for start in range(0, total, CHUNK):
        chunk = rows[start : start + CHUNK]
        for row in chunk:
            _judge_row(batch, row, functions, people, emails_in_file, seen)
        ImportRow.objects.bulk_update(chunk, ["values", "fate", "message"], batch_size=200)
        tell(min(start + CHUNK, total), total)
    ImportBatch.objects.filter(pk=batch.pk).update(state=ImportBatch.State.PREVIEW)


def _cell(batch: ImportBatch, row: ImportRow, field: str) -> str:
    at = batch.columns.get(field)
    return clean(row.cells[at]) if at is not None and at < len(row.cells) else ""


def _judge_row(batch, row, functions, people, emails_in_file, seen) -> None:
    values = {field: _cell(batch, row, field) for field in FIELDS}
    values["email"], values["manager"] = values["email"].lower(), values["manager"].lower()
    problem = _problem(values, len(row.cells), len(batch.header), functions, people, emails_in_file, seen, row.number)
    row.values = values
    if problem:
        row.fate, row.message = ImportRow.Fate.ERROR, problem[:300]
        return
    seen[values["email"]] = row.number
    values["kind"] = KINDS[values["kind"].lower()]
    values["function"] = functions.get(values["function"].lower())
    existing = people.get(values["email"])
    if existing is None:
        row.fate, row.message = ImportRow.Fate.CREATE, ""
        return
    changes = _changes(existing, values, batch.columns)
    row.fate = ImportRow.Fate.UPDATE if changes else ImportRow.Fate.SAME
    row.message = f"Changes {', '.join(FIELDS[name].lower() for name in changes)}." if changes else ""


def _problem(values, width, header_width, functions, people, emails_in_file, seen, number) -> str:
    """Why a row can't be taken, in a sentence, or an empty text."""
    if width > header_width:
        return f"The row has {width} cells, the heading {header_width}. Is a comma missing its quotation marks?"
    for field in NEEDED:
        if not values[field]:
            return f"{FIELDS[field]} is missing."
    for field, longest in LONGEST.items():
        if len(values[field]) > longest:
            return f"{FIELDS[field]} is longer than {longest} characters."
    try:
        validate_email(values["email"])
    except ValidationError:
        return f"{values['email']} is not an e-mail address."
    if values["email"] in seen:
        return f"The same e-mail stands in line {seen[values['email']]} already."
    if values["kind"].lower() not in KINDS:
        return f"“{values['kind']}” is neither candidate nor employee."
    if values["function"] and values["function"].lower() not in functions:
        return f"There is no function called “{values['function']}”."
    manager = values["manager"]
    if manager and manager == values["email"]:
        return "Somebody can't be their own manager."
    if manager and manager not in people and manager not in emails_in_file:
        return f"No person has the manager's e-mail {manager}."
    return ""


def _changes(person: Person, values: dict, columns: dict) -> list[str]:
    """Fields of an existing person that the file would change; columns that are not matched change nothing."""
    now = {
        "name": person.name,
        "kind": person.kind,
        "job_title": person.job_title,
        "function": person.function_id,
        "location": person.location,
        "manager": person.manager.email if person.manager else "",
    }
    return [field for field, value in now.items() if field in columns and values[field] != value]


def write(batch: ImportBatch, tell=lambda done, total: None, *, by=None) -> None:
    """Write new and changed people in chunks, managers afterwards; a repeated run does no harm."""
    wanted = batch.rows.filter(fate__in=[ImportRow.Fate.CREATE, ImportRow.Fate.UPDATE])
    rows = list(wanted)
    for start in range(0, len(rows), CHUNK):
        _write_chunk(batch, rows[start : start + CHUNK])
        tell(min(start + CHUNK, len(rows)), len(rows))
    _write_managers(batch, rows)
    counts = batch.counts()
    with transaction.atomic():
        ImportBatch.objects.filter(pk=batch.pk).update(state=ImportBatch.State.DONE)
        record("people.imported", batch, batch.file_name, by=by, **counts)


@transaction.atomic
def _write_chunk(batch, rows) -> None:
    fields = [name for name in ("name", "kind", "job_title", "location") if name in batch.columns]
    emails = [row.values["email"] for row in rows]
    existing = {person.email: person for person in Person.objects.filter(email__in=emails)}
    new, changed = [], []
    for row in rows:
        values = row.values
        person = existing.get(values["email"])
        if person is None:
            plain = {name: values[name] for name in ("name", "email", "kind", "job_title", "location")}
            new.append(Person(**plain, function_id=values["function"]))
            continue
        for name in fields:
            setattr(person, name, values[name])
        if "function" in batch.columns:
            person.function_id = values["function"]
        changed.append(person)
    Person.objects.bulk_create(new, batch_size=500)
    Person.objects.bulk_update(changed, ["name", "kind", "job_title", "location", "function"], batch_size=200)


@transaction.atomic
def _write_managers(batch, rows) -> None:
    if "manager" not in batch.columns:
        return
    emails = {row.values["email"] for row in rows} | {row.values["manager"] for row in rows}
    people = {person.email: person for person in Person.objects.filter(email__in=[email for email in emails if email])}
    changed = []
    for row in rows:
        person, manager = people.get(row.values["email"]), people.get(row.values["manager"])
        if person and person.manager_id != (manager.pk if manager else None):
            person.manager = manager
            changed.append(person)
    Person.objects.bulk_update(changed, ["manager"], batch_size=200)


def error_file(batch: ImportBatch) -> str:
    """The rows that were not taken, with the reason beside each, to correct and send again."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow([*map(harmless, batch.header), "Why it was not taken"])
    for row in batch.rows.filter(fate=ImportRow.Fate.ERROR).iterator(chunk_size=2000):
        padded = (row.cells + [""] * len(batch.header))[: max(len(batch.header), len(row.cells))]
        writer.writerow([*map(harmless, padded), row.message])
    return out.getvalue()
