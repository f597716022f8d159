"""The self-assessment, one skill at a time. Who is answering is known here only as a sitting that the browser holds."""

from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from assessments import actions, sessions
from assessments.cards import cards, steps, wording
from assessments.forms import AnswerForm, ConsentForm
from assessments.models import Response
from assessments.sessions import open_sitting

SECONDS_PER_SKILL = 45


def wizard_ended(request, sitting):
    """Where one lands without an open assessment: what happened, and what to do."""
    held = sessions.held_sitting(request, sitting)
    if held and held.is_open(timezone.now()):
        return redirect("assessments:wizard_intro", sitting)
    return render(request, "assessments/wizard_ended.html", {"sitting": held}, status=410)


def wizard_intro(request, sitting):
    """What is measured, why, how long, who sees it; consent and accommodation."""
    sitting, key = open_sitting(request, sitting), sitting
    if sitting is None:
        return wizard_ended(request, key)
    skills = sitting.skills()
    form = ConsentForm(request.POST or None, sitting=sitting)
    if request.method == "POST" and form.is_valid():
        try:
            actions.consent(sitting, timezone.now(), accommodation=form.cleaned_data["accommodation"])
        except actions.Closed:
            return wizard_ended(request, key)
        return redirect("assessments:wizard_skill", key, next_skill(sitting, skills).slug)
    context = {
        "sitting": sitting,
        "form": form,
        "skills": skills,
        "minutes": minutes(len(skills)),
        "idle_days": settings.ASSESSMENT_IDLE_DAYS,
    }
    return render(request, "assessments/wizard_intro.html", context, status=400 if form.errors else 200)


def minutes(skills: int) -> int:
    """About how long so many skills take, with the background at the end."""
    return max(1, round(skills * SECONDS_PER_SKILL / 60)) + 1


def next_skill(sitting, skills):
    """The first skill without an answer, or the last one."""
    answered = set(sitting.responses.values_list("skill", flat=True))
    return next((skill for skill in skills if skill.pk not in answered), skills[-1])


def wizard_skill(request, sitting, skill):
    """One skill with its anchors. Every answer is stored before the page moves on, or as soon as it is chosen."""
    sitting, key = open_sitting(request, sitting), sitting
    if sitting is None:
        return wizard_ended(request, key)
    if not sitting.consented_at:
        return redirect("assessments:wizard_intro", key)
    skills = sitting.skills()
    place = next((n for n, one in enumerate(skills, start=1) if one.slug == skill), None)
    if place is None:
        return _not_asked(request, sitting, skills)
    response = Response.objects.filter(sitting=sitting, skill=skills[place - 1]).first()
    if request.method == "POST":
        return _answer(request, sitting, skills, place, response)
    return _skill_page(request, sitting, skills, place, response, form=None)


def _not_asked(request, sitting, skills):
    """The page was about a skill that this assessment does not ask for."""
    context = {
        "title": "This question is not part of your assessment",
        "sentence": "Nothing was stored. What you answered before is kept; go on with the next question.",
        "back": reverse("assessments:wizard_skill", args=[sitting.pk, next_skill(sitting, skills).slug]),
    }
    return render(request, "problem.html", context, status=409 if request.method == "POST" else 404)


def _answer(request, sitting, skills, place, response):
    going = request.POST.get("go", "next")
    left_empty = not any(request.POST.get(name, "").strip() for name in ("level", "note", "link"))
    if going in {"back", "later"} and left_empty:
        return _go(going, sitting, skills, place)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _skill_page(request, sitting, skills, place, response, form, status=400)
    data = form.cleaned_data
    try:
        stored = actions.answer(sitting, skills[place - 1], timezone.now(), **data)
    except actions.Closed:
        return wizard_ended(request, sitting.pk)
    except actions.NotAsked:
        return _not_asked(request, sitting, skills)
    except ValidationError as error:
        newest = Response.objects.filter(sitting=sitting, skill=skills[place - 1]).first()
        problem = {"problem": error.messages[0], "yours": data}
        return _skill_page(request, sitting, skills, place, newest, None, status=409, problem=problem)
    if request.htmx:
        return render(request, "assessments/_wizard_saved.html", {"response": stored})
    return _go(going, sitting, skills, place)


def _go(going: str, sitting, skills, place: int):
    if going == "back" and place == 1:
        return redirect("assessments:wizard_intro", sitting.pk)
    if going == "back":
        return redirect("assessments:wizard_skill", sitting.pk, skills[place - 2].slug)
    if going == "later":
        return redirect("assessments:wizard_later", sitting.pk)
    if place < len(skills):
        return redirect("assessments:wizard_skill", sitting.pk, skills[place].slug)
    return redirect("candidates:wizard_background", sitting.pk)


def _skill_page(request, sitting, skills, place, response, form, *, status=200, problem=None):
    skill = skills[place - 1]
    if form is not None:
        chosen, note, link = (form.data.get(name, "") for name in ("level", "note", "link"))
    elif response:
        chosen = "none" if response.level is None else str(response.level)
        note, link = response.note, response.link
    else:
        chosen = note = link = ""
    last = len(skills)
    context = {
        "sitting": sitting,
        "skill": skill,
        "place": place,
        "last": last,
        "minutes": max(1, round((last - place + 1) * SECONDS_PER_SKILL / 60)),
        "steps": steps(place, last),
        "cards": cards(skill),
        "chosen": chosen,
        "note": note,
        "link": link,
        "revision": response.revision if response else 0,
        "page": uuid4(),
        "response": response,
        "form": form,
        "read": wording(skill),
        "post_url": reverse("assessments:wizard_skill", args=[sitting.pk, skill.slug]),
        **(problem or {}),
    }
    htmx = request.htmx and status != 200
    template = "assessments/_wizard_problem.html" if htmx else "assessments/wizard_skill.html"
    return render(request, template, context, status=status)


def wizard_later(request, sitting):
    """Everything is stored; how to go on, here or on another device."""
    sitting, key = open_sitting(request, sitting), sitting
    if sitting is None:
        return wizard_ended(request, key)
    skills = sitting.skills()
    context = {
        "sitting": sitting,
        "skill": next_skill(sitting, skills),
        "answered": sitting.responses.count(),
        "last": len(skills),
        "idle_days": settings.ASSESSMENT_IDLE_DAYS,
    }
    return render(request, "assessments/wizard_later.html", context)


@require_POST
def leave(request):
    """End at once whatever this browser may open; nothing that was answered is lost."""
    sessions.leave(request)
    return redirect("assessments:left")


def left(request):
    """This computer opens nothing any more, and how to go on."""
    return render(request, "assessments/left.html")
