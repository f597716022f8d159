"""One size of organisation in a PostgreSQL of its own: what the engine costs beside the ways one would try first, and
the pages under gunicorn beside a trivial one.

python -m benchmarks.site PEOPLE       prints JSON; DATABASE_URL names a server where databases may be made
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.speed import medians, read_bytes
from scoring.ranking import rank

ROOT = Path(__file__).resolve().parent.parent


def main(people: int) -> list[dict]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "VAR_DIR": folder,
            "DATABASE_URL": _database(people),
            "LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "CELERY_BROKER_URL": "filesystem://localhost",
        }
        os.environ.pop("REDIS_URL", None)
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        from benchmarks import organisation

        hr, version, draft = organisation.fill(people)
        rows = _engine(people, version)
        if people <= 100_000:
            rows += _pages(people, hr, organisation.teams(), version, draft)
        return rows


def _database(people: int) -> str:
    import psycopg2

    server, _, name = os.environ["DATABASE_URL"].partition("/postgres?")
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE bench_{people}")
    connection.close()
    return f"{server}/bench_{people}?{name}"


def seconds(task: Callable[[], object], rounds: int = 1) -> float:
    """Median seconds."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        task()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _engine(people: int, version) -> list[dict]:
    """Loading, one person's change, and ranking beside an ORM loop and one SQL query."""

    from benchmarks import organisation
    from candidates import matrix

    row = {"people": people}
    reading = seconds(lambda: matrix.loading.everybody())
    matrix.renew_snapshot()

    def load() -> None:
        matrix.forget()
        matrix.current()

    load()
    loading = seconds(load, 9)
    found = [
        {**row, "task": "COPY from PostgreSQL into arrays", "ms": 1000 * reading, "ratio": 1.0},
        {**row, "task": "map the snapshot", "ms": 1000 * loading, "ratio": loading / reading},
    ]
    lines = matrix.scored(version.requirements.select_related("skill"))
    times = medians(_rankings(matrix.current().profiles, lines))
    if people == 100_000:
        times["one SQL query, F alone"] = seconds(lambda: _sql(lines), 3)
        times["ORM rows in a loop, F alone"] = seconds(lambda: _orm(version))
    base = times["rank, F alone"]
    found += [{**row, "task": name, "ms": 1000 * s, "ratio": s / base} for name, s in times.items()]
    one = organisation.an_estimate()

    def change() -> float:
        organisation.change(one)
        return seconds(matrix.current)

    change()
    change()
    nothing = seconds(matrix.current, 50)
    changed = statistics.median(change() for _ in range(50))
    found += [
        {**row, "task": "nothing has changed", "ms": 1000 * nothing, "ratio": 1.0},
        {**row, "task": "one person has changed", "ms": 1000 * changed, "ratio": changed / nothing},
    ]
    return found


def _rankings(profiles, lines) -> dict[str, Callable[[], object]]:
    plain = [replace(one, essential=False) for one in lines]
    return {
        "merely reading the bytes": lambda: read_bytes(profiles, lines),
        "rank, F alone": lambda: rank(profiles, plain),
        "rank, P_all, top 50": lambda: rank(profiles, lines),
    }


def _sql(lines) -> list:
    """F of everybody by the database itself; where nothing is known the prior's P, which is the same for everybody."""
    from django.db import connection

    import scoring
    from roles.models import Skill
    from scoring.normal import cdf

    total = sum(one.weight for one in lines)
    keys = dict(Skill.objects.values_list("column", "pk"))
    prior = {one.skill: float(cdf((scoring.PRIOR_MEAN - one.level) / scoring.PRIOR_SD)) for one in lines}
    asked = ", ".join(
        f"({keys[one.skill]}, {one.level}::float8, {one.weight / total}::float8, {prior[one.skill]}::float8)"
        for one in lines
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH asked(skill_id, level, weight, prior) AS (VALUES {asked}) "
            "SELECT e.person_id, "
            "sum(weight * (0.5 * (1 + erf((e.mean - level) / (e.sd * 1.4142135623730951))) - prior))"
            "  + (SELECT sum(weight * prior) FROM asked) AS fit "
            "FROM candidates_estimate e JOIN asked USING (skill_id) "
            "GROUP BY e.person_id ORDER BY fit DESC LIMIT 50"
        )
        return cursor.fetchall()


