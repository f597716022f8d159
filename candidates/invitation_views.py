"""Invitations: the list, inviting, changing one, and what a mailed link opens."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import Link
from assessments.sessions import held_sitting, hold
from assessments.views import minutes
from candidates import inviting
from candidates.forms import ExtendForm, InviteForm
from candidates.hiring_views import is_blind
from candidates.invitations import Invitation
from candidates.models import Person
from roles.models import RoleVersion
from socialstrategy.lib.paging import MOST, page_of


def invitation_list(request):
    """Every invitation, newest first, with how far it is."""
    now = timezone.now()
    found, state, words = _filtered(request.GET, now)
    page = page_of(found, request)
    for invitation in page:
        invitation.now_state = invitation.state(now)
    context = {"page": page, "state": state, "q": words, "states": list(_states(now))}
    context["open_count"] = found.filter(_states(now)["open"])[: MOST + 1].count()
    return render(request, "candidates/invitation_list.html", context)


def _states(now) -> dict[str, Q]:
    return {
        "open": Q(submitted_at=None, revoked_at=None, deadline_at__gt=now),
        "submitted": Q(submitted_at__isnull=False),
        "expired": Q(submitted_at=None, revoked_at=None, deadline_at__lte=now),
        "revoked": Q(revoked_at__isnull=False),
    }


def _filtered(data, now):
    """Invitations that the page's filters ask for, and the filters as understood."""
    found = Invitation.objects.with_progress()
    state, words = data.get("state", ""), data.get("q", "")[:80]
    if state in _states(now):
        found = found.filter(_states(now)[state])
    if words:
        found = found.filter(person__in=Person.objects.search(words))
    return found, state, words


@require_POST
def invitation_remind(request):
    """Remind everybody on the list, as filtered, who has not handed in."""
    now = timezone.now()
    found, state, words = _filtered(request.POST, now)
    sent, spared = inviting.remind_now(found.filter(_states(now)["open"]), now, by=request.user)
    text = f"{sent} reminder{'s' * (sent != 1)} on the way."
    if spared:
        text += f" {spared} had mail about it within the last day and got no other."
    messages.success(request, text)
    return redirect(f"{reverse('candidates:invitation_list')}?{urlencode({'state': state, 'q': words})}")


def invitation_new(request):
    """Invite the people that were chosen on a list or a ranking."""
    if request.method == "POST" and "deadline_on" in request.POST:
        form = InviteForm(request.POST, user=request.user)
        if form.is_valid():
            return _send_invitations(request, form.cleaned_data)
        people = Person.objects.visible_to(request.user).filter(pk__in=_keys(request.POST.getlist("people")))
    else:
        data = request.POST or request.GET
        codes = data.getlist("p")[:500]
        people = (
            Person.objects.visible_to(request.user)
            .current()
            .filter(Q(code__in=codes) | Q(pk__in=_keys(data.getlist("people")[:500])))
        )
        version = (
            RoleVersion.objects.visible_to(request.user)
            .published()
            .filter(pk__in=_keys([data.get("role_version")]))
            .first()
        )
        form = InviteForm(user=request.user, initial={"role_version": version, "people": people})
    context = {"form": form, "people": people, "blind": is_blind(request)}
    return render(request, "candidates/invitation_new.html", context, status=400 if form.errors else 200)


def _keys(texts) -> list[int]:
    return [int(text) for text in texts if text and text.isdecimal() and len(text) < 12]


def _send_invitations(request, data):
    sent, skipped = inviting.invite(
        data["people"], data["role_version"], deadline_on=data["deadline_on"], by=request.user
    )
    words = f"{len(sent)} invitation{'s' * (len(sent) != 1)} on the way."
    if skipped:
        words += f" {len(skipped)} had an open one already and got no second."
    messages.success(request, words)
    if is_blind(request):  # the list of invitations would say who was meant
        return redirect("candidates:ranking", data["role_version"].pk)
    return redirect("candidates:invitation_list")


@require_POST
def invitation_change(request, pk):
    """Resend, revoke, or give extra time."""
    people = Person.objects.visible_to(request.user)
    invitation = get_object_or_404(Invitation.objects.filter(person__in=people).with_progress(), pk=pk)
    what = request.POST.get("what")
    try:
        if what == "resend":
            inviting.resend(invitation, by=request.user)
            messages.success(request, "Sent again; the earlier link has ended.")
        elif what == "revoke":
            inviting.revoke(invitation, by=request.user)
            messages.success(request, "The invitation is taken back.")
        elif what == "extend":
            form = ExtendForm(request.POST)
            if not form.is_valid():
                raise ValidationError("Extra time is 1 to 60 days.")
            inviting.extend(invitation, form.cleaned_data["days"], by=request.user)
            messages.success(request, "The deadline is later now, and a mail says so.")
        else:
            raise ValidationError("Choose to resend, revoke or extend.")
    except ValidationError as error:
        return render(
            request, "problem.html", {"title": "Not done", "sentence": error.messages[0], "back": ".."}, status=409
        )
    return redirect("candidates:invitation_list")


def _link_state(link, invitation, now) -> str:
    """Why a link opens nothing: unknown, ended, submitted, expired, used — or open."""
    if link is None or invitation is None:
        return "unknown"
    state = invitation.state(now)
    if state in {"submitted", "revoked", "expired"}:
        return state
    return "open" if link.is_open(now) else "used"


@never_cache
def invitation_open(request, token):
    """What a mailed link shows: who asks for what, and a Begin button. Looking changes nothing."""
    now = timezone.now()
    link = Link.objects.find(Link.Purpose.ASSESSMENT, token)
    invitation = Invitation.objects.with_progress().filter(pk=link.target).first() if link else None
    state = _link_state(link, invitation, now)
    context = {"token": token, "invitation": invitation, "state": state}
    if state == "used":
        context["is_held"] = held_sitting(request, invitation.sitting_id) is not None
    if state == "open":
        context["minutes"] = minutes(invitation.asked)
    status = {"open": 200, "unknown": 404}.get(state, 410)
    return render(request, "candidates/invitation_open.html", context, status=status)


@require_POST
def invitation_begin(request, token):
    """Use up the link and let this browser work on its assessment."""
    invitation = inviting.begin(token, timezone.now())
    if invitation is None:
        return invitation_open(request, token)
    hold(request, invitation.sitting_id)
    return redirect("assessments:wizard_intro", invitation.sitting_id)


@require_POST
def invitation_fresh(request, token):
    """After a used link: mail a fresh one to the address the first went to. Says nothing about whose it is."""
    link = Link.objects.find(Link.Purpose.ASSESSMENT, token)
    invitation = (
        Invitation.objects.open_at(timezone.now()).filter(pk=link.target).select_related("person").first()
        if link
        else None
    )
    if invitation is None:
        return invitation_open(request, token)
    inviting.send_fresh(invitation)
    return render(request, "candidates/link_sent.html")


@require_POST
def invitation_mine(request, pk):
    """Somebody with an account goes on with their own assessment without a link."""
    now = timezone.now()
    invitation = get_object_or_404(Invitation.objects.open_at(now).filter(person__user=request.user), pk=pk)
    if invitation.opened_at is None:
        Invitation.objects.filter(pk=invitation.pk).update(opened_at=now)
    hold(request, invitation.sitting_id)
    return redirect("assessments:wizard_intro", invitation.sitting_id)
