"""Who fits: the preview, rankings, comparison, a person against a role, exports."""

from datetime import date

from django.contrib import messages
from django.http import Http404
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST

from accounts.models import record
from candidates import actions, exports, profile, standings
from candidates.models import CODE_LENGTH, Person, StoredFit
from candidates.ranking import BANDS, RoleRanking, people_by_kind
from candidates.shown import readable, sees_everything
from roles.models import EnterpriseFunction, Role, RoleVersion
from socialstrategy.lib.paging import PER_PAGE
from socialstrategy.lib.templatetags.components import BAND_WORDS, STATE_WORDS
from socialstrategy.lib.workbook import csv_file, workbook


def _version(request, pk, *, drafts=False) -> RoleVersion:
    versions = RoleVersion.objects.visible_to(request.user).with_lines()
    return get_object_or_404(versions if drafts else versions.ever_published(), pk=pk)


def who_fits(request, pk):
    """Beside the role builder: who fits the draft as it is now, and what easing an essential would change."""
    version = _version(request, pk, drafts=True)
    ranking = RoleRanking(version, relaxing=True)
    counts = ranking.band_counts()
    lines, relaxed = ranking.requirements, ranking.relaxed()
    for row in relaxed:
        row["address"] = reverse("roles:requirement_edit", args=[version.role_id, row["requirement"].pk])
    context = {
        "version": version,
        "blind": is_blind(request),
        "ranking": ranking,
        "counts": counts,
        "assessed": {who: sum(c.values()) - c["not_assessed"] for who, c in counts.items()},
        "expected": ranking.expected_qualified(),
        "closest": ranking.lines(slice(5), evidence=False),
        "relaxed_essentials": [row for row in relaxed if row["requirement"].is_essential],
        "relaxed_others": [row for row in relaxed if not row["requirement"].is_essential],
        # One for all forms: making one takes as long as drawing a row.
        "token": get_token(request),
        "essentials": sum(line.is_essential for line in lines),
        "bars": [_bars(line, counts) for line, counts in zip(lines, ranking.level_counts(), strict=True)],
    }
    template = "candidates/_who_fits.html" if request.htmx else "candidates/who_fits.html"
    return render(request, template, context)


def _bars(line, counts: list[int]) -> dict:
    """How the assessed people spread over the levels of one skill, drawn 20 high against its fullest level."""
    top = max(counts) or 1
    heights = [max(1, round(20 * n / top)) if n else 0 for n in counts]
    # Drawn here: six rectangles for each requirement would be half of the work of the template.
    drawn = "".join(
        f'<rect x="{n * 16.667 + 2:.2f}%" width="12.7%" y="{20 - h}" height="{h}" rx="1.5"/>'
        for n, h in enumerate(heights)
    )
    return {"line": line, "drawn": mark_safe(drawn), "above": sum(counts[line.level :]), "total": sum(counts)}


def band_notes(thresholds) -> dict[str, str]:
    """What each band means, with the organisation's own thresholds."""
    return {
        "likely": f"a chance of {thresholds.likely:.0%} or more to meet every essential, with evidence on each",
        "open": "more evidence is needed to say",
        "unlikely": f"a chance of at most {thresholds.unlikely:.0%}",
        "not_assessed": "nothing is known yet, which says nothing about them",
    }


def hiring(request):
    """The roles that people are compared with, and how many are likely for each."""
    roles = list(Role.objects.visible_to(request.user).current().filter(versions__state="published").with_versions())
    found = standings.of_versions([role.published.pk for role in roles])
    rows = [{"role": role, "standing": found.get(role.published.pk)} for role in roles]
    counted = min((one.counted_at for one in found.values()), default=None)
    return render(request, "candidates/hiring.html", {"rows": rows, "people": people_by_kind(), "counted": counted})


@require_POST
def hiring_count(request):
    """Compare everybody with every role now."""
    job = standings.count(by=request.user, result_url=reverse("candidates:hiring"))
    return redirect("jobs:job_progress", job.pk)


UNNAMED = "unnamed"
"""What addresses and forms on a blind page carry, so that it leads to blind ones even when another tab has ended it."""


def is_blind(request) -> bool:
    """Whether a page shows no names: in a blind review, and after a page that was shown in one."""
    return bool(request.session.get("blind")) or UNNAMED in request.GET or UNNAMED in request.POST


def blind_query(request) -> str:
    """What an address on this page ends with."""
    return f"?{UNNAMED}=1" if is_blind(request) else ""


