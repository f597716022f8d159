"""The self-assessment, one skill at a time. Who is answering is known here only as a sitting in the session."""

from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from assessments import actions
from assessments.cards import cards, steps
from assessments.forms import AnswerForm, ConsentForm
from assessments.models import Response, Sitting

SECONDS_PER_SKILL = 45


def sitting_of(request) -> Sitting | None:
    """The open sitting that this session may work on, or None."""
    key = request.session.get("sitting")
    found = Sitting.objects.select_related("role_version__role").filter(pk=key).first() if key else None
    return found if found and found.is_open(timezone.now()) else None


def wizard_ended(request):
    """Where one lands without an open assessment: what happened, and what to do."""
    key = request.session.get("sitting")
    sitting = Sitting.objects.filter(pk=key).first() if key else None
    return render(request, "assessments/wizard_ended.html", {"sitting": sitting, "now": timezone.now()}, status=410)


def wizard_intro(request):
    """What is measured, why, how long, who sees it; consent and accommodation."""
    sitting = sitting_of(request)
    if sitting is None:
        return wizard_ended(request)
    skills = sitting.skills()
    initial = {"consent": bool(sitting.consented_at), "accommodation": sitting.accommodation}
    form = ConsentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.consent(sitting, timezone.now(), accommodation=form.cleaned_data["accommodation"])
        return redirect("assessments:wizard_skill", next_place(sitting, skills))
    context = {"sitting": sitting, "form": form, "skills": skills, "minutes": minutes(len(skills))}
    return render(request, "assessments/wizard_intro.html", context, status=400 if form.errors else 200)


def minutes(skills: int) -> int:
    """About how long so many skills take, with the background at the end."""
    return max(1, round(skills * SECONDS_PER_SKILL / 60)) + 1


def next_place(sitting, skills) -> int:
    """The first skill without an answer, or the last one."""
    answered = set(sitting.responses.values_list("skill", flat=True))
    return next((n for n, skill in enumerate(skills, start=1) if skill.pk not in answered), len(skills))


def wizard_skill(request, place):
    """One skill with its anchors. Every answer is stored before the page moves on, or as soon as it is chosen."""
    sitting = sitting_of(request)
    if sitting is None:
        return wizard_ended(request)
    skills = sitting.skills()
    if not sitting.consented_at:
        return redirect("assessments:wizard_intro")
    if not 1 <= place <= len(skills):
        return redirect("assessments:wizard_skill", min(max(1, place), len(skills)))
    skill = skills[place - 1]
    response = Response.objects.filter(sitting=sitting, skill=skill).first()
    if request.method == "POST":
        return _answer(request, sitting, skills, place, response)
    return _skill_page(request, sitting, skills, place, response, form=None)


def _answer(request, sitting, skills, place, response):
    going = request.POST.get("go", "next")
    left_empty = not any(request.POST.get(name, "").strip() for name in ("level", "note", "link"))
    if going in {"back", "later"} and left_empty:
        return _go(going, place, len(skills))
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _skill_page(request, sitting, skills, place, response, form, status=400)
    data = form.cleaned_data
    try:
        stored = actions.answer(sitting, skills[place - 1], timezone.now(), **data)
    except actions.Closed:
        return wizard_ended(request)
    except ValidationError as error:
        newest = Response.objects.filter(sitting=sitting, skill=skills[place - 1]).first()
        problem = error.messages[0]
        return _skill_page(request, sitting, skills, place, newest, None, status=409, problem=problem)
    if request.htmx:
        return render(request, "assessments/_wizard_saved.html", {"response": stored})
    return _go(going, place, len(skills))


def _go(going: str, place: int, last: int):
    if going == "back":
        return redirect("assessments:wizard_skill", place - 1) if place > 1 else redirect("assessments:wizard_intro")
    if going == "later":
        return redirect("assessments:wizard_later")
    if place < last:
        return redirect("assessments:wizard_skill", place + 1)
    return redirect("candidates:wizard_background")


def _skill_page(request, sitting, skills, place, response, form, *, status=200, problem=""):
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
        "response": response,
        "form": form,
        "problem": problem,
        "post_url": reverse("assessments:wizard_skill", args=[place]),
        "resumed": request.GET.get("resumed"),
    }
    htmx = request.htmx and status != 200
    template = "assessments/_wizard_problem.html" if htmx else "assessments/wizard_skill.html"
    return render(request, template, context, status=status)


def wizard_later(request):
    """Everything is stored; how to go on, here or on another device."""
    sitting = sitting_of(request)
    if sitting is None:
        return wizard_ended(request)
    skills = sitting.skills()
    context = {
        "sitting": sitting,
        "place": next_place(sitting, skills),
        "answered": sitting.responses.count(),
        "last": len(skills),
    }
    return render(request, "assessments/wizard_later.html", context)
