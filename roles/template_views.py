"""Templates to start roles from."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from roles import actions
from roles.forms import TemplateDescribeForm, TemplateLineForm
from roles.models import RoleTemplate, TemplateRequirement


def template_list(request):
    """Templates to start from."""
    templates = RoleTemplate.objects.current().with_requirements()
    retired = RoleTemplate.objects.exclude(retired_at=None).select_related("function")
    return render(request, "roles/template_list.html", {"templates": templates, "retired": retired})


def template_detail(request, pk):
    """One template, line by line."""
    template = get_object_or_404(RoleTemplate.objects.with_requirements(), pk=pk)
    return render(request, "roles/template_detail.html", {"template": template})


@require_POST
def template_retire(request, pk):
    """Retire a template, or bring it back."""
    template = get_object_or_404(RoleTemplate, pk=pk)
    actions.set_retired(template, by=request.user, retired=template.retired_at is None)
    messages.success(request, f"{template.title} is {'retired' if template.retired_at else 'in use again'}.")
    return redirect("roles:template_list")


def template_edit(request, pk):
    """Title, function, phase and purpose of a template."""
    template = get_object_or_404(RoleTemplate, pk=pk)
    form = TemplateDescribeForm(request.POST or None, instance=template)
    if request.method == "POST" and form.is_valid():
        actions.save_template(form.save(commit=False), by=request.user)
        messages.success(request, "The template is saved.")
        return redirect("roles:template_detail", pk)
    context = {"form": form, "template": RoleTemplate.objects.get(pk=pk), "what": "Describe"}
    return render(request, "roles/template_form.html", context, status=400 if form.errors else 200)


def template_line_add(request, pk):
    return _line_form(request, TemplateRequirement(template=get_object_or_404(RoleTemplate, pk=pk)))


def template_line_edit(request, pk, line):
    return _line_form(request, get_object_or_404(TemplateRequirement.objects.filter(template=pk), pk=line))


def _line_form(request, line):
    if request.method == "POST" and "remove" in request.POST and line.pk:
        line.delete()
        messages.success(request, f"{line.skill.name} is out of the template.")
        return redirect("roles:template_detail", line.template_id)
    form = TemplateLineForm(request.POST or None, instance=line)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"{line.skill.name} is saved.")
        return redirect("roles:template_detail", line.template_id)
    context = {"form": form, "template": line.template, "line": line, "what": "Requirement"}
    return render(request, "roles/template_form.html", context, status=400 if form.errors else 200)
