"""The demo organisation: made up, seeded, and simulated with the correlations that the engine assumes.

The world: true proficiency theta = .55*general + .835*own (correlated .30 over a person's skills), plus what a
function and practice bring along. Ratings share a halo of variance .10; every source has the validity, reliability
and bias of scoring.evidence.DEFAULT_SOURCES. Dates count back from today, everything else comes from one seed.
"""

import math
from datetime import timedelta

import numpy as np
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.views import DEMO_DOMAIN
from assessments.models import RatingRequest, Response, Sitting
from candidates import actions as people_actions
from candidates import inviting, standings
from candidates.models import (
    CODE_LENGTH,
    CODE_SIGNS,
    Background,
    Evidence,
    Invitation,
    Person,
    ShownRating,
    ShownRatings,
)
from candidates.shown import release_earlier
from roles import actions as role_actions
from roles.models import EnterpriseFunction, RoleTemplate, RoleVersion, Skill
from scoring.evidence import DEFAULT_SOURCES, HALO_VARIANCE
from teams import demo_initiatives
from teams.demo_names import BACKGROUNDS, EXAMPLES, FAMILY, GIVEN, PLACES, WISHES

SEED = 20261123
EMPLOYEES, CANDIDATES = 120, 60
ROLES = (
    "social-strategist",
    "campaign-manager",
    "content-producer",
    "digital-press-officer",
    "internal-communications-lead",
    "partner-community-manager",
    "social-care-lead",
    "community-manager",
    "social-recruiter",
    "channel-technologist",
    "innovation-community-manager",
    "video-producer",
)
DRAFTS = {"innovation-community-manager", "social-recruiter"}
RETIRED = "video-producer"
STRONG_SETS = {
    "marketing": ("strategy", "content"),
    "public-relations": ("communicating", "content"),
    "employee-communications": ("change", "communicating"),
    "partner-channel": ("communicating", "strategy"),
    "service-support": ("communicating", "technical"),
    "human-resources": ("training", "change"),
    "it": ("technical", "strategy"),
    "innovation": ("change", "strategy"),
}
JOBS = {
    "marketing": ("Marketing manager", "Brand specialist", "Content editor"),
    "public-relations": ("Press officer", "PR assistant", "Spokesperson"),
    "employee-communications": ("Communications partner", "Intranet editor"),
    "partner-channel": ("Partner manager", "Channel specialist"),
    "service-support": ("Service agent", "Team lead service", "Support specialist"),
    "human-resources": ("HR partner", "Recruiter", "Trainer"),
    "it": ("Systems analyst", "Application owner", "Data analyst"),
    "innovation": ("Innovation manager", "Product researcher"),
}


@transaction.atomic
def seed() -> dict[str, int]:
    """Make the demo organisation in an empty database; returns how many of what there are."""
    rng = np.random.default_rng(SEED)
    users = _users()
    versions = _roles(users["hr"])
    people = _people(rng, users)
    home = _home_roles(rng, people, versions)
    world = _World(rng, people, home)
    _evidence(rng, world, people, home)
    people_actions.refresh_estimates([person.pk for person in people])
    release_earlier(Evidence.objects, ShownRatings.objects, ShownRating.objects, {})
    _background(rng, people)
    _sittings(rng, world, people, home, users["hr"])
    _open_work(people, home, versions, users)
    _growing(rng, people, users)
    demo_initiatives.seed(people, by=users["hr"])
    standings.count()
    return {
        "people": Person.objects.count(),
        "roles": len(ROLES),
        "evidence": Evidence.objects.count(),
        "invitations": Invitation.objects.count(),
        "initiatives": len(demo_initiatives.INITIATIVES),
    }


