"""Personal development: goals, next steps, colleagues who could coach, and the way so far."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from assessments.models import RatingRequest
from candidates import actions
from candidates import development as growing
from candidates.forms import GoalForm
from candidates.models import Person
from candidates.profile import skill_rows
from candidates.shown import sees_everything


def _person(request, pk) -> Person:
    return get_object_or_404(Person.objects.reportable_to(request.user).select_related("function"), pk=pk)


def development(request, pk):
    """Somebody's own page; their manager and HR may help with it."""
    person = _person(request, pk)
    return _page(request, person, GoalForm(person=person))


def _page(request, person, form, status=200):
    # Who owes a rating must not see levels first: they would colour it.
    owed = RatingRequest.objects.visible_to(request.user).open().filter(subject=person.subject).first()
    hidden = owed is not None and not request.user.is_hr
    rows = [] if hidden else [row for _, rows in skill_rows(person, request.user) for row in rows]
    version = growing.role_of(person)
    context = {
        "person": person,
        "is_self": person.user_id == request.user.pk,
        "is_pooled": not sees_everything(request.user, person),
        "hidden": hidden,
        "owed": owed,
        "version": version,
        "steps": [] if hidden else growing.steps(person, rows, version),
        "history": growing.history(person, rows, request.user),
        "closed": person.goals.exclude(closed_at=None).select_related("skill").order_by("-closed_at")[:10],
        "form": form,
    }
    return render(request, "candidates/development.html", context, status=status)


@require_POST
def goal_add(request, pk):
    person = _person(request, pk)
    form = GoalForm(request.POST, person=person)
    if form.is_valid() and person.archived_at:
        form.add_error(None, person.archived_words)
    if not form.is_valid():
        return _page(request, person, form, status=400)
    goal = actions.add_goal(person, by=request.user, **form.cleaned_data)
    messages.success(request, f"The goal is set: {goal.skill.name} at level {goal.level}.")
    return redirect("candidates:development", person.pk)


@require_POST
def goal_close(request, pk, goal):
    person = _person(request, pk)
    found = get_object_or_404(person.goals.open().select_related("skill"), pk=goal)
    actions.close_goal(found, timezone.now(), by=request.user)
    messages.success(request, f"The goal for {found.skill.name} is closed.")
    return redirect("candidates:development", person.pk)


@require_POST
def help_offer(request, pk):
    """Whether colleagues may be told to ask somebody; only that somebody decides."""
    person = get_object_or_404(Person.objects.filter(user=request.user), pk=pk)
    actions.offer_help(person, offers=request.POST.get("offers") == "on", by=request.user)
    words = "Colleagues may ask you for help now." if person.offers_help else "You are no longer named as a coach."
    messages.success(request, words)
    return redirect("candidates:development", person.pk)
