"""People: lists, forms, and who sees whom."""

import pytest
from django.db import IntegrityError, transaction

from accounts.factories import make_user
from assessments.models import RatingRequest
from candidates import actions
from candidates.factories import give_evidence, make_person
from candidates.models import Background, OwnField, OwnText, Person, new_code
from candidates.reporting_lines import CircleError

pytestmark = pytest.mark.django_db


def form(**changes):
    return {"name": "Ada Lovelace", "email": "ada@example.org", "kind": "candidate", **changes}


def test_hr_adds_and_changes_somebody(as_hr):
    boss = make_person("Boss", email="boss@example.org")
    assert as_hr.post("/people/new/", form(manager_email="BOSS@example.org")).status_code == 302
    ada = Person.objects.get(email="ada@example.org")
    assert ada.manager == boss
    as_hr.post(f"/people/{ada.pk}/edit/", form(name="Ada King"))
    ada.refresh_from_db()
    assert (ada.name, ada.manager) == ("Ada King", None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "required"),
        ({"name": "\u200b"}, "Write something here"),
        ({"name": "x" * 121}, "at most 120"),
        ({"email": "nonsense"}, "valid email"),
        ({"email": "TAKEN@example.org"}, "has this address already"),
        ({"kind": "robot"}, "valid choice"),
        ({"function": "999"}, "valid choice"),
        ({"manager_email": "nobody@example.org"}, "No person has this address"),
    ],
)
def test_bad_input_gets_a_sentence_and_nothing_is_lost(as_hr, changes, said):
    make_person("Taken", email="taken@example.org")
    response = as_hr.post("/people/new/", form(job_title="Remember me", **changes))
    assert response.status_code == 400
    page = response.content.decode()
    assert said in page
    assert "Remember me" in page
    assert Person.objects.count() == 1


def test_the_database_refuses_one_address_twice():
    make_person(email="a@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.bulk_create([Person(name="B", email="A@Example.org")])


def test_any_number_of_people_have_no_address(as_hr):
    for name in ("Kiosk One", "Kiosk Two"):
        assert as_hr.post("/people/new/", form(name=name, email=" ")).status_code == 302
    assert list(Person.objects.values_list("name", "email")) == [("Kiosk One", None), ("Kiosk Two", None)]
    one = Person.objects.first()
    for page in ("/people/", f"/people/{one.pk}/", f"/people/{one.pk}/edit/", f"/invitations/new/?people={one.pk}"):
        assert "None" not in as_hr.get(page).content.decode().replace("None yet", "").replace("None so far", "")
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(pk=one.pk).update(email="")


def test_a_manager_is_found_by_name_and_stays_when_nothing_is_changed(as_hr):
    boss = make_person("Boss", email=None)
    assert as_hr.post("/people/new/", form(manager_email="boss")).status_code == 302
    ada = Person.objects.get(email="ada@example.org")
    assert ada.manager == boss
    make_person("Boss", email="other@example.org")
    assert as_hr.post(f"/people/{ada.pk}/edit/", form(manager_email="Boss", name="Ada King")).status_code == 302
    ada.refresh_from_db()
    assert (ada.name, ada.manager) == ("Ada King", boss)
    page = as_hr.post("/people/new/", form(email="b@example.org", manager_email="Boss"))
    assert page.status_code == 400
    assert "Two or more people are called Boss" in page.content.decode()


@pytest.mark.parametrize("length", [2, 3, 5])
def test_nobody_reports_to_themselves_by_a_detour(as_hr, length):
    line = [make_person("P0", email="p0@example.org")]
    for n in range(1, length):
        line.append(make_person(f"P{n}", email=f"p{n}@example.org", manager=line[-1]))
    top = line[0]
    page = as_hr.post(f"/people/{top.pk}/edit/", form(email="p0@example.org", manager_email=line[-1].email))
    assert page.status_code == 400
    assert f"P{length - 1} reports to" in page.content.decode()
    top.refresh_from_db()
    assert top.manager is None
    top.manager = line[-1]
    with pytest.raises(CircleError):
        actions.save_person(top, by=None)


def test_own_fields_are_kept_shown_found_and_emptied(as_hr):
    number = OwnField.objects.create(name="Staff number")
    assert as_hr.post("/people/new/", form(**{f"own-{number.pk}": "00123"})).status_code == 302
    ada = Person.objects.get()
    assert "Staff number 00123" in as_hr.get(f"/people/{ada.pk}/").content.decode()
    assert ">Ada Lovelace</a>" in as_hr.get("/people/?q=00123").content.decode()
    assert "00123" in as_hr.get(f"/people/{ada.pk}/edit/").content.decode()
    assert as_hr.post(f"/people/{ada.pk}/edit/", form(**{f"own-{number.pk}": "x" * 201})).status_code == 400
    as_hr.post(f"/people/{ada.pk}/edit/", form())
    assert not OwnText.objects.exists()


def test_nobody_is_their_own_manager(as_hr):
    ada = make_person("Ada Lovelace", email="ada@example.org")
    assert as_hr.post(f"/people/{ada.pk}/edit/", form(manager_email="ada@example.org")).status_code == 400
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(pk=ada.pk).update(manager=ada)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"Ada", "Ben"}),
        ("?q=ada", {"Ada"}),
        ("?q=example.org ben", {"Ben"}),
        ("?kind=employee", {"Ben"}),
        ("?sort=-name&function=&page=7", {"Ada", "Ben"}),
        ("?q=%27%22%3Cscript%3E", set()),
        ("?archived=1", {"Gone"}),
    ],
)
def test_the_list_is_searched_and_filtered(as_hr, query, shown):
    make_person("Ada")
    make_person("Ben", kind="employee")
    actions.set_archived(make_person("Gone"), by=None, archived=True)
    page = as_hr.get(f"/people/{query}").content.decode()
    assert {name for name in ("Ada", "Ben", "Gone") if f">{name}</a>" in page} == shown
    assert "<script>" not in page.split("<main")[1]