def _users() -> dict[str, User]:
    named = {
        "hr": ("Hanne Berg", User.Role.HR),
        "assessor": ("Tomás Ribeiro", User.Role.ASSESSOR),
        "executive": ("Ruth Achterberg", User.Role.EXECUTIVE),
        "employee": ("Ines Okafor", User.Role.EMPLOYEE),
    }
    found = {}
    for key, (name, role) in named.items():
        # The HR manager of the demo is its administrator as well.
        user = User(email=f"{key}@{DEMO_DOMAIN}", name=name, role=role, is_staff=key == "hr")
        user.set_unusable_password()
        user.save()
        found[key] = user
    return found


def _roles(hr) -> dict[str, RoleVersion]:
    """Twelve roles from the templates: nine published, two drafts, one retired."""
    versions = {}
    for slug in ROLES:
        template = RoleTemplate.objects.with_requirements().get(slug=slug)
        version = role_actions.create_role(
            by=hr,
            title=template.title,
            function=template.function,
            phase=template.phase,
            purpose=template.purpose,
            lines=role_actions.lines_of(template.requirements),
        )
        if slug not in DRAFTS:
            version = role_actions.publish(version, by=hr)
        if slug == RETIRED:
            role_actions.set_retired(version.role, by=hr, retired=True)
        versions[slug] = RoleVersion.objects.with_requirements().get(pk=version.pk)
    return versions


def _people(rng, users) -> list[Person]:
    functions = list(EnterpriseFunction.objects.all())
    shares = np.array([0.2, 0.1, 0.1, 0.1, 0.22, 0.1, 0.12, 0.06])
    pairs = [(given, family) for given in GIVEN for family in FAMILY]
    names = [" ".join(pairs[at]) for at in rng.permutation(len(pairs))[: EMPLOYEES + CANDIDATES]]
    people = []
    for n, name in enumerate(names):
        is_employee = n < EMPLOYEES
        function = functions[n % 8] if n < 8 else functions[rng.choice(8, p=shares)]
        jobs = JOBS[function.slug]
        people.append(
            Person(
                name=name,
                email=f"person{n + 1:03}@{DEMO_DOMAIN}",
                code=_code(rng),
                kind=Person.Kind.EMPLOYEE if is_employee else Person.Kind.CANDIDATE,
                function=function if is_employee else None,
                job_title=f"Head of {function.name.lower() if function.slug != 'it' else 'IT'}"
                if n < 8
                else str(rng.choice(jobs))
                if is_employee
                else "",
                location=str(rng.choice(PLACES)),
            )
        )
    head = next(n for n, function in enumerate(functions) if function.slug == "service-support")
    ines = next(n for n in range(8, EMPLOYEES) if people[n].function_id == functions[head].pk)
    for place, user in ((head, users["assessor"]), (ines, users["employee"])):
        people[place].name, people[place].email, people[place].user = user.name, user.email, user
    Person.objects.bulk_create(people)
    heads = {person.function_id: person for person in people[:8]}
    for person in people[8:EMPLOYEES]:
        person.manager = heads[person.function_id]
    Person.objects.bulk_update(people[8:EMPLOYEES], ["manager"])
    return people


def _code(rng) -> str:
    return "".join(rng.choice(list(CODE_SIGNS), size=CODE_LENGTH))


