"""Skills and anchors, functions, and real occupations."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from roles import actions, occupation_imports, occupations
from roles.forms import FunctionForm, OccupationFileForm, SkillForm, SkillSetForm
from roles.models import EnterpriseFunction, Occupation, Skill, SkillSet
from roles.occupation_files import OccupationFileError
from socialstrategy.lib.paging import page_of
from socialstrategy.lib.searching import matching


def skill_list(request):
    """All skills by skill set."""
    skills = Skill.objects.with_anchors()
    shown = skills if request.GET.get("retired") else skills.current()
    return render(request, "roles/skill_list.html", {"skills": shown, "sets": SkillSet.objects.all()})


def skill_detail(request, slug):
    """One skill: what each level looks like, and what it is called elsewhere."""
    skill = get_object_or_404(Skill.objects.with_anchors(), slug=slug)
    return render(request, "roles/skill_detail.html", {"skill": skill})


def skill_new(request):
    return _skill_form(
        request, Skill(skill_set_id=request.GET.get("set") if request.GET.get("set", "").isdecimal() else None)
    )


def skill_edit(request, slug):
    return _skill_form(request, get_object_or_404(Skill, slug=slug))


def _skill_form(request, skill):
    form = SkillForm(request.POST or None, instance=skill)
    if request.method == "POST" and form.is_valid():
        saved = actions.save_skill(form.save(commit=False), form.anchors, by=request.user)
        messages.success(request, f"{saved.name} is saved.")
        return redirect("roles:skill_detail", saved.slug)
    context = {"form": form, "skill": Skill.objects.filter(pk=skill.pk).first()}
    return render(request, "roles/skill_form.html", context, status=400 if form.errors else 200)


@require_POST
def skill_retire(request, slug):
    """Retire a skill, or bring it back; evidence and published roles keep it."""
    skill = get_object_or_404(Skill, slug=slug)
    actions.set_retired(skill, by=request.user, retired=skill.retired_at is None)
    messages.success(request, f"{skill.name} is {'retired' if skill.retired_at else 'in use again'}.")
    return redirect("roles:skill_detail", slug)


def skill_set_edit(request, slug):
    """Name and purpose of a skill set."""
    skill_set = get_object_or_404(SkillSet, slug=slug)
    return _simple_form(request, SkillSetForm, skill_set, "roles:skill_list", "Skills and anchors")


def function_list(request):
    """The enterprise functions and what they typically do with social."""
    return render(request, "roles/function_list.html", {"functions": EnterpriseFunction.objects.all()})


def function_edit(request, slug):
    """Name and uses of a function."""
    function = get_object_or_404(EnterpriseFunction, slug=slug)
    return _simple_form(request, FunctionForm, function, "roles:function_list", "Functions")


def _simple_form(request, form_class, row, back, back_title):
    form = form_class(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"{row} is saved.")
        return redirect(back)
    shown = type(row).objects.get(pk=row.pk)
    context = {"form": form, "row": shown, "back": back, "back_title": back_title}
    return render(request, "roles/catalogue_form.html", context, status=400 if form.errors else 200)


def occupation_list(request):
    """Occupations to start a role from."""
    return _occupations(request, OccupationFileForm())


def _occupations(request, form):
    words = request.GET.get("q", "")[:60]
    listed = Occupation.objects.listed()
    context = {
        "page": page_of(matching(listed, words, "title", "code"), request),
        "form": form,
        "q": words,
        "untitled": listed.filter(title="").count(),
        "unrated": 0 if words else Occupation.objects.filter(rating_count=0).count(),
    }
    return render(request, "roles/occupation_list.html", context, status=400 if form.errors else 200)


@require_POST
def occupation_import(request):
    """Read O*NET's or ESCO's files, large ones as a job."""
    form = OccupationFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _occupations(request, form)
    files = [(file.name, file.file) for file in form.cleaned_data["uploads"]]
    source = form.cleaned_data["source"]
    if sum(file.size for file in form.cleaned_data["uploads"]) > occupation_imports.AT_ONCE_BYTES:
        job = occupation_imports.send_to_worker(files, source, by=request.user)
        return redirect("jobs:job_progress", job.pk)
    try:
        count = occupation_imports.take_in(files, source, by=request.user)
    except OccupationFileError as error:
        form.add_error("uploads", str(error))
        # On a phone the form stands far below the list.
        messages.error(request, f"Nothing was stored. {error}")
        return _occupations(request, form)
    messages.success(request, f"{count:,} occupations are in." if count else "The names are in.")
    return redirect("roles:occupation_list")


def occupation_detail(request, pk):
    """What an occupation drafts into, before a role is made of it."""
    occupation = get_object_or_404(Occupation, pk=pk)
    lines = occupations.draft(occupation)
    skills = Skill.objects.in_bulk([line["skill_id"] for line in lines])
    rows = [{**line, "skill": skills[line["skill_id"]]} for line in lines]
    return render(request, "roles/occupation_detail.html", {"occupation": occupation, "rows": rows})
