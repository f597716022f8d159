"""The progress bar of a job."""

from django.shortcuts import get_object_or_404, render

from socialstrategy.jobs.models import Job


def job_progress(request, pk):
    """A page with the bar, or the bar alone for htmx, which asks again until the job has ended."""
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    template = "jobs/_job_progress.html" if request.htmx else "jobs/job_progress.html"
    return render(request, template, {"job": job})
