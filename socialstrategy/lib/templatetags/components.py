"""The drawing elements of every page: icons, tracks, axes, states. Templates draw; the server has decided before."""

from functools import cache, lru_cache
from urllib.parse import urlencode

from django import template
from django.templatetags.static import static
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe

from socialstrategy.lib import levels
from socialstrategy.lib.addresses import shown

register = template.Library()
register.filter("mailbox", shown)
STATE_WORDS = {"meets": "Meets", "uncertain": "Uncertain", "gap": "Gap", "not_assessed": "Not assessed"}
BAND_WORDS = {"likely": "Likely", "open": "Open", "unlikely": "Unlikely", "not_assessed": "Not assessed"}


@register.simple_tag
@cache
def icon(name: str, css: str = ""):
    """One icon of the sprite."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        css,
        static("vendor/icons.svg"),
        name,
    )


GLYPHS = {
    "meets": '<circle cx="5" cy="5" r="4" fill="currentColor"/>',
    "uncertain": '<circle cx="5" cy="5" r="3.4" fill="none" stroke="currentColor" stroke-width="1.8"/>',
    "gap": '<path d="M5 .2 9.8 5 5 9.8.2 5z" fill="currentColor"/>',
    "not_assessed": '<path d="M1.5 5h7" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2 1.4"/>',
}


@register.simple_tag
@cache
def glyph(state: str):
    """Position, shape, word and colour say the same: this is the shape."""
    return format_html(
        '<svg class="gl {}" viewBox="0 0 10 10" aria-hidden="true">{}</svg>', state, mark_safe(GLYPHS[state])
    )


# Typed, since a text that is markup and one that looks like it are equal, and only one of them is to be escaped.
@register.simple_tag
@lru_cache(4096, typed=True)
def dot(state: str, name: str):
    """The shape of a requirement's state alone, with its name and word for those who point at it or hear it."""
    word = STATE_WORDS[state].lower()
    return format_html(
        '<span title="{0}: {1}">{2}<span class="visually-hidden">{0} {1}</span></span>', name, word, glyph(state)
    )


@register.simple_tag
@lru_cache(4096, typed=True)
def state(state: str, text: str = ""):
    """Shape and word of a requirement's state."""
    return format_html('<span class="st" data-state="{}">{}{}</span>', state, glyph(state), text or STATE_WORDS[state])


@register.simple_tag
@lru_cache(4096, typed=True)
def chip(state: str, text: str):
    """A small label in the colour of a state."""
    return format_html(
        '<span class="chip" data-state="{}">{}<span class="visually-hidden">{}: </span>{}</span>',
        state,
        glyph(state),
        STATE_WORDS[state],
        text,
    )


def _percent(value: float, low: float, high: float) -> str:
    return f"{max(0.0, min(1.0, (value - low) / (high - low))) * 100:.2f}%"


DIAMOND = '<path class="dot" d="M0-5.6 5.6 0 0 5.6-5.6 0z"/>'
CIRCLE = '<circle class="dot" r="4.4"/>'


# Pages draw hundreds of these: put together by hand, since a template takes ten times as long. Everything but the
# label is a number or a word of ours.
@register.simple_tag
def track(
    mean,
    interval_low,
    interval_high,
    label="",
    required=None,
    required_error=0.0,
    state="",
    low=0,
    high=5,
    ticks=True,
    height=22,
    text="",
):
    """One value on a scale with its 80 % interval, and the level required; drawings are clipped, words are not."""
    # A person's page has no requirement: templates hand over an empty text then.
    required = None if required == "" else required
    middle = height / 2
    label = text or _track_label(label, mean, interval_low, interval_high, required, state)
    marks = _ticks(middle) if ticks else ""
    if required is not None:
        marks += _required(required, required_error or 0.0, low, high, before=True)
    if state != "not_assessed":
        width = _percent(min(interval_high, high) - max(min(interval_low, high), low) + low, low, high)
        left = _percent(interval_low, low, high)
        marks += f'<rect class="band" x="{left}" width="{width}" y="{middle - 4}" height="8" rx="4"/>'
    if required is not None:
        marks += _required(required, required_error or 0.0, low, high, before=False)
    if state != "not_assessed":
        shape = (
            '<path class="dot" d="M0-5.6 5.6 0 0 5.6-5.6 0z"/>' if state == "gap" else '<circle class="dot" r="4.4"/>'
        )
        marks += f'<svg x="{_percent(mean, low, high)}" y="{middle}" overflow="visible">{shape}</svg>'
    return mark_safe(
        f'<div class="tw"><svg class="track" data-state="{state}" height="{height}" role="img" '
        f'aria-label="{escape(label)}"><line class="rail" x1="0" x2="100%" y1="{middle}" y2="{middle}"/>'
        f"{marks}</svg></div>"
    )


