"""What somebody sees while very many people are being read."""

from django.shortcuts import render

from candidates.matrix import NotReadyError, hurried
from socialstrategy.jobs import enqueue_once

SECONDS = 5


class GettingReadyMiddleware:
    """A page with the progress, which looks again by itself, in the place of one that needs everybody's levels."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with hurried():
            return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, NotReadyError):
            return None
        job = enqueue_once("matrix.snapshot")
        response = render(
            request, "candidates/getting_ready.html", {"job": job, "percent": round(100 * job.share)}, status=503
        )
        response["Refresh"] = response["Retry-After"] = str(SECONDS)
        return response
