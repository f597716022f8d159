"""Teams, who is in them, initiatives, what they demand, and what each quarter looked like."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Sum
from django.utils.formats import date_format

from accounts.models import User
from candidates.models import Person
from roles.models import EnterpriseFunction, Phase, Skill

MOST_PEOPLE = 500
FULL_TIME = 100


def oversees(user) -> bool:
    """Whether somebody looks after teams and initiatives: HR by name, executives by count."""
    return user.is_authenticated and user.role in {User.Role.HR, User.Role.EXECUTIVE}


class OverseenQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self if oversees(user) else self.none()


class TeamQuerySet(OverseenQuerySet):
    def current(self):
        return self.filter(closed_on=None)


class Team(models.Model):
    """People of one function who work together. One that was merged or dissolved stays for the history."""

    name = models.CharField(max_length=80)
    function = models.ForeignKey(EnterpriseFunction, on_delete=models.PROTECT, related_name="teams")
    purpose = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_on = models.DateField(null=True, blank=True)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ["function__position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["name"], condition=Q(closed_on=None), name="team_name_once_in_use"),
            models.CheckConstraint(condition=Q(merged_into=None) | ~Q(merged_into=F("id")), name="team_not_in_itself"),
        ]

    def __str__(self):
        return self.name


class MembershipQuerySet(models.QuerySet):
    def on_day(self, day):
        """Who was in which team on ``day``."""
        return self.filter(Q(left_on=None) | Q(left_on__gt=day), joined_on__lte=day)

    def current(self):
        return self.filter(left_on=None)

    def present(self):
        """Who is in a team now; whoever is archived comes back to it when they are brought back."""
        return self.current().filter(person__archived_at=None)

    def time_of(self, person) -> int:
        """Percent of a person's time that teams have already."""
        return self.current().filter(person=person).aggregate(sum=Sum("share"))["sum"] or 0


class Membership(models.Model):
    """Somebody in a team, with a share of their time."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    share = models.PositiveSmallIntegerField(
        "share of time", default=FULL_TIME, validators=[MinValueValidator(5), MaxValueValidator(FULL_TIME)]
    )
    joined_on = models.DateField()
    left_on = models.DateField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["person__name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "person"], condition=Q(left_on=None), name="membership_once_at_a_time"
            ),
            models.CheckConstraint(condition=Q(share__gte=5, share__lte=100), name="membership_share_5_to_100"),
            models.CheckConstraint(
                condition=Q(left_on=None) | Q(left_on__gte=F("joined_on")), name="membership_days_in_order"
            ),
        ]

    def __str__(self):
        return f"{self.person} in {self.team}"


class InitiativeQuerySet(OverseenQuerySet):
    def active_on(self, day):
        """Initiatives that ask for people on ``day``."""
        return self.filter(Q(ended_on=None) | Q(ended_on__gt=day), activated_on__lte=day)


class Initiative(models.Model):
    """A social goal of a function, with what it demands. Only an active one counts on the overview."""

    title = models.CharField(max_length=120)
    function = models.ForeignKey(EnterpriseFunction, on_delete=models.PROTECT, related_name="initiatives")
    goal = models.CharField(max_length=400, help_text="What is different when it has worked.")
    phase = models.CharField("phase it is in", max_length=10, choices=Phase, default=Phase.DEVELOP)
    owner = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="owned_initiatives"
    )
    deadline_on = models.DateField("deadline")
    budget = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    activated_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InitiativeQuerySet.as_manager()

    class Meta:
        ordering = ["deadline_on", "title", "pk"]
        indexes = [models.Index(fields=["activated_on", "ended_on"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(phase__in=["develop", "implement", "manage"]), name="initiative_phase_known"
            ),
            models.CheckConstraint(condition=Q(budget=None) | Q(budget__gte=0), name="initiative_budget_not_negative"),
            models.CheckConstraint(
                condition=Q(ended_on=None) | Q(ended_on__gte=F("activated_on")), name="initiative_days_in_order"
            ),
        ]

    def __str__(self):
        return self.title

    @property
    def state(self) -> str:
        if self.ended_on:
            return "ended"
        return "active" if self.activated_on else "planned"

    @property
    def state_word(self) -> str:
        return {"planned": "Planned", "active": "Active", "ended": "Ended"}[self.state]


class DemandQuerySet(models.QuerySet):
    def active_on(self, day):
        return self.filter(initiative__in=Initiative.objects.active_on(day))

    def told(self):
        """With everything their sentence names."""
        return self.select_related("team__function", "skill__skill_set", "initiative")


class Demand(models.Model):
    """At least so many people in a team at a level in a skill, by a day."""

    initiative = models.ForeignKey(Initiative, on_delete=models.CASCADE, related_name="demands")
    phase = models.CharField(max_length=10, choices=Phase)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="demands")
    skill = models.ForeignKey(Skill, on_delete=models.PROTECT, related_name="+")
    level = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(5)])
    people = models.PositiveSmallIntegerField(
        default=1,
        validators=[
            MinValueValidator(1, "A demand asks for at least one person."),
            MaxValueValidator(MOST_PEOPLE, f"A demand asks for at most {MOST_PEOPLE} people."),
        ],
    )
    due_on = models.DateField("needed by")
    reason = models.CharField(max_length=300, blank=True)

    objects = DemandQuerySet.as_manager()

    class Meta:
        ordering = ["phase", "due_on", "team__name", "skill__name", "level", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["initiative", "phase", "team", "skill", "level"], name="demand_asked_once"),
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=5), name="demand_level_1_to_5"),
            models.CheckConstraint(condition=Q(people__gte=1, people__lte=MOST_PEOPLE), name="demand_people_1_to_500"),
            models.CheckConstraint(
                condition=Q(phase__in=["develop", "implement", "manage"]), name="demand_phase_known"
            ),
        ]

    def __str__(self):
        return self.sentence

    @property
    def sentence(self) -> str:
        """The demand as one reads it."""
        who = "1 person" if self.people == 1 else f"{self.people} people"
        day = date_format(self.due_on, "j F Y")
        name = self.skill.name
        # "Tone & empathy" begins a line elsewhere; "SEO" stays as it is.
        name = name[0].lower() + name[1:] if name[1:2].islower() else name
        return f"at least {who} in {self.team.name} at level {self.level} or above in {name} by {day}"


class Snapshot(models.Model):
    """What the overview said when a quarter ended. Counts only; names are never kept here."""

    quarter_on = models.DateField(unique=True, help_text="The quarter's last day.")
    taken_at = models.DateTimeField()
    engine = models.CharField(max_length=12)
    parameters = models.CharField(max_length=24)
    figures = models.JSONField(help_text="As coverage.figures gives them: totals, cells and initiatives.")

    class Meta:
        ordering = ["quarter_on"]

    def __str__(self):
        return f"Quarter to {self.quarter_on}"


from teams.told import MarkKey, Publication, PublishedPart, Telling  # noqa: E402

__all__ = [
    "Demand",
    "Initiative",
    "MarkKey",
    "Membership",
    "Publication",
    "PublishedPart",
    "Snapshot",
    "Team",
    "Telling",
]
