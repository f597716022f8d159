"""Eight identical posts at the same moment, on a real PostgreSQL: one is the first, the others are second ones."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, BrokenBarrierError, local

import pytest
from django.db import connection, connections
from django.db.models.signals import pre_save
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import actions as accounts
from accounts.factories import make_user
from accounts.models import AuditEntry, Link, User
from accounts.password_reset import send_reset
from assessments.models import Rating, RatingRequest
from candidates.development import Goal
from candidates.factories import make_invitation, make_person
from candidates.models import Background, Invitation, Parameters, Person
from roles.factories import make_version
from roles.models import RoleTemplate, RoleVersion, Skill, TemplateRequirement
from socialstrategy.mail.models import Mail
from teams.factories import make_initiative, make_team
from teams.models import Demand, Initiative, Membership, Team

pytestmark = [pytest.mark.servers]
POSTS = 8


@pytest.fixture
def world(transactional_db):
    """Whoever and whatever the posts are about; HR is an administrator, who may do everything."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL; `make test` starts one")
    hr = make_user("hr", is_staff=True, last_login=timezone.now())
    version = make_version(hr)
    draft = make_version(hr, title="A draft", published=False)
    person = make_person("Ada", kind="employee")
    rater = make_user("assessor")
    return {
        "hr": hr,
        "version": version,
        "draft": draft,
        "person": person,
        "rater": rater,
        "asked": RatingRequest.objects.create(
            subject=make_person("Bea").subject, rater=hr, kind="peer", role_version=version
        ),
        "team": make_team("Care"),
        "initiative": make_initiative(),
        "skill": Skill.objects.get(slug="video"),
        "template": RoleTemplate.objects.first(),
        "day": (timezone.localdate() + timedelta(days=20)).isoformat(),
    }


SKILL = {"name": "Juggling", "kind": "performance", "question": "How well do you juggle?"}
SKILL |= {f"anchor_{level}": f"Juggles {level} clubs at once" for level in range(6)}
KINDS = {
    "a person": lambda w: ("/people/new/", {"name": "New", "email": "new@example.org", "kind": "employee"}),
    "an account": lambda w: ("/accounts/new/", {"name": "N", "email": "n@x.org", "role": "hr", "is_active": "on"}),
    "an account for a person": lambda w: (f"/people/{w['person'].pk}/account/invite/", {"role": "employee"}),
    "an account joined": lambda w: (f"/people/{w['person'].pk}/account/join/", {"account": w["rater"].email}),
    "another address": lambda w: ("/settings/address/", {"email": "other@example.org"}),
    "a person archived": lambda w: (f"/people/{w['person'].pk}/archive/", {"archived": "yes"}),
    "a goal": lambda w: (
        f"/people/{w['person'].pk}/development/goals/", {"skill": w["skill"].pk, "level": 3, "due_on": w["day"]},
    ),
    "an invitation": lambda w: (
        "/invitations/new/",
        {"people": w["person"].pk, "p": w["person"].code, "role_version": w["version"].pk, "deadline_on": w["day"]},
    ),
    "a request for a rating": lambda w: (
        f"/people/{w['person'].pk}/rating/",
        {"role_version": w["version"].pk, "rater": w["rater"].email, "kind": "peer"},
    ),
    "background": lambda w: (
        f"/people/{w['person'].pk}/background/add/", {"kind": "training", "title": "Course", "frequency": "daily"},
    ),
    "evidence": lambda w: (
        f"/people/{w['person'].pk}/evidence/",
        {"skill": w["skill"].pk, "source": "work_sample", "value": "3", "observed_on": timezone.localdate()},
    ),
    "a team": lambda w: ("/teams/new/", {"name": "Night", "function": w["team"].function_id}),
    "a member": lambda w: (f"/teams/{w['team'].pk}/members/", {"email": w["person"].email, "share": 60}),
    "an initiative": lambda w: (
        "/initiatives/new/",
        {"title": "New", "function": w["team"].function_id, "goal": "G", "phase": "manage", "deadline_on": w["day"]},
    ),
    "a demand": lambda w: (
        f"/initiatives/{w['initiative'].pk}/demands/add/",
        {"people": 2, "team": w["team"].pk, "level": 3, "skill": w["skill"].pk, "due_on": w["day"], "phase": "manage"},
    ),
    "a role": lambda w: ("/roles/new/", {"title": "New", "function": w["team"].function_id, "phase": "manage"}),
    "a line of a role": lambda w: (f"/roles/{w['draft'].role_id}/add/", {"skill": w["skill"].pk}),
    "a published role": lambda w: (f"/roles/{w['draft'].role_id}/publish/", {}),
    "a next version": lambda w: (f"/roles/{w['version'].role_id}/next/", {}),
    "a discarded draft": lambda w: (f"/roles/{w['draft'].role_id}/discard/", {}),
    "a template": lambda w: (f"/roles/{w['version'].role_id}/template/", {"title": "My template"}),
    "a line of a template": lambda w: (
        f"/roles/templates/{w['template'].pk}/lines/add/",
        {"skill": _free(w["template"]), "level": 3, "target": 3, "weight": 2, "reason": ""},
    ),
    "a skill": lambda w: ("/roles/skills/new/", SKILL | {"skill_set": w["skill"].skill_set_id}),
    "parameters": lambda w: ("/evidence/sources/edit/", _parameters(w["hr"])),
}  # fmt: skip
SAID_SOONER = {"a published role": 400}
"""Where there was a draft a moment ago, the page says that it is published; later there is no such page."""
COUNTED = [Background, Demand, Goal, Initiative, Invitation, Membership, Parameters, Person, Rating]
COUNTED += [RatingRequest, RoleTemplate, RoleVersion, Skill, Team, TemplateRequirement, User]


