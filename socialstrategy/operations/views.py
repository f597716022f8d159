"""For machines that watch over this one."""

from django.http import HttpResponse, JsonResponse

from socialstrategy.operations import readiness


def healthz(request):
    """This process answers; says nothing about anything else and asks nobody."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request):
    """How every part is: 200 when all that is needed is there, else 503."""
    report = readiness.report()
    response = JsonResponse(report, status=200 if report["ready"] else 503, json_dumps_params={"indent": 1})
    response["Cache-Control"] = "no-store"
    return response
