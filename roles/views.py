"""Building roles."""

from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from roles import actions, occupations
from roles.forms import DescribeForm, LineForm, NewRoleForm, TemplateForm
from roles.models import EnterpriseFunction, Occupation, Role, RoleTemplate, RoleVersion, Skill
from socialstrategy.lib.levels import LEVELS
from socialstrategy.lib.paging import page_of
from socialstrategy.lib.searching import matching


def role_list(request):
    """Every role in reach, with its versions."""
    wanted = {name: request.GET.get(name, "")[:60] for name in ("function", "state", "q")}
    roles = matching(Role.objects.visible_to(request.user).with_versions(), wanted["q"], "title")
    if wanted["function"]:
        roles = roles.filter(function__slug=wanted["function"])
    if wanted["state"] == "draft":
        roles = roles.filter(versions__state=RoleVersion.State.DRAFT)
    roles = roles.filter(retired_at__isnull=wanted["state"] != "retired")
    context = {"page": page_of(roles, request), "functions": EnterpriseFunction.objects.all(), **wanted}
    return render(request, "roles/role_list.html", context)


def role_new(request):
    """A new role: from a template, another role, a real occupation, or from scratch."""
    form = NewRoleForm(request.POST or None, initial=_initial(request.GET.get("start", ""), request.user))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        lines = _starting_lines(data.pop("start"), request.user)
        version = actions.create_role(by=request.user, lines=lines, **data)
        return redirect("roles:role_edit", version.role_id)
    templates = RoleTemplate.objects.current().with_requirements()
    context = {"form": form, "templates": templates, "has_occupations": Occupation.objects.listed().exists()}
    return render(request, "roles/role_new.html", context, status=400 if form.errors else 200)


def _initial(start: str, user) -> dict:
    """Title, function and phase from what the role starts from."""
    kind, _, key = start.partition("-")
    if kind == "role" and key.isdecimal():
        found = Role.objects.visible_to(user).filter(pk=key).first()
        if found:
            return {
                "start": start,
                "title": f"{found.title}, copy"[:120],
                "function": found.function,
                "phase": found.phase,
                "purpose": found.purpose,
            }
    if kind == "template" and key.isdecimal():
        found = RoleTemplate.objects.current().filter(pk=key).first()
        if found:
            return {
                "start": start,
                "title": found.title,
                "function": found.function,
                "phase": found.phase,
                "purpose": found.purpose,
            }
    if kind == "occupation" and key.isdecimal():
        found = Occupation.objects.filter(pk=key).first()
        if found:
            return {"start": start, "title": found.title[:120]}
    return {"start": start}


def _starting_lines(start: str, user) -> list[dict]:
    kind, _, key = start.partition("-")
    if kind == "template":
        return actions.lines_of(
            get_object_or_404(RoleTemplate.objects.current(), pk=key).requirements.select_related("skill")
        )
    if kind == "occupation":
        return occupations.draft(get_object_or_404(Occupation, pk=key))
    if kind == "role":
        role = get_object_or_404(Role.objects.visible_to(user).with_versions(), pk=key)
        return actions.lines_of((role.published or role.versions.all()[0]).requirements.select_related("skill"))
    return []


def _draft_or_404(request, pk) -> RoleVersion:
    versions = RoleVersion.objects.visible_to(request.user).drafts().with_requirements()
    return get_object_or_404(versions, role=pk)


def role_edit(request, pk):
    """The requirement grid of a draft; saves each change as it is made."""
    drafts = RoleVersion.objects.visible_to(request.user).drafts().with_requirements()
    version = drafts.filter(role=pk).first()
    if version is None:
        role = get_object_or_404(Role.objects.visible_to(request.user), pk=pk)
        if request.method == "POST":
            return _grid_problem(request, actions.Frozen().message, 409)
        return redirect("roles:role_detail", role.pk)
    if request.method == "POST":
        return _save_grid(request, version)
    return render(request, "roles/role_edit.html", _grid_context(version))


