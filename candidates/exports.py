"""A person's skills and a ranking as tables for XLSX and CSV."""

from candidates import profile, reporting
from candidates.models import Person
from candidates.ranking import RoleRanking
from socialstrategy.lib.levels import word
from socialstrategy.lib.templatetags.components import BAND_WORDS, STATE_WORDS
from socialstrategy.lib.workbook import Sheet

EXPORT_ROWS = 20_000


def profile_sheets(person: Person, reader=None) -> list[Sheet]:
    """Levels with their intervals, and every piece of evidence with what it contributes, as ``reader`` may know it."""
    rows = [row for _, rows in profile.skill_rows(person, reader) for row in rows]
    levels = [
        [
            row.skill.skill_set.name,
            row.skill.name,
            round(row.estimate.mean, 2),
            word(row.estimate.mean),
            round(row.estimate.low, 2),
            round(row.estimate.high, 2),
            row.evidence_count,
        ]
        for row in rows
    ]
    pieces = [
        [
            row.skill.name,
            piece.label,
            piece.observed_on,
            round(piece.value, 2),
            round(piece.contribution, 3),
            round(piece.influence, 3),
        ]
        for row in rows
        for piece in row.pieces
    ]
    background = [
        [entry["kind"], entry["what"], entry["where"], entry["from"], entry["to"], entry["comes_into_play"]]
        for entry in reporting.as_data(person)["background"]
    ]
    return [
        Sheet(
            "Skills",
            [
                ("Skill set", "One of the six kinds of skill."),
                ("Skill", "Skills without evidence are not listed: nothing is known of them."),
                ("Level", "0 none to 5 shapes the field; the best estimate from all evidence."),
                ("Word", "The level's floor in words."),
                ("Low", "Lower end of the 80 % interval."),
                ("High", "Upper end of the 80 % interval."),
                ("Evidence", "Pieces of evidence behind the level."),
            ],
            levels,
        ),
        Sheet(
            "Evidence",
            [
                ("Skill", ""),
                (
                    "Source",
                    "Who or what it came from; ratings by colleagues and people they lead together, from three on.",
                ),
                ("Date", "The newest piece."),
                ("Value", "What the source said, in levels."),
                ("Contribution", "How far it moves the level. 2.5 and all contributions add up to the level."),
                ("Influence", "Its share in the estimate, 0 to 1; the rest is the starting point's."),
            ],
            pieces,
        ),
        Sheet(
            "Background",
            [
                ("Kind", ""),
                ("What", ""),
                ("Where", ""),
                ("From", ""),
                ("To", ""),
                ("Comes into play", "How often, in their own words."),
            ],
            background,
        ),
    ]


def ranking_sheet(found: RoleRanking, *, blind: bool) -> Sheet:
    """Everybody of a ranking, best first; without names when it is blind."""
    who = [("Code", "Stands for a person in a blind review.")]
    if not blind:
        who = [("Name", ""), ("E-mail", ""), *who, ("Where", "The job, or candidate.")]
    columns = [
        ("Place", "In the order of the page."),
        *who,
        ("Band", "Likely, open, unlikely or not assessed; nobody is rejected by it."),
        ("All essentials", "Probability of meeting every essential at once, 0 to 1."),
        ("Fit", "Weighted share of requirements that are met, 0 to 1."),
        ("Fit low", "Lower end of the fit's 80 % interval."),
        ("Fit high", "Upper end of the fit's 80 % interval."),
        ("Evidence", "Pieces of evidence on the skills of this role."),
    ]
    names = [line.skill.name for line in found.requirements]
    columns += [(f"{name}: chance", "Probability of meeting the requirement.") for name in names]
    columns += [(f"{name}: state", "From its 80 % interval. Not assessed means unknown, never low.") for name in names]
    return Sheet("Ranking", columns, [_ranking_row(line, blind) for line in found[:EXPORT_ROWS]])


def _ranking_row(line, blind: bool) -> list:
    person = line.person
    who = [person.code] if blind else [person.name, person.contact, person.code, person.where]
    numbers = [round(value, 4) for value in (line.all_essentials, line.fit, line.fit_low, line.fit_high)]
    row = [line.place, *who, BAND_WORDS[line.band], *numbers, line.evidence]
    return row + [round(p, 4) for p in line.probability] + [STATE_WORDS[state] for state in line.states]
