"""People: the list, one person, their background and the evidence about them."""

from django.contrib import messages
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from assessments.models import RatingRequest
from candidates import actions, archiving, exports, joining
from candidates.account_views import InviteToAccountForm, JoinForm
from candidates.evidence import SOURCE_WORDS, Estimate, StoredFit
from candidates.forms import AskForm, BackgroundForm, EvidenceForm, PersonForm
from candidates.models import Background, Person
from candidates.profile import skill_rows
from candidates.reporting_lines import CircleError
from candidates.shown import sees_everything
from candidates.standings import suiting
from roles.models import EnterpriseFunction, RoleVersion
from socialstrategy.lib.paging import page_of
from socialstrategy.lib.workbook import workbook

SORTS = {"name": ("name", "pk"), "-name": ("-name", "-pk"), "new": ("-created_at", "-pk")}


def person_list(request):
    """Everybody, searched, filtered and sorted."""
    people = Person.objects.visible_to(request.user).select_related("function")
    wanted = {name: request.GET.get(name, "")[:80] for name in ("q", "kind", "function", "account", "sort")}
    archived = bool(request.GET.get("archived"))
    people = people.filter(archived_at__isnull=not archived).search(wanted["q"])
    if wanted["kind"] in Person.Kind.values:
        people = people.filter(kind=wanted["kind"])
    if wanted["function"]:
        people = people.filter(function__slug=wanted["function"])
    if wanted["account"] in ("with", "without"):
        people = people.filter(user__isnull=wanted["account"] == "without")
    elif wanted["account"] == "fitting":
        people = people.filter(pk__in=joining.to_ask_about().values("pk"))
    page = page_of(people.order_by(*SORTS.get(wanted["sort"], SORTS["name"])), request)
    counts = _assessed_counts([person.pk for person in page])
    for person in page:
        person.assessed = counts.get(person.pk, 0)
    context = {
        "page": page,
        "functions": EnterpriseFunction.objects.all(),
        "versions": RoleVersion.objects.visible_to(request.user).published().select_related("role"),
        "archived": archived,
        **wanted,
    }
    return render(request, "candidates/person_list.html", context)


def _assessed_counts(people) -> dict[int, int]:
    rows = Estimate.objects.filter(person__in=people).order_by().values_list("person").annotate(n=Count("pk"))
    return dict(rows)


def person_new(request):
    return _person_form(request, Person())


def person_edit(request, pk):
    person = get_object_or_404(Person.objects.visible_to(request.user).select_related("manager"), pk=pk)
    return _person_form(request, person)


def _person_form(request, person):
    form = PersonForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        try:
            saved = actions.save_person(form.save(commit=False), by=request.user, own_texts=form.own_texts)
        except CircleError as error:
            form.add_error("manager_email", str(error))
        else:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("candidates:person_detail", saved.pk)
    known = Person.objects.filter(pk=person.pk).first()
    context = {"form": form, "person": known, "ending": archiving.ending(known) if known else None}
    return render(request, "candidates/person_form.html", context, status=400 if form.errors else 200)


@require_POST
def person_archive(request, pk):
    """Take somebody off the list, or bring them back; pressing twice does it once."""
    person = get_object_or_404(Person.objects.visible_to(request.user), pk=pk)
    if request.POST.get("archived") == "no":
        archiving.bring_back(person, by=request.user)
        messages.success(request, f"{person.name} is on the list again.")
    else:
        words = archiving.archive(person, by=request.user).words
        account = " Their account can still sign in." if person.user and person.user.is_active else ""
        messages.success(request, f"{person.name} is archived." + (f" Ended: {words}." if words else "") + account)
    return redirect("candidates:person_detail", person.pk)