def _grid_context(version) -> dict:
    lines = list(version.requirements.all())
    for line in lines:
        line.shown = LineForm.shown(line)
    used = {line.skill_id for line in lines}
    return {
        "version": version,
        "role": version.role,
        "lines": lines,
        "levels": list(enumerate(LEVELS)),
        "free_skills": Skill.objects.current().select_related("skill_set").exclude(pk__in=used),
        "versions": version.role.versions.annotate(
            requirement_count=Count("requirements", distinct=True),
            sitting_count=Count("sittings", filter=Q(sittings__submitted_at__isnull=False), distinct=True),
        ),
        "published": version.role.versions.published().first(),
        "page": uuid4(),
    }


def _save_grid(request, version):
    """Apply the rows that were sent (htmx sends one, the page without JavaScript all of them)."""
    sent = [line for line in version.requirements.all() if f"row-{line.pk}" in request.POST]
    forms = [LineForm(line, request.POST) for line in sent]
    wrong = next((form for form in forms if not form.is_valid()), None)
    if wrong:
        return _grid_problem(request, wrong.problem(), 400)
    if not sent:
        return _grid_problem(request, "That requirement is not part of the draft any more. Reload the page.", 409)
    try:
        wanted = [(form.line, form.was(), form.changes()) for form in forms]
        page, step = request.POST.get("page", "")[:36], _number(request.POST.get("step"))
        actions.change_lines(version, wanted, by=request.user, page=page, step=step)
    except ValidationError as error:
        return _grid_problem(request, error.messages[0], 409)
    if not request.htmx:
        return redirect("roles:role_edit", version.role_id)
    version = RoleVersion.objects.with_requirements().get(pk=version.pk)
    context = _grid_context(version)
    by_line = {form.line.pk: form for form in forms}
    context["changed"] = [line for line in context["lines"] if line.pk in by_line]
    for line in context["changed"]:
        line.shown = by_line[line.pk].shows(line)
    response = render(request, "roles/_role_saved.html", context)
    response["HX-Trigger"] = "requirements-changed"
    return response


def _grid_problem(request, sentence: str, status: int):
    """A sentence where it happened: into the status line for htmx, as a page of its own otherwise."""
    template = "roles/_role_problem.html" if request.htmx else "problem.html"
    return render(request, template, {"sentence": sentence, "title": "Not saved"}, status=status)


@require_POST
def requirement_add(request, pk):
    """Add a skill to a draft."""
    version = _draft_or_404(request, pk)
    skill = get_object_or_404(Skill.objects.current(), pk=_number(request.POST.get("skill")))
    line = actions.add_requirement(version, skill, by=request.user)
    return redirect(f"{_edit_url(version)}#row-{line.pk}")


def _number(text) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


def _edit_url(version) -> str:
    return reverse("roles:role_edit", args=[version.role_id])


@require_POST
def requirement_remove(request, pk, line):
    """Take a skill out of a draft; undo brings it back."""
    version = _draft_or_404(request, pk)
    requirement = get_object_or_404(version.requirements.select_related("skill"), pk=line)
    actions.remove_requirement(requirement, by=request.user)
    messages.success(request, f"{requirement.skill.name} is out of the draft. Undo brings it back.")
    return redirect(_edit_url(version))


@require_POST
def requirement_edit(request, pk, line):
    """Set one requirement's level: the preview's “Try” button."""
    version = _draft_or_404(request, pk)
    requirement = get_object_or_404(version.requirements.select_related("skill"), pk=line)
    level = request.POST.get("level", "")
    if level not in {"0", "1", "2", "3", "4", "5"}:
        return _grid_problem(request, "A level goes from 0 to 5.", 400)
    actions.change_requirement(requirement, by=request.user, level=int(level))
    messages.success(request, f"{requirement.skill.name} now asks for level {level}. Undo brings the old level back.")
    return redirect(_edit_url(version))


@require_POST
def role_undo(request, pk):
    """Undo the last change to a draft; once more brings it back."""
    version = _draft_or_404(request, pk)
    done = actions.undo(version, by=request.user)
    messages.success(request, "The last change is undone." if done else "There is nothing to undo.")
    return redirect(_edit_url(version))