@require_POST
def ranking_blind(request, pk):
    """Switch the blind review on or off, for the record; kept on the server for every page of it."""
    version = _version(request, pk)
    wanted = request.POST.get("blind") == "on"
    if wanted != bool(request.session.get("blind")):
        record(f"review.blind {'on' if wanted else 'off'}", version.role, str(version), by=request.user)
    request.session["blind"] = wanted
    return redirect("candidates:ranking", version.pk)


def _narrowed(request, version, *, blind: bool) -> tuple[RoleRanking, dict]:
    """The ranking that the page's filters ask for, and the filters as understood."""
    wanted = {name: request.GET.get(name, "")[:80] for name in ("q", "kind", "band", "function", "gap")}
    people = None
    if (wanted["q"] and not blind) or wanted["function"]:
        found = Person.objects.visible_to(request.user).current()
        if wanted["q"] and not blind:
            found = found.search(wanted["q"])
        if wanted["function"]:
            found = found.filter(function__slug=wanted["function"])
        people = found.order_by().values_list("pk", flat=True)
    ranking = RoleRanking(version, people=people)
    skills = [str(line.skill_id) for line in ranking.requirements]
    gap = skills.index(wanted["gap"]) if wanted["gap"] in skills else None
    return ranking.narrow(band=wanted["band"], kind=wanted["kind"], gap=gap), wanted