def _free(template) -> int:
    """A skill that the template does not ask for."""
    return Skill.objects.exclude(pk__in=template.requirements.values("skill")).first().pk


def _parameters(hr) -> dict:
    """The form of the weights as it is shown, with a reason."""
    client = Client()
    client.force_login(hr)
    form = client.get("/evidence/sources/edit/").context["form"]
    return {name: form[name].value() for name in form.fields} | {"reason": "Because"}


def at_once(user, path, data) -> list[int]:
    """The statuses of eight posts, none of which writes before every other has looked whether it may."""
    clients = [Client(raise_request_exception=False) for _ in range(POSTS)]
    for client in clients:
        client.force_login(user)
    ready, met = Barrier(POSTS), local()

    def wait_for_the_others(**kwargs):
        if not getattr(met, "has_waited", False):
            met.has_waited = True
            try:
                ready.wait(1.5)
            except BrokenBarrierError:
                return  # The others wait for a row that this one holds: then they come one after the other.

    def post(client) -> int:
        try:
            return client.post(path, data).status_code
        finally:
            connections.close_all()

    pre_save.connect(wait_for_the_others)
    try:
        with ThreadPoolExecutor(POSTS) as pool:
            return list(pool.map(post, clients))
    finally:
        pre_save.disconnect(wait_for_the_others)


def counts() -> dict:
    return {model: model.objects.count() for model in COUNTED}


@pytest.mark.parametrize("kind", KINDS)
def test_identical_posts_are_answered_as_a_first_and_plain_second_ones(world, kind):
    path, data = KINDS[kind](world)
    before = counts()
    statuses = at_once(world["hr"], path, data)
    after = counts()
    client = Client()
    client.force_login(world["hr"])
    second = client.post(path, data).status_code
    others = [SAID_SOONER.get(kind, second)] * (POSTS - 1)
    assert sorted(statuses) == sorted([302, *others])
    # What a second post adds, each of the seven others has added: nothing, where there can be one alone.
    for model, count in counts().items():
        each = count - after[model]
        first = after[model] - before[model] - (POSTS - 1) * each
        assert first in ({-1, 0, 1} if each == 0 else {each}), model


def _invited(w, **fields) -> Invitation:
    """An invitation whose mail has arrived some time ago."""
    invitation = make_invitation(make_person("Cleo", **fields), w["version"], w["hr"])
    _a_while_ago()
    return invitation


def _a_while_ago():
    earlier = timezone.now() - timedelta(days=2)
    Mail.objects.update(state="sent", sent_at=earlier)
    Invitation.objects.update(sent_at=earlier)
    Link.objects.update(created_at=earlier)


def _token(purpose, row) -> str:
    token = Link.objects.issue(purpose, row.pk, timezone.now() + timedelta(days=5))
    _a_while_ago()
    return token


def _failed(w):
    """A mail that was given up, about an invitation."""
    invitation = _invited(w)
    Mail.objects.filter(pk=invitation.mail_id).update(state="failed", failed_at=timezone.now())
    return invitation.mail