@require_POST
def role_publish(request, pk):
    """Freeze the draft and make it the version that people are compared with."""
    version = _draft_or_404(request, pk)
    try:
        actions.publish(version, by=request.user)
    except ValidationError as error:
        context = _grid_context(version) | {"problems": error.messages}
        return render(request, "roles/role_edit.html", context, status=400)
    messages.success(request, f"Version {version.number} is published.")
    return redirect("roles:role_detail", version.role_id)


@require_POST
def role_next_version(request, pk):
    """Start the next version from the newest one."""
    role = get_object_or_404(Role.objects.visible_to(request.user), pk=pk)
    actions.next_version(role, by=request.user)
    return redirect("roles:role_edit", role.pk)


@require_POST
def role_discard(request, pk):
    """Throw the draft away."""
    version = _draft_or_404(request, pk)
    gone = actions.discard_draft(version, by=request.user)
    messages.success(request, "The draft is gone.")
    return redirect("roles:role_list") if gone else redirect("roles:role_detail", version.role_id)


@require_POST
def role_retire(request, pk):
    """Retire a role, or bring it back."""
    role = get_object_or_404(Role.objects.visible_to(request.user), pk=pk)
    actions.set_retired(role, by=request.user, retired=role.retired_at is None)
    messages.success(request, f"{role.title} is {'retired' if role.retired_at else 'in use again'}.")
    return redirect("roles:role_detail", role.pk)


def role_describe(request, pk):
    """Title, function, phase and purpose of a role."""
    role = get_object_or_404(Role.objects.visible_to(request.user), pk=pk)
    form = DescribeForm(request.POST or None, instance=role)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("roles:role_edit" if role.versions.drafts().exists() else "roles:role_detail", role.pk)
    return render(request, "roles/role_describe.html", {"form": form, "role": role}, status=400 if form.errors else 200)


def role_detail(request, pk):
    """A version of a role, frozen; ?version= shows an earlier one."""
    role = get_object_or_404(Role.objects.visible_to(request.user).select_related("function"), pk=pk)
    versions = RoleVersion.objects.visible_to(request.user).filter(role=role)
    shown = versions.with_requirements().ever_published()
    number = request.GET.get("version", "")
    version = get_object_or_404(shown, number=_number(number)) if number else shown.order_by("-number").first()
    if version is None and request.user.is_hr:
        return redirect("roles:role_edit", role.pk)
    context = {
        "role": role,
        "version": version,
        "versions": versions,
        "template_form": TemplateForm(initial={"title": role.title}),
    }
    return render(request, "roles/role_detail.html", context)


def role_compare(request, pk):
    """What changed from one version of a role to another; without a choice, the last two."""
    role = get_object_or_404(Role.objects.visible_to(request.user), pk=pk)
    versions = list(RoleVersion.objects.visible_to(request.user).filter(role=role).with_requirements())
    by_number = {version.number: version for version in versions}
    newer = by_number.get(_number(request.GET.get("to", "")), versions[0] if versions else None)
    earlier = [version for version in versions if newer and version.number < newer.number]
    older = by_number.get(_number(request.GET.get("from", "")), earlier[0] if earlier else None)
    if newer is None or older is None or older.pk == newer.pk:
        context = {
            "title": "Compare versions",
            "sentence": "There is no second version to compare with yet."
            if len(versions) < 2
            else "Choose two versions.",
            "back": reverse("roles:role_list"),
        }
        return render(request, "problem.html", context, status=400)
    context = {"role": role, "versions": versions, "older": older, "newer": newer, "rows": older.changes_to(newer)}
    return render(request, "roles/role_compare.html", context)


@require_POST
def role_template(request, pk):
    """Keep the role's newest version as a template."""
    role = get_object_or_404(Role.objects.visible_to(request.user), pk=pk)
    form = TemplateForm(request.POST)
    if not form.is_valid():
        return _grid_problem(request, "A template needs a name of 1 to 120 characters.", 400)
    version = role.versions.with_requirements().order_by("-number").first()
    template = actions.save_as_template(version, by=request.user, title=form.cleaned_data["title"])
    messages.success(request, f"“{template.title}” is a template now.")
    return redirect("roles:template_detail", template.pk)