class _World:
    """What is true in the demo, and how each source sees it."""

    def __init__(self, rng, people, home):
        self.rng = rng
        self.skills = {skill.pk: skill for skill in Skill.objects.select_related("skill_set")}
        general = rng.standard_normal(len(people))
        self.halo = dict(zip([p.pk for p in people], rng.standard_normal(len(people)), strict=True))
        self.theta = {}
        for n, person in enumerate(people):
            strong = STRONG_SETS[person.function.slug] if person.function else ()
            # People grow into their job: about half of them have, and the heads most of all.
            practised = {line.skill_id for line in home[person.pk].requirements.all()} if rng.random() < 0.55 else set()
            lead = 0.5 if n < 8 else 0.0
            for pk, skill in self.skills.items():
                shift = (0.4 if skill.skill_set.slug in strong else -0.1) + (1.15 if pk in practised else 0.0) + lead
                own = rng.standard_normal()
                self.theta[person.pk, pk] = math.sqrt(0.3) * general[n] + math.sqrt(0.7) * own + shift

    def see(self, person, skill, name, growth=0.0) -> tuple[float, float | None]:
        """(value in levels, standard error) that a source gives."""
        source = DEFAULT_SOURCES[name]
        error = 0.375 if source.reliability is None else None
        reliability = source.reliability or 1 / (1 + (0.375 / 1.25) ** 2)
        s2 = HALO_VARIANCE if source.human else 0.0
        psi = max((1 - source.validity**2) * reliability - s2 + (1 - reliability), 0.02)
        y = source.validity * math.sqrt(reliability) * (self.theta[person.pk, skill] + growth)
        y += math.sqrt(s2) * self.halo[person.pk] + math.sqrt(psi) * self.rng.standard_normal() + source.bias
        level = 2.5 + 1.25 * y / (math.sqrt(reliability) if error else 1.0)
        if error:
            return round(float(np.clip(level, -2, 7)), 2), error
        return float(np.clip(round(level), 0, 5)), None


def _home_roles(rng, people, versions) -> dict[int, RoleVersion]:
    """Which role each person is measured against: one of their function, or any for the others."""
    published = [version for slug, version in versions.items() if slug not in DRAFTS | {RETIRED}]
    home = {}
    for person in people:
        own = [version for version in published if version.role.function_id == person.function_id]
        home[person.pk] = own[rng.integers(len(own))] if own else published[rng.integers(len(published))]
    return home


def _evidence(rng, world, people, home) -> None:
    """Four quarters of evidence; one employee has none."""
    today = timezone.localdate()
    rows = []

    def add(person, skill, source, day, rater, growth):
        value, error = world.see(person, skill.pk, source, growth)
        note = str(rng.choice(EXAMPLES)) if source == "self" and rng.random() < 0.08 else ""
        rows.append(
            Evidence(
                person=person,
                skill=skill,
                source=source,
                value=value,
                standard_error=error,
                observed_on=day,
                rater=rater,
                note=note,
            )
        )

    for n, person in enumerate(people):
        if n == EMPLOYEES - 1:
            continue
        employee = person.kind == Person.Kind.EMPLOYEE
        skills = [line.skill for line in home[person.pk].requirements.all()]
        extra = rng.choice(list(world.skills.values()), size=4, replace=False)
        skills += [skill for skill in extra if skill not in skills] if employee else []
        quarters = sorted(rng.choice(4, size=int(rng.integers(1, 4)) if employee else 1, replace=False), reverse=True)
        raters = int(rng.integers(0, 4)) if employee else 0
        has_manager = employee and rng.random() < 0.8
        # Nobody has looked again at every twelfth since the year before.
        since = today - timedelta(days=330 if n % 12 == 5 else 0)
        for skill in skills:
            if rng.random() < 0.06:
                continue
            for quarter in quarters:
                day = since - timedelta(days=int(quarter) * 91 + int(rng.integers(5, 80)))
                add(person, skill, "self", day, "self", 0.12 * (3 - quarter))
            day = since - timedelta(days=int(rng.integers(3, 200)))
            if has_manager:
                add(person, skill, "manager", day, "manager", 0.2)
            for rater in range(raters):
                if rng.random() < 0.6:
                    add(person, skill, "peer", day, f"peer {rater}", 0.2)
            if rng.random() < 0.5:
                kind = "knowledge_test" if skill.kind == Skill.Kind.KNOWLEDGE else "performance_test"
                add(person, skill, kind, day, "adaptive", 0.2)
            if rng.random() < 0.5:
                for review in range(2):
                    add(person, skill, "work_sample", day, f"review {review}", 0.2)
            if not employee and rng.random() < 0.3:
                add(person, skill, "interview_panel", day, "panel", 0.0)
    Evidence.objects.bulk_create(rows, batch_size=1000)