def _wanted_address(w) -> dict:
    accounts.change_address(w["hr"], "wanted@example.org", by=w["hr"])
    _a_while_ago()
    return {"again": "yes"}


MAILED = {
    "a fresh link": lambda w: (f"/i/{_token('assessment', _invited(w))}/fresh/", {}),
    "a fresh report": lambda w: (f"/r/{_token('report', _invited(w).person)}/fresh/", {}),
    "an invitation": KINDS["an invitation"],
    "an invitation again": lambda w: (f"/invitations/{_invited(w).pk}/change/", {"what": "resend"}),
    "more time": lambda w: (f"/invitations/{_invited(w).pk}/change/", {"what": "extend", "days": 3}),
    "a reminder": lambda w: ("/invitations/remind/", {"state": "open" if _invited(w) else ""}),
    "a printed link": lambda w: (f"/invitations/{_invited(w, email=None).pk}/paper/", {}),
    "a printed report": lambda w: (f"/people/{w['person'].pk}/report/paper/", {}),
    "a given-up mail again": lambda w: (f"/outbox/undelivered/{_failed(w).pk}/again/", {}),
    "all given-up mails again": lambda w: ("/outbox/undelivered/again/", {"next": "/" if _failed(w) else ""}),
    "a link for a password": lambda w: (f"/accounts/{w['rater'].pk}/password/", {}),
    "another address": KINDS["another address"],
    "another address again": lambda w: ("/settings/address/", _wanted_address(w)),
    "another address of a person": lambda w: (
        f"/people/{_invited(w).person_id}/edit/", {"name": "Cleo", "email": "moved@example.org", "kind": "employee"},
    ),
    "an account": KINDS["an account"],
    "an account for a person": KINDS["an account for a person"],
}  # fmt: skip
"""Posts that lead to a mail or a link."""


@pytest.mark.parametrize("kind", MAILED)
def test_identical_posts_bring_nobody_the_same_mail_or_link_twice(world, kind):
    path, data = MAILED[kind](world)
    mails, links = set(Mail.objects.values_list("pk", flat=True)), set(Link.objects.values_list("pk", flat=True))
    statuses = at_once(world["hr"], path, data)
    assert {200, 302} & set(statuses)
    assert max(statuses) < 500
    on_the_way = Mail.objects.exclude(pk__in=mails).exclude(state="withdrawn")
    opened = Link.objects.exclude(pk__in=links).filter(used_at=None, ended_at=None)
    sent, open_links = (
        Counter(on_the_way.values_list("to", "subject")),
        Counter(opened.values_list("purpose", "target")),
    )
    assert set(sent.values()) | set(open_links.values()) == {1}, (sent, open_links)


def test_an_invitation_is_taken_back_once(world):
    path, data = f"/invitations/{_invited(world).pk}/change/", {"what": "revoke"}
    assert sorted(at_once(world["hr"], path, data)) == [302] + [409] * (POSTS - 1)
    assert AuditEntry.objects.filter(action="invitation.revoked").count() == 1


def test_whoever_has_forgotten_a_password_gets_one_link_however_many_jobs_send_it(world):
    def send(_):
        try:
            send_reset(world["rater"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(POSTS) as pool:
        list(pool.map(send, range(POSTS)))
    assert Mail.objects.filter(about=f"account:{world['rater'].pk}", state="queued").count() == 1


def test_one_answer_of_a_rating_is_kept_once(world):
    skill = world["version"].requirements.first().skill
    path = reverse("candidates:rate", args=[world["asked"].pk, skill.slug])
    statuses = at_once(world["hr"], path, {"level": "3", "note": ""})
    assert statuses == [302] * POSTS
    assert Rating.objects.count() == 1


def test_eight_different_skills_at_once_all_find_their_place(world):
    clients = [Client(raise_request_exception=False) for _ in range(POSTS)]
    for client in clients:
        client.force_login(world["hr"])
    start = Barrier(POSTS)

    def post(number) -> int:
        own = {name: f"{text} {number}" for name, text in SKILL.items() if name.startswith(("name", "anchor"))}
        start.wait(10)
        try:
            data = SKILL | own | {"skill_set": world["skill"].skill_set_id}
            return clients[number].post("/roles/skills/new/", data).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(POSTS) as pool:
        assert list(pool.map(post, range(POSTS))) == [302] * POSTS
    assert Skill.objects.filter(name__startswith="Juggling").count() == POSTS
