"""Teams and who is in them."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Subquery
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from roles.models import EnterpriseFunction
from socialstrategy.lib.paging import page_of
from socialstrategy.lib.searching import matching
from teams import actions, published
from teams.forms import CloseForm, MemberForm, ShareForm, TeamForm
from teams.models import Demand, Membership, Team


def team_list(request):
    teams = Team.objects.visible_to(request.user).select_related("function", "merged_into")
    wanted = {name: request.GET.get(name, "")[:80] for name in ("q", "function", "closed")}
    teams = matching(teams.filter(closed_on__isnull=not wanted["closed"]), wanted["q"], "name")
    if wanted["function"]:
        teams = teams.filter(function__slug=wanted["function"])
    members = Membership.objects.present().filter(team=OuterRef("pk")).order_by().values("team")
    demands = Demand.objects.active_on(timezone.localdate()).filter(team=OuterRef("pk")).order_by().values("team")
    teams = teams.annotate(
        member_count=Subquery(members.annotate(n=Count("pk")).values("n")),
        demand_count=Subquery(demands.annotate(n=Count("pk")).values("n")),
    )
    page = page_of(teams, request)
    told = None if request.user.is_hr else published.current()
    for team in page:
        team.people = (team.member_count or 0) if request.user.is_hr else published.size(told, team)
    context = {"page": page, "functions": EnterpriseFunction.objects.all(), **wanted}
    return render(request, "teams/team_list.html", context)


def team_new(request):
    return _team_form(request, Team())


def team_edit(request, pk):
    return _team_form(request, get_object_or_404(Team.objects.visible_to(request.user).current(), pk=pk))


def _team_form(request, team):
    form = TeamForm(request.POST or None, instance=team)
    if request.method == "POST" and form.is_valid():
        saved = actions.save_team(form.save(commit=False), by=request.user)
        messages.success(request, f"{saved.name} is saved.")
        return redirect("teams:team_detail", saved.pk)
    context = {"form": form, "team": Team.objects.filter(pk=team.pk).first()}
    return render(request, "teams/team_form.html", context, status=400 if form.errors else 200)


def team_detail(request, pk):
    """What is asked of a team, and, for HR, who is in it."""
    team = get_object_or_404(Team.objects.visible_to(request.user).select_related("function", "merged_into"), pk=pk)
    return _team_page(request, team)


def _team_page(request, team, *, member_form=None, problem="", status=200):
    members = team.memberships.present().select_related("person__function")
    is_hr = request.user.is_hr
    context = {
        "team": team,
        "count": members.count() if is_hr else published.size(published.current(), team),
        "page": page_of(members, request) if is_hr else None,
        "demands": Demand.objects.active_on(timezone.localdate()).filter(team=team).told(),
        "member_form": member_form or MemberForm(),
        "close_form": CloseForm(team=team),
        "problem": problem,
    }
    return render(request, "teams/team_detail.html", context, status=status)


@require_POST
def member_add(request, pk):
    team = get_object_or_404(Team.objects.visible_to(request.user).current(), pk=pk)
    form = MemberForm(request.POST)
    if form.is_valid():
        share = form.cleaned_data["share"]
        try:
            actions.put_in_team(team, form.person, share=share, day=timezone.localdate(), by=request.user)
        except ValidationError as error:
            form.add_error("share", error)
        else:
            messages.success(request, f"{form.person.name} is in {team.name} now.")
            return redirect("teams:team_detail", team.pk)
    return _team_page(request, team, member_form=form, status=400)


@require_POST
def member_change(request, pk, member):
    """Another share of time, or leaving the team."""
    team = get_object_or_404(Team.objects.visible_to(request.user).current(), pk=pk)
    membership = get_object_or_404(team.memberships.current().select_related("person", "team"), pk=member)
    today = timezone.localdate()
    if "leave" in request.POST:
        actions.leave_team(membership, day=today, by=request.user)
        messages.success(request, f"{membership.person.name} has left {team.name}.")
        return redirect("teams:team_detail", team.pk)
    form = ShareForm(request.POST)
    if not form.is_valid():
        return _team_page(request, team, problem="A share of time is 5 to 100 percent.", status=400)
    try:
        actions.put_in_team(team, membership.person, share=form.cleaned_data["share"], day=today, by=request.user)
    except ValidationError as error:
        return _team_page(request, team, problem=error.messages[0], status=400)
    messages.success(request, "The share of time is saved.")
    return redirect("teams:team_detail", team.pk)


@require_POST
def team_close(request, pk):
    """Dissolve a team, or merge it into another."""
    team = get_object_or_404(Team.objects.visible_to(request.user).current(), pk=pk)
    form = CloseForm(request.POST, team=team)
    if not form.is_valid():
        return _team_page(request, team, problem="Choose one of the teams shown.", status=400)
    into = form.cleaned_data["into"]
    try:
        actions.close_team(team, into=into, day=timezone.localdate(), by=request.user)
    except ValidationError as error:
        return _team_page(request, team, problem=error.messages[0], status=409)
    messages.success(request, f"{team.name} is part of {into.name} now." if into else f"{team.name} is dissolved.")
    return redirect("teams:team_detail", (into or team).pk)
