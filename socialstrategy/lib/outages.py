"""What an error means where something that we stand on is away or full, and the page that says so."""

import errno
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from socialstrategy.lib.context import site

OUR_DOING = "csrfmiddlewaretoken"


@dataclass(frozen=True)
class Outage:
    """A kind of failure that passes by itself, or by somebody's hand, without a fault in the code."""

    name: str
    title: str
    sentence: str
    retry_after: int
    log: str


AWAY = Outage(
    "away",
    "Our database cannot be reached right now",
    "Nothing is wrong on your side. What was stored before is safe.",
    30,
    "The database cannot be reached; pages say so",
)
BUSY = Outage(
    "busy",
    "Too much is going on at once",
    "Nothing is wrong on your side. What was stored before is safe.",
    5,
    "The database is too busy; pages say so",
)
FULL = Outage(
    "full",
    "There is no room left to store anything",
    "What was stored before is safe and can be read. Please tell whoever runs this site: its disk is full.",
    300,
    "The disk is full: nothing can be stored; pages say so",
)

STATES = {
    **dict.fromkeys(("53100", "58030"), FULL),
    **dict.fromkeys(("57P01", "57P02", "57P03", "25006"), AWAY),
    **dict.fromkeys(("53200", "53300", "53400", "55P03", "57014", "40001", "40P01"), BUSY),
}
"""PostgreSQL's SQLSTATE; class 08, about connections, is AWAY altogether."""
SQLITE = {
    **dict.fromkeys(("SQLITE_FULL", "SQLITE_IOERR"), FULL),
    **dict.fromkeys(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_NOTADB"), AWAY),
    **dict.fromkeys(("SQLITE_BUSY", "SQLITE_LOCKED"), BUSY),
}
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def of(error: BaseException | None) -> Outage | None:
    """The outage behind an error, looked for in what it came from as well; None where it is something else."""
    for _ in range(10):
        if error is None:
            return None
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return FULL
        if isinstance(error, OperationalError | InterfaceError):
            return _of_database(error)
        error = error.__cause__ or error.__context__
    return None


def _of_database(error) -> Outage | None:
    cause = error.__cause__
    state = getattr(cause, "pgcode", None) or ""
    if state:
        return AWAY if state.startswith("08") else STATES.get(state)
    name = getattr(cause, "sqlite_errorname", "")
    if name:
        # Some have a longer name for each place where it happened.
        return next((outage for start, outage in SQLITE.items() if name.startswith(start)), None)
    if isinstance(error, InterfaceError):
        return AWAY if "connection" in str(error) else None
    # No connection, no state: so PostgreSQL's library tells that the server cannot be reached or has gone.
    is_postgresql = any(kind.__module__.startswith("psycopg2") for kind in type(cause).__mro__)
    return AWAY if is_postgresql else None


def page(request, outage: Outage):
    """Says what is true, asks to come back, and gives back what was typed, to be sent again."""
    typed, again = _typed(request)
    context = {
        "outage": outage,
        "was_sent": request.method == "POST",
        "typed": typed,
        "again": again,
        "texts": [value for _, value in typed if len(value.split()) > 1],
        "has_files": bool(again and request.FILES),
        "here": request.get_full_path(),
    }
    # Not by way of the request: what other pages show beside (who is signed in, messages) would ask the database.
    context |= site(request) | {"csrf_token": get_token(request)}
    response = HttpResponse(render_to_string("503.html", context), status=503)
    response["Retry-After"] = str(outage.retry_after)
    response["Cache-Control"] = "no-store"
    return response


def _typed(request) -> tuple[list[tuple[str, str]], bool]:
    """The fields of a form that came from our own page, and whether it can be sent again: passwords are not repeated.

    A form that was not yet known to be ours (by its token) is not given back: nobody may have it sent by others.
    """
    if request.method != "POST" or not getattr(request, "csrf_processing_done", False):
        return [], False
    try:
        fields = [(name, value) for name, values in request.POST.lists() for value in values if name != OUR_DOING]
    except (OSError, ValueError):
        # The request itself could not be read, for want of room for its files.
        return [], False
    if any("password" in name for name, _ in fields):
        return [], False
    return fields, True
