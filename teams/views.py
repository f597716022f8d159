"""Home for everyone, the board, and finding things."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import Http404
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone

from assessments.models import RatingRequest
from candidates import deadlines, joining
from candidates.development import history
from candidates.invitations import Invitation
from candidates.models import Person
from candidates.profile import skill_rows
from candidates.rating_views import named
from roles.models import Role, RoleVersion
from socialstrategy.lib.text import clean
from socialstrategy.lib.workbook import workbook
from socialstrategy.mail import undelivered
from teams import coverage, dashboard, exports, published
from teams.figures import cell_key
from teams.models import oversees
from teams.search import find

MOST_SKILLS = 6
"""Skills that somebody's own home shows."""
MOST_WAITING = 5
"""Ratings asked of somebody that their home names; the queue has all."""
MOST_ENDING = 4
"""Open invitations that HR's home names, those first that end first."""
PARTS = {
    "board_head": "teams/_board_head.html",
    "board_heat": "teams/_heatmap.html",
    "board_since": "teams/_since.html",
    "board_side": "teams/_board_side.html",
}
"""What is drawn of the board for as long as nothing changes in it; the open cell also counts people elsewhere."""
CELLS = {True: "teams/_cell.html", False: "teams/_cell_told.html"}
"""How a field is drawn for HR, and for executives."""
PER_CELL = 20
"""Demands on a page of a cell."""


def search(request):
    """What is called so; a page of its own, and the list alone while somebody types."""
    words = clean(request.GET.get("q", ""))[:80]
    template = "teams/_search_hits.html" if request.htmx else "teams/search.html"
    return render(request, template, {"q": words, "groups": find(request.user, words)})


def overview(request):
    """Home: the board for those who oversee, and for everybody what waits for them today."""
    return _home(request)


def _home(request, chosen: str = ""):
    context = _own(request.user)
    if oversees(request.user):
        context |= _board(request.user, chosen)
    elif context["person"]:
        context |= _profile(context["person"])
    if request.user.is_hr:
        context |= _today(request.user)
        if not context["has_board"]:
            context |= _begun(request.user)
    return render(request, "teams/overview.html", context)


def _own(user) -> dict:
    """What waits for somebody, whoever they are."""
    person = Person.objects.filter(user=user).first()
    now = timezone.now()
    requests = RatingRequest.objects.visible_to(user).open()
    waiting = requests.count()
    return {
        "person": person,
        "waiting": waiting,
        "queue": named(requests, MOST_WAITING) if waiting else [],
        "goals": person.goals.open().select_related("skill") if person else [],
        "mine": Invitation.objects.open_at(now).filter(person=person).with_progress() if person else [],
    }


def _profile(person) -> dict:
    """Somebody's own skills, strongest first, and the way so far; the pages behind show all of it."""
    rows = [row for _, rows in skill_rows(person) for row in rows]
    strongest = sorted(rows, key=lambda row: -row.estimate.mean)
    return {"skill_rows": strongest[:MOST_SKILLS], "skill_count": len(rows), "history": history(person, rows)[:5]}


def _board(user, chosen: str) -> dict:
    """The drawn board. It is the same for everybody who sees names, and for everybody who sees counts: drawn once."""
    if not user.is_hr:
        return _published(chosen)
    board = coverage.current()
    if not board.initiatives:
        return {"has_board": False}
    if chosen not in board.drawn:
        context = dashboard.dashboard(board, timezone.localdate(), chosen=chosen)
        board.drawn[chosen] = context["chosen"], _drawn(context)
    opened, parts = board.drawn[chosen]
    if opened and opened not in board.drawn_cells:
        board.drawn_cells[opened] = render_to_string("teams/_cell.html", {"cell": dashboard.cell(board, opened)})
    return {"has_board": True, "board_cell": board.drawn_cells.get(opened, ""), **parts}


def _drawn(context) -> dict:
    return {name: render_to_string(part, context) for name, part in PARTS.items()}


def _published(chosen: str) -> dict:
    """The week's board for executives, drawn once a day in each process."""
    told, day = published.current(), timezone.localdate()
    if told is None:
        return {"has_board": False}
    key = (told.publication.pk, told.publication.made_at, day)
    if key not in _of_week:
        _of_week.clear()
    drawn = _of_week.setdefault(key, {})
    if chosen not in drawn:
        context = published.overview(told, day, chosen=chosen)
        opened = published.cell(told, context["chosen"]) if context["chosen"] else None
        board_cell = render_to_string("teams/_cell_told.html", {"cell": opened}) if opened else ""
        drawn[chosen] = {"has_board": True, "board_cell": board_cell, **_drawn(context)}
    return drawn[chosen]


_of_week: dict[tuple, dict] = {}


def forget() -> None:
    """Drop what was drawn (tests begin with another database)."""
    _of_week.clear()


def _begun(user) -> dict:
    """Whether there is anything yet; where initiatives are active there is."""
    return {
        "has_people": Person.objects.visible_to(user).current().exists(),
        "has_roles": Role.objects.visible_to(user).current().exists(),
    }


def _today(user) -> dict:
    """What needs an HR manager's decision."""
    invitations = Invitation.objects.open_at(timezone.now())
    ending = list(invitations.with_progress().order_by("deadline_at")[:MOST_ENDING])
    versions = RoleVersion.objects.visible_to(user)
    return {
        "drafts": versions.drafts().select_related("role").order_by("-saved_at")[:3],
        "ending": ending,
        "open_invitations": invitations.count() if len(ending) == MOST_ENDING else len(ending),
        "unjoined": joining.to_ask_about().count(),
        **undelivered.summary(),
        **deadlines.told(timezone.now()),
    }


def cell(request, function, skill_set):
    """The demands of one field of the heatmap: beside it for htmx, else the overview with that field open."""
    key = cell_key(function, skill_set)
    number = request.GET.get("page", "1")
    page = int(number[:6]) if number.isdecimal() and int(number[:6]) > 0 else 1
    found, start = _cell(request.user, key, page, PER_CELL if "page" in request.GET else dashboard.MOST_DEMANDS)
    if found is None:
        raise Http404
    if request.htmx:
        return render(request, CELLS[request.user.is_hr], {"cell": found})
    if "page" in request.GET:
        context = {"cell": found, "number": start // PER_CELL + 1, "cell_template": CELLS[request.user.is_hr]}
        return render(request, "teams/cell.html", context)
    return _home(request, key)


def _cell(user, key: str, page: int, most: int) -> tuple[dict | None, int]:
    """(a page of a field, where it starts); the last page where there are not so many."""
    read: Callable[..., dict[str, Any] | None]
    if user.is_hr:
        read = partial(dashboard.cell, coverage.current())
    elif told := published.current():
        read = partial(published.cell, told)
    else:
        return None, 0
    start = (page - 1) * PER_CELL
    found = read(key, start=start, most=most)
    if found and start >= found["total"]:
        start = (found["total"] - 1) // PER_CELL * PER_CELL
        found = read(key, start=start, most=most)
    return found, start


def overview_export(request):
    """The overview as a workbook, with a sheet that explains each column."""
    today = timezone.localdate()
    if request.user.is_hr:
        return workbook(exports.overview(coverage.current(), today), f"overview-{today.isoformat()}")
    told = published.current()
    return workbook(exports.overview_told(told, today), f"overview-{(told.told_on if told else today).isoformat()}")
