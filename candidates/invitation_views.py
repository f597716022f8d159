"""Invitations: the list, inviting, changing one, and what a mailed link opens."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404
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
from candidates.hiring_views import blind_query, is_blind
from candidates.invitations import Invitation
from candidates.models import CODE_LENGTH, Person
from roles.models import RoleVersion
from socialstrategy import mail
from socialstrategy.lib.paging import MOST, page_of
from socialstrategy.mail.models import Mail
from socialstrategy.mail.undelivered import server_trouble

MOST_CHOSEN = 500
STATES = {
    "open": "Open",
    "submitted": "Submitted",
    "expired": "Expired",
    "revoked": "Revoked",
    "undelivered": "Mail not delivered",
    "paper": "Link to be printed",
}


def invitation_list(request):
    """Every invitation, newest first, with how far it is and whether its link has arrived."""
    now = timezone.now()
    found, state, words = filtered(request.GET, now)
    page = page_of(found, request)
    reports = mail.newest("report", [one.person_id for one in page if one.submitted_at])
    for invitation in page:
        invitation.now_state = invitation.state(now)
        invitation.report_mail = reports.get(str(invitation.person_id))
    context = {"page": page, "state": state, "q": words, "states": STATES, "mail_server": server_trouble()}
    context["open_count"] = found.filter(in_state("open", now))[: MOST + 1].count()
    context["paper_count"] = found.filter(in_state("paper", now))[: MOST + 1].count()
    return render(request, "candidates/invitation_list.html", context)


def in_state(state: str, now) -> Q:
    """Invitations in one of STATES."""
    is_open = Q(submitted_at=None, revoked_at=None, deadline_at__gt=now)
    return {
        "open": is_open,
        "submitted": Q(submitted_at__isnull=False),
        "expired": Q(submitted_at=None, revoked_at=None, deadline_at__lte=now),
        "revoked": Q(revoked_at__isnull=False),
        "undelivered": is_open & Q(mail__state=Mail.State.FAILED),
        "paper": is_open & Q(person__email=None, person__archived_at=None, handed_over_at=None),
    }[state]


def filtered(data, now):
    """Invitations that the page's filters ask for, and the filters as understood."""
    found = Invitation.objects.with_progress()
    state, words = data.get("state", ""), data.get("q", "")[:80]
    if state in STATES:
        found = found.filter(in_state(state, now))
    if words:
        found = found.filter(person__in=Person.objects.search(words))
    return found, state, words


@require_POST
def invitation_remind(request):
    """Remind everybody on the list, as filtered, who has not handed in."""
    now = timezone.now()
    found, state, words = filtered(request.POST, now)
    done = inviting.remind_now(found.filter(in_state("open", now)), now, by=request.user)
    sentences = [f"{done.sent} reminder{'s' * (done.sent != 1)} on the way."]
    if done.left:
        sentences.append(f"{done.left} more are due: press again.")
    if done.spared:
        sentences.append(f"{done.spared} had mail about it within the last day and got no other.")
    if done.without_address:
        sentences.append(f"{done.without_address} have no e-mail address: tell them yourself, or print a fresh link.")
    if done.undelivered:
        sentences.append(f"{done.undelivered} have not got the mail before yet, and no reminder of it.")
    messages.success(request, " ".join(sentences))
    return redirect(f"{reverse('candidates:invitation_list')}?{urlencode({'state': state, 'q': words})}")


def invitation_new(request):
    """Invite the people that were chosen on a list or a ranking; in a blind review by their codes alone."""
    data = request.POST or request.GET
    codes = [code for code in data.getlist("p") if len(code) == CODE_LENGTH][:MOST_CHOSEN]
    # Whoever comes from the list of people has chosen names: to show their codes would undo the review.
    blind = is_blind(request) and bool(codes)
    version = _published(request, data.get("role_version"))
    if request.method == "POST" and "deadline_on" in request.POST:
        sent = request.POST.copy()
        if blind:
            sent.setlist("people", codes)
        form = InviteForm(sent, user=request.user, by_code=blind)
        if form.is_valid():
            return _send_invitations(request, form.cleaned_data, blind=blind)
    else:
        form = InviteForm(user=request.user, initial={"role_version": version})
    chosen = Q(code__in=codes)
    if not blind:
        chosen |= Q(pk__in=_keys(data.getlist("people")[:MOST_CHOSEN]))
    people = Person.objects.visible_to(request.user).current().filter(chosen)
    # By code, since even the order of names says something.
    people = people.order_by("code") if blind else people
    context = {
        "form": form,
        "people": people,
        "blind": blind,
        "blind_query": blind_query(request),
        "version": version,
    }
    return render(request, "candidates/invitation_new.html", context, status=400 if form.errors else 200)


