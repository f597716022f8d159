"""The outbox page."""

from django.conf import settings
from django.http import Http404
from django.shortcuts import get_object_or_404, render

from socialstrategy.lib.paging import page_of
from socialstrategy.mail.models import Mail


def outbox(request):
    """The mails that were sent; a page of demo mode only, since mails hold links."""
    if not settings.DEMO:
        raise Http404
    return render(request, "mail/outbox.html", {"page": page_of(Mail.objects.all(), request)})


def mail_detail(request, pk):
    """One mail as it was sent."""
    if not settings.DEMO:
        raise Http404
    return render(request, "mail/mail_detail.html", {"mail": get_object_or_404(Mail, pk=pk)})
