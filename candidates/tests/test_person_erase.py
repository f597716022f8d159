"""Erasing a person: not a row of any table names them any more, all at once or not at all."""

import json
import threading

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction
from django.db.models import BinaryField, CharField, JSONField, TextField
from django.utils import timezone

from accounts.closing import may_close
from accounts.erasure import Erasure
from accounts.factories import make_user
from accounts.models import AuditEntry, Link, User, record
from assessments import actions as assessments
from assessments.models import Rating, RatingRequest, Response, Sitting
from candidates import actions, delivery, erasing, importing
from candidates.erasing_texts import NAMELESS, TEXTS, WHOLES
from candidates.factories import give_evidence, make_invitation, make_person
from candidates.imports import AwaitedManager, ImportBatch
from candidates.models import (
    Background,
    Estimate,
    Evidence,
    ImportRow,
    Invitation,
    OwnField,
    OwnText,
    Person,
    StoredFit,
)
from candidates.ranking import RoleRanking
from roles.models import Skill
from socialstrategy.jobs.models import Job
from socialstrategy.mail.models import Mail
from teams import coverage
from teams.factories import join, make_demand, make_initiative, make_team
from teams.models import Team

pytestmark = pytest.mark.django_db
NAME, ADDRESS = "Zoë Ungern-Quast", "zoe.quast@mail.example"
FILE = f"Name,E-mail,Manager\n{NAME},{ADDRESS},\nOtto Other,otto@x.example,{ADDRESS}\nOld Address,was@x.example,\n"


