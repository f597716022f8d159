"""Who may open what: the matrix against every URL of the project."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.access import EVERYBODY, HR, LINK, RULES, SIGNED_IN, STAFF, STRANGER
from accounts.factories import make_user
from accounts.models import User
from assessments.models import RatingRequest
from candidates import actions
from candidates.factories import give_evidence, make_invitation, make_person
from candidates.models import Background, ImportBatch
from roles.factories import make_version
from roles.models import Occupation, RoleTemplate
from socialstrategy.jobs.models import Job
from socialstrategy.mail.models import Mail
from teams.factories import make_demand, make_initiative, make_team


def all_names(patterns=None, prefix=""):
    """Every URL name of the project but those of Django's admin."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name == "admin":
                continue
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from all_names(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{prefix}{pattern.name}", pattern


def test_every_url_has_a_rule_and_every_rule_a_url():
    assert {name for name, _ in all_names()} == set(RULES)


@pytest.fixture
def world(hr, version):
    """One row of everything that an address may name."""
    from django.utils import timezone

    from accounts.models import Link

    person = make_person("Ada Visible")
    give_evidence(person, "tone-empathy", 4)
    draft = make_version(hr, title="A draft", published=False)
    invitation = make_invitation(person, version, hr)
    background = Background.objects.create(person=person, kind="training", title="Course", frequency="daily")
    batch = ImportBatch.objects.create(file_name="x.csv", header=["Name"], by=hr)
    token = Link.objects.issue("assessment", invitation.pk, invitation.deadline_at)
    report = Link.objects.issue("report", person.pk, invitation.deadline_at)
    rater = make_user("assessor")
    rating = RatingRequest.objects.create(subject=person.subject, rater=rater, kind="manager", role_version=version)
    stored = actions.store_fit(person, version, by=hr)
    occupation = Occupation.objects.create(code="11-0000.00", title="Tester", source="test", ratings={})
    job = Job.objects.create(kind="mail.send", by=hr, heartbeat_at=timezone.now())
    mail = Mail.objects.create(to="a@example.org", subject="x")
    line = draft.requirements.first()
    goal = actions.add_goal(person, skill=line.skill, level=4, due_on=invitation.deadline_at.date(), by=hr)
    team = make_team(people=1)
    initiative = make_initiative()
    demand = make_demand(initiative, team)
    return {
        **{f"teams:team_{x}": [team.pk] for x in ("detail", "edit", "close")},
        "teams:member_add": [team.pk],
        "teams:member_change": [team.pk, team.memberships.get().pk],
        **{f"teams:initiative_{x}": [initiative.pk] for x in ("detail", "edit", "state", "export")},
        "teams:demand_add": [initiative.pk],
        "teams:demand_edit": [initiative.pk, demand.pk],
        "teams:demand_remove": [initiative.pk, demand.pk],
        "teams:cell": ["service-support", "communicating"],
        "jobs:job_progress": [job.pk],
        **{f"mail:{x}": [mail.pk] for x in ("mail_detail", "again", "set_aside")},
        "accounts:account_edit": [hr.pk],
        "accounts:account_password": [hr.pk],
        "accounts:address_confirm": ["no-such-link"],
        "account_reset_password_from_key": ["1", "set-password"],
        "roles:role_detail": [version.role_id],
        "roles:role_retire": [version.role_id],
        "roles:role_next_version": [version.role_id],
        "roles:role_template": [version.role_id],
        "roles:requirement_edit": [draft.role_id, line.pk],
        "roles:requirement_remove": [draft.role_id, line.pk],
        **{f"roles:role_{x}": [draft.role_id] for x in ("edit", "describe", "undo", "publish", "discard")},
        "roles:requirement_add": [draft.role_id],
        "roles:template_detail": [RoleTemplate.objects.first().pk],
        "roles:template_edit": [RoleTemplate.objects.first().pk],
        "roles:template_line_add": [RoleTemplate.objects.first().pk],
        "roles:template_line_edit": [
            RoleTemplate.objects.first().pk,
            RoleTemplate.objects.first().requirements.first().pk,
        ],
        "roles:template_retire": [RoleTemplate.objects.first().pk],
        "roles:skill_set_edit": ["strategy"],
        "roles:function_edit": ["marketing"],
        **{f"roles:skill_{x}": ["analytics"] for x in ("detail", "edit", "retire")},
        "roles:occupation_detail": [occupation.pk],
        **{f"candidates:person_{x}": [person.pk] for x in ("edit", "detail", "archive", "erase")},
        **{f"candidates:account_{x}": [person.pk] for x in ("join", "part", "invite")},
        **{f"candidates:{x}": [person.pk] for x in ("evidence_add", "rating_ask", "background_add")},
        **{f"candidates:{x}": [person.pk] for x in ("development", "goal_add", "help_offer", "person_export")},
        "candidates:goal_close": [person.pk, goal.pk],
        "roles:role_compare": [version.role_id],
        "candidates:background_edit": [person.pk, background.pk],
        "candidates:background_remove": [person.pk, background.pk],
        **{f"candidates:import_{x}": [batch.pk] for x in ("detail", "start", "errors")},
        "candidates:invitation_change": [invitation.pk],
        "candidates:invitation_mine": [invitation.pk],
        "candidates:paper": [invitation.pk],
        "candidates:paper_report": [person.pk],
        **{f"candidates:invitation_{x}": [token] for x in ("open", "begin", "fresh")},
        **{f"candidates:report_{x}": [report] for x in ("open", "begin", "fresh")},
        "candidates:rating_go_on": [rating.pk],
        "candidates:rate": [rating.pk, line.skill.slug],
        "candidates:rating_hand_in": [rating.pk],
        **{f"candidates:report{x}": [person.subject] for x in ("", "_json", "_xlsx")},
        **{f"candidates:{x}": [version.pk] for x in ("ranking", "ranking_blind", "compare", "who_fits")},
        "candidates:ranking_export": [version.pk, "csv"],
        "candidates:person_fit": [version.pk, person.code],
        "candidates:fit_store": [version.pk, person.code],
        "candidates:fit_detail": [stored.pk],
        "assessments:wizard_skill": [invitation.sitting_id, line.skill.slug],
        **{f"assessments:wizard_{x}": [invitation.sitting_id] for x in ("intro", "later", "ended")},
        **{f"candidates:wizard_{x}": [invitation.sitting_id] for x in ("background", "background_add", "submit")},
        "candidates:continue_elsewhere": [invitation.sitting_id],
        "candidates:wizard_at_deadline": [invitation.sitting_id],
        **{f"candidates:wizard_background_{x}": [invitation.sitting_id, background.pk] for x in ("edit", "remove")},
    }


OWN_ROWS = {"candidates:invitation_mine", "candidates:help_offer"}
OWN_ROWS |= {"candidates:rate", "candidates:rating_go_on", "candidates:rating_hand_in"}


def address(name, world):
    return reverse(name, args=world.get(name, []))


@pytest.mark.parametrize("role", User.Role.values)
def test_signed_in_people_reach_what_the_matrix_says_and_get_404_elsewhere(role, world):
    client = Client()
    client.force_login(make_user(role))
    for name, rule in RULES.items():
        response = client.get(address(name, world))
        if role not in rule:
            assert response.status_code == 404, name
        else:
            assert response.status_code < 500 or name == "readyz", name
            # Pages that need a row of one's own say 404 from their first line; HR finds every row.
            if role == HR and name not in OWN_ROWS:
                assert response.status_code != 404, name


def test_strangers_are_asked_to_sign_in_and_reach_only_what_is_open(world, client):
    for name, rule in RULES.items():
        response = client.get(address(name, world))
        if STRANGER in rule or LINK in rule:
            assert response.status_code < 500 or name == "readyz", name
            assert "?next=" not in response.get("Location", ""), name
        else:
            assert response.status_code == 302, name
            assert response["Location"].startswith("/sign-in/?next="), name


def test_writing_is_closed_to_outsiders_as_reading_is(world):
    employee, stranger = Client(), Client()
    employee.force_login(make_user("employee"))
    for name, rule in RULES.items():
        if "employee" not in rule:
            assert employee.post(address(name, world)).status_code == 404, name
        if not rule & {STRANGER, LINK}:
            assert stranger.post(address(name, world)).status_code == 302, name


def test_one_person_never_reads_another_s_data(world, hr):
    """An employee with a person of their own gets 404 on somebody else's pages."""
    client = Client()
    user = make_user("employee")
    make_person("Me", user=user)
    client.force_login(user)
    for name in (
        "candidates:person_detail",
        "candidates:background_edit",
        "candidates:background_add",
        "candidates:rate",
        "candidates:development",
        "candidates:person_export",
    ):
        assert client.get(address(name, world)).status_code == 404, name
    assert client.post(address("candidates:invitation_mine", world)).status_code == 404


FIELDS = (
    "q",
    "page",
    "function",
    "state",
    "sort",
    "kind",
    "band",
    "gap",
    "version",
    "from",
    "to",
    "p",
    "people",
    "start",
)


@pytest.mark.parametrize("value", ["²", "-1", "9" * 30, "%'<b>\u202e" + "x" * 3000])
def test_nonsense_in_an_address_breaks_no_page(world, hr, value):
    client = Client()
    client.force_login(hr)
    for name in RULES:
        response = client.get(address(name, world), dict.fromkeys(FIELDS, value))
        assert response.status_code < 500 or name == "readyz", name


def test_a_nul_sign_is_refused_wherever_it_stands(world, hr):
    """PostgreSQL cannot store it or look for it: without this every list would answer 500."""
    client = Client()
    client.force_login(hr)
    for path in ("/people/?q=%00", "/teams/?function=%00", "/hiring/1/%00/", "/i/%00/", "/roles/?state=a%00"):
        response = client.get(path)
        assert response.status_code == 400, path
        assert "could not be read" in response.content.decode()
    assert client.post("/invitations/remind/", {"q": "a\x00"}).status_code == 400


def test_the_admin_is_closed_to_everybody_but_staff(client, db):
    for role in User.Role.values:
        client.force_login(make_user(role))
        assert client.get("/admin/").status_code == 404
    client.force_login(make_user("hr", is_staff=True, is_superuser=True))
    assert client.get("/admin/").status_code == 200


def test_rules_name_known_kinds_only():
    known = set(User.Role.values) | {LINK, STRANGER, STAFF}
    assert set().union(*RULES.values()) <= known
    assert SIGNED_IN < EVERYBODY
    assert settings.LOGIN_URL in RULES
