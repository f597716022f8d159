"""Changes to people and their evidence; each is atomic, and tells the ranking that something has changed."""

from collections import defaultdict
from datetime import date

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

import scoring
from accounts.models import User, record
from assessments import actions as assessments
from assessments.models import RatingRequest
from candidates import archiving, import_awaiting, parameters, reporting_lines, shown
from candidates import evidence as known
from candidates.delivery import take_turns
from candidates.evidence import Estimate, Evidence, StoredFit
from candidates.matrix import scored
from candidates.models import Change, OwnField, OwnText, Person
from candidates.readdressing import addresses_entered
from scoring import fit as engine
from socialstrategy.jobs import enqueue
from socialstrategy.jobs.models import Job

PARTICULARS = ["name", "email", "kind", "job_title", "function", "location", "manager"]


def today() -> date:
    return timezone.localdate()


@transaction.atomic
def save_person(person: Person, *, by, own_texts: dict[OwnField, str] | None = None) -> Person:
    """Create or change somebody; ``own_texts`` are what the organisation's own fields say of them.

    Raises
    ------
    reporting_lines.CircleError : they would report to themselves, by what somebody else has changed meanwhile.
    """
    is_new = person.pk is None
    reporting_lines.lock(person, person.manager)
    reporting_lines.check(person, person.manager)
    before = None if is_new else Person.objects.select_for_update().values_list("email", flat=True).get(pk=person.pk)
    # What the form does not show may have been changed meanwhile: whose account it is, whether they are archived.
    person.save(update_fields=None if is_new else PARTICULARS)
    for field, text in (own_texts or {}).items():
        _set_own_text(person, field, text)
    record("person.created" if is_new else "person.changed", person, person.code, by=by)
    if person.email != before:
        addresses_entered([person], by=by, before={person.pk: before})
    import_awaiting.settle([person.pk], by=by)
    return person


def _set_own_text(person: Person, field: OwnField, text: str) -> None:
    if text:
        OwnText.objects.update_or_create(person=person, field=field, defaults={"text": text})
    else:
        OwnText.objects.filter(person=person, field=field).delete()


def set_archived(person: Person, *, by, archived: bool) -> Person:
    """Take somebody out of lists and rankings, or bring them back."""
    if archived:
        archiving.archive(person, by=by)
    else:
        archiving.bring_back(person, by=by)
    return person


@transaction.atomic
def add_evidence(person: Person, rows: list[dict], *, by=None) -> None:
    """Append evidence and bring the estimates it touches up to date.

    ``rows`` are keyword arguments of Evidence. The person's row is locked, so that two raters who submit at the same
    moment are both counted.
    """
    Person.objects.select_for_update().get(pk=person.pk)
    name = parameters.current().name
    Evidence.objects.bulk_create(Evidence(person=person, made_by=by, parameters=name, **row) for row in rows)
    refresh_estimates([person.pk], {row["skill"].pk for row in rows})
    pooled = {row["skill"].pk for row in rows if row["source"] in shown.POOLED}
    if pooled:
        shown.release(person, pooled, today())


@transaction.atomic
def bring_up_to_date(people, as_of: date) -> None:
    """Rebuild what is known of some people. They are locked, so that no evidence that comes meanwhile is lost."""
    list(Person.objects.select_for_update().filter(pk__in=people).order_by("pk").values_list("pk"))
    refresh_estimates(people, as_of=as_of)


def refresh_estimates(people, skills=None, as_of: date | None = None) -> int:
    """Rebuild estimates from evidence, bit for bit the same for the same ``as_of``; returns how many."""
    as_of = as_of or known.month_start(today())
    rows = Evidence.objects.filter(person__in=people).order_by("person", "skill", "observed_on", "pk")
    if skills is not None:
        rows = rows.filter(skill__in=skills)
    grouped = defaultdict(list)
    for row in rows:
        grouped[row.person_id, row.skill_id].append(row)
    in_force = parameters.current()
    estimates = [_estimate(person, skill, pieces, as_of, in_force) for (person, skill), pieces in grouped.items()]
    Estimate.objects.bulk_create(
        estimates,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["person", "skill"],
        update_fields=["mean", "sd", "evidence_count", "newest_on", "as_of", "engine", "parameters"],
    )
    return len(estimates)


