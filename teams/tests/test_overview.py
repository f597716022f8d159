"""The overview: the board for HR by name and for executives by count, its drill-down, exports and quarters."""

import io
from datetime import date, timedelta

import openpyxl
import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.factories import make_user
from candidates import actions, matrix
from candidates.factories import give_evidence, make_person
from roles.models import Skill
from scoring import readiness
from socialstrategy.celery import app
from socialstrategy.jobs import enqueue
from socialstrategy.jobs.models import Job
from teams import coverage, dashboard, snapshots, tasks
from teams.factories import join, make_demand, make_initiative, make_team
from teams.figures import NOTHING, Share
from teams.models import Snapshot

pytestmark = pytest.mark.django_db
CELL = "/overview/service-support/communicating/"


@pytest.fixture
def team():
    """Six people, one of whom is strong; two are asked for."""
    found = make_team("Desk")
    for n in range(6):
        person = make_person(f"Deskmate Number{n}", kind="employee")
        join(found, person)
        for source in ("work_sample", "manager", "peer"):
            give_evidence(person, "tone-empathy", 5 if n == 0 else 1, source)
    make_demand(make_initiative("Answer at night"), found, people=1, level=4)
    return found


def as_role(client, role):
    client.force_login(make_user(role))
    return client


def test_hr_sees_names_and_what_would_close_it(as_hr, team):
    make_demand(make_initiative("Second"), team, "tone-empathy", people=3, level=3)
    page = as_hr.get("/").content.decode()
    assert "Coverage by function" in page
    assert "Deskmate Number0" in page
    assert "One person deep" in page
    assert "What would close it" in page


def test_executives_see_counts_and_no_name_on_any_page_or_export(client, team):
    client = as_role(client, "executive")
    for path in ("/", CELL, "/initiatives/", f"/teams/{team.pk}/"):
        page = client.get(path).content.decode()
        assert "Deskmate" not in page, path
    page = client.get("/").content.decode()
    assert "of <" in page or "of 1" in page
    assert "Answer at night" in page
    book = openpyxl.load_workbook(io.BytesIO(client.get("/overview/overview.xlsx").content))
    text = " ".join(str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row)
    assert "Deskmate" not in text
    assert "As of" in text


def test_a_cell_opens_by_itself_and_beside_the_heatmap(as_hr, team):
    whole = as_hr.get(CELL).content.decode()
    part = as_hr.get(CELL, headers={"hx-request": "true"}).content.decode()
    assert "Coverage by function" in whole
    assert "Coverage by function" not in part
    assert "At least 1 person in Desk at level 4 or above in tone &amp; empathy" in part
    assert as_hr.get("/overview/it/strategy/").status_code == 404
    assert as_hr.get("/overview/nothing/strategy/").status_code == 404


@pytest.mark.parametrize("role", ["assessor", "employee"])
def test_others_have_a_home_without_the_board(client, team, role):
    client = as_role(client, role)
    assert "Coverage by function" not in client.get("/").content.decode()
    assert client.get(CELL).status_code == 404
    assert client.get("/overview/overview.xlsx").status_code == 404


def test_without_an_active_initiative_the_board_says_what_to_do(client, as_hr):
    make_person()
    page = as_hr.get("/").content.decode()
    assert "No initiative is active yet" in page
    assert "New initiative" in page
    assert "New initiative" not in as_role(client, "executive").get("/").content.decode()


def test_an_export_of_nothing_says_so(as_hr):
    book = openpyxl.load_workbook(io.BytesIO(as_hr.get("/overview/overview.xlsx").content))
    assert book["Coverage"]["A2"].value == "Nothing to show"
    assert book["What the columns say"]["C2"].value


def test_the_export_holds_what_the_page_shows_and_explains_each_column(as_hr, team):
    book = openpyxl.load_workbook(io.BytesIO(as_hr.get("/overview/overview.xlsx").content))
    assert book.sheetnames == ["Coverage", "Initiatives", "One person deep", "Quarters", "What the columns say"]
    assert book["Initiatives"]["A2"].value == "Answer at night"
    assert book["One person deep"]["D2"].value == "Deskmate Number0"
    explained = {row[1].value for row in book["What the columns say"].iter_rows(min_row=2)}
    for sheet in book.sheetnames[:-1]:
        assert {cell.value for cell in book[sheet][1]} <= explained


def test_an_initiative_s_export_makes_formulas_harmless(as_hr, team):
    make_demand(make_initiative("x"), team, "video", reason="=1+1")
    one = make_initiative("y")
    make_demand(one, team, "audio", reason="=HYPERLINK(1)")
    response = as_hr.get(reverse("teams:initiative_export", args=[one.pk]))
    sheet = openpyxl.load_workbook(io.BytesIO(response.content))["Demands"]
    assert sheet["I2"].value == "'=HYPERLINK(1)"


def test_a_renamed_skill_or_person_shows_at_once(as_hr, team):
    as_hr.get("/")
    skill = Skill.objects.get(slug="tone-empathy")
    skill.name = "Warmth"
    skill.save()
    person = team.memberships.first().person
    person.name = "Renamed Person"
    actions.save_person(person, by=None)
    page = as_hr.get("/").content.decode()
    assert "warmth" in page
    assert "Renamed Person" in page


