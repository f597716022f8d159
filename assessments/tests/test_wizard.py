"""The self-assessment, from the mailed link to the report, with and without JavaScript."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from accounts.factories import make_user
from accounts.models import Link
from assessments import sessions
from assessments.models import Response, Sitting
from candidates import deadlines, delivery, inviting, joining
from candidates.factories import make_invitation, make_person
from candidates.models import Background, Evidence, Invitation
from socialstrategy.mail.models import Mail

pytestmark = pytest.mark.django_db


def home(word="") -> str:
    """An address of the only assessment there is."""
    return f"/assessment/{Sitting.objects.get().pk}/{word}"


def question(place: int) -> str:
    """The address of its first, second, third question."""
    return home(f"skills/{Sitting.objects.get().skills()[place - 1].slug}/")


@pytest.fixture
def invited(version, hr):
    person = make_person("Ines Okafor", email="ines@example.org")
    return make_invitation(person, version, hr)


@pytest.fixture
def begun(client, invited, last_mail, link_in):
    """A browser in which the assessment has begun and been consented to."""
    client.post(link_in(last_mail("ines@example.org")) + "begin/")
    client.post(home(), {"consent": "on"})
    return client


def test_looking_at_a_link_changes_nothing(client, invited, last_mail, link_in):
    path = link_in(last_mail("ines@example.org"))
    for _ in range(3):
        page = client.get(path)
        assert page.status_code == 200
        assert "Begin" in page.content.decode()
    assert Invitation.objects.get().opened_at is None
    assert sessions.HELD not in client.session


def test_begin_opens_a_session_once(client, invited, last_mail, link_in):
    path = link_in(last_mail("ines@example.org"))
    assert client.post(path + "begin/")["Location"] == home()
    assert "Before you start" in client.get(home()).content.decode()
    other = Client()
    response = other.post(path + "begin/")
    assert response.status_code == 410
    assert "has been used" in response.content.decode()
    assert other.get(home()).status_code == 410


def test_a_used_link_mails_a_fresh_one_to_the_same_address(begun, invited, last_mail, link_in):
    first = last_mail("ines@example.org")
    other = Client()
    for _ in range(5):
        other.post(link_in(first) + "fresh/")
    assert Mail.objects.count() == 2  # pressing again and again fills nobody's mailbox
    second = last_mail("ines@example.org")
    assert second.pk != first.pk
    other.post(link_in(second) + "begin/")
    assert other.get(question(1)).status_code == 200


@pytest.mark.parametrize(("change", "said"), [("revoked", "taken back"), ("expired", "deadline has passed")])
def test_a_closed_invitation_says_why(client, invited, last_mail, link_in, change, said):
    path = link_in(last_mail("ines@example.org"))
    past = timezone.now() - timedelta(minutes=1)
    Invitation.objects.update(**({"revoked_at": past} if change == "revoked" else {"deadline_at": past}))
    for response in (client.get(path), client.post(path + "begin/"), client.post(path + "fresh/")):
        assert response.status_code == 410
        assert said in response.content.decode()


def test_a_made_up_link_opens_nothing(client, db):
    assert client.get("/i/made-up/").status_code == 404
    assert client.post("/i/made-up/begin/").status_code == 404


def test_no_answer_without_consent(client, invited, last_mail, link_in):
    client.post(link_in(last_mail("ines@example.org")) + "begin/")
    assert client.get(question(1))["Location"] == home()
    response = client.post(home(), {"accommodation": "large print"})
    assert response.status_code == 400
    assert "large print" in response.content.decode()
    client.post(home(), {"consent": "on", "accommodation": "More time, please"})
    assert Sitting.objects.get().accommodation == "More time, please"


def test_the_anchors_stand_in_the_order_of_levels_with_a_way_out(begun, version):
    page = begun.get(question(1)).content.decode()
    skill = version.requirements.first().skill
    places = [page.index(escape(skill.anchor(level))) for level in range(6)]
    assert places == sorted(places)
    assert "I can’t judge this yet" in page


def test_an_answer_is_stored_before_the_page_moves_on(begun):
    response = begun.post(question(1), {"level": "3", "note": "A thread I turned", "go": "next"})
    assert response["Location"] == question(2)
    stored = Response.objects.get()
    assert (stored.level, stored.note, stored.statement) == (3, "A thread I turned", stored.skill.anchor(3))
    page = begun.get(question(1)).content.decode()
    assert "A thread I turned" in page
    assert 'value="3" required checked' in page


def test_cannot_judge_is_an_answer_of_its_own(begun):
    begun.post(question(1), {"level": "none", "go": "next"})
    assert Response.objects.get().level is None
    assert 'value="none" checked' in begun.get(question(1)).content.decode()


def test_choosing_stores_at_once_with_htmx(begun):
    response = begun.post(question(1), {"level": "2", "revision": "0"}, headers={"HX-Request": "true"})
    assert "Saved" in response.content.decode()
    assert Response.objects.get().level == 2


def test_two_tabs_never_overwrite_each_other_silently(begun):
    begun.post(question(1), {"level": "2", "revision": "0"})
    response = begun.post(question(1), {"level": "5", "revision": "0"})
    assert response.status_code == 409
    assert "another tab" in response.content.decode()
    assert Response.objects.get().level == 2
    again = begun.post(question(1), {"level": "5", "revision": "1"})
    assert again.status_code == 302
    assert Response.objects.get().level == 5


def test_the_same_answer_twice_is_one_answer(begun):
    for _ in range(2):
        assert begun.post(question(1), {"level": "2", "revision": "0"}).status_code == 302
    assert Response.objects.get().revision == 1


def test_a_page_s_own_earlier_answer_is_no_conflict(begun):
    """On a slow line nothing has come back yet when the next choice is made, or when somebody goes on."""
    for step, level in ((1, "2"), (2, "4"), (3, "4")):
        sent = {"level": level, "revision": "0", "page": "a", "step": step, "go": "next"}
        assert begun.post(question(1), sent).status_code == 302
    assert Response.objects.get().level == 4
    assert begun.post(question(1), {"level": "5", "revision": "0", "page": "a"}).status_code == 302  # no JavaScript
    assert Response.objects.get().level == 5


@pytest.mark.parametrize("levels", [("2", "4", "2"), ("2", "4", "3")])
def test_an_earlier_choice_that_arrives_late_replaces_nothing(begun, levels):
    first, second, third = levels
    for step, level in ((1, first), (3, third), (2, second)):
        sent = {"level": level, "revision": "0", "page": "a", "step": step}
        assert begun.post(question(1), sent, headers={"HX-Request": "true"}).status_code == 200
    assert Response.objects.get().level == int(third)


def test_another_page_is_told_whatever_its_numbers(begun):
    begun.post(question(1), {"level": "2", "revision": "0", "page": "a", "step": 1})
    for sent in ({"page": "b", "step": 9}, {"page": "", "step": 9}, {"page": "b"}):
        assert begun.post(question(1), {"level": "5", "revision": "0"} | sent).status_code == 409
    begun.post(question(1), {"level": "3", "revision": "1", "page": "b", "step": 1})
    assert begun.post(question(1), {"level": "5", "revision": "0", "page": "a", "step": 2}).status_code == 409
    assert Response.objects.get().level == 3


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "Choose the line"),
        ({"level": "7"}, "Choose one of the lines"),
        ({"level": "nan"}, "Choose one of the lines"),
        ({"level": "3", "note": "x" * 1001}, "1,000 characters"),
        ({"level": "3", "link": "javascript:alert(1)"}, "http"),
        ({"level": "3", "link": "not an address"}, "address"),
    ],
)
def test_bad_answers_get_a_sentence_and_keep_what_was_typed(begun, data, said):
    response = begun.post(question(1), {"go": "next", **data})
    assert response.status_code == 400
    page = response.content.decode()
    assert said in page
    assert not Response.objects.exists()
    if "note" in data:
        assert data["note"] in page


def test_back_and_later_need_no_answer(begun):
    assert begun.post(question(2), {"go": "back"})["Location"] == question(1)
    assert begun.post(question(1), {"go": "back"})["Location"] == home()
    assert begun.post(question(2), {"go": "later"})["Location"] == home("later/")


def test_interrupted_and_resumed_on_another_device(begun, last_mail, link_in):
    begun.post(question(1), {"level": "4", "go": "next"})
    begun.post(home("elsewhere/"))
    phone = Client()
    path = link_in(last_mail("ines@example.org"))
    assert "1 of 3 skills are answered already" in phone.get(path).content.decode()
    phone.post(path + "begin/")
    assert phone.post(home(), {"consent": "on"})["Location"] == question(2)
    assert begun.get(question(2)).status_code == 200


def test_a_question_that_is_not_asked_stores_nothing_and_says_so(begun):
    elsewhere = home("skills/video/")
    assert begun.get(elsewhere).status_code == 404
    response = begun.post(elsewhere, {"level": "3"})
    assert response.status_code == 409
    assert "Nothing was stored" in response.content.decode()
    assert question(1) in response.content.decode()
    assert not Response.objects.exists()


def answer_all(browser, levels=("3", "none", "4")):
    for place, level in enumerate(levels, start=1):
        browser.post(question(place), {"level": level, "go": "next"})


def test_handing_in_makes_evidence_and_shows_the_report(begun, invited, last_mail, link_in):
    answer_all(begun)
    page = begun.post(home("submit/"), follow=True).content.decode()
    assert "What we learned about your skills" in page
    evidence = Evidence.objects.filter(person=invited.person).order_by("skill__position")
    assert sorted(evidence.values_list("source", "value")) == [("self", 3.0), ("self", 4.0)]
    assert Invitation.objects.get().submitted_at
    later = Client()
    path = link_in(last_mail("ines@example.org"))
    assert later.get(f"/report/{invited.person.subject}/").status_code == 410
    later.post(path + "begin/")
    assert "What we learned" in later.get(f"/report/{invited.person.subject}/").content.decode()
    assert Client().post(path + "begin/").status_code == 410


def test_handing_in_twice_counts_once(begun, invited):
    answer_all(begun)
    begun.post(home("submit/"))
    assert begun.post(home("submit/")).status_code == 410
    assert begun.post(question(1), {"level": "0"}).status_code == 410
    assert Evidence.objects.count() == 2


def test_nothing_answered_is_not_handed_in(begun):
    assert begun.post(home("submit/")).status_code == 400
    assert Invitation.objects.get().submitted_at is None


def test_after_the_deadline_nothing_is_written(begun, invited):
    past = timezone.now() - timedelta(minutes=1)
    Sitting.objects.update(deadline_at=past)
    response = begun.post(question(1), {"level": "3"})
    assert response.status_code == 410
    assert "deadline" in response.content.decode()
    assert not Response.objects.exists()


def test_a_running_assessment_keeps_its_version(begun, invited, hr):
    from roles import actions

    draft = actions.next_version(invited.role_version.role, by=hr)
    for line in draft.requirements.all()[1:]:
        actions.remove_requirement(line, by=hr)
    actions.publish(draft, by=hr)
    assert begun.get(question(3)).status_code == 200


def test_background_is_added_on_the_way(begun, invited):
    data = {
        "kind": "training",
        "title": "Moderation course",
        "frequency": "weekly",
        "wish": "time",
        "from_year": "2019",
    }
    response = begun.post(home("background/add/"), data)
    assert response["Location"] == home("background/")
    page = begun.get(home("background/")).content.decode()
    assert "Moderation course" in page
    bad = begun.post(home("background/add/"), data | {"to_year": "2001"})
    assert bad.status_code == 400
    entry = invited.person.background.get()
    begun.post(home(f"background/{entry.pk}/"), data | {"title": "Another course"})
    assert invited.person.background.get().title == "Another course"
    other = Background.objects.create(person=make_person("Else"), kind="training", title="Theirs", frequency="daily")
    assert begun.post(home(f"background/{other.pk}/remove/")).status_code == 404
    assert begun.post(f"/people/{other.person_id}/background/add/", data)["Location"].startswith("/sign-in/")
    begun.post(home(f"background/{entry.pk}/remove/"))
    assert Background.objects.get() == other


def test_an_employee_begins_from_the_overview_without_a_link(version, hr):
    user = make_user("employee")
    person = make_person("Ines", kind="employee", user=user)
    invitation = make_invitation(person, version, hr)
    browser = Client()
    browser.force_login(user)
    assert "Begin" in browser.get("/").content.decode()
    browser.post(f"/invitations/{invitation.pk}/mine/")
    assert browser.get(home()).status_code == 200


def test_links_in_mails_are_kept_as_digests_only(invited, last_mail, link_in):
    token = link_in(last_mail("ines@example.org")).split("/")[2]
    assert not Link.objects.filter(token_digest=token).exists()
    assert Link.objects.count() == 1


def test_back_after_handing_in_says_so_and_leads_to_the_report(begun, invited):
    answer_all(begun)
    pages = [home(), question(1), question(3), home("later/"), home("background/"), home("ended/")]
    begun.post(home("submit/"))
    for path in pages:
        response = begun.get(path)
        assert response.status_code == 410, path
        page = response.content.decode()
        assert "You have handed this in" in page, path
        assert f'href="/report/{invited.person.subject}/"' in page, path
    assert "You have handed this in" in begun.post(home("submit/")).content.decode()
    assert begun.get(f"/report/{invited.person.subject}/").status_code == 200


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_the_report_is_offered_only_where_it_can_be_opened(begun, invited):
    answer_all(begun)
    begun.post(home("submit/"))
    report = f'href="/report/{invited.person.subject}/"'
    assert report in words(begun.get(home()))
    session = begun.session
    session["reports"] = dict.fromkeys(session["reports"], 0)
    session.save()
    page = words(begun.get(home()))
    assert report not in page
    assert "A link to your report is in your mail" in page


def test_whoever_has_no_address_is_told_of_no_mail(version, hr):
    person = make_person("Bo Paper", email=None)
    invitation = make_invitation(person, version, hr)
    browser = Client()
    path = delivery.hand_over(invitation, by=hr).address.partition("://")[2].partition("/")[2]
    browser.post(f"/{path}begin/")
    pages = [words(browser.get(home()))]
    browser.post(home(), {"consent": "on"})
    answer_all(browser)
    pages.append(words(browser.get(home("later/"))))
    past = timezone.now() - timedelta(minutes=1)
    Invitation.objects.update(deadline_at=past)
    Sitting.objects.update(deadline_at=past)
    pages.append(words(browser.get(home())))
    deadlines.hand_in(timezone.now())
    pages.append(words(browser.get(home())))
    assert "handed in by itself, as you had agreed to" in pages[-1]
    assert "print a link to your report" in pages[-1]
    for page in pages:
        assert "your mail" not in page
        assert "by mail" not in page
        assert "Mail me" not in page


@pytest.mark.parametrize(
    ("ending", "said"),
    [("submit", "You have handed this in"), ("revoke", "taken back"), ("late", "The deadline has passed")],
)
def test_going_on_with_one_s_own_says_how_it_ended(client, invited, hr, ending, said):
    """The overview stood open in another tab."""
    user = make_user(email="ines.account@example.org")
    joining.join_by_hand(invited.person, user, by=hr)
    client.force_login(user)
    client.post(f"/invitations/{invited.pk}/mine/")
    client.post(home(), {"consent": "on"})
    if ending == "submit":
        answer_all(client)
        client.post(home("submit/"))
    elif ending == "revoke":
        inviting.revoke(Invitation.objects.get(), by=hr)
    else:
        Invitation.objects.update(deadline_at=timezone.now())
        Sitting.objects.update(deadline_at=timezone.now())
    page = client.post(f"/invitations/{invited.pk}/mine/", follow=True)
    assert page.status_code == 410
    assert said in page.content.decode()
    client.force_login(make_user())
    assert client.post(f"/invitations/{invited.pk}/mine/").status_code == 404


def test_a_first_page_that_stood_open_takes_nothing_back_that_was_asked_for_in_another_tab(begun):
    sign = begun.get(home()).context["form"]["as_shown"].value()
    old = {"consent": "on", "as_shown": sign, "accommodation": ""}
    begun.post(home(), old | {"accommodation": "A screen reader"})
    assert begun.post(home(), old).status_code == 302
    assert Sitting.objects.get().accommodation == "A screen reader"
    page = begun.post(home(), old | {"accommodation": "More time"})
    assert page.status_code == 400
    assert "you have written “A screen reader”" in page.content.decode()
    form = page.context["form"]
    assert form["accommodation"].value() == "More time"
    again = {"consent": "on", "accommodation": "More time", "as_shown": form["as_shown"].value()}
    assert begun.post(home(), again).status_code == 302
    assert Sitting.objects.get().accommodation == "More time"
    newest = begun.get(home()).context["form"]["as_shown"].value()
    assert begun.post(home(), {"consent": "on", "as_shown": newest, "accommodation": ""}).status_code == 302
    assert Sitting.objects.get().accommodation == ""
