"""Long lists, page by page: each row once, forwards and back, whatever stands in the address."""

import pytest
from django.test import RequestFactory
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from candidates.factories import make_person
from candidates.models import Person
from socialstrategy.lib import paging
from socialstrategy.lib.paging import page_of

pytestmark = pytest.mark.django_db
ORDERS = [
    ("name", "pk"),
    ("-name", "-pk"),
    ("kind", "name"),
    ("-kind", "name"),
    ("-created_at", "-pk"),
    ("function__name", "pk"),
]


def page(rows, place="", size=4):
    return page_of(rows, RequestFactory().get("/", {"from": place}), size)


@pytest.fixture
def people():
    """Names twice and three times over, so that the primary key decides."""
    from roles.models import EnterpriseFunction

    functions = list(EnterpriseFunction.objects.all()[:3])
    return [
        make_person("ABCCCDEEFGHIK"[n], kind="employee" if n % 3 else "candidate", function=functions[n % 3])
        for n in range(13)
    ]


@pytest.mark.parametrize("order", ORDERS)
def test_each_row_comes_once_forwards_and_back(people, order):
    rows = Person.objects.order_by(*order)
    last = "-pk" if order[-1] == "-pk" else "pk"
    wanted = list(rows.order_by(*order, *([] if order[-1] == last else [last])).values_list("pk", flat=True))
    found, pages, place = [], [], ""
    while True:
        one = page(rows, place)
        pages.append([person.pk for person in one])
        assert (one.first, one.last, one.count) == (len(found) + 1, len(found) + len(one), 13)
        found += pages[-1]
        if not one.more:
            break
        place = one.more
    assert found == wanted
    back = [pages[-1]]
    while one.back:
        one = page(rows, one.back)
        back.append([person.pk for person in one])
        assert one.more
    assert back[::-1] == pages
    assert one.first == 1


def test_rows_that_come_and_go_shift_nobody(people):
    rows = Person.objects.order_by("name", "pk")
    first = page(rows)
    seen = [person.pk for person in first]
    make_person("AA")
    Person.objects.filter(pk=seen[1]).delete()
    second = page(rows, first.more)
    assert [person.pk for person in second] == [person.pk for person in people[4:8]]


def test_when_everybody_further_on_has_gone_the_list_begins_anew(people):
    rows = Person.objects.order_by("name", "pk")
    place = page(rows, size=12).more
    Person.objects.filter(pk=people[-1].pk).delete()
    assert [person.pk for person in page(rows, place)] == [person.pk for person in people[:4]]
    assert not list(page(Person.objects.none(), place))


def test_the_number_of_queries_is_the_same_far_down(people, django_assert_num_queries):
    rows = Person.objects.order_by("name", "pk")
    place = page(rows, size=10).more
    with django_assert_num_queries(3):
        list(page(rows, place))


def test_counting_ends(monkeypatch, people):
    monkeypatch.setattr(paging, "MOST", 10)
    found = page(Person.objects.order_by("name"))
    assert found.count == 11
    assert found.words == "more than 10"


@pytest.mark.parametrize(
    "place",
    [
        *("x", "€", "after", "after.", "after..", "after.1", "after.x.5", "after.1.x", "after.-1.5", "after.1.-5"),
        *("after.1.²", "after.99999999.5", f"after.{10**30}.5", "after.1.999999999999999", "between.1.5", "A" * 3_000),
        *("after.1.5.6", "after.1e3.5", "before..5"),
    ],
)
def test_nonsense_gives_the_first_page(people, place):
    found = page(Person.objects.order_by("name", "pk"), place)
    assert [person.pk for person in found] == [person.pk for person in people[:4]]
    assert found.first == 1


@given(st.text(max_size=80), st.integers(), st.sampled_from(["after", "before"]), st.integers())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_place_breaks_a_page(people, text, pk, word, first):
    for place in (f"{word}.{pk}.{first}", f"{word}.{text}.{first}", text):
        found = page(Person.objects.order_by("name", "pk"), place)
        assert 0 < len(found) <= 4


def test_a_place_says_nothing_of_the_person(people):
    found = page(Person.objects.order_by("name", "pk"))
    assert found.more == f"after.{people[3].pk}.5"


def test_whoever_is_out_of_reach_is_no_place(people):
    some = Person.objects.filter(kind="employee").order_by("name", "pk")
    outside = next(person for person in people if person.kind == "candidate")
    assert page(some, f"after.{outside.pk}.5").first == 1


def test_dates_keep_their_microseconds():
    for _ in range(6):
        make_person("Same")
    rows = Person.objects.order_by("-created_at", "-pk")
    one = page(rows, size=2)
    two = page(rows, one.more, size=2)
    three = page(rows, two.more, size=2)
    keys = [person.pk for part in (one, two, three) for person in part]
    assert keys == list(rows.values_list("pk", flat=True))


@pytest.mark.parametrize(
    "name",
    [
        *("candidates:person_list", "candidates:invitation_list", "roles:role_list", "accounts:audit_log"),
        *("accounts:account_list", "teams:team_list", "teams:initiative_list"),
    ],
)
def test_lists_survive_any_place(as_hr, people, name):
    response = as_hr.get(reverse(name) + "?from=after.1.3")
    assert response.status_code == 200
