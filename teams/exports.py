"""The overview and an initiative as workbooks; what executives get holds what their pages say, and no more."""

from datetime import date

from socialstrategy.lib.workbook import Sheet
from teams import dashboard, published
from teams.coverage import Board
from teams.figures import Share, cell_key
from teams.models import Initiative, Snapshot
from teams.published import Told
from teams.snapshots import exact, quarter_name

SHARE_COLUMNS = [
    ("Covered", "Expected number of the people needed who are there: the sum of E[min(N, qualified)]."),
    ("Needed", "Number of people that active initiatives ask for."),
    ("Share", "Covered of needed, 0 to 1."),
]
TOLD_COLUMNS = [
    ("Covered", "Expected number of the people needed who are there, in whole people; below five only as a share."),
    ("Needed", "Number of people that active initiatives ask for, where at least five people are behind the figure."),
    ("Share", "Covered of needed, 0 to 1, in steps of .05."),
]
AS_SHARE = "as a share"
"""What stands in place of fewer than five people who are covered."""
FIELD = [("Function", "The function of the team that is asked."), ("Skill set", "")]
GOAL = [("Function", "Whose goal it is."), ("Deadline", "")]
SHORT_OF = ("Short of", "The skills that most people are missing in.")
QUARTER = [("Quarter", "Stored when it ended."), ("Last day", "")]
METHOD = [
    ("Engine", "Version of the method that the figures were made with."),
    ("Parameters", "Version of what evidence was taken to be worth."),
]
DEMAND = [
    ("Phase", "Develop, implement or manage."),
    ("Team", "Whose people are asked; for executives small teams appear together with a neighbour."),
    ("Skill", ""),
    ("Level", "This level or above."),
    ("Needed by", ""),
]
INTERVAL = [
    ("Share low", "Lower end of the 80 % interval of the share, from 1,000 seeded draws."),
    ("Share high", "Upper end of the 80 % interval of the share."),
    ("State", "Ready: the whole interval is at .80 or above. Not ready: all of it is below. Otherwise uncertain."),
]


def _share(one: Share) -> list:
    return [round(one.covered, 2), round(one.needed, 2), round(one.share, 4)]


def _interval(one: Share) -> list:
    if one.low is None or one.high is None:
        return ["", "", one.word]
    return [round(one.low, 4), round(one.high, 4), one.word]


def overview(board: Board, day: date) -> list[Sheet]:
    """For HR: cells, initiatives, skills one person deep, and the stored quarters."""
    figures = board.exact
    cells = [
        [function.name, skill_set.name, *_share(figures.cells[key])]
        for function in board.functions
        for skill_set in board.skill_sets
        for key in [cell_key(function.slug, skill_set.slug)]
        if key in figures.cells
    ]
    initiatives = [
        [
            row["initiative"].title,
            row["initiative"].function.name,
            row["initiative"].deadline_on,
            *_share(row["share"]),
            *_interval(row["share"]),
            ", ".join(row["short_of"]),
        ]
        for row in dashboard.readiness(board, board.initiatives)
    ]
    deep = [
        [row["skill"].name, row["level"], row["team"], str(row["person"]), len(row["initiatives"])]
        for row in dashboard.one_deep(board)
    ]
    quarters = [
        [quarter_name(one.quarter_on), one.quarter_on, *_share(total), *_interval(total), one.engine, one.parameters]
        for one in Snapshot.objects.filter(quarter_on__lt=day)
        for total in [exact(one).total]
    ]
    return [
        Sheet("Coverage", [*FIELD, *SHARE_COLUMNS], cells),
        Sheet(
            "Initiatives",
            [("Initiative", "Active on the day of the export."), *GOAL, *SHARE_COLUMNS, *INTERVAL, SHORT_OF],
            initiatives,
        ),
        Sheet(
            "One person deep",
            [
                ("Skill", "Covered more likely than not, but not without one person."),
                ("Level", "The level that is asked for, or above."),
                ("Team", "Whose people are asked."),
                ("Person", "Whose leaving would hurt."),
                ("Initiatives", "How many active initiatives ask for it."),
            ],
            deep,
        ),
        Sheet("Quarters", [*QUARTER, *SHARE_COLUMNS, *INTERVAL, *METHOD], quarters),
    ]


def overview_told(told: Told | None, day: date) -> list[Sheet]:
    """For executives: the same from the week's figures, without teams, skills and names where one person is meant."""
    cells = [
        [function.name, skill_set.name, *_told(share), share.since]
        for function, skill_set, share in (told.fields() if told else [])
    ]
    initiatives = [
        [
            row["initiative"].title,
            row["initiative"].function,
            row["initiative"].deadline_on,
            *_told(row["share"]),
            *_interval(row["share"]),
            ", ".join(row["short_of"]),
            row["share"].since,
        ]
        for row in (told.rows(told.initiatives) if told else [])
    ]
    deep = [[row["team"].name, row["skill"].name, len(row["initiatives"])] for row in (told.deep() if told else [])]
    quarters = [
        [quarter_name(one.quarter_on), one.quarter_on, *_told(f.total), *_interval(f.total), one.engine, one.parameters]
        for one, f in published.quarters(day)
    ]
    was = [("As of", "What fewer than five people have changed stands as it was on this day.")]
    return [
        Sheet("Coverage", [*FIELD, *TOLD_COLUMNS, *was], cells),
        Sheet(
            "Initiatives",
            [("Initiative", "Active on the day of the figures."), *GOAL, *TOLD_COLUMNS, *INTERVAL, SHORT_OF, *was],
            initiatives,
        ),
        Sheet("One person deep", [*FIELD, ("Initiatives", "How many active initiatives ask for it.")], deep),
        Sheet("Quarters", [*QUARTER, *TOLD_COLUMNS, *INTERVAL, *METHOD], quarters),
    ]


def _told(one: Share) -> list:
    if not one.needed:
        return ["not told", 0, ""]
    return [round(one.covered) if one.is_counted else AS_SHARE, round(one.needed), one.share]


def initiative(board: Board, one: Initiative) -> list[Sheet]:
    """For HR: its demands, each with how surely it is covered."""
    rows = []
    for n in board.lines_by_initiative.get(one.pk, []):
        demand, share = board.lines[n].demand, board.lines[n].share
        rows.append([*_asked(demand, demand.team.name), *_share(share), demand.reason])
    return [Sheet("Demands", [*DEMAND, *SHARE_COLUMNS, ("Reason", "Why it is needed.")], rows)]


def _asked(demand, team: str) -> list:
    return [demand.get_phase_display(), team, demand.skill.name, demand.level, demand.due_on]


def initiative_told(told: Told | None, one: Initiative) -> list[Sheet]:
    """For executives: its demands, each with the share of the teams that it is counted with."""
    found = told.demands(one.pk) if told else {}
    rows = []
    for demand in one.demands.told():
        row = found.get(demand.pk)
        known = _told(row["share"]) if row else ["fewer than five people", demand.people, ""]
        rows.append([*_asked(demand, row["label"] if row else demand.team.name), *known, demand.reason])
    return [Sheet("Demands", [*DEMAND, *TOLD_COLUMNS, ("Reason", "Why it is needed.")], rows)]