def _estimate(person_id, skill_id, rows, as_of, in_force) -> Estimate:
    found, _ = known.estimate(rows, as_of, in_force)
    return Estimate(
        person_id=person_id,
        skill_id=skill_id,
        mean=found.mean,
        sd=found.sd,
        evidence_count=len(rows),
        newest_on=max(row.observed_on for row in rows),
        as_of=as_of,
        parameters=in_force.name,
    )


@transaction.atomic
def take_sitting(invitation, now) -> None:
    """Submit a sitting and make its answers evidence."""
    take_turns(invitation.person_id)
    _take_answers(invitation, assessments.submit(invitation.sitting, now), now, "assessment.submitted")


@transaction.atomic
def take_sitting_at_deadline(invitation, now) -> None:
    """The same for one that is complete when its deadline has passed, as was agreed to."""
    take_turns(invitation.person_id)
    responses = assessments.submit_at_deadline(invitation.sitting, now)
    _take_answers(invitation, responses, now, "assessment.submitted at the deadline")


def _take_answers(invitation, responses, now, action: str) -> None:
    invitation.submitted_at = now
    invitation.save(update_fields=["submitted_at"])
    rows = [
        {
            "skill": response.skill,
            "source": "self",
            "value": response.level,
            "observed_on": timezone.localdate(response.answered_at),
            "rater": "self",
            "note": response.note,
            "link": response.link,
        }
        for response in responses
        if response.level is not None
    ]
    add_evidence(invitation.person, rows)
    record(action, invitation, invitation.person.code, answers=len(rows))


@transaction.atomic
def take_rating(request: RatingRequest, now) -> None:
    """Submit a rating and make it evidence; a rater's newer rating replaces the older one in the estimate."""
    person = Person.objects.get(subject=request.subject)
    ratings = assessments.submit_rating(request, now)
    rows = [
        {
            "skill": rating.skill,
            "source": request.kind,
            "value": rating.level,
            "observed_on": timezone.localdate(now),
            "rater": f"user {request.rater_id}",
            "note": rating.note,
        }
        for rating in ratings
        if rating.level is not None
    ]
    add_evidence(person, rows, by=request.rater)
    record("rating.submitted", request, person.code, by=request.rater, answers=len(rows))


class AskedAlready(Exception):
    """Somebody has not handed in what they were asked for; ``request`` is that one, for another role or as another."""

    def __init__(self, request: RatingRequest):
        self.request = request
        super().__init__(f"{request} is open.")


@transaction.atomic
def ask_for_rating(person: Person, version, rater, *, kind, by, instead=None) -> RatingRequest:
    """Ask somebody with an account to rate a person against a role version; one open request per rater.

    ``instead`` is the key of an open request to the same rater that is withdrawn for this one.

    Raises
    ------
    AskedAlready : another request to the same rater is open; nothing is written.
    """
    opened = RatingRequest.objects.open().filter(subject=person.subject, rater=rater)
    if instead:
        for request in opened.filter(pk=instead):
            assessments.withdraw_request(request, timezone.now())
            record("rating.withdrawn", request, f"{person.code}, {request.get_kind_display().lower()}", by=by)
    wanted = {"kind": kind, "role_version": version}
    request, is_new = RatingRequest.objects.get_or_create(
        subject=person.subject, rater=rater, submitted_at=None, withdrawn_at=None, defaults=wanted
    )
    if is_new:
        record("rating.asked", request, f"{person.code}, {request.get_kind_display().lower()}", by=by)
    elif (request.kind, request.role_version_id) != (kind, version.pk):
        raise AskedAlready(request)
    return request


