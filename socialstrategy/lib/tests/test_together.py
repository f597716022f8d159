"""A view that the database has refused is run again, and not for ever."""

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, OperationalError
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from socialstrategy.lib.together import TRIES, TogetherMiddleware

pytestmark = pytest.mark.django_db


class Match:
    args, kwargs, view_name = (), {}, "view"

    def __init__(self, func):
        self.func = func


def after(error, view, method="post", data=None):
    """What the middleware makes of an error of a view that now behaves like this."""
    request = getattr(RequestFactory(), method)("/", data or {})
    request.resolver_match = Match(view)
    return TogetherMiddleware(None).process_exception(request, error)


def says_taken(request):
    return HttpResponse("taken", status=400)


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError("unique"),
        ObjectDoesNotExist("gone"),
        DatabaseError("Save with update_fields did not affect any rows."),
    ],
)
def test_the_second_try_answers(error):
    assert after(error, says_taken).status_code == 400


@pytest.mark.parametrize("error", [OperationalError("server closed the connection"), ValueError("else")])
def test_other_errors_are_left_alone(error):
    assert after(error, says_taken) is None


def test_reading_is_not_repeated():
    assert after(IntegrityError("unique"), says_taken, method="get") is None


def test_a_view_that_is_refused_every_time_is_not_run_for_ever():
    tried = []

    def refused(request):
        tried.append(1)
        raise IntegrityError("unique")

    with pytest.raises(IntegrityError):
        after(IntegrityError("unique"), refused)
    assert len(tried) == TRIES


def test_what_the_second_try_says_otherwise_is_heard():
    def gone(request):
        raise Http404

    with pytest.raises(Http404):
        after(ObjectDoesNotExist("gone"), gone)


def test_a_file_is_read_from_its_beginning_again():
    file = SimpleUploadedFile("people.csv", b"Name,E-mail\n")

    def read(request):
        return HttpResponse(request.FILES["file"].read())

    request = RequestFactory().post("/", {"file": file})
    request.FILES["file"].read()
    request.resolver_match = Match(read)
    response = TogetherMiddleware(None).process_exception(request, IntegrityError("unique"))
    assert response.content == b"Name,E-mail\n"