def ranking(request, pk):
    """Everybody against one role, best first."""
    version = _version(request, pk)
    blind = is_blind(request)
    found, wanted = _narrowed(request, version, blind=blind)
    pages = max(1, -(-len(found) // PER_PAGE))
    number = request.GET.get("page", "1")
    number = min(pages, max(1, int(number) if number.isdecimal() and len(number) < 9 else 1))
    start = (number - 1) * PER_PAGE
    lines = found[start : start + PER_PAGE]
    last = None
    # One address for all: fifty lookups take longer than the ranking.
    address = reverse("candidates:person_fit", args=[version.pk, "0"])[: -len("0/")]
    tail = blind_query(request)
    for line in lines:
        line.opens_band = line.band != last
        last = line.band
        person = line.person
        line.name, line.where = (person.blind_name, "") if blind else (person.name, person.where)
        line.code, line.href = person.code, f"{address}{person.code}/{tail}"
    # The column begins at the lowest interval of the page, so that it separates people.
    edge = int(min((line.fit_low for line in lines if line.band != "not_assessed"), default=0.0) * 10) / 10
    edge = min(edge, 0.8)
    notes = band_notes(found.matrix.thresholds)
    context = {
        "version": version,
        "role": version.role,
        "blind": blind,
        "unnamed": "1" if blind else "",
        "lines": lines,
        "total": len(found),
        "start": start,
        "number": number,
        "pages": pages,
        "essentials": [line for line in found.requirements if line.is_essential],
        "requirements": found.requirements,
        "counts": found.band_counts(),
        "bands": [(band, BAND_WORDS[band], notes[band]) for band in BANDS],
        "notes": notes,
        "fit_low_edge": edge,
        "fit_from": edge * 100,
        "fit_axis": f"{edge * 100:.0f} {edge * 50 + 50:.0f} 100",
        "end": start + len(lines),
        "previous": number - 1,
        "next": number + 1,
        "functions": EnterpriseFunction.objects.values("slug", "name"),
        "as_of": actions.known.month_start(actions.today()),
        **wanted,
    }
    return render(request, "candidates/ranking.html", context)


def compare(request, pk):
    """Two to four people side by side, essentials first."""
    version = _version(request, pk)
    codes = [code for code in request.GET.getlist("p") if len(code) == CODE_LENGTH][:5]
    people = list(Person.objects.visible_to(request.user).current().filter(code__in=codes))
    if not 2 <= len(people) <= 4 or len(codes) > 4:
        context = {
            "title": "Compare",
            "sentence": "Choose two, three or four people in the ranking, then compare them.",
            "back": reverse("candidates:ranking", args=[version.pk]),
        }
        return render(request, "problem.html", context, status=400)
    people.sort(key=lambda person: codes.index(person.code))
    found = [(person, *profile.against(person, version, request.user)) for person in people]
    order = sorted(
        range(len(found[0][2])),
        key=lambda n: (not found[0][2][n].requirement.is_essential, -found[0][2][n].requirement.weight),
    )
    rows = [(found[0][2][n].requirement, [column[2][n] for column in found]) for n in order]
    context = {
        "version": version,
        "role": version.role,
        "blind": is_blind(request),
        "blind_query": blind_query(request),
        "columns": [(p, fit) for p, fit, _ in found],
        "rows": rows,
    }
    return render(request, "candidates/compare.html", context)


def person_fit(request, code, pk):
    """One person against one role: every level with its evidence, every point with its reason."""
    version = _version(request, pk)
    person = get_object_or_404(Person.objects.visible_to(request.user).select_related("function"), code=code)
    if not version.requirements.all():
        raise Http404
    found, rows = profile.against(person, version, request.user)
    steps = profile.waterfall(rows)
    floor = min(int(min(found.fit_low, steps[-1]["to"] if steps else 1.0) * 20) / 20, 0.9)
    for step in steps:
        step["x"], step["width"] = share(step["to"], floor), share(floor + step["loss"], floor)
        step["points"] = f"−{step['loss'] * 100:.1f}" if step["loss"] >= 0.0005 else "<0.1"
    newest = readable(person, request.user).order_by("-observed_on").first()
    essential = [row.state for row in rows if row.requirement.is_essential]
    context = {
        "version": version,
        "role": version.role,
        "person": person,
        "blind": is_blind(request),
        "blind_query": blind_query(request),
        "fit": found,
        "rows": rows,
        "sets": profile.by_set(rows),
        "steps": steps,
        "floor": floor,
        "total": {
            "x": share(found.fit_low, floor),
            "width": share(floor + found.fit_high - max(found.fit_low, floor), floor),
            "at": share(found.fit, floor),
        },
        "evidence_count": sum(row.evidence_count for row in rows),
        "newest": newest,
        "essential_states": [(state, essential.count(state)) for state in STATE_WORDS if essential.count(state)],
        "essential_total": len(essential),
        "next": profile.next_best(rows),
        "to_ask": profile.to_ask(rows),
        "stored": StoredFit.objects.filter(person=person, role_version=version)[:10],
    }
    return render(request, "candidates/person_fit.html", context)


def share(value: float, floor: float) -> str:
    """Where a fit lies between the floor of a drawing and 1."""
    return f"{max(0.0, min(1.0, (value - floor) / (1 - floor))) * 100:.2f}%"


@require_POST
def fit_store(request, code, pk):
    """Keep this fit as it is now."""
    version = _version(request, pk)
    person = get_object_or_404(Person.objects.visible_to(request.user), code=code)
    if not sees_everything(request.user, person):
        context = {
            "title": "Not kept",
            "sentence": "This is your own profile, and holds ratings that you are shown together only. "
            "A colleague in HR can keep it.",
            "back": reverse("candidates:person_fit", args=[version.pk, person.code]),
        }
        return render(request, "problem.html", context, status=409)
    stored = actions.store_fit(person, version, by=request.user)
    messages.success(request, "Kept as it is now. It will show the same whenever it is opened.")
    return redirect(reverse("candidates:fit_detail", args=[stored.pk]) + blind_query(request))


def fit_detail(request, pk):
    """A stored fit: what was known then."""
    visible = Person.objects.visible_to(request.user).exclude(user=request.user)
    stored = get_object_or_404(
        StoredFit.objects.filter(person__in=visible).select_related("person", "role_version__role", "by"), pk=pk
    )
    names = ("mean", "sd", "assessed", "requirements")
    results = stored.result
    rows = [
        {
            "requirement": requirement,
            "mean": mean,
            "low": mean - 1.2816 * sd,
            "high": mean + 1.2816 * sd,
            "assessed": assessed,
            "probability": p,
            "contribution": c,
            "state": state,
        }
        for (mean, sd, assessed, requirement), p, c, state in zip(
            zip(*(stored.inputs[name] for name in names), strict=True),
            results["probability"],
            results["contribution"],
            results["state"],
            strict=True,
        )
    ]
    context = {
        "stored": stored,
        "rows": rows,
        "who": stored.person.blind_name if is_blind(request) else stored.person.name,
        "blind_query": blind_query(request),
    }
    return render(request, "candidates/fit_detail.html", context)


def ranking_export(request, pk, form):
    """The ranking as XLSX or CSV, with the filters of the page; blind when the page is."""
    version = _version(request, pk)
    blind = is_blind(request)
    found, _ = _narrowed(request, version, blind=blind)
    name = f"ranking-role-{version.role_id}-version-{version.number}-{date.today().isoformat()}"
    if form == "csv":
        return csv_file(exports.ranking_sheet(found, blind=blind), name)
    if form == "xlsx":
        return workbook([exports.ranking_sheet(found, blind=blind)], name)
    raise Http404
