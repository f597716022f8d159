"""The drawing elements of the overview."""

from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from socialstrategy.lib.templatetags.components import figure

register = template.Library()
CURRENT = mark_safe(' aria-current="true"')


@register.simple_tag
@lru_cache(4096)
def heat_cell(one):
    """One field of the heatmap. Of 64 a change moves one or two: the others are not drawn again."""
    if not one.share:
        words = format_html('<span class="visually-hidden">{}</span>', one.label)
        return format_html('<div class="hc na"><span aria-hidden="true">–</span>{}</div>', words)
    return format_html(
        '<a class="hc" data-h="{}" href="{url}#cell" hx-get="{url}" hx-target="#cell" data-cell aria-label="{}"{}>'
        "{} <small>of {}</small>{}</a>",
        one.share.tint,
        one.label,
        CURRENT if one.is_open else "",
        one.share.amount,
        figure(one.share.needed),
        format_html('<span class="dl">{}</span>', one.change) if one.change else "",
        url=one.url,
    )
