"""The cells of a ranking. Fifty rows are drawn at every look: put together by hand, they take a third of the time."""

from django import template
from django.utils.html import escape
from django.utils.safestring import mark_safe

from socialstrategy.lib.templatetags.components import bar, chip, dot, percent, points, track

register = template.Library()
NOTHING = '<td data-label="All essentials" class="ink3">Not assessed</td><td></td><td></td><td></td>'


@register.simple_tag
def fit_cells(line, low: float):
    """How somebody fits: essentials, the chance to meet them all, the fit and its interval from ``low``, main gaps."""
    found = f'<td data-label="Essentials"><span class="five">{_dots(line.essentials)}</span></td>'
    if line.band == "not_assessed":
        return mark_safe(found + NOTHING)
    drawn = track(line.fit, line.fit_low, line.fit_high, low=low, high=1, ticks=False, height=20, text=line.label)
    return mark_safe(
        f'{found}<td data-label="All essentials">{_chance(line.all_essentials)}</td>'
        f'<td data-label="Fit" class="r b6">{points(line.fit)}</td>'
        f'<td class="wide">{drawn}</td><td class="wide">{_gaps(line)}</td>'
    )


def _dots(pairs) -> str:
    return "".join(dot(state, requirement.skill.name) for requirement, state in pairs)


def _chance(share: float) -> str:
    """A probability in words of percents and as a bar."""
    return f'<div class="prob"><span class="end b6">{escape(percent(share))}</span>{bar(share)}</div>'


def _gaps(line) -> str:
    """The first gaps, and how many more there are."""
    drawn = "".join(chip(state, requirement.skill.name) for requirement, state in line.first_gaps)
    more = f'<span class="xs ink3 align-self-center">+{line.more_gaps}</span>' if line.more_gaps else ""
    return f'<div class="chips flex-nowrap">{drawn}{more}</div>'