def test_a_large_cell_is_paged(as_hr, team):
    for n in range(25):
        make_demand(make_initiative(f"Number {n}"), team, people=2)
    assert "All 26 demands of this field" in as_hr.get("/").content.decode()
    page = as_hr.get(CELL + "?page=2").content.decode()
    assert "Demands 21 to 26 of 26" in page
    for nonsense in ("0", "-1", "x", "999"):
        assert as_hr.get(CELL + f"?page={nonsense}").status_code == 200


def test_the_board_takes_few_queries_once_it_is_built(as_hr, team, django_assert_max_num_queries):
    """Session and account; own person, ratings asked of them; changes since the board; open, run out and complete
    invitations, the last handed in by itself; accounts to be joined; mails; drafts. Nothing for each row."""
    as_hr.get("/")
    with django_assert_max_num_queries(11):
        as_hr.get("/")


# Quarters


@pytest.mark.parametrize(
    ("day", "end", "name"),
    [
        (date(2026, 11, 23), date(2026, 9, 30), "Q3 2026"),
        (date(2026, 1, 1), date(2025, 12, 31), "Q4 2025"),
        (date(2026, 3, 31), date(2025, 12, 31), "Q4 2025"),
        (date(2024, 4, 1), date(2024, 3, 31), "Q1 2024"),
    ],
)
def test_the_quarter_that_has_ended(day, end, name):
    assert snapshots.last_quarter_end(day) == end
    assert snapshots.quarter_name(end) == name


def test_a_quarter_is_stored_once_with_its_method(team, run_jobs):
    tasks.take_snapshot()
    tasks.take_snapshot()
    run_jobs()
    tasks.take_snapshot()
    assert Job.objects.filter(kind="quarter.take").count() == 1
    stored = Snapshot.objects.get()
    assert stored.quarter_on == snapshots.last_quarter_end(timezone.localdate())
    assert stored.engine
    assert stored.parameters == "shipped-1"
    assert "Deskmate" not in str(stored.figures)


@pytest.mark.parametrize("size", [1, 2, 2_000])
def test_a_quarter_in_parts_is_the_quarter_in_one(team, run_jobs, size, monkeypatch):
    initiative = make_initiative("Several")
    for level in (1, 3, 5):
        make_demand(initiative, team, people=level, level=level)
    wanted = snapshots.figures(coverage.current())
    count = len(coverage.current().lines)
    drawn = []
    real = readiness._meet
    monkeypatch.setattr(readiness, "_meet", lambda *a: drawn.append(1) or real(*a))
    coverage.forget()
    enqueue("quarter.take", part=size, quarter_on="2026-09-30", day=timezone.localdate().isoformat())
    run_jobs()
    assert Snapshot.objects.get().figures == wanted
    assert Job.objects.filter(kind="quarter.part", state="done").count() == -(-count // size)
    # The end draws nothing anew.
    assert len(drawn) == count


def test_a_demand_that_changes_while_a_quarter_is_taken_is_drawn_in_the_end(team, run_jobs):
    demand = make_demand(make_initiative("Several"), team, people=1, level=3)
    day = timezone.localdate()
    parts = [snapshots.draw_part(**one) for one in snapshots.plan(day, 1)]
    demand.level = 5
    demand.save()
    board = snapshots.board_of(day, "0000000099.levels", parts)
    coverage.forget()
    matrix.forget()
    assert snapshots.figures(board) == snapshots.figures(coverage.current())


def test_the_scheduler_knows_every_task_it_sends():
    app.loader.import_default_modules()
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks


def test_a_new_rating_shows_as_a_change_since_the_quarter(as_hr, team, run_jobs):
    tasks.take_snapshot()
    run_jobs()
    make_demand(make_initiative("More"), team, people=2, level=4)
    weak = team.memberships.all()[2].person
    for source in ("work_sample", "manager", "peer", "interview_panel"):
        give_evidence(weak, "tone-empathy", 5, source)
    page = as_hr.get("/").content.decode()
    assert "Since " in page
    assert "up " in page


def test_a_quarter_without_data_leaves_a_gap_and_breaks_nothing(as_hr, team):
    empty = {"total": [0, 0, None, None], "functions": {}, "cells": {}, "initiatives": {}}
    for months in (100, 200):
        Snapshot.objects.create(
            quarter_on=timezone.localdate() - timedelta(days=months),
            taken_at=timezone.now(),
            engine="1",
            parameters="shipped-1",
            figures={"exact": empty, "told": empty, "one_deep": 0, "initiatives": 0},
        )
    page = as_hr.get("/").content.decode()
    assert "No earlier quarter to compare with yet" in page
    assert "as last quarter" not in page
    assert dashboard.trend([("Q1 2026", NOTHING)], Share(1, 2, 0.3, 0.6)) is None


def test_the_trend_keeps_its_points_in_order_and_inside_the_drawing():
    quarters = [(f"Q{n} 2026", Share(n, 4, n / 4 - 0.1, n / 4)) for n in (1, 2, 3)]
    found = dashboard.trend(quarters, Share(4, 4, 0.9, 1.0))
    assert [mark["percent"] for mark in found["marks"]] == [25, 50, 75, 100]
    assert all(0 <= mark["y"] <= 156 and 0 <= mark["x"] <= 366 for mark in found["marks"])
    assert found["marks"][0]["y"] > found["marks"][-1]["y"]
