"""Links on paper, for people without an e-mail address: printed once, to be handed over."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from candidates import delivery
from candidates.invitation_views import filtered, in_state
from candidates.invitations import Invitation
from candidates.models import Person

MOST_PAGES = 100
"""Links printed at one press of the button."""


@require_POST
def paper(request, pk):
    """The link of one invitation; it is shown this once."""
    people = Person.objects.visible_to(request.user).current()
    invitation = get_object_or_404(Invitation.objects.filter(person__in=people).with_progress(), pk=pk)
    try:
        page = delivery.hand_over(invitation, by=request.user)
    except ValidationError as error:
        context = {"title": "Not printed", "sentence": error.messages[0], "back": "../.."}
        return render(request, "problem.html", context, status=409)
    return render(request, "candidates/paper.html", {"pages": [page]})


@require_POST
def paper_all(request):
    """The links of everybody on the list, as filtered, who has no address and was given none yet."""
    now = timezone.now()
    found, _, _ = filtered(request.POST, now)
    waiting = found.filter(in_state("paper", now)).order_by("person__name", "pk")[:MOST_PAGES]
    pages = [delivery.hand_over(one, by=request.user) for one in waiting]
    if not pages:
        messages.success(request, "Nobody without an e-mail address waits for a link.")
        return redirect("candidates:invitation_list")
    return render(request, "candidates/paper.html", {"pages": pages, "most": MOST_PAGES})


@require_POST
def paper_report(request, pk):
    """The link to somebody's report; it is shown this once."""
    person = get_object_or_404(Person.objects.visible_to(request.user).current(), pk=pk)
    page = delivery.hand_over_report(person, by=request.user)
    return render(request, "candidates/paper.html", {"pages": [page]})
