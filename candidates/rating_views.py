"""Rating somebody, from a short queue."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from assessments import actions as assessments
from assessments.cards import cards, steps, wording
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
    try:
        actions.ask_for_rating(
            person, data["role_version"], data["rater"], kind=data["kind"], by=request.user, instead=data["instead"]
        )
    except actions.AskedAlready as error:
        return _asked_already(request, person, data, error.request)
    messages.success(request, f"{data['rater'].name} finds it in the queue.")
    return redirect("candidates:person_detail", person.pk)


def _asked_already(request, person, data, open_request):
    """The rater has not handed in what was asked before: it can be withdrawn in favour of what is asked now."""
    context = {"person": person, "asked": data, "kind": RatingRequest.Kind(data["kind"]), "open": open_request}
    context["rated"] = open_request.ratings.count()
    return render(request, "candidates/rating_asked.html", context, status=409)


def _asked(request, pk) -> RatingRequest:
    own = RatingRequest.objects.visible_to(request.user).select_related("role_version__role")
    asked = get_object_or_404(own, pk=pk)
    asked.person = get_object_or_404(Person, subject=asked.subject)
    asked.is_closed = bool(asked.submitted_at or asked.withdrawn_at)
    return asked


def _skills(asked) -> list[Skill]:
    """What is to be rated, in order."""
    lines = asked.role_version.requirements.select_related("skill__skill_set")
    return [line.skill for line in lines.order_by("skill__skill_set__position", "skill__position", "pk")]


def _problem(request, title, sentence, status, back=""):
    context = {"title": title, "sentence": sentence, "back": back or reverse("candidates:rating_queue")}
    return render(request, "problem.html", context, status=status)


def _closed(request):
    sentence = "It has been handed in, or is not needed any more. Nothing was changed."
    return _problem(request, "This rating is closed", sentence, 410)


def rating_go_on(request, pk):
    """The first skill that is not rated yet, or handing in."""
    asked = _asked(request, pk)
    rated = set(Rating.objects.filter(request=asked).values_list("skill", flat=True))
    missing = next((skill for skill in _skills(asked) if skill.pk not in rated), None)
    if missing is None or asked.is_closed:
        return redirect("candidates:rating_hand_in", pk)
    return redirect("candidates:rate", pk, missing.slug)


def rate(request, pk, skill):
    """One skill of somebody, with the anchors at the point of choice; each rating is stored at once."""
    asked = _asked(request, pk)
    if asked.is_closed:
        return _closed(request)
    skills = _skills(asked)
    place = next((n for n, one in enumerate(skills, start=1) if one.slug == skill), None)
    if place is None:
        return _not_asked(request, pk)
    form = RatingForm(request.POST) if request.method == "POST" else None
    if form is None or not form.is_valid():
        return _rate_page(request, asked, skills, place, form)
    note = clean(form.cleaned_data["note"], lines=True)
    try:
        data = form.cleaned_data
        assessments.rate(asked, skills[place - 1], level=data["level"], note=note, read=data["read"], seen=data["seen"])
    except assessments.Closed:
        return _closed(request)
    except assessments.NotAsked:
        return _not_asked(request, pk)
    except assessments.Reworded as error:
        return _rate_page(request, asked, skills, place, form, problem=error.messages[0], keeps_level=False)
    except assessments.RatedElsewhere as error:
        problem = f"{error.messages[0]} {_words_of(error.rating)}"
        return _rate_page(request, asked, skills, place, form, problem=problem)
    if place == len(skills):
        return redirect("candidates:rating_hand_in", pk)
    return redirect("candidates:rate", pk, skills[place].slug)


def _words_of(rating: Rating) -> str:
    """What was given meanwhile, and what becomes of it."""
    level = "“I can’t judge this”" if rating.level is None else f"level {rating.level}"
    said = f"{level} with the note “{rating.note}”" if rating.note else f"{level} without a note"
    return f"It says {said}, and that is kept. Yours is below: go on again to store it instead."


def _not_asked(request, pk):
    sentence = "You are not asked for this skill. Nothing was stored; go on with the next one."
    status = 409 if request.method == "POST" else 404
    back = reverse("candidates:rating_go_on", args=[pk])
    return _problem(request, "This skill is not part of the rating", sentence, status, back)


def _rate_page(request, asked, skills, place, form, problem="", *, keeps_level=True):
    skill = Skill.objects.with_anchors().get(pk=skills[place - 1].pk)
    rating = Rating.objects.filter(request=asked, skill=skill).first()
    chosen = "" if rating is None else "none" if rating.level is None else str(rating.level)
    context = {
        "asked": asked,
        "person": asked.person,
        "skill": skill,
        "before": skills[place - 2] if place > 1 else None,
        "place": place,
        "last": len(skills),
        "cards": cards(skill),
        "chosen": "" if not keeps_level else form.data.get("level", "") if form else chosen,
        "read": wording(skill),
        "seen": assessments.sign_of(rating),
        "problem": problem,
        "note": form.data.get("note", "") if form else (rating.note if rating else ""),
        "form": form,
        "steps": steps(place, len(skills)),
    }
    return render(request, "candidates/rate.html", context, status=409 if problem else 400 if form else 200)


def rating_hand_in(request, pk):
    """What is rated and what is not; handing in closes the rating."""
    asked = _asked(request, pk)
    if asked.is_closed:
        return _closed(request)
    skills = _skills(asked)
    rated = set(Rating.objects.filter(request=asked).values_list("skill", flat=True))
    if request.method == "POST":
        return _take(request, asked, rated)
    missing = [skill for skill in skills if skill.pk not in rated]
    context = {"asked": asked, "person": asked.person, "missing": missing, "rated": len(rated), "skills": skills}
    return render(request, "candidates/rate_hand_in.html", context)


def _take(request, asked, rated):
    if not rated:
        sentence = "Rate at least one skill first. “I can’t judge this” is a rating too."
        back = reverse("candidates:rating_go_on", args=[asked.pk])
        return _problem(request, "Nothing to hand in yet", sentence, 400, back)
    try:
        actions.take_rating(asked, timezone.now())
    except assessments.Closed:
        return _closed(request)
    messages.success(request, f"Thank you. Your rating of {asked.person.name} counts now.")
    return redirect("candidates:rating_queue")
