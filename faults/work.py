"""Jobs, mails and schedules that a fault needs to hit something."""

from __future__ import annotations

import signal
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING

from faults.ledger import asked_again
from faults.servers import send_signal

if TYPE_CHECKING:
    from faults.kinds import Scene

PART = 6


def begin_parts() -> None:
    """Everybody's estimates are of long ago: a job in many parts brings them up to date."""
    from candidates.models import Estimate
    from socialstrategy.jobs import enqueue_once

    def begin() -> None:
        Estimate.objects.filter(person__email__startswith="known").update(as_of=date(2020, 1, 1))
        enqueue_once("estimates.refresh", part=PART)

    asked_again(begin)


def kill_while(scene: Scene, kinds: tuple[str, ...]) -> list:
    """Kill all workers' processes while one has such a job in hand; gives these jobs and who had them.

    They are frozen first, so that what is in hand then is what is lost. Half of the times the workers' masters go too.
    """
    pool, held = _frozen(scene, kinds)
    send_signal(pool or scene.workers(), signal.SIGKILL)
    if scene.rng.random() < 0.5:
        for name in ("worker 1", "worker 2"):
            scene.servers.kept[name].kill()
    return held


def _frozen(scene: Scene, kinds: tuple[str, ...], seconds: float = 25) -> tuple[list[int], list]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not asked_again(lambda: _in_hand(kinds)):
            time.sleep(0.01)
            continue
        pool = scene.workers()
        send_signal(pool, signal.SIGSTOP)
        time.sleep(0.05)
        held = asked_again(lambda: _in_hand(kinds))
        if held:
            return pool, held
        send_signal(pool, signal.SIGCONT)
    return [], []


def _in_hand(kinds) -> list:
    from socialstrategy.jobs.models import Job

    return list(Job.objects.filter(kind__in=kinds, state=Job.State.RUNNING).values_list("pk", "run"))


def not_yet_back(held: list) -> list:
    """Those that nobody else has in hand, nor has done."""
    from socialstrategy.jobs.models import Job

    same = [Job.objects.filter(pk=pk, run=run).exclude(state=Job.State.DONE).exists() for pk, run in held]
    return [one for one, is_same in zip(held, same, strict=True) if is_same]


def make_reminders_due(scene: Scene, most: int = 3) -> None:
    """A few invitations that end soon, about which nothing was mailed for days."""
    from django.utils import timezone

    from candidates.models import Invitation
    from socialstrategy.mail.models import Mail

    def make() -> None:
        now = timezone.now()
        still = Invitation.objects.open_at(now).filter(reminded_at=None, mail__state=Mail.State.SENT)[:most]
        found = list(still.values_list("pk", "mail"))
        Mail.objects.filter(pk__in=[mail for _, mail in found]).update(sent_at=now - timedelta(days=3))
        Invitation.objects.filter(pk__in=[pk for pk, _ in found]).update(
            sent_at=now - timedelta(days=3), deadline_at=now + timedelta(days=1)
        )

    asked_again(make)


def send_all_scheduled() -> None:
    """What the scheduler sends in a day, at once."""
    from django.conf import settings

    from socialstrategy.celery import app

    for one in settings.CELERY_BEAT_SCHEDULE.values():
        app.send_task(one["task"])


def renew_snapshot() -> None:
    """What the schedule does every few minutes."""
    from socialstrategy.celery import app

    app.send_task("candidates.tasks.renew_snapshot")


def wrong_estimates() -> list[str]:
    """Whose levels are not what all evidence, read anew, gives."""
    from candidates import actions
    from candidates.models import Estimate, Person

    people = list(Person.objects.filter(email__startswith="known").values_list("pk", flat=True))
    fields = ("person", "skill", "mean", "sd", "evidence_count", "newest_on", "as_of")
    stored = set(Estimate.objects.filter(person__in=people).values_list(*fields))
    actions.refresh_estimates(people)
    wanted = set(Estimate.objects.filter(person__in=people).values_list(*fields))
    return [f"estimate {one}" for one in stored ^ wanted]
