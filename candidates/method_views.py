"""What evidence is worth: the parameters in force, and accepting new ones."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render

from candidates import actions, parameters
from candidates.evidence import SOURCE_WORDS, Evidence
from candidates.forms import ParametersForm
from candidates.parameters import STUDIES, Parameters
from scoring.evidence import DEFAULT_SOURCES, information

SHOWN_ERROR = 0.3
"""Standard error, in levels, at which the page shows what a test is worth."""


def sources(request):
    """Each kind of evidence with its figures, the studies behind them, and every version accepted so far."""
    in_force = parameters.current()
    rows = [
        {
            "source": source,
            "label": SOURCE_WORDS[name],
            "studies": STUDIES[name],
            "is_changed": source != DEFAULT_SOURCES[name],
            "correction": f"{-source.bias:+.2f}".replace("-", "−") if source.bias else "0",
            "information": information(source, standard_error=SHOWN_ERROR),
        }
        for name, source in in_force.sources.items()
    ]
    context = {
        "rows": rows,
        "in_force": in_force,
        "versions": Parameters.objects.select_related("by"),
        "total": Evidence.objects.count(),
        "may_change": request.user.is_staff,
    }
    return render(request, "candidates/sources.html", context)


def sources_edit(request):
    """A new version: figures, thresholds and the reason; everybody's estimates follow as a job."""
    job, form = _accepted(request) if request.method == "POST" else (None, _form(request))
    if job:
        messages.success(request, "The new version is in force. Every level is being brought up to it.")
        return redirect("jobs:job_progress", job.pk)
    context = {"form": form, "in_force": form.in_force}
    return render(request, "candidates/sources_edit.html", context, status=400 if form.errors else 200)


def _form(request) -> ParametersForm:
    in_force = parameters.SHIPPED if "shipped" in request.GET else parameters.current()
    return ParametersForm(request.POST or None, in_force=in_force, newest=Parameters.objects.first())


@transaction.atomic
def _accepted(request) -> tuple:
    """The job that brings the levels up to the new version, or None where the form has a fault; and the form."""
    actions.take_turns_with_parameters()
    form = _form(request)
    return actions.accept_parameters(form.version(), by=request.user) if form.is_valid() else None, form