def _background(rng, people) -> None:
    skills = list(Skill.objects.all())
    frequencies = Background.Frequency.values
    for person in people[::3]:
        for at in rng.choice(len(BACKGROUNDS), size=int(rng.integers(1, 4)), replace=False):
            kind, title, place = BACKGROUNDS[at]
            start = int(rng.integers(2004, 2022))
            entry = Background.objects.create(
                person=person,
                kind=kind,
                title=title,
                place=place,
                from_year=start,
                to_year=start + int(rng.integers(1, 5)),
                frequency=str(rng.choice(frequencies)),
                wish=str(rng.choice(WISHES)),
            )
            entry.skills.set([skills[int(k)] for k in rng.choice(len(skills), size=2, replace=False)])


def _sittings(rng, world, people, home, hr) -> None:
    """The invitations that led to the latest self-assessments."""
    now = timezone.now()
    for person in people[EMPLOYEES : EMPLOYEES + 45]:
        begun = now - timedelta(days=int(rng.integers(10, 80)))
        version = home[person.pk]
        sitting = Sitting.objects.create(
            subject=person.subject,
            role_version=version,
            deadline_at=begun + timedelta(days=14),
            consented_at=begun,
            submitted_at=begun + timedelta(days=1),
        )
        own = {e.skill_id: int(e.value) for e in Evidence.objects.filter(person=person, source="self")}
        Response.objects.bulk_create(
            Response(sitting=sitting, skill_id=line.skill_id, level=own.get(line.skill_id))
            for line in version.requirements.all()
        )
        Invitation.objects.create(
            person=person,
            role_version=version,
            sitting=sitting,
            by=hr,
            deadline_at=begun + timedelta(days=14),
            sent_at=begun,
            opened_at=begun,
            submitted_at=sitting.submitted_at,
        )


def _open_work(people, home, versions, users) -> None:
    """Open invitations, one of them half finished, and ratings that wait for the assessor."""
    now = timezone.now()
    deadline = timezone.localdate() + timedelta(days=10)
    care = versions["community-manager"]
    ines = users["employee"].person
    invited = [*people[EMPLOYEES + 45 : EMPLOYEES + 53], people[20], people[31], ines]
    inviting.invite(invited, care, deadline_on=deadline, by=users["hr"])
    half = Invitation.objects.get(person=people[EMPLOYEES + 45], role_version=care)
    half.opened_at = now - timedelta(hours=5)
    half.save(update_fields=["opened_at"])
    half.sitting.consented_at = half.opened_at
    half.sitting.save(update_fields=["consented_at"])
    for n, skill in enumerate(half.sitting.skills()[:5]):
        Response.objects.create(
            sitting=half.sitting, skill=skill, level=2 + n % 3, statement=skill.anchor(2 + n % 3), note=""
        )
    reports = list(Person.objects.filter(manager=users["assessor"].person).exclude(pk=ines.pk)[:3])
    for person in [ines, *reports]:
        RatingRequest.objects.create(
            subject=person.subject,
            rater=users["assessor"],
            kind=RatingRequest.Kind.MANAGER,
            role_version=home[person.pk],
        )


def _growing(rng, people, users) -> None:
    """Three of five employees offer help; some have goals, Ines two of them."""
    for person in people[:EMPLOYEES]:
        person.offers_help = bool(rng.random() < 0.6)
    Person.objects.bulk_update(people[:EMPLOYEES], ["offers_help"])
    day = timezone.localdate() + timedelta(days=150)
    wanted = [(users["employee"].person, "analytics", 4), (users["employee"].person, "coaching", 3)]
    wanted += [(people[n], "video", 3) for n in range(30, 36)]
    for person, slug, level in wanted:
        people_actions.add_goal(person, skill=Skill.objects.get(slug=slug), level=level, due_on=day, by=None)
