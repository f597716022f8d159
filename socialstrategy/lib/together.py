"""Two posts at the same moment: whoever comes second is answered as if they had come a moment later.

A form asks whether a name or address is free, and the database says no all the same when somebody has taken it in
between. Then the whole view runs once more: it finds what the first post has written, and answers as to any second
post, with its own sentence or by going on. Views write in one transaction, in their last step (``actions``), so that
nothing of the first try is left.
"""

import logging

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, IntegrityError, OperationalError, connection

logger = logging.getLogger(__name__)
TRIES = 8
"""Of many at once one wins each time, so that even different ones in a row of numbers all come through."""
DEADLOCK = "40P01"


class TogetherMiddleware:
    """Runs a view again that the database has refused because of what somebody else wrote at the same moment."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if request.method != "POST" or not is_of_the_moment(exception) or connection.needs_rollback:
            return None
        match = request.resolver_match
        for _ in range(TRIES):
            for file in request.FILES.values():
                file.seek(0)
            try:
                return match.func(request, *match.args, **match.kwargs)
            except Exception as again:
                if not is_of_the_moment(again):
                    raise
                exception = again
        logger.error("%s was refused by the database %d times in a row.", match.view_name, TRIES + 1)
        raise exception


def is_of_the_moment(error: Exception) -> bool:
    """A row that is there or gone by now, or two that waited for each other: it may be otherwise the next time."""
    if isinstance(error, OperationalError):
        return getattr(error.__cause__, "pgcode", None) == DEADLOCK
    if isinstance(error, IntegrityError | ObjectDoesNotExist):
        return True
    # A row that somebody has deleted before it was saved.
    return isinstance(error, DatabaseError) and "did not affect any rows" in str(error)