@transaction.atomic
def store_fit(person: Person, version, *, by) -> StoredFit:
    """Keep a fit as it is now: its inputs and its result, to be opened later."""
    lines = list(version.requirements.all())
    estimates = {row.skill_id: row for row in Estimate.objects.filter(person=person)}
    mean, sd, assessed = vectors(lines, estimates)
    in_force = parameters.current()
    found = fit_of(lines, estimates, in_force.thresholds)
    evidence = Evidence.objects.filter(person=person, skill__in=[line.skill_id for line in lines])
    stored = StoredFit.objects.create(
        person=person,
        role_version=version,
        as_of=known.month_start(today()),
        engine=scoring.ENGINE_VERSION,
        parameters=in_force.name,
        by=by,
        inputs={
            "mean": mean,
            "sd": sd,
            "assessed": assessed,
            "evidence": list(evidence.order_by("pk").values_list("pk", flat=True)),
            "requirements": [line.snapshot() | {"skill": line.skill.name} for line in lines],
        },
        result={
            "fit": found.fit,
            "fit_low": found.fit_low,
            "fit_high": found.fit_high,
            "all_essentials": found.all_essentials,
            "band": found.band,
            "probability": found.probability.tolist(),
            "contribution": found.contribution.tolist(),
            "state": found.state.tolist(),
        },
    )
    record("fit.stored", stored, f"{person.code} for {version}", by=by)
    return stored


def vectors(lines, estimates: dict) -> tuple[list, list, list]:
    """(mean, sd, assessed) in the order of the requirements; where not assessed, the prior."""
    found = [estimates.get(line.skill_id) for line in lines]
    return (
        [row.mean if row else scoring.PRIOR_MEAN for row in found],
        [row.sd if row else scoring.PRIOR_SD for row in found],
        [row is not None for row in found],
    )


def fit_of(lines, estimates: dict, thresholds) -> engine.Fit:
    """The engine's fit of one person, with requirement n in column n."""
    mean, sd, assessed = vectors(lines, estimates)
    requirements = [
        engine.Requirement(n, one.level, one.weight, one.essential, one.standard_error, one.target)
        for n, one in enumerate(scored(lines))
    ]
    return engine.fit(mean, sd, requirements, assessed=assessed, thresholds=thresholds)


def take_turns_with_parameters() -> None:
    """Until this transaction ends nobody else accepts a version: whoever comes second sees the first one's."""
    administrators = User.objects.filter(Q(is_staff=True) | Q(is_superuser=True)).order_by("pk")
    list(administrators.select_for_update(no_key=True).values_list("pk"))


@transaction.atomic
def accept_parameters(new: parameters.Parameters, *, by) -> Job:
    """Put a new version in force; every estimate is brought up to it by a job."""
    new.by = by
    new.save()
    Change.note()
    record("parameters.accepted", new, new.reason, by=by)
    return enqueue("estimates.refresh", by=by, result_url=reverse("candidates:sources"))


@transaction.atomic
def add_goal(person: Person, *, skill, level: int, due_on: date, by):
    """Set a goal; it enters no score."""
    goal = person.goals.create(skill=skill, level=level, due_on=due_on)
    record("goal.set", person, f"{person.code}, {goal}", by=by)
    return goal


@transaction.atomic
def close_goal(goal, now, *, by) -> None:
    """Close a goal, reached or not; what was reached is what the evidence says."""
    goal.closed_at = now
    goal.save(update_fields=["closed_at"])
    record("goal.closed", goal.person, f"{goal.person.code}, {goal}", by=by)


@transaction.atomic
def offer_help(person: Person, *, offers: bool, by) -> None:
    """Be named as a possible coach, or not any more."""
    person.offers_help = offers
    person.save(update_fields=["offers_help"])
    record("person.offers help" if offers else "person.offers no help", person, person.code, by=by)
