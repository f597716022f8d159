"""Rating somebody, from a short queue."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from assessments import actions as assessments
from assessments.cards import cards, steps
from assessments.models import Rating, RatingRequest
from candidates import actions
from candidates.forms import AskForm, RatingForm
from candidates.models import Person
from roles.models import Skill
from socialstrategy.lib.text import clean


def rating_queue(request):
    """Whom somebody is asked to rate, and what they have rated."""
    mine = RatingRequest.objects.visible_to(request.user)
    done = mine.exclude(submitted_at=None).order_by("-submitted_at")
    context = {"waiting": named(mine.open(), 200), "done": named(done, 50)}
    return render(request, "candidates/rating_queue.html", context)


def named(requests, most: int) -> list[RatingRequest]:
    """The first requests for a rating, each with the ``person`` it is about: assessments know no names."""
    found = list(requests.select_related("role_version__role")[:most])
    people = {p.subject: p for p in Person.objects.filter(subject__in=[one.subject for one in found])}
    for one in found:
        one.person = people.get(one.subject)
    return [one for one in found if one.person]


@require_POST
def rating_ask(request, pk):
    """Ask a manager, a colleague or somebody they lead to rate a person on the skills of a role."""
    person = get_object_or_404(Person.objects.visible_to(request.user), pk=pk)
    form = AskForm(request.POST, user=request.user, person=person)
    if not form.is_valid():
        sentence = " ".join(error for errors in form.errors.values() for error in errors)
        back = reverse("candidates:person_detail", args=[person.pk])
        return render(
            request, "problem.html", {"title": "Nobody was asked", "sentence": sentence, "back": back}, status=400
        )
    data = form.cleaned_data
    actions.ask_for_rating(person, data["role_version"], data["rater"], kind=data["kind"], by=request.user)
    messages.success(request, f"{data['rater'].name} finds it in the queue.")
    return redirect("candidates:person_detail", person.pk)


def rate(request, pk, place):
    """One skill of somebody, with the anchors at the point of choice; each rating is stored at once."""
    asked = get_object_or_404(
        RatingRequest.objects.visible_to(request.user).select_related("role_version__role"), pk=pk
    )
    person = get_object_or_404(Person, subject=asked.subject)
    if asked.submitted_at or asked.withdrawn_at:
        return render(
            request,
            "problem.html",
            {
                "title": "This rating is closed",
                "sentence": "It has been handed in, or is not needed any more.",
                "back": reverse("candidates:rating_queue"),
            },
            status=410,
        )
    lines = asked.role_version.requirements.select_related("skill__skill_set").order_by(
        "skill__skill_set__position", "skill__position", "pk"
    )
    skills = [line.skill for line in lines]
    if not 1 <= place <= len(skills) + 1:
        raise Http404
    ratings = {rating.skill_id: rating for rating in Rating.objects.filter(request=asked)}
    if place == len(skills) + 1:
        return _hand_in(request, asked, person, skills, ratings)
    skill = Skill.objects.with_anchors().get(pk=skills[place - 1].pk)
    form = RatingForm(request.POST) if request.method == "POST" else None
    if form is not None and form.is_valid():
        note = clean(form.cleaned_data["note"], lines=True)
        try:
            assessments.rate(asked, skill, level=form.cleaned_data["level"], note=note)
        except ValidationError as error:
            return render(
                request,
                "problem.html",
                {"title": "Not stored", "sentence": error.messages[0], "back": reverse("candidates:rating_queue")},
                status=409,
            )
        return redirect("candidates:rate", pk, place + 1)
    rating = ratings.get(skill.pk)
    chosen = "" if rating is None else "none" if rating.level is None else str(rating.level)
    last = len(skills)
    context = {
        "asked": asked,
        "person": person,
        "skill": skill,
        "place": place,
        "last": last,
        "cards": cards(skill),
        "chosen": form.data.get("level", "") if form else chosen,
        "note": form.data.get("note", "") if form else (rating.note if rating else ""),
        "form": form,
        "steps": steps(place, last),
    }
    return render(request, "candidates/rate.html", context, status=400 if form else 200)


def _hand_in(request, asked, person, skills, ratings):
    missing = [(n, skill) for n, skill in enumerate(skills, start=1) if skill.pk not in ratings]
    if request.method == "POST":
        if not ratings:
            return render(
                request,
                "problem.html",
                {
                    "title": "Nothing to hand in yet",
                    "sentence": "Rate at least one skill first. “I can’t judge this” is a rating too.",
                    "back": reverse("candidates:rate", args=[asked.pk, 1]),
                },
                status=400,
            )
        actions.take_rating(asked, timezone.now())
        messages.success(request, f"Thank you. Your rating of {person.name} counts now.")
        return redirect("candidates:rating_queue")
    context = {"asked": asked, "person": person, "missing": missing, "rated": len(ratings), "last": len(skills)}
    return render(request, "candidates/rate_hand_in.html", context)
