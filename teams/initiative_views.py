"""Initiatives and their demands."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from roles.models import EnterpriseFunction, RoleTemplate
from scoring.readiness import READY
from socialstrategy.lib.paging import page_of
from socialstrategy.lib.searching import matching
from socialstrategy.lib.workbook import workbook
from teams import actions, coverage, dashboard, exports, published
from teams.forms import DemandForm, InitiativeForm, NewInitiativeForm
from teams.models import Demand, Initiative

STATES = {
    "active": Q(activated_on__isnull=False, ended_on=None),
    "planned": Q(activated_on=None),
    "ended": Q(ended_on__isnull=False),
}
SORTS = {"deadline": ("deadline_on", "title", "pk"), "title": ("title", "pk"), "new": ("-created_at", "-pk")}


def initiative_list(request):
    initiatives = Initiative.objects.visible_to(request.user).select_related("function")
    wanted = {name: request.GET.get(name, "")[:80] for name in ("q", "function", "state", "sort")}
    initiatives = matching(initiatives, wanted["q"], "title")
    if wanted["function"]:
        initiatives = initiatives.filter(function__slug=wanted["function"])
    if wanted["state"] in STATES:
        initiatives = initiatives.filter(STATES[wanted["state"]])
    initiatives = initiatives.order_by(*SORTS.get(wanted["sort"], SORTS["deadline"]))
    page = page_of(initiatives, request)
    counts = dict(
        Demand.objects.filter(initiative__in=[one.pk for one in page])
        .order_by()
        .values_list("initiative")
        .annotate(n=Count("pk"))
    )
    rows = _rows(request.user, page)
    for row in rows:
        row["demands"] = counts.get(row["initiative"].pk, 0)
    functions = EnterpriseFunction.objects.all()
    context = {"page": page, "rows": rows, "functions": functions, "line_at": READY, **wanted}
    return render(request, "teams/initiative_list.html", context)


def _rows(user, initiatives) -> list[dict]:
    """Initiatives with the shares that the viewer may know."""
    if user.is_hr:
        return dashboard.readiness(coverage.current(), initiatives)
    told = published.current()
    if told:
        return told.rows(initiatives)
    return [{"initiative": one, "share": published.NOTHING, "short_of": []} for one in initiatives]


def initiative_new(request):
    """A new initiative; its demands drafted from a role template or from an earlier one."""
    form = NewInitiativeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        demands = _drafted(form.cleaned_data)
        saved = actions.save_initiative(form.save(commit=False), by=request.user, demands=demands)
        messages.success(request, "Saved. It counts on the overview once you activate it.")
        return redirect("teams:initiative_detail", saved.pk)
    return render(request, "teams/initiative_form.html", {"form": form}, status=400 if form.errors else 200)


def _drafted(data) -> list[Demand]:
    kind, _, key = data["start"].partition("-")
    due = data["deadline_on"]
    if kind == "template":
        template = get_object_or_404(RoleTemplate.objects.current(), pk=key)
        return actions.demands_from_template(template, data["team"], people=data["people"] or 1, due_on=due)
    if kind == "initiative":
        return actions.demands_from_initiative(get_object_or_404(Initiative, pk=key), due_on=due)
    return []


def _own(request, pk) -> Initiative:
    return get_object_or_404(Initiative.objects.visible_to(request.user).select_related("function", "owner"), pk=pk)


def initiative_edit(request, pk):
    one = _own(request, pk)
    form = InitiativeForm(request.POST or None, instance=one)
    if request.method == "POST" and form.is_valid():
        actions.save_initiative(form.save(commit=False), by=request.user)
        messages.success(request, "The initiative is saved.")
        return redirect("teams:initiative_detail", one.pk)
    context = {"form": form, "initiative": Initiative.objects.get(pk=one.pk)}
    return render(request, "teams/initiative_form.html", context, status=400 if form.errors else 200)


def initiative_detail(request, pk):
    """Its goal, its demands as sentences, and how ready it is."""
    one = _own(request, pk)
    demands = list(one.demands.told())
    context = {
        "initiative": one,
        "demand_count": len(demands),
        **(_exact(one, demands) if request.user.is_hr else _told(one, demands)),
        "today": timezone.localdate(),
        "line_at": READY,
    }
    return render(request, "teams/initiative_detail.html", context)


def _exact(one: Initiative, demands: list[Demand]) -> dict:
    """What HR sees: each demand by itself, as things are now."""
    board = coverage.current()
    lines = {board.lines[n].demand.pk: board.lines[n] for n in board.lines_by_initiative.get(one.pk, [])}
    rows = []
    for demand in demands:
        line = lines.get(demand.pk)
        rows.append({"demand": demand, "line": line, "share": line.share if line else None})
    share, short_of = board.exact.initiatives.get(one.pk), dashboard.short_of(board, one.pk)
    return {"share": share, "short_of": short_of, "phases": _by_phase(rows)}


def _told(one: Initiative, demands: list[Demand]) -> dict:
    """What executives see: each demand by the share of the teams it is counted with, of this week."""
    told = published.current()
    found = told.demands(one.pk) if told else {}
    shown = told.rows([one])[0] if told else {"share": published.NOTHING, "short_of": []}
    return {
        "share": shown["share"] if one.state == "active" else None,
        "short_of": shown["short_of"],
        "told_on": told.told_on if told else None,
        "phases": _by_phase([{"demand": demand, **found.get(demand.pk, {})} for demand in demands]),
    }


def _by_phase(rows: list[dict]) -> list[tuple]:
    """[(phase, [row, …]), …], each row about one demand."""
    found: dict = {}
    for row in rows:
        found.setdefault(row["demand"].get_phase_display(), []).append(row)
    return list(found.items())


@require_POST
def initiative_state(request, pk):
    """Activate an initiative, or end it."""
    one = _own(request, pk)
    today = timezone.localdate()
    try:
        if request.POST.get("state") == "active":
            actions.activate(one, day=today, by=request.user)
            messages.success(request, "Active: its demands count on the overview now.")
        elif request.POST.get("state") == "ended":
            actions.end(one, day=today, by=request.user)
            messages.success(request, "Ended. It can be taken up again, or copied.")
        else:
            raise ValidationError("Choose to activate the initiative or to end it.")
    except ValidationError as error:
        context = {"title": "Not done", "sentence": error.messages[0], "back": ".."}
        return render(request, "problem.html", context, status=409)
    return redirect("teams:initiative_detail", one.pk)


def demand_add(request, pk):
    one = _own(request, pk)
    demand = Demand(initiative=one, phase=one.phase, level=3, people=1, due_on=one.deadline_on)
    return _demand_form(request, one, demand)


def demand_edit(request, pk, demand):
    one = _own(request, pk)
    return _demand_form(request, one, get_object_or_404(one.demands.told(), pk=demand))


def _demand_form(request, one, demand):
    form = DemandForm(request.POST or None, instance=demand, initiative=one)
    if request.method == "POST" and form.is_valid():
        saved = actions.save_demand(form.save(commit=False), by=request.user)
        messages.success(request, f"Asked for: {saved.sentence}.")
        again = "again" in request.POST
        return redirect(*(("teams:demand_add", one.pk) if again else ("teams:initiative_detail", one.pk)))
    context = {"form": form, "initiative": one, "demand": demand if demand.pk else None}
    return render(request, "teams/demand_form.html", context, status=400 if form.errors else 200)


@require_POST
def demand_remove(request, pk, demand):
    one = _own(request, pk)
    found = get_object_or_404(one.demands.told(), pk=demand)
    actions.remove_demand(found, by=request.user)
    messages.success(request, f"No longer asked for: {found.sentence}.")
    return redirect("teams:initiative_detail", one.pk)


def initiative_export(request, pk):
    one = _own(request, pk)
    if request.user.is_hr:
        return workbook(exports.initiative(coverage.current(), one), f"initiative-{one.pk}")
    return workbook(exports.initiative_told(published.current(), one), f"initiative-{one.pk}")
