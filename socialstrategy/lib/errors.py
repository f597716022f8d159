"""Error pages that say what to do next."""

import sys

from django.shortcuts import render
from django.views.decorators.csrf import requires_csrf_token

from socialstrategy.lib import outages
from socialstrategy.lib.pages import came_from


@requires_csrf_token
def not_found(request, exception=None):
    return render(request, "404.html", status=404)


@requires_csrf_token
def forbidden(request, exception=None):
    return render(request, "403.html", status=403)


def bad_request(request, exception=None):
    return render(request, "400.html", status=400)


def broken(request):
    """Called while the error is being handled: what we stand on may be away or full, or something broke."""
    outage = outages.of(sys.exc_info()[1])
    return outages.page(request, outage) if outage else render(request, "500.html", status=500)


def csrf_failure(request, reason=""):
    """The page was open for too long: what it sent is offered to be sent once more, with a token that is good."""
    context = {"address": request.get_full_path(), "sent": _sent(request), "back": came_from(request)}
    response = render(request, "403.html", context, status=403)
    response.is_for_another_try = True
    return response


def _sent(request) -> list[tuple[str, str]]:
    """What a page of this house has sent and can be sent again: nothing of other sites, no files, no passwords."""
    own = f"{request.scheme}://{request.get_host()}"
    if request.method != "POST" or request.headers.get("Origin") != own or request.FILES:
        return []
    if any("password" in name for name in request.POST):
        return []
    pairs = [(name, value) for name, values in request.POST.lists() for value in values]
    return [(name, value) for name, value in pairs if name != "csrfmiddlewaretoken"]
