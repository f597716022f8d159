"""The overview and an initiative as workbooks; what executives get holds counts, as their pages do."""

from datetime import date

from socialstrategy.lib.workbook import Sheet
from teams import dashboard
from teams.coverage import Board
from teams.figures import Share, cell_key
from teams.models import Initiative, Snapshot
from teams.snapshots import figures_for, quarter_name

SHARE_COLUMNS = [
    ("Covered", "Expected number of the people needed who are there: the sum of E[min(N, qualified)]."),
    ("Needed", "Number of people that active initiatives ask for."),
    ("Share", "Covered of needed, 0 to 1."),
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


def overview(user, board: Board, day: date) -> list[Sheet]:
    """Cells, initiatives, skills one person deep, and the stored quarters."""
    figures = board.figures(user)
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
        for row in dashboard.readiness(user, board, board.initiatives)
    ]
    deep = [
        [row["skill"].name, row["level"], row["team"], str(row.get("person", "not shown")), len(row["initiatives"])]
        for row in dashboard.one_deep(user, board)
    ]
    quarters = [
        [quarter_name(one.quarter_on), one.quarter_on, *_share(total), *_interval(total), one.engine, one.parameters]
        for one in Snapshot.objects.filter(quarter_on__lt=day)
        for total in [figures_for(one, user).total]
    ]
    return [
        Sheet(
            "Coverage",
            [("Function", "The function of the team that is asked."), ("Skill set", ""), *SHARE_COLUMNS],
            cells,
        ),
        Sheet(
            "Initiatives",
            [
                ("Initiative", "Active on the day of the export."),
                ("Function", "Whose goal it is."),
                ("Deadline", ""),
                *SHARE_COLUMNS,
                *INTERVAL,
                ("Short of", "The skills that most people are missing in."),
            ],
            initiatives,
        ),
        Sheet(
            "One person deep",
            [
                ("Skill", "Covered more likely than not, but not without one person."),
                ("Level", "The level that is asked for, or above."),
                ("Team", "For executives, teams of fewer than five people appear together with a neighbour."),
                ("Person", "Whose leaving would hurt; names are for HR."),
                ("Initiatives", "How many active initiatives ask for it."),
            ],
            deep,
        ),
        Sheet(
            "Quarters",
            [
                ("Quarter", "Stored when it ended."),
                ("Last day", ""),
                *SHARE_COLUMNS,
                *INTERVAL,
                ("Engine", "Version of the method that the figures were made with."),
                ("Parameters", "Version of what evidence was taken to be worth."),
            ],
            quarters,
        ),
    ]


def initiative(user, board: Board, one: Initiative) -> list[Sheet]:
    """Its demands, each with how surely it is covered."""
    rows = []
    for n in board.lines_by_initiative.get(one.pk, []):
        line = board.lines[n]
        demand, share = line.demand, dashboard.seen_share(user, board, n)
        known = [*_share(share)] if share else ["fewer than five people", demand.people, ""]
        team = demand.team.name if user.is_hr else board.unit_of[n].label
        rows.append(
            [demand.get_phase_display(), team, demand.skill.name, demand.level, demand.due_on, *known, demand.reason]
        )
    return [
        Sheet(
            "Demands",
            [
                ("Phase", "Develop, implement or manage."),
                ("Team", "Whose people are asked; for executives small teams appear together with a neighbour."),
                ("Skill", ""),
                ("Level", "This level or above."),
                ("Needed by", ""),
                *SHARE_COLUMNS,
                ("Reason", "Why it is needed."),
            ],
            rows,
        )
    ]
