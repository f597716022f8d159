"""Signing in for the demo, one's own settings, accounts and the audit trail."""

from allauth.account.views import PasswordResetView
from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts import actions, attempts
from accounts.forms import AccountForm, NameForm
from accounts.models import AuditEntry, User
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
    """One's own name, and ways to the password and the sign-out."""
    form = NameForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your name is saved.")
        return redirect("accounts:settings")
    context = {"form": form, "themes": THEMES}
    return render(request, "accounts/settings.html", context, status=400 if form.errors else 200)


def account_list(request):
    """Everybody who can sign in."""
    page = page_of(User.objects.all(), request)
    return render(request, "accounts/account_list.html", {"page": page})


def account_new(request):
    return _account_form(request, None, "The account is ready; a mail to choose a password is on its way.")


def account_edit(request, pk):
    return _account_form(request, get_object_or_404(User, pk=pk), "The account is saved.")


def _account_form(request, user, done):
    form = AccountForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        locks_out = user == request.user and (
            form.cleaned_data["role"] != User.Role.HR or not form.cleaned_data["is_active"]
        )
        if locks_out:
            form.add_error("role", "You would lock yourself out. Let another HR manager change your account.")
        else:
            actions.save_account(form, by=request.user, request=request)
            messages.success(request, done)
            return redirect("accounts:account_list")
    context = {"form": form, "account": user}
    return render(request, "accounts/account_form.html", context, status=400 if form.errors else 200)


def audit_log(request):
    """Who did what, newest first."""
    entries = AuditEntry.objects.visible_to(request.user).select_related("by")
    action = request.GET.get("action", "")[:60]
    if action:
        entries = entries.filter(action=action)
    context = {"page": page_of(entries, request), "actions": AuditEntry.objects.actions(), "action": action}
    return render(request, "accounts/audit_log.html", context)