def test_archiving_and_bringing_back(as_hr):
    ada = make_person("Ada")
    give_evidence(ada, "analytics", 3)
    as_hr.post(f"/people/{ada.pk}/archive/", {"archived": "yes"})
    assert not Person.objects.current().exists()
    as_hr.post(f"/people/{ada.pk}/archive/", {"archived": "no"})
    assert Person.objects.current().get().evidence.count() == 1


def test_the_list_takes_the_same_few_queries_for_a_full_page(as_hr, django_assert_max_num_queries):
    for n in range(60):
        make_person(f"P{n}", kind="employee")
    with django_assert_max_num_queries(10):
        page = as_hr.get("/people/")
    assert "1–50 of 60" in page.content.decode()


def seen_by(user) -> set[str]:
    return set(Person.objects.visible_to(user).values_list("name", flat=True))


def test_who_sees_whom(version):
    boss_user, peer_user, own_user = (make_user(role) for role in ("assessor", "employee", "employee"))
    boss = make_person("Boss", user=boss_user)
    report = make_person("Report", manager=boss, user=own_user)
    make_person("Stranger")
    RatingRequest.objects.create(subject=report.subject, rater=peer_user, kind="peer", role_version=version)
    assert seen_by(boss_user) == {"Boss", "Report"}
    assert seen_by(own_user) == {"Report"}
    assert seen_by(peer_user) == {"Report"}
    assert seen_by(make_user("executive")) == set()
    assert seen_by(make_user("hr")) == {"Boss", "Report", "Stranger"}
    assert not Person.objects.reportable_to(peer_user).exists()
    assert set(Person.objects.reportable_to(boss_user).values_list("name", flat=True)) == {"Boss", "Report"}


def test_an_employee_reads_their_own_page_and_nobody_else_s(client):
    user = make_user("employee")
    own, other = make_person("Own", user=user), make_person("Other")
    give_evidence(own, "analytics", 4)
    client.force_login(user)
    page = client.get(f"/people/{own.pk}/").content.decode()
    assert "Analytics" in page
    assert "Add evidence" not in page
    assert client.get(f"/people/{other.pk}/").status_code == 404


def test_somebody_without_evidence_is_not_assessed_and_not_low(as_hr):
    page = as_hr.get(f"/people/{make_person('New').pk}/").content.decode()
    assert "Not assessed yet" in page
    assert "That is not a low level" in page


def test_background_is_entered_changed_and_removed_by_its_owner(client):
    user = make_user("employee")
    own, other = make_person("Own", user=user), make_person("Other")
    client.force_login(user)
    data = {"kind": "education", "title": "Degree", "frequency": "daily", "from_year": "2010", "to_year": "2013"}
    assert client.post(f"/people/{own.pk}/background/add/", data).status_code == 302
    entry = Background.objects.get()
    client.post(f"/people/{own.pk}/background/{entry.pk}/", data | {"title": "Master"})
    entry.refresh_from_db()
    assert entry.title == "Master"
    assert client.post(f"/people/{other.pk}/background/add/", data).status_code == 404
    assert client.post(f"/people/{other.pk}/background/{entry.pk}/remove/").status_code == 404
    for bad in ({"from_year": "1066"}, {"to_year": "2001"}, {"frequency": "x"}, {"title": ""}, {"from_year": "nan"}):
        assert client.post(f"/people/{own.pk}/background/add/", data | bad).status_code == 400
    client.post(f"/people/{own.pk}/background/{entry.pk}/remove/")
    assert not Background.objects.exists()


def test_the_report_speaks_to_its_owner_and_can_be_taken_away(client):
    user = make_user("employee")
    own = make_person("Own Person", user=user)
    client.force_login(user)
    assert "nothing to show yet" in client.get(f"/report/{own.subject}/").content.decode()
    give_evidence(own, "analytics", 4, note="Explained the peak")
    give_evidence(own, "video", 1, "self")
    page = client.get(f"/report/{own.subject}/").content.decode()
    assert "strongest in analytics" in page
    assert "Where you might grow next" in page
    assert "How this came about" in page
    taken = client.get(f"/report/{own.subject}/my-skills.json").json()
    assert {row["skill"] for row in taken["skills"]} == {"Analytics", "Video"}
    for row in taken["skills"]:
        total = row["starting_point"]["level"] + sum(piece["contribution"] for piece in row["evidence"])
        assert row["level"] == pytest.approx(total, abs=0.001)


def test_sources_are_shown_with_what_they_are_worth(as_hr):
    page = as_hr.get("/evidence/sources/").content.decode()
    assert "Self-assessment" in page
    assert "from its standard error" in page


def test_codes_of_a_hundred_thousand_people_differ_and_spell_nothing():
    codes = {new_code() for _ in range(100_000)}
    assert len(codes) == 100_000
    assert not set("".join(codes)) & set("AEIOUY01")
