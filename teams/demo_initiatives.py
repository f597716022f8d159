"""The demo organisation's teams, its six initiatives, and the quarters behind them.

Nothing of the story is written down as a figure: each quarter is computed by the engine from the evidence that there
was then, and the people who were in the teams then.
"""

from datetime import date, timedelta

from django.utils import timezone

from candidates.history import matrix_on
from candidates.models import Person
from roles.models import EnterpriseFunction, Skill
from teams import actions, snapshots
from teams.coverage import Asked, Board
from teams.models import Demand, Initiative, Membership, Team
from teams.publication import afresh

TEAMS = {
    "marketing": ("Brand", "Campaigns", "Content studio"),
    "public-relations": ("Press office",),
    "employee-communications": ("Inside news",),
    "partner-channel": ("Partner desk",),
    "service-support": ("Care by day", "Care by night"),
    "human-resources": ("People and learning",),
    "it": ("Channel technology",),
    "innovation": ("Idea lab",),
}
QUARTERS = 4


def seed(people: list[Person], *, by) -> None:
    """Teams of everybody but candidates, initiatives with their demands, four stored quarters."""
    today = timezone.localdate()
    teams = _teams(by)
    _members([person for person in people if person.kind == Person.Kind.EMPLOYEE], teams, today)
    _initiatives(teams, people, by, today)
    _somebody_moved(teams, by, today)
    _quarters(today)


# (title, function, phase, days to the deadline, days since its start, goal)
INITIATIVES = {
    "hour": (
        "Every message answered within the hour",
        "service-support",
        "implement",
        220,
        400,
        "Whoever writes to us, on any channel and at any hour, hears from a person within sixty minutes.",
    ),
    "voices": (
        "Two hundred colleagues who speak for us",
        "employee-communications",
        "develop",
        150,
        280,
        "Specialists tell in their own words what they work on, and feel safe doing so.",
    ),
    "apprentices": (
        "Apprentices found by short video",
        "human-resources",
        "implement",
        90,
        300,
        "Half of next year’s applicants say that they met us in a video made by apprentices.",
    ),
    "outage": (
        "First word in ten minutes when something breaks",
        "public-relations",
        "manage",
        45,
        400,
        "When a service fails, customers read it from us first, and read the truth.",
    ),
    "partners": (
        "A campaign kit for every partner",
        "partner-channel",
        "develop",
        300,
        120,
        "Partners of any size can run a campaign with us without an agency.",
    ),
    "ideas": (
        "Customers help choose what we build",
        "innovation",
        "manage",
        160,
        400,
        "Every idea gets an answer, and each quarter one of them is built.",
    ),
}
# (initiative, phase, team, skill, level, people, why)
DEMANDS = (
    ("hour", "implement", "Channel technology", "implementing-integrating", 3, 4, "One queue for all channels."),
    ("hour", "implement", "Channel technology", "security-privacy", 3, 3, "Messages hold customers’ data."),
    ("hour", "manage", "Care by day", "tone-empathy", 4, 6, "Most messages come before five."),
    ("hour", "manage", "Care by day", "running-channels", 4, 6, "Two a shift, on two channels."),
    ("hour", "manage", "Care by night", "tone-empathy", 4, 5, "Nobody to ask at three in the morning."),
    ("hour", "manage", "Care by night", "crisis-response", 3, 5, "An outage at night is theirs."),
    ("hour", "manage", "Care by night", "analytics", 4, 4, "The queue is steered by its figures."),
    ("hour", "develop", "Care by day", "policy-procedure", 3, 5, "Who answers what, and who decides."),
    ("voices", "develop", "Inside news", "culture", 3, 6, "People must feel safe to speak."),
    ("voices", "develop", "Inside news", "policy-procedure", 3, 6, "What may be said, on one page."),
    ("voices", "implement", "Inside news", "adoption", 3, 6, "Two hundred will not start by themselves."),
    ("voices", "implement", "People and learning", "facilitation", 3, 2, "A workshop in every house."),
    ("voices", "manage", "Inside news", "written", 4, 5, "Drafts come back better than they came."),
    ("voices", "manage", "Inside news", "running-channels", 3, 5, "The network needs hosts."),
    ("apprentices", "develop", "People and learning", "goal-setting", 3, 4, "Applicants, not views."),
    ("apprentices", "implement", "People and learning", "video", 3, 4, "Films are made where they are needed."),
    ("apprentices", "implement", "Content studio", "video", 4, 2, "Somebody teaches the rest."),
    ("apprentices", "implement", "People and learning", "imagery", 3, 5, "Covers and stills."),
    ("apprentices", "manage", "People and learning", "on-camera", 3, 3, "Trainers are seen as well."),
    ("apprentices", "manage", "Content studio", "editorial-planning", 3, 3, "One film a week."),
    ("outage", "manage", "Press office", "crisis-response", 3, 5, "One on duty at any hour."),
    ("outage", "manage", "Press office", "corporate-knowledge", 3, 6, "Who knows what has failed."),
    ("outage", "manage", "Press office", "written", 3, 5, "The first sentence decides."),
    ("outage", "manage", "Press office", "micro-copy", 3, 5, "Every channel is short."),
    ("outage", "manage", "Press office", "imagery", 3, 4, "A map says more than a list."),
    ("partners", "develop", "Partner desk", "needs-analysis", 4, 6, "Small partners need something else."),
    ("partners", "develop", "Campaigns", "goal-setting", 4, 3, "Kits with one goal each."),
    ("partners", "implement", "Partner desk", "editorial-planning", 4, 6, "A calendar that partners can follow."),
    ("partners", "implement", "Campaigns", "planning-budgeting", 4, 3, "A budget for ten sizes of partner."),
    ("partners", "implement", "Brand", "imagery", 4, 3, "Pictures that survive a second logo."),
    ("partners", "manage", "Partner desk", "analytics", 4, 4, "What works goes into the next kit."),
    ("ideas", "develop", "Idea lab", "governance-policy", 3, 3, "What happens to an idea that is not ours."),
    ("ideas", "manage", "Idea lab", "tone-empathy", 3, 3, "A no is an answer as well."),
    ("ideas", "manage", "Idea lab", "on-camera", 4, 1, "The quarter’s idea is shown, not written up."),
    ("ideas", "manage", "Idea lab", "corporate-knowledge", 3, 1, "Whom to ask whether it can be built."),
    ("ideas", "implement", "Channel technology", "procurement", 3, 9, "A platform that we can leave again."),
    ("ideas", "implement", "Channel technology", "evaluating-tools", 3, 8, "Three tools tried for a month."),
    ("ideas", "manage", "Channel technology", "analytics", 3, 8, "Votes are not the same as needs."),
)


