"""Invitations, the way through an assessment where names are known, and the personal report."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import Link
from assessments.actions import Closed
from assessments.views import minutes, wizard_ended
from candidates import actions, exports, inviting, reporting
from candidates.forms import ExtendForm, InviteForm
from candidates.hiring_views import is_blind
from candidates.invitations import Invitation
from candidates.models import Person
from roles.models import RoleVersion
from socialstrategy.lib.levels import LEVELS
from socialstrategy.lib.paging import MOST, page_of
from socialstrategy.lib.workbook import workbook

REPORT_SECONDS = 60 * 60


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
    if state == "open":
        context["minutes"] = minutes(invitation.asked)
    status = {"open": 200, "unknown": 404}.get(state, 410)
    return render(request, "candidates/invitation_open.html", context, status=status)


@require_POST
def invitation_begin(request, token):
    """Use up the link and open a session for its assessment."""
    invitation = inviting.begin(token, timezone.now())
    if invitation is None:
        return invitation_open(request, token)
    inviting.open_session(request, invitation)
    return redirect("assessments:wizard_intro")


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
    return render(request, "candidates/link_sent.html", {"what": "link"})


@require_POST
def invitation_mine(request, pk):
    """Somebody with an account goes on with their own assessment without a link."""
    now = timezone.now()
    invitation = get_object_or_404(Invitation.objects.open_at(now).filter(person__user=request.user), pk=pk)
    if invitation.opened_at is None:
        Invitation.objects.filter(pk=invitation.pk).update(opened_at=now)
    inviting.open_session(request, invitation)
    return redirect("assessments:wizard_intro")


@require_POST
def continue_elsewhere(request):
    """Mail a link for another device; this session goes on as well."""
    invitation = inviting.sitting_invitation(request)
    if invitation is None:
        return wizard_ended(request)
    inviting.send_fresh(invitation)
    return render(request, "candidates/link_sent.html", {"what": "device"})


def wizard_background(request):
    """After the skills: what one has done before, and the last look before submitting."""
    invitation = inviting.sitting_invitation(request)
    if invitation is None:
        return wizard_ended(request)
    sitting = invitation.sitting
    skills = sitting.skills()
    answers = {response.skill_id: response for response in sitting.responses.all()}
    open_places = [(n, skill) for n, skill in enumerate(skills, start=1) if skill.pk not in answers]
    context = {
        "invitation": invitation,
        "person": invitation.person,
        "background": invitation.person.background.prefetch_related("skills"),
        "open_places": open_places,
        "answered": len(answers),
        "last": len(skills),
    }
    return render(request, "candidates/wizard_background.html", context)


@require_POST
def wizard_submit(request):
    """Hand the assessment in and show the report at once."""
    invitation = inviting.sitting_invitation(request)
    if invitation is None:
        return wizard_ended(request)
    if not invitation.sitting.responses.exists():
        return render(
            request,
            "problem.html",
            {
                "title": "Nothing to hand in yet",
                "sentence": "Answer at least one question first. “I can’t judge this yet” is an answer too.",
                "back": "/assessment/1/",
            },
            status=400,
        )
    try:
        actions.take_sitting(invitation, timezone.now())
    except Closed:
        return wizard_ended(request)
    inviting.send_report(invitation.person)
    del request.session["sitting"]
    _open_report(request, invitation.person)
    return redirect("candidates:report")


def _open_report(request, person) -> None:
    request.session["report"] = {"person": person.pk, "until": timezone.now().timestamp() + REPORT_SECONDS}


def _report_person(request) -> Person | None:
    """Whose report this session may read: one opened by link or submission within the hour, else one's own."""
    opened = request.session.get("report")
    if opened and opened["until"] > timezone.now().timestamp():
        return Person.objects.select_related("function").filter(pk=opened["person"]).first()
    if request.user.is_authenticated:
        return Person.objects.select_related("function").filter(user=request.user).first()
    return None


def report(request):
    """The personal report: levels with intervals in words and picture, strengths, next steps, and every reason."""
    person = _report_person(request)
    if person is None:
        return render(request, "candidates/report_ended.html", status=410)
    context = reporting.report(person) | {"person": person, "levels": list(enumerate(LEVELS)), "today": actions.today()}
    return render(request, "candidates/report.html", context)


def report_json(request):
    """Everything the report is made of, to take away."""
    person = _report_person(request)
    if person is None:
        return render(request, "candidates/report_ended.html", status=410)
    response = JsonResponse(reporting.as_data(person), json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = 'attachment; filename="my-skills.json"'
    return response


def report_xlsx(request):
    """The report's levels and evidence as a workbook."""
    person = _report_person(request)
    if person is None:
        return render(request, "candidates/report_ended.html", status=410)
    return workbook(exports.profile_sheets(person), "my-skills")


@never_cache
def report_open(request, token):
    """What the report's link shows: a button. Looking changes nothing."""
    link = Link.objects.find(Link.Purpose.REPORT, token)
    now = timezone.now()
    state = (
        "unknown" if link is None else "open" if link.is_open(now) else "used" if link.expires_at > now else "expired"
    )
    status = {"open": 200, "unknown": 404}.get(state, 410)
    return render(request, "candidates/report_open.html", {"token": token, "state": state}, status=status)


@require_POST
def report_begin(request, token):
    """Use up the report's link and open the report for an hour."""
    link = Link.objects.consume(Link.Purpose.REPORT, token, timezone.now())
    person = Person.objects.filter(pk=link.target).first() if link else None
    if person is None:
        return report_open(request, token)
    request.session.cycle_key()
    _open_report(request, person)
    return redirect("candidates:report")


@require_POST
def report_fresh(request, token):
    """After a used or expired report link: a fresh one to the same address."""
    link = Link.objects.find(Link.Purpose.REPORT, token)
    person = Person.objects.filter(pk=link.target).first() if link else None
    if person is None:
        raise Http404
    inviting.send_report(person)
    return render(request, "candidates/link_sent.html", {"what": "report"})
