"""Signing in for the demo, one's own settings, accounts and the audit trail."""

from allauth.account.views import PasswordResetView
from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import actions, attempts, neighbours
from accounts.forms import AccountForm, AddressForm, NameForm
from accounts.models import AuditEntry, Link, User
from socialstrategy import mail
from socialstrategy.lib.addresses import shown
from socialstrategy.lib.context import THEMES
from socialstrategy.lib.paging import page_of

DEMO_DOMAIN = "demo.socialstrategy.example"


@require_POST
def demo_sign_in(request):
    """One click signs in as the demo's HR manager, assessor, executive or employee; only in demo mode."""
    if not django_settings.DEMO:
        raise Http404
    user = get_object_or_404(User, email=f"{request.POST.get('role', '')[:20]}@{DEMO_DOMAIN}", is_active=True)
    login(request, user, backend=django_settings.AUTHENTICATION_BACKENDS[0])
    return redirect("teams:overview")


class PasswordForgotten(PasswordResetView):
    """Asks for an address and mails a link for a new password, as often as ``attempts`` allows."""

    def form_valid(self, form):
        may_mail = attempts.may_mail_reset(self.request, form.cleaned_data["email"])
        if may_mail is None:
            return render(self.request, "429.html", status=429)
        if may_mail:
            return super().form_valid(form)
        return redirect(self.get_success_url())


@require_POST
def theme(request):
    """Light, dark or as the system says, kept in a cookie for a year."""
    wanted = request.POST.get("theme")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = "/"
    response = redirect(back)
    if wanted in THEMES:
        response.set_cookie(
            "theme", wanted, max_age=31_536_000, samesite="Lax", secure=django_settings.IS_SECURE, httponly=True
        )
    return response


def settings(request):
    """One's own name and address, and ways to the password and the sign-out."""
    form = NameForm(request.POST or None, instance=User.objects.get(pk=request.user.pk))
    if request.method == "POST" and form.is_valid():
        actions.change_account(request.user, form.cleaned_data, by=request.user)
        messages.success(request, "Your name is saved.")
        return redirect("accounts:settings")
    return _settings(request, form, AddressForm(user=request.user))


def _settings(request, form, address_form):
    context = {"form": form, "address_form": address_form, "themes": THEMES}
    failed = form.errors or address_form.errors
    return render(request, "accounts/settings.html", context, status=400 if failed else 200)


@require_POST
def address_change(request):
    """Ask for another address of one's own, ask for its link again, or keep the one there is."""
    user, again = request.user, "again" in request.POST
    kept = {"email": user.new_email or user.email} if again else {"email": user.email}
    form = AddressForm(kept if again or "keep" in request.POST else request.POST, user=user)
    if form.is_valid():
        try:
            if again:
                actions.mail_address_link(user, by=user)
            else:
                user = actions.change_address(user, form.cleaned_data["email"], by=user)
        except ValidationError as error:
            form.add_error("email", error)
        else:
            messages.success(request, _address_words(user))
            return redirect("accounts:settings")
    return _settings(request, NameForm(instance=User.objects.get(pk=user.pk)), form)


def _address_words(user) -> str:
    if user.new_email is None:
        return "Your address stays as it is."
    return f"A link is on its way to {shown(user.new_email)}. Your address changes when you open it."


@never_cache
def address_confirm(request, token):
    """What the link in the new mailbox shows: a button. It works for whoever is signed in to the account, once."""
    link = Link.objects.find(Link.Purpose.ADDRESS, token)
    now, user = timezone.now(), request.user
    state = "ended"
    if link is not None and link.target != str(user.pk):
        state = "other"
    elif link is not None and link.is_open(now) and user.new_email:
        state = "open"
    problem = ""
    if request.method == "POST" and state == "open":
        try:
            if actions.confirm_address(token, by=user, now=now):
                messages.success(request, "Your address is changed. Sign in with it from now on.")
                return redirect("accounts:settings")
            state = "ended"
        except ValidationError as error:
            state, problem = "taken", error.messages[0]
    context = {"state": state, "token": token, "problem": problem}
    return render(request, "accounts/address_confirm.html", context, status=200 if state == "open" else 410)


def account_list(request):
    """Everybody who can sign in, and whose account is whose."""
    page = page_of(User.objects.all(), request)
    found = neighbours.owners(page)
    mails = mail.newest("account", [account.pk for account in page])
    for account in page:
        account.owner = found.get(account.pk)
        account.mail = mails.get(str(account.pk))
    return render(request, "accounts/account_list.html", {"page": page})


def account_new(request):
    form = AccountForm(request.POST or None, by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            actions.create_account(form.save(commit=False), by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "The account is ready; a mail to choose a password is on its way.")
            return redirect("accounts:account_list")
    return _account_page(request, form, None)


def account_edit(request, pk):
    """An account; an administrator's can be changed by administrators only."""
    account = get_object_or_404(User, pk=pk)
    form = AccountForm(request.POST or None, instance=get_object_or_404(User, pk=pk), by=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            saved = actions.change_account(account, form.cleaned_data, by=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            words = f" {shown(saved.new_email)} holds once it is confirmed." if saved.new_email else ""
            messages.success(request, f"The account is saved.{words}")
            return redirect("accounts:account_list")
    return _account_page(request, form, account)


def _account_page(request, form, account):
    context = {"form": form, "account": account}
    if account:
        context["may_change"] = actions.may_change(account, by=request.user)
        context["owner"] = neighbours.owners([account]).get(account.pk)
    return render(request, "accounts/account_form.html", context, status=400 if form.errors else 200)


@require_POST
def account_password(request, pk):
    """Mail a link to choose a password once more."""
    account = get_object_or_404(User, pk=pk)
    try:
        actions.mail_password_link(account, by=request.user)
    except ValidationError as error:
        back = reverse("accounts:account_edit", args=[account.pk])
        context = {"title": "Not sent", "sentence": error.messages[0], "back": back}
        return render(request, "problem.html", context, status=409)
    messages.success(request, f"A link to choose a password is on its way to {shown(account.email)}.")
    return redirect("accounts:account_edit", account.pk)


def audit_log(request):
    """Who did what, newest first."""
    entries = AuditEntry.objects.visible_to(request.user).select_related("by")
    action = request.GET.get("action", "")[:60]
    if action:
        entries = entries.filter(action=action)
    context = {"page": page_of(entries, request), "actions": AuditEntry.objects.actions(), "action": action}
    return render(request, "accounts/audit_log.html", context)
