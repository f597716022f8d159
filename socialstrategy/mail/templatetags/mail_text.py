"""Words of people in mails."""

from django import template

from socialstrategy.lib.text import clean

register = template.Library()


@register.filter
def one_line(text) -> str:
    """A name or title in one line: a break in it would begin another part of the mail."""
    return clean(" ".join(str(text).split()))
