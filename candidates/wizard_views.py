"""The end of an assessment, where names are known: the background, going on elsewhere, and handing in."""

from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from assessments import actions as assessments
from assessments.actions import Closed
from assessments.views import wizard_ended
from candidates import actions, delivery, inviting
from candidates.models import Background
from candidates.report_views import open_report
from candidates.sittings import open_invitation
from candidates.views import background_form, background_removed


@require_POST
def continue_elsewhere(request, sitting):
    """Mail a link for another device; this browser goes on as well."""
    invitation = open_invitation(request, sitting)
    if invitation is None:
        return wizard_ended(request, sitting)
    inviting.send_fresh(invitation)
    context = {"sitting": sitting, "has_address": invitation.person.email}
    return render(request, "candidates/link_sent.html", context)


def wizard_background(request, sitting):
    """After the skills: what one has done before, and the last look before submitting."""
    invitation = open_invitation(request, sitting)
    if invitation is None:
        return wizard_ended(request, sitting)
    if not invitation.sitting.consented_at:
        return redirect("assessments:wizard_intro", sitting)
    skills = invitation.sitting.skills()
    answered = set(invitation.sitting.responses.values_list("skill", flat=True))
    context = {
        "sitting": sitting,
        "invitation": invitation,
        "person": invitation.person,
        "background": invitation.person.background.prefetch_related("skills"),
        "missing": [skill for skill in skills if skill.pk not in answered],
        "answered": len(answered),
        "skills": skills,
    }
    return render(request, "candidates/wizard_background.html", context)


def wizard_background_add(request, sitting):
    """An entry of the background of whoever this assessment is about."""
    invitation = open_invitation(request, sitting)
    if invitation is None:
        return wizard_ended(request, sitting)
    entry = Background(person=invitation.person)
    return background_form(request, entry, reverse("candidates:wizard_background", args=[sitting]))


def wizard_background_edit(request, sitting, entry):
    """Change such an entry."""
    invitation = open_invitation(request, sitting)
    if invitation is None:
        return wizard_ended(request, sitting)
    found = get_object_or_404(invitation.person.background, pk=entry)
    return background_form(request, found, reverse("candidates:wizard_background", args=[sitting]))


@require_POST
def wizard_background_remove(request, sitting, entry):
    """Take such an entry out."""
    invitation = open_invitation(request, sitting)
    if invitation is None:
        return wizard_ended(request, sitting)
    found = get_object_or_404(invitation.person.background, pk=entry)
    return background_removed(request, found, reverse("candidates:wizard_background", args=[sitting]))


@require_POST
def wizard_at_deadline(request, sitting):
    """Choose whether what is complete at the deadline is handed in then."""
    invitation = open_invitation(request, sitting)
    if invitation is None:
        return wizard_ended(request, sitting)
    try:
        wanted = request.POST.get("wanted") == "yes"
        assessments.hand_in_by_itself(invitation.sitting, timezone.now(), wanted=wanted)
    except Closed:
        return wizard_ended(request, sitting)
    return redirect("candidates:wizard_background", sitting)


@require_POST
def wizard_submit(request, sitting):
    """Hand the assessment in and show the report at once."""
    invitation = open_invitation(request, sitting)
    if invitation is None:
        return wizard_ended(request, sitting)
    if not invitation.sitting.responses.exists():
        context = {
            "title": "Nothing to hand in yet",
            "sentence": "Answer at least one question first. “I can’t judge this yet” is an answer too.",
            "back": reverse("assessments:wizard_intro", args=[sitting]),
        }
        return render(request, "problem.html", context, status=400)
    try:
        actions.take_sitting(invitation, timezone.now())
    except Closed:
        return wizard_ended(request, sitting)
    delivery.send_report(invitation.person)
    open_report(request, invitation.person)
    return redirect("candidates:report", invitation.person.subject)
