"""The main navigation shows only what somebody may open."""

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.access import RULES, may_open
from socialstrategy.lib.templatetags.components import icon

# #icon:layout-dashboard #icon:id-badge-2 #icon:users #icon:user-circle #icon:clipboard-check #icon:stairs-up
# #icon:scale #icon:history #icon:mail #icon:key #icon:settings #icon:target-arrow
# #icon:archive
register = template.Library()
CURRENT = SafeString(' aria-current="page"')


@register.simple_tag(takes_context=True)
def nav_item(context, name, text, icon_name, prefixes="", never=""):
    """A link of the navigation, marked when the page lies below one of its prefixes; nothing where it is closed."""
    request = context["request"]
    if not may_open(request.user, RULES[name]):
        return ""
    url = reverse(name)
    path = request.path
    inside = any(path.startswith(prefix) for prefix in prefixes.split()) and not any(
        path.startswith(prefix) for prefix in never.split()
    )
    current = path == url or inside
    return format_html(
        '<a class="nav-i" href="{}"{}>{}{}</a>',
        url,
        CURRENT if current else "",
        icon(icon_name),
        text,
    )


@register.simple_tag(takes_context=True)
def may(context, name):
    """Whether the user may open the page called ``name``."""
    return may_open(context["request"].user, RULES[name])
