"""Django's admin shows accounts, audit entries, evidence and erasures, and changes none of them."""

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.erasure import Erasure, erasing
from accounts.factories import make_user
from accounts.models import AuditEntry, User, record
from candidates.factories import give_evidence, make_person
from candidates.models import Evidence

pytestmark = pytest.mark.django_db
MODELS = {User, AuditEntry, Erasure, Evidence}


@pytest.fixture
def as_superuser(client):
    client.force_login(make_user("hr", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def rows():
    """One row of each kind that the admin shows."""
    with erasing(Erasure.Kind.AGES, "Old enough") as erasure:
        pass
    give_evidence(make_person(), "analytics", 3)
    user = make_user("employee")
    return {User: user, AuditEntry: record("x.y", user, "x"), Erasure: erasure, Evidence: Evidence.objects.get()}


def place(model, what, *arguments):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=arguments)


def test_nothing_else_is_in_the_admin():
    assert set(admin.site._registry) == MODELS


@pytest.mark.parametrize("model", sorted(MODELS, key=str))
def test_even_a_superuser_only_looks(as_superuser, rows, model):
    row = rows[model]
    before = list(model.objects.order_by("pk").values())
    assert as_superuser.get(place(model, "changelist")).status_code == 200
    assert as_superuser.get(place(model, "change", row.pk)).status_code == 200
    assert as_superuser.get(place(model, "history", row.pk)).status_code == 200
    for what, arguments in (("add", []), ("delete", [row.pk])):
        assert as_superuser.get(place(model, what, *arguments)).status_code == 403
        assert as_superuser.post(place(model, what, *arguments), {"post": "yes"}).status_code == 403
    changes = {"email": "me@example.org", "is_superuser": "on", "password": "x", "summary": "x", "value": "5"}
    assert as_superuser.post(place(model, "change", row.pk), changes).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    as_superuser.post(place(model, "changelist"), action)
    after = list(model.objects.filter(pk__in=[one["id"] for one in before]).order_by("pk").values())
    assert [one | {"last_login": None} for one in after] == [one | {"last_login": None} for one in before]


def test_no_page_shows_a_password_s_hash(as_superuser, rows):
    user = rows[User]
    assert user.password.startswith("argon2")
    for page in (place(User, "changelist"), place(User, "change", user.pk)):
        text = as_superuser.get(page).content.decode()
        assert "argon2" not in text
        assert user.password[-20:] not in text
    assert as_superuser.get(f"/admin/accounts/user/{user.pk}/password/").status_code in {302, 404}


def test_staff_without_a_right_to_look_see_nothing(client, rows):
    client.force_login(make_user("hr", is_staff=True))
    for model, row in rows.items():
        assert client.get(place(model, "changelist")).status_code == 403
        assert client.get(place(model, "change", row.pk)).status_code == 403
