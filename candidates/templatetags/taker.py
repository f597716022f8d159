"""Who takes an assessment, for its pages: assessments themselves know no names and no addresses."""

from dataclasses import dataclass

from django import template

from candidates.models import Person
from candidates.report_views import readable

register = template.Library()


@dataclass(frozen=True)
class Taker:
    """``has_address``: mails can reach them. ``can_open_report``: their report is open in this browser."""

    has_address: bool
    can_open_report: bool


@register.simple_tag(takes_context=True)
def taker_of(context, sitting) -> Taker:
    """Who takes a sitting that this browser may work on."""
    person = Person.objects.get(subject=sitting.subject)
    return Taker(bool(person.email), readable(context["request"], sitting.subject) is not None)
