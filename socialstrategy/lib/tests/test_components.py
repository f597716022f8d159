"""What templates draw with."""

import re

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st

from socialstrategy.lib.levels import word
from socialstrategy.lib.templatetags import components
from socialstrategy.lib.text import clean, harmless, unharmed


def test_a_level_s_word_is_its_floor_within_the_scale():
    assert [word(level) for level in (-1.2, 0.9, 3.0, 3.99, 5.4)] == [
        "None",
        "None",
        "Independent",
        "Independent",
        "Shapes the field",
    ]


@pytest.mark.parametrize(("share", "shown"), [(0, "0%"), (0.001, "<1%"), (0.41, "41%"), (0.999, ">99%"), (1, "100%")])
def test_percents_never_claim_certainty(share, shown):
    assert components.percent(share) == shown


@pytest.mark.parametrize("draw", [components.dot, components.state, components.chip])
def test_what_was_drawn_of_markup_is_not_taken_for_a_text_that_looks_like_it(draw):
    assert "<b>bold</b>" in draw("meets", mark_safe("<b>bold</b>"))
    assert "<b>" not in draw("meets", "<b>bold</b>")


@given(st.floats(-3, 8), st.floats(0, 3), st.floats(0, 5), st.floats(0, 1))
def test_a_track_stays_within_its_rail(mean, half, required, error):
    drawn = components.track(mean, mean - half, mean + half, required=required, required_error=error)
    places = [float(value) for value in re.findall(r' (?:x|x1|x2|width)="([\d.-]+)%"', drawn)]
    assert len(places) >= 16
    assert all(0 <= place <= 100 for place in places)
    left, width = re.search(r'class="band" x="([\d.]+)%" width="([\d.]+)%"', drawn).groups()
    assert float(left) + float(width) <= 100.02


def test_a_comma_locale_does_not_break_the_drawing():
    with translation.override("de"):
        drawn = Template("{% track 2.5 1.5 3.5 label='x' required=3 %}").render(Context())
    assert 'x="50.00%"' in drawn
    assert "," not in drawn.split("<svg")[1].split(">", 1)[1]


def test_names_are_escaped_in_drawings():
    drawn = Template("{% track 2 1 3 label=name %}").render(Context({"name": '"><script>'}))
    assert "<script>" not in drawn


@pytest.mark.parametrize(
    "cell",
    [
        *("=1+1", "+49", "-2", "@x", "\tx", "\r=1", " =1"),
        *("＝1+1", "＋49", "－2", "＠x", "﹦1", "\u3000=1", "\u200b=1", "\xa0＝1", "\ufeff=1", "\n＝1"),
    ],
)
def test_formulas_are_made_harmless(cell):
    assert harmless(cell) == "'" + cell
    assert unharmed(harmless(cell)) == cell


@given(st.text().filter(lambda text: not text.startswith("'")))
def test_what_was_made_harmless_can_be_undone(cell):
    assert unharmed(harmless(cell)) == cell


@pytest.mark.parametrize("cell", ["Ada", 3, -3, 0.5, None, ""])
def test_other_cells_are_left_alone(cell):
    assert harmless(cell) is cell


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text):
    assert clean(clean(text)) == clean(text)
    assert "\x00" not in clean(text)