def everything() -> dict[str, str]:
    """All rows of all tables, as text."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found[table] = "\n".join(str(tuple(map(_text, row))) for row in cursor.fetchall())
    return found


def _text(value):
    """What is stored as bytes is read as text, files of people above all."""
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else value


def tables_with(*words) -> set[str]:
    """The tables that hold one of these words, also as JSON writes them."""
    wanted = {form.casefold() for word in words for form in (str(word), json.dumps(str(word))[1:-1])}
    wanted |= {word.replace("\\", "\\\\") for word in wanted}
    return {table for table, text in everything().items() if any(word in text.casefold() for word in wanted)}


@pytest.fixture
def account():
    return make_user("employee", name=NAME, email=ADDRESS)


@pytest.fixture
def zoe(account, hr, version):
    """Somebody with a trace in every place where the product leaves one."""
    person = make_person(NAME, kind="employee", email=ADDRESS, user=account, job_title="Head of everything")
    other = make_person("Otto Other", kind="employee", manager=person)
    give_evidence(person, "tone-empathy", 4)
    give_evidence(other, "tone-empathy", 4, note=f"Worked with {NAME.upper()} for years.")
    invitation = make_invitation(person, version, hr)
    now = timezone.now()
    assessments.consent(invitation.sitting, now, accommodation="More time")
    assessments.answer(invitation.sitting, version.requirements.first().skill, now, level=3, note="Own words")
    delivery.send_report(person)
    for subject, rater in ((person, hr), (other, account)):
        request = actions.ask_for_rating(subject, version, rater, kind="peer", by=hr)
        assessments.rate(request, Skill.objects.get(slug="micro-copy"), level=2, note=f"{NAME} was there")
        if rater == account:
            actions.take_rating(request, now)
    actions.ask_for_rating(make_person("Third"), version, account, kind="peer", by=hr)
    actions.store_fit(person, version, by=hr)
    actions.add_goal(person, skill=Skill.objects.get(slug="video"), level=3, due_on=now.date(), by=account)
    Background.objects.create(person=person, kind="training", title="A course", frequency="daily")
    team = make_team(people=0)
    team.memberships.create(person=person, share=50, joined_on=now.date())
    make_initiative(owner=person)
    record("account.changed", account, f"{NAME}: was called Zoë Ungern", by=hr, before={"email": "was@x.example"})
    record("account.address changed", account, NAME, by=hr, before="earlier@x.example", after=ADDRESS)
    User.objects.filter(pk=account.pk).update(new_email="next@x.example")
    Link.objects.issue(Link.Purpose.ADDRESS, account.pk, now)
    Mail.objects.create(to="earlier@x.example", subject="Your address changes", text="x")
    record("team.changed", team, f"{NAME}  joined", by=hr, people=[{"who": NAME, "at": ADDRESS}])
    Job.objects.create(kind="x", arguments={"to": ADDRESS}, message=f"About {NAME}", heartbeat_at=now)
    Mail.objects.create(to="boss@x.example", subject=f"Rate {NAME}", text=f"Please rate {NAME} <{ADDRESS}>.")
    batch = importing.create_batch("people.csv", FILE.encode(), by=hr)
    importing.judge(batch)
    LogEntry.objects.create(
        user=hr,
        content_type=ContentType.objects.get_for_model(User),
        object_id=account.pk,
        object_repr=NAME,
        action_flag=2,
    )
    return Person.objects.get(pk=person.pk)


def erase(person, by, **options):
    return erasing.erase(person, reason="Asked for it", by=by, **options)


def test_no_table_names_somebody_who_was_erased(zoe, hr, account):
    code, subject, pk = zoe.code, zoe.subject, zoe.pk
    assert len(tables_with(NAME, ADDRESS)) >= 9
    assert erase(zoe, hr, close_account=True)
    others = ("was@x.example", "earlier@x.example", "next@x.example", "Old Address", "Zoë Ungern")
    assert tables_with(NAME, ADDRESS, *others) == set()
    assert tables_with(subject, subject.hex) == set()
    # What stays calls them by their key.
    assert tables_with(code) == {"accounts_auditentry"}
    entry = AuditEntry.objects.get(action="erased.person")
    assert (entry.by, entry.summary, entry.detail["of"]) == (hr, f"{code}: Asked for it", str(pk))
    assert entry.detail["counts"]["candidates.evidence"] == 1


def test_all_that_was_theirs_is_gone_and_all_that_was_others_stays(zoe, hr, account):
    other = Person.objects.get(name="Otto Other")
    before = list(Evidence.objects.filter(person=other).values_list("pk", "value", "made_by"))
    assert len(before) == 2
    erase(zoe, hr, close_account=True)
    for model in (Estimate, Invitation, StoredFit):
        assert not model.objects.filter(person=zoe.pk).exists()
    assert not Sitting.objects.exists()
    assert not Response.objects.exists()
    assert not Background.objects.exists()
    assert not Link.objects.exists()
    assert list(Evidence.objects.values_list("pk", "value", "made_by")) == before
    assert Evidence.objects.get(source="work_sample").note == "Worked with (erased) for years."
    # What they have said of others stays; what they were still asked to say is dropped.
    assert RatingRequest.objects.get().subject == other.subject
    assert Rating.objects.get().note == "(erased) was there"
    other.refresh_from_db()
    assert other.manager is None
    user = User.objects.get(pk=account.pk)
    assert (user.name, user.is_active, user.has_usable_password()) == (f"Erased account {user.pk}", False, False)
    lines = ImportRow.objects.order_by("number")
    assert lines[0].cells == []
    assert lines[1].cells == ["Otto Other", "otto@x.example", "(erased)"]
    assert lines[0].fate == ImportRow.Fate.ERROR


def test_without_closing_it_the_account_stays_and_belongs_to_nobody(zoe, hr, account):
    erase(zoe, hr)
    user = User.objects.get(pk=account.pk)
    assert user.is_active
    assert user.email == ADDRESS
    assert not Person.objects.filter(user=user).exists()
    assert RatingRequest.objects.filter(rater=user, submitted_at=None).exists()


def test_ranking_and_overview_follow_at_once(zoe, hr, version):
    team = make_team()
    join(team, zoe, share=40)
    make_demand(make_initiative(), team, level=1)
    ranked = len(RoleRanking(version))
    assert coverage.current().exact.stored()["total"][0] > 0
    erase(zoe, hr)
    assert len(RoleRanking(version)) == ranked - 1
    assert coverage.current().exact.stored()["total"][0] == 0


@pytest.mark.parametrize(
    "at", ["candidates.erasing.blank_entries", "candidates.erasing.close", "accounts.erasure.record"]
)
def test_nothing_is_half_erased_when_something_fails(zoe, hr, monkeypatch, at):
    before = everything()

    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(at, fail)
    with pytest.raises(ZeroDivisionError):
        erase(zoe, hr, close_account=True)
    assert everything() == before
    with pytest.raises(IntegrityError), transaction.atomic():
        Evidence.objects.all().delete()


def test_a_namesake_keeps_the_name(zoe, hr):
    make_person(NAME, email="another@x.example")
    entry = AuditEntry.objects.get(action="team.changed")
    erase(zoe, hr, close_account=True)
    entry.refresh_from_db()
    assert entry.summary == f"{NAME}  joined"
    assert entry.detail == {"people": [{"who": NAME, "at": "(erased)"}]}
    assert tables_with(ADDRESS) == set()


def test_every_column_of_text_is_searched_or_cannot_name_anybody():
    said = {f"{label}.{name}" for label, names in TEXTS.items() for name in names}
    said |= {f"{label}.{name}" for label, name in WHOLES.items()}
    harmless = {f"{label}.{name}" for label, reasons in NAMELESS.items() for name in reasons}
    there = {
        f"{model._meta.label_lower}.{column.name}"
        for model in apps.get_models()
        for column in model._meta.concrete_fields
        if isinstance(column, CharField | TextField | JSONField | BinaryField) and not column.choices
    }
    assert said & harmless == set()
    assert there - said - harmless == set(), "say in candidates/erasing_texts.py whether this may name somebody"
    assert said | harmless == there


PLACES = {
    "owntext": lambda p: OwnText.objects.create(person=p, field=OwnField.objects.create(name="Mentor"), text=NAME),
    "ownfield": lambda p: OwnField.objects.create(name=f"Hired by {NAME}"),
    "job": lambda p: Person.objects.filter(pk=p.pk).update(job_title=f"Assistant to {NAME}"),
    "location": lambda p: Person.objects.filter(pk=p.pk).update(location=f"Office of {NAME}"),
    "background": lambda p: Background.objects.create(
        person=p, kind="career", title=f"With {NAME}", place=f"Team {NAME}", wish=f"More of {NAME}", frequency="daily"
    ),
    "team": lambda p: Team.objects.filter(pk=make_team(f"Team {NAME}").pk).update(purpose=f"What {NAME} began"),
    "initiative": lambda p: make_initiative(f"Follow {NAME}", goal=f"{NAME} is followed."),
    "demand": lambda p: make_demand(make_initiative(), make_team(), reason=f"{NAME} leaves"),
    "link": lambda p: give_evidence(p, "analytics", 3, link="https://x.example/in/zo%C3%AB-ungern-quast/post"),
    "plain link": lambda p: give_evidence(p, "analytics", 3, link="https://x.example/ZoeUngernQuast"),
    "address in a link": lambda p: give_evidence(p, "analytics", 3, link=f"https://x.example/?by={ADDRESS}"),
    "file": lambda p: importing.create_batch("zoë_ungern-quast_cv.csv", b"Name\nEve\n", by=None),
    "written": lambda p: importing.write(importing.create_batch(f"{NAME}.csv", b"Name\nEve\n", by=None)),
    "last name first": lambda p: give_evidence(p, "analytics", 3, note="With Ungern-Quast, Zoë in May"),
    "no blank": lambda p: give_evidence(p, "analytics", 3, note="With UNGERN-QUAST,ZOE in May"),
    "other signs": lambda p: record("x.y", p, "x", by=None, said=["Zoe Ungern–Quast—she", "ZOÉ UNGERN‑QUAST"]),
    "first row": lambda p: importing.create_batch(
        "a.csv", f"{NAME},{ADDRESS},Her job\nEve,e@x.example,x\n".encode(), by=None
    ),
    "last name's column": lambda p: importing.create_batch(
        "a.csv", "Zoë;Ungern-Quast;Her job\nEve;Example;x\n".encode(), by=None
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_others_have_written_does_not_name_them_either(place, hr, version):
    zoe, other = make_person(NAME, email=ADDRESS), make_person("Otto Other", kind="employee")
    traces = (NAME, ADDRESS, "Ungern", "ungernquast", "Her job")
    before = {table: text for table, text in everything().items() if table in tables_with(*traces)}
    PLACES[place](other)
    assert {table: text for table, text in everything().items() if table in tables_with(*traces)} != before
    assert Person.objects.get(pk=other.pk).name == "Otto Other"
    erase(zoe, hr)
    assert tables_with(*traces) == set()
    assert "Otto Other" in everything()["candidates_person"]


def test_a_file_s_own_heading_and_other_lines_stay(hr, zoe):
    batch = ImportBatch.objects.get()
    erase(zoe, hr)
    batch.refresh_from_db()
    assert batch.header == ["Name", "E-mail", "Manager"]
    assert batch.file_name == "people.csv"


def test_teams_named_after_somebody_stay_apart(hr):
    zoe = make_person(NAME)
    teams = [make_team(name, people=0) for name in (NAME, "Ungern-Quast, Zoë")]
    erase(zoe, hr)
    for team in teams:
        team.refresh_from_db()
        assert team.name == f"(erased) {team.pk}"


@pytest.mark.parametrize("wanted", ["Ungern-Quast, Zoë", "zoe ungern-quast", ADDRESS, "A-17"])
def test_nobody_waits_for_them_as_a_manager(hr, wanted):
    zoe, other, third = make_person(NAME, email=ADDRESS), make_person("Otto"), make_person("Third")
    OwnText.objects.create(person=zoe, field=OwnField.objects.create(name="Staff no"), text="A-17")
    AwaitedManager.objects.create(person=other, wanted=wanted)
    AwaitedManager.objects.create(person=third, wanted="Another, Zoë")
    erase(zoe, hr)
    assert AwaitedManager.objects.get().person == third


@pytest.mark.parametrize("name", ["ZOË UNGERN-QUAST", "Zoe Ungern‑Quast", "Ungern-Quast, Zoë"])
def test_a_namesake_is_one_however_their_name_is_written(hr, name):
    zoe = make_person(NAME)
    make_person(name, email="another@x.example")
    entry = record("role.created", hr, f"{NAME} was here", by=hr)
    erase(zoe, hr)
    entry.refresh_from_db()
    assert entry.summary == f"{NAME} was here"


@pytest.mark.parametrize(
    ("name", "typed"),
    [("Sean O’Neil", "sean o'neil"), ("Zoë Quast", "Zoe Quast"), ("Ana–Lu Ødegård", "ana-lu odegard")],
)
def test_the_name_may_be_typed_with_plain_signs(as_hr, name, typed):
    person = make_person(name)
    as_hr.post(f"/people/{person.pk}/erase/", {"reason": "Asked for it", "name": typed})
    assert not Person.objects.exists()


def test_another_address_with_an_accent_less_is_somebody_else_s(hr):
    person = make_person("Ann Other", email="ann@x.example")
    entry = record("role.created", hr, "änn@x.example and ann@x.example", by=hr)
    erase(person, hr)
    entry.refresh_from_db()
    assert entry.summary == "änn@x.example and (erased)"


@pytest.mark.parametrize("name", ["May", "Li", "Will"])
def test_a_name_that_is_a_word_is_left_in_texts_about_something_else(hr, name):
    person = make_person(name)
    entry = record("role.created", hr, "Will be needed in May, says Li", by=hr)
    erase(person, hr)
    entry.refresh_from_db()
    assert entry.summary == "Will be needed in May, says Li"
    assert AuditEntry.objects.get(action="person.created", target=str(person.pk)).summary == person.code


def test_a_longer_address_is_another_one(hr):
    person = make_person("Ann Other", email="ann@x.example")
    text = "mann@x.example, ann@x.example.org, ann@x.example. x-ann@x.example and ANN@x.example"
    entry = record("role.created", hr, text, by=hr)
    erase(person, hr)
    entry.refresh_from_db()
    assert entry.summary == "mann@x.example, ann@x.example.org, (erased). x-ann@x.example and (erased)"


def test_the_second_of_two_erasures_finds_nothing(zoe, hr):
    same = Person.objects.get(pk=zoe.pk)
    assert erase(zoe, hr)
    assert erase(same, hr) is None
    assert Erasure.objects.count() == 1


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_erases(postgresql, hr):
    person = make_person(NAME)
    give_evidence(person, "analytics", 3)
    found = []

    def once():
        found.append(erase(Person(pk=person.pk, code=person.code), hr) is None)
        connection.close()

    threads = [threading.Thread(target=once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, True, True, True]
    assert Erasure.objects.count() == 1


def test_the_page_says_what_goes_and_what_stays_and_erases(as_hr, zoe):
    url = f"/people/{zoe.pk}/erase/"
    page = " ".join(as_hr.get(url).content.decode().split())
    for words in ("1</span> piece of evidence", "1</span> invitation", "2</span> lines of imported files"):
        assert words in page
    assert f"about {zoe.code} instead of a name" in page
    assert f'href="{url}"' in as_hr.get(f"/people/{zoe.pk}/edit/").content.decode()
    data = {"reason": "Asked for it", "name": NAME.lower(), "close_account": "on"}
    response = as_hr.post(url, data, follow=True)
    assert response.redirect_chain == [("/people/", 302)]
    assert "is erased" in response.content.decode()
    assert NAME not in response.content.decode()
    # The second click of two, and a page that stood open.
    again = as_hr.post(url, data, follow=True)
    assert "has been erased already" in again.content.decode()
    assert as_hr.get(f"/people/{zoe.pk}/").status_code == 404
    assert as_hr.get("/people/999999/erase/").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Somebody else"},
        {"name": ""},
        {"reason": ""},
        {"reason": " \u200b "},
        {"reason": f"{NAME} wanted it"},
        {"reason": "zoë has asked for it"},
        {"reason": f"A mail of {ADDRESS}"},
    ],
)
def test_without_the_name_and_a_reason_that_does_not_tell_it_nobody_is_erased(as_hr, zoe, changes):
    data = {"reason": "Asked for it", "name": NAME, "close_account": "on"} | changes
    response = as_hr.post(f"/people/{zoe.pk}/erase/", data)
    assert response.status_code == 400
    assert Person.objects.filter(pk=zoe.pk).exists()
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("fields", [{"is_staff": True}, {"is_superuser": True}])
def test_an_administrator_s_account_is_not_closed_by_erasing_a_person(as_hr, hr, fields):
    user = make_user("employee", **fields)
    person = make_person("Ada Min", user=user)
    assert "close_account" not in as_hr.get(f"/people/{person.pk}/erase/").content.decode()
    assert (
        as_hr.post(f"/people/{person.pk}/erase/", {"reason": "x", "name": "Ada Min", "close_account": "on"}).status_code
        == 302
    )
    user.refresh_from_db()
    assert user.is_active
    assert not Person.objects.exists()


def test_one_s_own_account_and_the_last_manager_s_stay_open(hr):
    other = make_user("hr")
    assert may_close(other, by=hr)
    assert not may_close(hr, by=hr)
    User.objects.filter(pk=hr.pk).update(is_active=False)
    assert not may_close(other, by=hr)


@pytest.mark.parametrize("role", ["assessor", "executive", "employee"])
def test_others_do_not_reach_it(client, role):
    person = make_person()
    client.force_login(make_user(role))
    assert client.post(f"/people/{person.pk}/erase/", {"reason": "x", "name": person.name}).status_code == 404
    assert Person.objects.exists()
