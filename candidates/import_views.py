"""Importing people, step by step: file, columns and preview, writing, corrections."""

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from candidates import importing
from candidates.forms import ColumnsForm, ImportFileForm
from candidates.imports import ImportBatch, ImportRow
from socialstrategy import jobs
from socialstrategy.jobs.models import Job
from socialstrategy.lib.paging import page_of

AT_ONCE = 500
"""Up to so many rows are judged within the request; more of them as a job with a progress bar."""


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
            batch = importing.create_batch(file.name, file.read(), by=request.user)
        except importing.ImportFileError as error:
            form.add_error("file", str(error))
        else:
            return _judge(request, batch)
    recent = ImportBatch.objects.all()[:10]
    context = {"form": form, "recent": recent}
    return render(request, "candidates/import_new.html", context, status=400 if form.errors else 200)


def _judge(request, batch):
    rows = batch.rows.count()
    if rows <= AT_ONCE:
        importing.judge(batch)
    else:
        with transaction.atomic():
            job = jobs.enqueue("people.read", by=request.user, total=rows, batch_id=str(batch.pk))
            ImportBatch.objects.filter(pk=batch.pk).update(job_id=job.pk, state=ImportBatch.State.READING)
    return redirect("candidates:import_detail", batch.pk)


def import_detail(request, pk):
    """The preview: every row's fate before anything is written; afterwards, what became of it."""
    batch = get_object_or_404(ImportBatch, pk=pk)
    job = Job.objects.visible_to(request.user).filter(pk=batch.job_id).first() if batch.job_id else None
    form = ColumnsForm(request.POST if request.method == "POST" else None, batch=batch)
    if request.method == "POST" and batch.state == ImportBatch.State.PREVIEW and form.is_valid():
        batch.columns = form.columns
        batch.save(update_fields=["columns"])
        return _judge(request, batch)
    fate = request.GET.get("fate", "")
    rows = batch.rows.filter(fate=fate) if fate in ImportRow.Fate.values else batch.rows.all()
    context = {
        "batch": batch,
        "job": job,
        "form": form,
        "counts": batch.counts(),
        "page": page_of(rows, request),
        "fate": fate,
        "fields": importing.FIELDS,
        "is_busy": batch.state in {ImportBatch.State.READING, ImportBatch.State.WRITING},
    }
    return render(request, "candidates/import_detail.html", context, status=400 if form.errors else 200)


@require_POST
def import_start(request, pk):
    """Write what the preview has promised."""
    batch = get_object_or_404(ImportBatch, pk=pk)
    with transaction.atomic():
        taken = ImportBatch.objects.filter(pk=pk, state=ImportBatch.State.PREVIEW).update(
            state=ImportBatch.State.WRITING
        )
        if taken:
            counts = batch.counts()
            job = jobs.enqueue(
                "people.write", by=request.user, total=counts["create"] + counts["update"], batch_id=str(pk)
            )
            ImportBatch.objects.filter(pk=pk).update(job_id=job.pk)
    return redirect("candidates:import_detail", pk)


def import_errors(request, pk):
    """The rows that were not taken, with the reasons, as a CSV file to correct and send again."""
    batch = get_object_or_404(ImportBatch, pk=pk)
    response = HttpResponse(importing.error_file(batch), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="not-taken.csv"'
    return response
