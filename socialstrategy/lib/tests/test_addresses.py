"""One mailbox is one text, however it is written."""

import unicodedata

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.factories import make_user
from accounts.models import User
from candidates.factories import make_person
from candidates.models import Person
from socialstrategy.lib.addresses import canonical, shown

MÜLLER = "ada@xn--mller-kva.example"
WAYS = [
    "ada@müller.example",
    "Ada@MÜLLER.Example",
    "ada@XN--MLLER-KVA.example",
    "ada@" + unicodedata.normalize("NFD", "müller.example"),
    "ada@MU\u0308LLER.EXAMPLE",
    "ada@müller.example.",
    " ada@müller.example\u200b",
    "a\u00adda@müller。example",
    "ａｄａ＠ｍüller．example",
    '"ada"@müller.example',
]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_writing_a_mailbox_has_one_form(way):
    assert canonical(way) == MÜLLER
    assert shown(canonical(way)) == "ada@müller.example"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada@straße.example", "ada@strasse.example"),
        ("ada@müller.example", "ada@muller.example"),
        ("a.da@example.org", "ada@example.org"),
        ("ada+work@example.org", "ada@example.org"),
        ('"a da"@example.org', "ada@example.org"),
    ],
)
def test_other_mailboxes_stay_apart(one, other):
    assert canonical(one) != canonical(other)


def test_letters_that_the_codec_would_replace_keep_their_own_domain():
    assert canonical("ada@Straße.example") == canonical("ada@xn--strae-oqa.example") == "ada@xn--strae-oqa.example"


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("a@نامه‌ای.example", "a@xn--mgba3gch31f060k.example"),
        ("a@XN--MGBA3GCH31F060K.example", "a@xn--mgba3gch31f060k.example"),
        ("a@श्‍री.example", "a@xn--t2bl5a0c623p.example"),
        ("a@xn--mgba3gch31f.example", "a@xn--mgba3gch31f.example"),
        ("a@mül‍ler.example", "a@xn--mller-kva.example"),
        ("a@xn--mller-kva.example", "a@xn--mller-kva.example"),
        ("a@xn--mller-4xa.example", "a@xn--mller-4xa.example"),
    ],
)
def test_an_invisible_joiner_is_part_of_a_domain_where_it_means_something(typed, form):
    assert canonical(typed) == form
    assert canonical(shown(form)) == form


@given(st.from_regex(r"xn--[a-z0-9-]{1,20}", fullmatch=True))
def test_a_domain_in_code_is_never_another_one(label):
    address = f"a@{label}.example"
    assert canonical(address) == address
    assert canonical(shown(address)) == address


@given(st.one_of(st.text(), st.emails(), st.builds("{}@{}".format, st.text(), st.text())))
@example("a@xn--a.b")
@example("a@" + "ü" * 80)
@example("a@..")
@example("a@xn--\ud7ff")
def test_a_form_of_a_form_is_itself_whatever_was_typed(text):
    form = canonical(text)
    assert canonical(form) == form


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS)
def test_a_second_person_or_account_with_the_mailbox_is_refused_with_a_sentence(as_hr, way):
    make_person("Ada", email="ada@müller.example")
    make_user(email="ada@müller.example")
    person = as_hr.post("/people/new/", {"name": "Ada", "email": way, "kind": "employee"})
    account = as_hr.post("/accounts/new/", {"name": "Ada", "email": way, "role": "employee", "is_active": "on"})
    assert (person.status_code, account.status_code) == (400, 400)
    assert "already" in person.content.decode()
    assert "already" in account.content.decode()
    assert Person.objects.filter(email=way).get().email == MÜLLER
    assert User.objects.filter(email=way).get().email == MÜLLER


@pytest.mark.django_db
def test_people_written_at_once_are_kept_in_the_one_form():
    Person.objects.bulk_create([Person(name="Ada", email=WAYS[1])])
    Person.objects.update(email=WAYS[5])
    assert list(Person.objects.values_list("email", flat=True)) == [MÜLLER]


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS)
def test_somebody_signs_in_and_asks_for_a_password_whichever_way_they_write(client, way, last_mail, run_jobs):
    user = make_user(email="ada@müller.example")
    client.post("/password/forgotten/", {"email": way})
    run_jobs()
    assert "/password/new/" in last_mail(MÜLLER).text
    client.post("/sign-in/", {"login": way, "password": "correct horse battery"})
    assert client.session["_auth_user_id"] == str(user.pk)


@pytest.mark.django_db
def test_pages_show_the_letters_that_people_read(as_hr):
    person = make_person("Ada", email=MÜLLER)
    account = make_user(email=MÜLLER)
    for page in ("/people/", f"/people/{person.pk}/", f"/people/{person.pk}/edit/", "/accounts/"):
        assert "ada@müller.example" in as_hr.get(page).content.decode(), page
    assert "ada@müller.example" in as_hr.get(f"/accounts/{account.pk}/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_rows_from_before_are_brought_into_the_form_and_twins_stay(capsys):
    call_command("migrate", "candidates", "0007", verbosity=0)
    try:
        with connection.cursor() as cursor:
            for n, email in enumerate(["ada@müller.example", "bea@bär.example", MÜLLER, "cleo@example.org."]):
                cursor.execute(
                    "INSERT INTO candidates_person (subject, code, name, email, kind, job_title, location, "
                    "offers_help, created_at) VALUES (%s, %s, %s, %s, 'employee', '', '', %s, '2026-01-01T00:00Z')",
                    [f"0000000000000000000000000000000{n}", f"CODE{n}", f"P{n}", email, False],
                )
    finally:
        call_command("migrate", verbosity=0)
    found = list(Person.objects.order_by("code").values_list("email", flat=True))
    assert found == ["ada@müller.example", "bea@xn--br-via.example", MÜLLER, "cleo@example.org"]
    assert "1 people have the mailbox of somebody else" in capsys.readouterr().out
