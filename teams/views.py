"""Home for everyone, and finding things."""

from django.shortcuts import render
from django.utils import timezone

from assessments.models import RatingRequest
from candidates.invitations import Invitation
from candidates.models import Person
from roles.models import Role, RoleVersion
from socialstrategy.lib.text import clean
from teams.search import find


def search(request):
    """People, roles and skills within reach; the list alone for htmx, as somebody types."""
    words = clean(request.GET.get("q", ""))[:80]
    template = "teams/_search_hits.html" if request.htmx else "teams/search.html"
    return render(request, template, {"q": words, "groups": find(request.user, words)})


def overview(request):
    """What each kind of user comes for."""
    user = request.user
    now = timezone.now()
    person = Person.objects.filter(user=user).first()
    context = {
        "person": person,
        "waiting": RatingRequest.objects.visible_to(user).open().count(),
        "mine": Invitation.objects.open_at(now).filter(person=person).with_progress() if person else [],
    }
    if user.is_hr:
        people = Person.objects.visible_to(user).current()
        invitations = Invitation.objects.open_at(now)
        context |= {
            "people": people.count(),
            "roles": Role.objects.visible_to(user).current().count(),
            "published": RoleVersion.objects.visible_to(user).published().filter(role__retired_at=None).count(),
            "drafts": RoleVersion.objects.drafts().select_related("role").order_by("-saved_at")[:5],
            "open_invitations": invitations.count(),
            "ending": invitations.with_progress().order_by("deadline_at")[:5],
            "unassessed": people.filter(estimates=None).count(),
            "newest": RoleVersion.objects.visible_to(user)
            .published()
            .filter(role__retired_at=None)
            .select_related("role__function")
            .order_by("-published_at")[:6],
        }
    return render(request, "teams/overview.html", context)
