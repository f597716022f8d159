"""The personal report, at an address of each person's own."""

from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import Link, digest
from candidates import actions, delivery, exports, reporting
from candidates.models import Person
from socialstrategy.lib.levels import LEVELS
from socialstrategy.lib.workbook import workbook

REPORT_SECONDS = 60 * 60
OPENED = "reports"


def open_report(request, person) -> None:
    """Let this browser read a report for an hour, beside those that it may read already."""
    now = timezone.now().timestamp()
    still = {key: until for key, until in request.session.get(OPENED, {}).items() if until > now}
    request.session[OPENED] = still | {_key(person): now + REPORT_SECONDS}


def _key(person: Person) -> str:
    """A report that was opened is open for as long as the person has the same address and the same account."""
    return f"{person.subject} {digest(f'{person.email} {person.user_id}')}"


def readable(request, subject) -> Person | None:
    """The person of this report, if it was opened here by link or submission within the hour, or is one's own."""
    person = Person.objects.select_related("function").filter(subject=subject).first()
    if person is None:
        return None
    if request.session.get(OPENED, {}).get(_key(person), 0) > timezone.now().timestamp():
        return person
    is_own = request.user.is_authenticated and person.user_id == request.user.pk
    return person if is_own else None


def _ended(request):
    return render(request, "candidates/report_ended.html", status=410)


def report(request, subject):
    """The personal report: levels with intervals in words and picture, strengths, next steps, and every reason."""
    person = readable(request, subject)
    if person is None:
        return _ended(request)
    context = reporting.report(person) | {"person": person, "levels": list(enumerate(LEVELS)), "today": actions.today()}
    return render(request, "candidates/report.html", context)


def report_json(request, subject):
    """Everything the report is made of, to take away."""
    person = readable(request, subject)
    if person is None:
        return _ended(request)
    response = JsonResponse(reporting.as_data(person), json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = 'attachment; filename="my-skills.json"'
    return response


def report_xlsx(request, subject):
    """The report's levels and evidence as a workbook."""
    person = readable(request, subject)
    if person is None:
        return _ended(request)
    return workbook(exports.profile_sheets(person), "my-skills")


@never_cache
def report_open(request, token):
    """What the report's link shows: a button. Looking changes nothing."""
    link = Link.objects.find(Link.Purpose.REPORT, token)
    person = Person.objects.filter(pk=link.target).first() if link else None
    state = link.state(timezone.now()) if person else "unknown"
    # Nobody who is archived is sent a fresh one.
    has_address = person and person.email and not person.archived_at
    context = {"token": token, "link": link, "state": state, "has_address": has_address}
    status = {"open": 200, "unknown": 404}.get(state, 410)
    return render(request, "candidates/report_open.html", context, status=status)


@require_POST
def report_begin(request, token):
    """Use up the report's link and open the report for an hour."""
    link = Link.objects.consume(Link.Purpose.REPORT, token, timezone.now())
    person = Person.objects.filter(pk=link.target).first() if link else None
    if person is None:
        return report_open(request, token)
    request.session.cycle_key()
    open_report(request, person)
    return redirect("candidates:report", person.subject)


@require_POST
def report_fresh(request, token):
    """After a report link that no longer opens anything: a fresh one to the same address."""
    link = Link.objects.find(Link.Purpose.REPORT, token)
    person = Person.objects.filter(pk=link.target).first() if link else None
    if person is None:
        raise Http404
    if person.archived_at:
        return report_open(request, token)
    delivery.send_report(person)
    return render(request, "candidates/link_sent.html", {"has_address": person.email})
