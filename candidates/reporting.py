"""The personal report, in the words of the person it is about."""

from candidates import profile
from candidates.evidence import Evidence
from candidates.models import Person
from socialstrategy.lib.levels import word

STRENGTHS = 3
TOGETHER_WORDS = "Ratings by colleagues and by people you lead are shown together, from three on."


def report(person: Person) -> dict:
    """Skills from strongest to least, strengths, what would sharpen the picture, and next steps: for the person."""
    rows = [row for _, rows in profile.skill_rows(person) for row in rows]
    rows.sort(key=lambda row: -row.estimate.mean)
    latest = person.invitations.exclude(submitted_at=None).order_by("-submitted_at").first()
    return {
        "rows": rows,
        "strengths": rows[:STRENGTHS],
        "thin": sorted((row for row in rows if row.is_thin), key=lambda row: -row.width)[:3],
        "steps": _next_steps(rows, latest),
        "unjudged": _unjudged(latest),
        "latest": latest,
    }


def _next_steps(rows, latest) -> list[dict]:
    """The anchor one level up, where the role asks for more than is shown so far; else on the lowest skills."""
    needed = {}
    if latest:
        needed = dict(latest.role_version.requirements.values_list("skill", "target"))
    below = [row for row in rows if row.estimate.mean < needed.get(row.skill.pk, 0)]
    below.sort(key=lambda row: row.estimate.mean - needed.get(row.skill.pk, 0))
    chosen = below[:3] or rows[-3:]
    steps = []
    for row in chosen:
        level = max(0, min(5, int(row.estimate.mean // 1)))
        if level < 5:
            steps.append(
                {"row": row, "level": level + 1, "word": word(level + 1), "anchor": row.skill.anchor(level + 1)}
            )
    return steps


def _unjudged(latest) -> list[str]:
    if latest is None:
        return []
    return list(latest.sitting.responses.filter(level=None).values_list("skill__name", flat=True))


def as_data(person: Person) -> dict:
    """Everything that somebody may know about their skills, and how each number came about."""
    skills = [
        {
            "skill": row.skill.name,
            "level": round(row.estimate.mean, 3),
            "word": word(row.estimate.mean),
            "interval_80": [round(row.estimate.low, 3), round(row.estimate.high, 3)],
            "starting_point": {"level": 2.5, "influence": round(row.estimate.prior_influence, 4)},
            "evidence": [
                {
                    "source": piece.label,
                    "on": piece.observed_on.isoformat(),
                    "value": piece.value,
                    "contribution": round(piece.contribution, 4),
                    "influence": round(piece.influence, 4),
                }
                for piece in row.pieces
            ],
        }
        for _, rows in profile.skill_rows(person)
        for row in rows
    ]
    own = Evidence.objects.filter(person=person, source="self").select_related("skill")
    return {
        "name": person.name,
        "email": person.email,
        "skills": skills,
        "ratings_by_others": TOGETHER_WORDS,
        "own_answers": [
            {"skill": e.skill.name, "level": e.value, "on": e.observed_on.isoformat(), "note": e.note, "link": e.link}
            for e in own
        ],
        "background": [
            {
                "kind": entry.get_kind_display(),
                "what": entry.title,
                "where": entry.place,
                "from": entry.from_year,
                "to": entry.to_year,
                "comes_into_play": entry.get_frequency_display(),
                "wish": entry.wish,
                "skills": [skill.name for skill in entry.skills.all()],
            }
            for entry in person.background.prefetch_related("skills")
        ],
    }