def _published(request, key) -> RoleVersion | None:
    return RoleVersion.objects.visible_to(request.user).published().filter(pk__in=_keys([key])).first()


def _keys(texts) -> list[int]:
    return [int(text) for text in texts if text and text.isdecimal() and len(text) < 12]


def _send_invitations(request, data, *, blind: bool):
    sent, skipped = inviting.invite(
        data["people"], data["role_version"], deadline_on=data["deadline_on"], by=request.user
    )
    on_paper = sum(not one.person.email for one in sent)
    by_mail = len(sent) - on_paper
    words = f"{by_mail} invitation{'s' * (by_mail != 1)} on the way."
    if on_paper:
        where = "from the list of invitations" if blind else "below"
        words += (
            f" {on_paper} without an e-mail address: print {'their links' if on_paper > 1 else 'the link'} {where}."
        )
    if skipped:
        words += f" {len(skipped)} had an open one already and got no second."
    if archived := len(data["people"]) - len(sent) - len(skipped):
        words += f" {archived} {'was' if archived == 1 else 'were'} archived meanwhile and got none."
    messages.success(request, words)
    if blind:  # the list of invitations would say who was meant
        ranking = reverse("candidates:ranking", args=[data["role_version"].pk])
        return redirect(ranking + blind_query(request))
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
            messages.success(request, _words_of_extending(invitation))
        else:
            raise ValidationError("Choose to resend, revoke or extend.")
    except ValidationError as error:
        return render(
            request, "problem.html", {"title": "Not done", "sentence": error.messages[0], "back": ".."}, status=409
        )
    return redirect("candidates:invitation_list")


def _words_of_extending(invitation) -> str:
    if invitation.person.email:
        return "The deadline is later now, and a mail says so."
    return "The deadline is later now. Tell them yourself, since no e-mail address is known, or print a fresh link."


def _link_state(link, invitation, now) -> str:
    """Why a link opens nothing: unknown, a state of the invitation or one of the link itself — or open."""
    if link is None or invitation is None:
        return "unknown"
    state = invitation.state(now)
    if state in {"submitted", "revoked", "expired"}:
        return state
    return link.state(now)


@never_cache
def invitation_open(request, token):
    """What a mailed link shows: who asks for what, and a Begin button. Looking changes nothing."""
    now = timezone.now()
    link = Link.objects.find(Link.Purpose.ASSESSMENT, token)
    invitation = Invitation.objects.with_progress().filter(pk=link.target).first() if link else None
    state = _link_state(link, invitation, now)
    context = {"token": token, "link": link, "invitation": invitation, "state": state}
    if state == "open":
        context["minutes"] = minutes(invitation.asked)
    elif invitation:
        context["is_held"] = held_sitting(request, invitation.sitting_id) is not None
    status = {"open": 200, "unknown": 404}.get(state, 410)
    return render(request, "candidates/invitation_open.html", context, status=status)


@require_POST
def invitation_begin(request, token):
    """Use up the link and let this browser work on its assessment."""
    now = timezone.now()
    invitation = inviting.begin(token, now)
    if invitation is None:
        return invitation_open(request, token)
    hold(request, invitation.sitting_id, now)
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
    return render(request, "candidates/link_sent.html", {"has_address": invitation.person.email})


@require_POST
def invitation_mine(request, pk):
    """Somebody with an account goes on with their own assessment without a link; one that has ended says how it did."""
    now = timezone.now()
    invitation = get_object_or_404(Invitation.objects.filter(person__user=request.user), pk=pk)
    if invitation.state(now) in {"sent", "started"} and invitation.person.archived_at:
        raise Http404
    if invitation.opened_at is None and invitation.state(now) == "sent":
        Invitation.objects.filter(pk=invitation.pk).update(opened_at=now)
    hold(request, invitation.sitting_id, now)
    return redirect("assessments:wizard_intro", invitation.sitting_id)
