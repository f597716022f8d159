"""What to ask in an interview."""

import json

import pytest

from roles.interview import SHIPPED, prompt
from roles.models import Skill, SkillSet

pytestmark = pytest.mark.django_db


def test_every_shipped_skill_has_two_questions_of_its_own_and_three_sounds():
    data = json.loads(SHIPPED.read_text())
    assert set(data) == set(Skill.objects.values_list("slug", flat=True))
    questions = [question for row in data.values() for question in row["questions"]]
    assert len(set(questions)) == len(questions) == 68
    answers = [text for row in data.values() for text in row["answers"].values()]
    assert len(set(answers)) == len(answers) == 102


def test_a_skill_of_one_s_own_borrows_its_anchors():
    skill = Skill.objects.create(slug="new", name="New", skill_set=SkillSet.objects.first(), question="How new?")
    skill.anchors.create(level=3, text="Does new things alone.")
    found = prompt(skill)
    assert found.questions[1] == "How new?"
    assert found.answers[1] == (3, "Does new things alone.")