def _teams(by) -> dict[str, Team]:
    found = {}
    for slug, names in TEAMS.items():
        function = EnterpriseFunction.objects.get(slug=slug)
        for name in names:
            found[name] = actions.save_team(Team(name=name, function=function), by=by)
    return found


def _members(people, teams, today: date) -> None:
    """Everybody in a team of their function; every tenth shares their time between two."""
    rows = []
    for slug, names in TEAMS.items():
        own = [person for person in people if person.function and person.function.slug == slug]
        for n, person in enumerate(own):
            first, second = names[n % len(names)], names[(n + 1) % len(names)]
            shared = n % 10 == 9 and first != second
            rows.append((teams[first], person, 60 if shared else 100))
            if shared:
                rows.append((teams[second], person, 40))
    day = today - timedelta(days=500)
    Membership.objects.bulk_create(
        Membership(team=team, person=person, share=share, joined_on=day) for team, person, share in rows
    )


def _initiatives(teams, people, by, today: date) -> None:
    skills = {skill.slug: skill for skill in Skill.objects.all()}
    heads = {person.function.slug: person for person in people[:8] if person.function}
    for key, (title, function, phase, ahead, since, goal) in INITIATIVES.items():
        deadline = today + timedelta(days=ahead)
        one = Initiative(
            title=title,
            function=EnterpriseFunction.objects.get(slug=function),
            phase=phase,
            goal=goal,
            owner=heads[function],
            deadline_on=deadline,
            budget=40_000 + 1_000 * ahead // 10,
        )
        demands = [
            Demand(
                phase=at,
                team=teams[team],
                skill=skills[skill],
                level=level,
                people=number,
                reason=reason,
                due_on=deadline - timedelta(days={"develop": 40, "implement": 20, "manage": 0}[at]),
            )
            for name, at, team, skill, level, number, reason in DEMANDS
            if name == key
        ]
        actions.save_initiative(one, by=by, demands=demands)
        actions.activate(one, day=today - timedelta(days=since), by=by)


def _somebody_moved(teams, by, today: date) -> None:
    """Three of the night team, its best under pressure, have moved to the day three weeks ago: nights may break."""
    night = teams["Care by night"].memberships.current().filter(share=100)
    best = night.filter(person__estimates__skill__slug="crisis-response").order_by("-person__estimates__mean")[:3]
    day = today - timedelta(days=21)
    for one in list(best):
        actions.leave_team(one, day=day, by=by)
        actions.put_in_team(teams["Care by day"], one.person, share=one.share, day=day, by=by)


def _quarters(today: date) -> None:
    ends = [snapshots.last_quarter_end(today)]
    while len(ends) < QUARTERS:
        ends.append(snapshots.last_quarter_end(ends[-1]))
    for end in reversed(ends):
        board = Board(Asked(end), matrix_on(end))
        snapshots.take(end, board, told=afresh(board))
