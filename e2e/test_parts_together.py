"""A long job on two real workers, one of which is killed in the middle of its part."""

import os
import signal
import time
from datetime import date

import pytest
from django.utils import timezone

from candidates import actions
from candidates.evidence import month_start
from candidates.models import Estimate, Evidence, Person
from candidates.tests.test_matrix import skills
from roles.models import Skill, SkillSet
from socialstrategy.jobs import enqueue
from socialstrategy.jobs.models import Job

pytestmark = [pytest.mark.servers]
PEOPLE, PART = 1_600, 100


def everything() -> list:
    fields = ("person", "skill", "mean", "sd", "evidence_count", "newest_on", "as_of", "engine", "parameters")
    return list(Estimate.objects.order_by("person", "skill").values_list(*fields))


@pytest.fixture
def outdated(transactional_db):
    """Everybody's estimates, of long ago and wrong; gives what they should be."""
    if not Skill.objects.exists():
        group = SkillSet.objects.create(name="Set", slug="set", position=1)
        for n in range(4):
            Skill.objects.create(name=f"Skill {n}", slug=f"skill-{n}", skill_set=group, column=n, position=n)
    people = Person.objects.bulk_create(Person(name=f"P {n}", email=f"p{n}@example.org") for n in range(PEOPLE))
    today = timezone.localdate()
    Evidence.objects.bulk_create(
        Evidence(person=person, skill=skill, source=source, value=(person.pk + skill.pk) % 6, observed_on=today)
        for person in people
        for skill in skills()
        for source in ("self", "manager", "peer")
    )
    actions.refresh_estimates([person.pk for person in people], as_of=month_start(today))
    wanted = everything()
    Estimate.objects.update(mean=0.5, sd=1.0, as_of=date(2020, 1, 1))
    return wanted


def goes_on(parts, done: int, seconds: float = 5.0) -> bool:
    """Whether so many parts are done within a while."""
    deadline = time.monotonic() + seconds
    while parts.filter(state="done").count() < done:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_with_one_of_two_workers_killed_in_mid_job_the_result_is_exact(outdated, start_worker, wait_until):
    workers = [start_worker(), start_worker()]
    job = enqueue("estimates.refresh", part=PART)
    parts = Job.objects.filter(parent=job)
    wait_until(lambda: parts.filter(state="done").count() >= 2)
    # Stopped first, until the other has gone two parts further: what is still running then is the stopped one's.
    stuck: list = []
    while not stuck:
        assert parts.exclude(state="done").count() > 3
        workers[0].send_signal(signal.SIGSTOP)
        held, done = set(parts.filter(state="running").values_list("pk", flat=True)), parts.filter(state="done").count()
        # Stopped while it writes, it holds a lock and the other one up: a killed one would not.
        if goes_on(parts, done + 2):
            stuck = list(parts.filter(pk__in=held, state="running"))
        if not stuck:
            workers[0].send_signal(signal.SIGCONT)
    os.kill(workers[0].pid, signal.SIGKILL)
    workers[0].wait(20)
    wait_until(lambda: parts.exclude(state="done").count() == 1)
    (lost,) = parts.exclude(state="done")
    assert [lost] == stuck
    assert Job.objects.get(pk=job.pk).done == PEOPLE - PART
    assert everything() != outdated
    # The other worker misses its signs of life and takes it over, with nobody's help.
    wait_until(lambda: Job.objects.get(pk=job.pk).state == "done", seconds=30)
    lost.refresh_from_db()
    assert (lost.state, lost.attempts) == ("done", 2)
    assert parts.count() == PEOPLE // PART
    assert Job.objects.get(pk=job.pk).done == PEOPLE
    assert everything() == outdated
