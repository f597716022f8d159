"""Importing people, step by step: file, reading, columns and preview, writing, corrections."""

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from candidates import importing
from candidates.import_fields import EMPTIES
from candidates.import_forms import ColumnsForm, ImportFileForm, ReadingForm
from candidates.imports import ImportBatch, ImportRow
from socialstrategy import jobs
from socialstrategy.jobs.models import Job
from socialstrategy.lib.paging import page_of
from socialstrategy.lib.uploads.delimited import ENCODINGS, SEPARATORS
from socialstrategy.lib.uploads.reading import TooSlowError

AT_ONCE_ROWS, AT_ONCE_BYTES, AT_ONCE_SECONDS = 500, 200_000, 3
"""What is read and judged within the request; more of it as a job with a progress bar."""
State = ImportBatch.State


def import_new(request):
    """Choose a file."""
    form = ImportFileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            if file.size > settings.IMPORT_MAX_BYTES:
                raise importing.ImportFileError(
                    f"The file is larger than {settings.IMPORT_MAX_BYTES // 2**20} MB. Split it and try again."
                )
            batch = importing.keep(file.name, file.read(), by=request.user)
            _read(request, batch, file.size)
        except importing.ImportFileError as error:
            form.add_error("file", str(error))
        else:
            return redirect("candidates:import_detail", batch.pk)
    recent = ImportBatch.objects.exclude(state=State.REFUSED)[:10]
    context = {"form": form, "recent": recent}
    return render(request, "candidates/import_new.html", context, status=400 if form.errors else 200)


def _read(request, batch, size: int) -> None:
    """A small file at once, a large one or one that takes long as a job.

    Raises
    ------
    ImportFileError : a small file that cannot be read; the batch says so, too.
    """
    if size <= AT_ONCE_BYTES:
        try:
            importing.take(batch, AT_ONCE_SECONDS)
        except TooSlowError:
            return _enqueue(request, batch, again=True)
        except importing.ImportFileError as error:
            importing.refuse(batch, error)
            raise
        return _judge(request, batch)
    return _enqueue(request, batch, again=True)


def _judge(request, batch) -> None:
    if batch.rows.count() <= AT_ONCE_ROWS:
        importing.judge(batch)
    else:
        _enqueue(request, batch, again=False)


def _enqueue(request, batch, *, again: bool) -> None:
    """``again``: the file is read first."""
    with transaction.atomic():
        address = reverse("candidates:import_detail", args=[batch.pk])
        job = jobs.enqueue("people.read", by=request.user, result_url=address, batch_id=str(batch.pk), again=again)
        ImportBatch.objects.filter(pk=batch.pk).update(job_id=job.pk, state=State.READING)


def import_detail(request, pk):
    """The preview: every row's fate before anything is written; afterwards, what became of it."""
    batch = get_object_or_404(ImportBatch, pk=pk)
    first = batch.rows.values_list("cells", flat=True).first() or []
    is_open = batch.state in {State.PREVIEW, State.REFUSED} or _is_stuck(batch)
    what = request.POST.get("what", "columns") if request.method == "POST" and is_open else ""
    reading = ReadingForm(request.POST if what == "reading" else None, batch=batch)
    columns = ColumnsForm(request.POST if what == "columns" else None, batch=batch, first=first)
    if what == "reading" and reading.is_valid():
        return _read_anew(request, batch, reading.choices)
    if what == "columns" and batch.state == State.PREVIEW and columns.is_valid():
        batch.columns, batch.rules = columns.columns, columns.rules
        batch.save(update_fields=["columns", "rules"])
        _judge(request, batch)
        return redirect("candidates:import_detail", pk)
    context = _preview(request, batch) | {"form": columns, "reading": reading}
    status = 400 if columns.errors or reading.errors else 200
    return render(request, "candidates/import_detail.html", context, status=status)


def _is_stuck(batch) -> bool:
    """Being read, but by nobody: the process that did was stopped, or its job has failed."""
    return batch.state == State.READING and not Job.objects.active().filter(pk=batch.job_id).exists()


def _read_anew(request, batch, choices: dict):
    before = ImportBatch.objects.filter(pk=batch.pk, state=batch.state)
    # Of two presses of the button one reads.
    if not before.update(state=State.READING, job_id=None, choices=choices, rules={}):
        return redirect("candidates:import_detail", batch.pk)
    batch.refresh_from_db()
    size = len(batch.file.data) if hasattr(batch, "file") else 0
    try:
        _read(request, batch, size)
    except importing.ImportFileError:
        # The page says it, and the choices can be made anew.
        return redirect("candidates:import_detail", batch.pk)
    return redirect("candidates:import_detail", batch.pk)


def _preview(request, batch) -> dict:
    """What the page shows of a batch and its rows."""
    fate = request.GET.get("fate", "")
    rows = batch.rows.filter(fate=fate) if fate in ImportRow.Fate.values else batch.rows.all()
    counts = batch.counts()
    job = Job.objects.visible_to(request.user).filter(pk=batch.job_id).first() if batch.job_id else None
    used = set(batch.columns.values())
    return {
        "batch": batch,
        "job": job,
        "counts": counts,
        "to_write": counts["create"] + counts["update"],
        "page": page_of(rows, request),
        "fate": fate,
        "fates": ImportRow.Fate.choices,
        "empties": EMPTIES,
        "not_taken": [cell or f"Column {n + 1}" for n, cell in enumerate(batch.header) if n not in used],
        "encoding": ENCODINGS.get(batch.about.get("encoding", ""), ""),
        "separator": SEPARATORS.get(batch.about.get("separator", ""), batch.about.get("separator", "")),
        "is_kept": hasattr(batch, "file"),
        "is_stuck": _is_stuck(batch),
        "is_stopped": batch.state == State.WRITING and job is not None and job.state == Job.State.FAILED,
    }


@require_POST
def import_start(request, pk):
    """Write what the preview has promised; what was written before it stopped is not written twice."""
    batch = get_object_or_404(ImportBatch, pk=pk)
    failed = Job.objects.filter(pk=batch.job_id, state=Job.State.FAILED).exists()
    ready = [State.PREVIEW, State.WRITING] if failed else [State.PREVIEW]
    with transaction.atomic():
        taken = ImportBatch.objects.filter(pk=pk, state__in=ready, job_id=batch.job_id).update(
            state=State.WRITING, job_id=None
        )
        if taken:
            counts = batch.counts()
            address = reverse("candidates:import_detail", args=[pk])
            total = counts["create"] + counts["update"]
            job = jobs.enqueue("people.write", by=request.user, total=total, result_url=address, batch_id=str(pk))
            ImportBatch.objects.filter(pk=pk).update(job_id=job.pk)
    return redirect("candidates:import_detail", pk)


def import_errors(request, pk):
    """The rows that were not taken, with the reasons, as a CSV file to correct and send again."""
    batch = get_object_or_404(ImportBatch, pk=pk)
    response = HttpResponse(importing.error_file(batch), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="not-taken.csv"'
    return response
