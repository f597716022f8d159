"""One-time links: work once, for a while, and are never stored."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Link

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LATER = NOW + timedelta(days=1)


def test_a_link_works_once():
    token = Link.objects.issue("assessment", "7", LATER)
    assert Link.objects.consume("assessment", token, NOW).target == "7"
    assert Link.objects.consume("assessment", token, NOW) is None


def test_a_link_expires():
    token = Link.objects.issue("assessment", "7", LATER)
    assert Link.objects.consume("assessment", token, LATER) is None


def test_a_link_opens_only_what_it_is_for():
    token = Link.objects.issue("assessment", "7", LATER)
    assert Link.objects.consume("report", token, NOW) is None


def test_a_fresh_link_ends_the_ones_before():
    old = Link.objects.issue("assessment", "7", LATER)
    other = Link.objects.issue("assessment", "8", LATER)
    Link.objects.issue("assessment", "7", LATER)
    assert Link.objects.consume("assessment", old, NOW) is None
    assert Link.objects.consume("assessment", other, NOW) is not None


def test_the_token_itself_is_not_stored():
    token = Link.objects.issue("assessment", "7", LATER)
    assert token not in str(list(Link.objects.values()))