@cache
def _ticks(middle: float) -> str:
    top, bottom = middle - 3, middle + 3
    return "".join(f'<line class="tk" x1="{n * 20}%" x2="{n * 20}%" y1="{top}" y2="{bottom}"/>' for n in range(6))


def _required(level, error: float, low, high, *, before: bool) -> str:
    """The tick of the level required, and before it the band of the panel's error."""
    if not before:
        return f'<svg x="{_percent(level, low, high)}" overflow="visible"><line class="req" y1="2" y2="20"/></svg>'
    if not error:
        return ""
    left, width = _percent(level - 1.2816 * error, low, high), _percent(low + 2 * 1.2816 * error, low, high)
    return f'<rect class="reqband" x="{left}" width="{width}" y="2" height="18"/>'


def _track_label(label, mean, low, high, required, state) -> str:
    parts = [f"estimate {mean:.1f}", f"80% interval {low:.1f} to {high:.1f}"]
    if required is not None:
        parts.append(f"required {required:g}")
    if state:
        parts.append(STATE_WORDS[state].lower())
    return f"{label}: {', '.join(parts)}" if label else ", ".join(parts)


@register.simple_tag
def axis(values: str = "0 1 2 3 4 5", low: float = 0, high: float = 5):
    """The numbers above a column of tracks."""
    marks = [(float(value), value) for value in values.split()]
    texts = "".join(f'<text x="{_percent(at, low, high)}" y="11">{text}</text>' for at, text in marks)
    return format_html('<svg class="axis" height="14" aria-hidden="true">{}</svg>', mark_safe(texts))


@register.simple_tag
@lru_cache(4096)
def bar(share: float, height: int = 6):
    """A share of a whole as a bar."""
    return format_html(
        '<svg class="pbar" height="{0}" aria-hidden="true"><rect class="bg" width="100%" height="{0}" rx="3"/>'
        '<rect class="fg" width="{1}" height="{0}" rx="3"/></svg>',
        height,
        f"{max(0.01, min(1.0, share)) * 100:.1f}%",
    )


@register.filter
def percent(share: float) -> str:
    """A probability in words of whole percents; never 0 % or 100 % for what is not certain."""
    whole = round(share * 100)
    if whole < 1 and share > 0:
        return "<1%"
    if whole > 99 and share < 1:
        return ">99%"
    return f"{whole}%"


@register.filter
def figure(value: float) -> str:
    """A number of people: whole where it is or where it is large, else with one decimal."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value - round(value)) < 0.05 else f"{value:.1f}"


@register.filter
def points(share: float) -> str:
    """A fit on 0-100."""
    return f"{share * 100:.0f}"


@register.filter
def level_word(value) -> str:
    return levels.word(float(value))


@register.filter
def band_word(value: str) -> str:
    return BAND_WORDS[value]


@register.filter
def state_word(value: str) -> str:
    return STATE_WORDS[value]


@register.filter
def initials(name: str) -> str:
    """Up to two initials."""
    words = [word for word in str(name).split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper() or "–"


@register.filter
def at(mapping, key):
    """mapping[key], for keys that are variables."""
    return mapping.get(key) if hasattr(mapping, "get") else mapping[key]


@register.filter
def one_decimal(value) -> str:
    return f"{float(value):.1f}"


@register.filter
def signed(value) -> str:
    """With its sign, and a real minus."""
    number = float(value)
    return f"{'+' if number >= 0 else '−'}{abs(number):.1f}"


@register.simple_tag(takes_context=True)
def query(context, **changes):
    """The page's own address with some parameters changed; an empty value takes one away."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        parameters.pop(name, None)
        if value not in ("", None):
            parameters[name] = value
    return "?" + urlencode(sorted(parameters.items()))