def person_detail(request, pk):
    """One person: every skill with its evidence. Raters see it only after they have rated."""
    person = get_object_or_404(
        Person.objects.reportable_to(request.user).select_related("function", "manager__user", "user"), pk=pk
    )
    is_hr = request.user.is_hr
    owed = RatingRequest.objects.visible_to(request.user).open().filter(subject=person.subject).first()
    hidden = owed is not None and not is_hr
    context = {
        "person": person,
        "owed": owed,
        "is_self": person.user_id == request.user.pk,
        "own_texts": person.own_texts.select_related("field") if is_hr else [],
        "sets": [] if hidden else skill_rows(person, request.user),
        "is_pooled": not sees_everything(request.user, person),
        "background": person.background.prefetch_related("skills"),
        "invitations": person.invitations.with_progress() if is_hr else [],
        "suiting": suiting(person) if sees_everything(request.user, person) else [],
        "stored": _stored(person) if sees_everything(request.user, person) else [],
        "versions": RoleVersion.objects.visible_to(request.user).published().select_related("role") if is_hr else [],
        "evidence_form": EvidenceForm() if is_hr else None,
        "fitting": joining.fitting_accounts(person) if is_hr else [],
        "join_form": JoinForm(),
        "account_form": InviteToAccountForm(),
        "ask_form": AskForm(user=request.user, person=person) if is_hr else None,
        "hidden": hidden,
    }
    return render(request, "candidates/person_detail.html", context)


def _stored(person) -> list[StoredFit]:
    return list(StoredFit.objects.filter(person=person).select_related("role_version__role")[:20])


@require_POST
def evidence_add(request, pk):
    """Evidence that HR enters; append-only, so a mistake is mended by a newer piece."""
    person = get_object_or_404(Person.objects.visible_to(request.user), pk=pk)
    form = EvidenceForm(request.POST)
    if form.is_valid() and person.archived_at:
        form.add_error(None, person.archived_words)
    if not form.is_valid():
        context = {"form": form, "person": person}
        return render(request, "candidates/evidence_form.html", context, status=400)
    data = form.cleaned_data
    actions.add_evidence(person, [{**data, "rater": f"user {request.user.pk}"}], by=request.user)
    messages.success(request, f"Added: {SOURCE_WORDS[data['source']].lower()} on {data['skill'].name}.")
    return redirect("candidates:person_detail", person.pk)


def background_owner(request, pk) -> Person:
    """The person whose background may be edited here: HR for everybody, anybody for themselves."""
    found = get_object_or_404(Person, pk=pk)
    if request.user.is_hr or found.user_id == request.user.pk:
        return found
    raise Http404


def background_add(request, pk):
    person = background_owner(request, pk)
    home = reverse("candidates:person_detail", args=[person.pk])
    return background_form(request, Background(person=person), home)


def background_edit(request, pk, entry):
    person = background_owner(request, pk)
    home = reverse("candidates:person_detail", args=[person.pk])
    return background_form(request, get_object_or_404(person.background, pk=entry), home)


@require_POST
def background_remove(request, pk, entry):
    person = background_owner(request, pk)
    home = reverse("candidates:person_detail", args=[person.pk])
    return background_removed(request, get_object_or_404(person.background, pk=entry), home)


def background_form(request, entry, home):
    """An entry of somebody's background, on a page of its own; ``home`` is where one came from."""
    form = BackgroundForm(request.POST or None, instance=entry)
    if request.method == "POST" and form.is_valid():
        form.save()
        is_hr = request.user.is_authenticated and request.user.is_hr
        messages.success(request, "The background is saved." if is_hr else "Your background is saved.")
        return redirect(home)
    context = {"form": form, "entry": entry, "home": home}
    return render(request, "candidates/background_form.html", context, status=400 if form.errors else 200)


def background_removed(request, entry, home):
    """Take an entry out and go back to where one came from."""
    entry.delete()
    messages.success(request, "The entry is gone.")
    return redirect(home)


def person_export(request, pk):
    """Levels, evidence and background as a workbook, for whoever may read the page."""
    person = get_object_or_404(Person.objects.reportable_to(request.user), pk=pk)
    owed = RatingRequest.objects.visible_to(request.user).open().filter(subject=person.subject).exists()
    if owed and not request.user.is_hr:
        raise Http404
    return workbook(exports.profile_sheets(person, request.user), f"skills-{person.code}")