def _orm(version) -> list:
    """The way one writes it first: rows of models, a loop in Python, a sort."""
    from statistics import NormalDist

    from candidates.models import Estimate, Person

    lines = list(version.requirements.all())
    total = sum(line.weight for line in lines)
    levels: dict[int, dict[int, Estimate]] = {}
    for row in Estimate.objects.filter(skill__in=[line.skill_id for line in lines], person__archived_at=None):
        levels.setdefault(row.person_id, {})[row.skill_id] = row
    prior, scores = NormalDist(2.5, 1.25), []
    for person in Person.objects.current():
        known, fit = levels.get(person.pk, {}), 0.0
        for line in lines:
            row = known.get(line.skill_id)
            one = NormalDist(row.mean, row.sd) if row else prior
            fit += line.weight / total * (1 - one.cdf(line.level))
        scores.append((fit, person))
    scores.sort(key=lambda pair: -pair[0])
    return scores[:50]


def _pages(people: int, hr, executive, version, draft) -> list[dict]:
    """p50 and p95 under gunicorn, one request after the other, the pages in turn."""
    sessions = {user: _session(user) for user in (hr, executive)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "socialstrategy.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    server = subprocess.Popen([*command, "--threads", "4", "--log-level", "error"], cwd=ROOT)
    htmx = {"HX-Request": "true"}
    pages = {
        "trivial": (hr, "/trivial/", {}),
        "ranking": (hr, f"/hiring/{version.pk}/", {}),
        "live preview": (hr, f"/hiring/{draft.pk}/who-fits/", htmx),
        "overview for HR": (hr, "/", {}),
        "overview for executives": (executive, "/", {}),
        "people": (hr, "/people/", {}),
        "people, far down": (hr, f"/people/?from={_far_down()}", {}),
    }

    def ask(name: str) -> float:
        user, path, headers = pages[name]
        begun = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", path, headers={**headers, "Cookie": f"sessionid={sessions[user]}"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)
        return time.perf_counter() - begun

    try:
        _wait(port)
        for name in [*pages] * 3:
            ask(name)
        taken: dict[str, list[float]] = {name: [] for name in pages}
        for _ in range(60):
            for name in pages:
                taken[name].append(ask(name))
        after = _after_a_change(ask)
        memory = _memory(server.pid)
    finally:
        server.terminate()
        server.wait(20)
    base = statistics.median(taken["trivial"])
    rows = [
        {
            "people": people,
            "task": f"page: {name}",
            "ms": 1000 * statistics.median(times),
            "p95": 1000 * statistics.quantiles(times, n=20)[-1],
            "ratio": statistics.median(times) / base,
        }
        for name, times in taken.items()
    ]
    rows += [
        {
            "people": people,
            "task": f"one person has changed: more for {name}",
            "ms": 1000 * (times - statistics.median(taken[name])),
            "ratio": (times - statistics.median(taken[name])) / base,
        }
        for name, times in after.items()
    ]
    return [*rows, {"people": people, "task": "memory of a process, MiB", "ms": memory, "ratio": 0.0}]


def _after_a_change(ask: Callable[[str], float]) -> dict[str, float]:
    """Median seconds of the first look after a change of somebody whom a demand hangs on."""
    from benchmarks import organisation

    one = organisation.a_member_s_estimate()
    taken: dict[str, list[float]] = {"ranking": [], "overview for HR": [], "overview for executives": []}
    for _ in range(40):
        for name, times in taken.items():
            organisation.change(one)
            times.append(ask(name))
    return {name: statistics.median(times) for name, times in taken.items()}


def _far_down() -> str:
    """Where the list of people stands nearly at its end."""
    from candidates.models import Person

    return f"after.{Person.objects.order_by('-name')[100].pk}.{Person.objects.count() - 99}"


def _session(user) -> str:
    from django.test import Client

    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=5).request("GET", "/healthz")
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("gunicorn did not start")


def _memory(parent: int) -> float:
    """Proportional set size of the worker: shared pages count by how many share them."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    text = Path(f"/proc/{children[0]}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
