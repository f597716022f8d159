"""The demo's outbox, and for HR the mails that were not delivered."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from socialstrategy.lib.paging import page_of
from socialstrategy.mail import undelivered as not_delivered
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


def undelivered(request):
    """Mails that were given up, newest first, with the reason."""
    failed = Mail.objects.failed().order_by("-failed_at", "pk")
    context = {"page": page_of(failed, request), "mail_server": not_delivered.server_trouble()}
    return render(request, "mail/undelivered.html", context)


@require_POST
def again(request, pk):
    """A fresh mail with a fresh link, in place of one that was given up."""
    mail = get_object_or_404(Mail, pk=pk)
    try:
        is_first = not_delivered.send_again(mail, by=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        name = mail.to_name or mail.to
        messages.success(request, f"A fresh mail to {name} is on its way." if is_first else "That was done already.")
    return redirect(_back(request))


@require_POST
def again_all(request):
    """The same for all that were given up, or for those alone that the mail server did not take."""
    failed = Mail.objects.failed()
    if request.POST.get("trouble") == Mail.Trouble.SERVER:
        failed = failed.filter(trouble=Mail.Trouble.SERVER)
    sent, reasons = not_delivered.send_all_again(failed, by=request.user)
    messages.success(request, f"{sent} fresh mail{'s are' if sent != 1 else ' is'} on the way.")
    for reason in reasons[:3]:
        messages.error(request, f"Not everything could be sent again: {reason}")
    if failed.exists() and not reasons:
        messages.success(request, "There are more. Press again for the next ones.")
    return redirect(_back(request))


@require_POST
def set_aside(request, pk):
    """Take a mail that was given up off the list."""
    not_delivered.set_aside(get_object_or_404(Mail, pk=pk), by=request.user)
    messages.success(request, "Set aside.")
    return redirect(_back(request))


@require_POST
def try_now(request):
    """Try the mail server at once."""
    not_delivered.try_now(timezone.now())
    messages.success(request, "We are trying now. Load the page again in a moment to see how it went.")
    return redirect(_back(request))


def _back(request) -> str:
    """Where the button was."""
    back = request.POST.get("next", "")
    return back if url_has_allowed_host_and_scheme(back, None) else reverse("mail:undelivered")
