"""Every address of the project."""

from allauth.account import views as allauth
from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from accounts.views import PasswordForgotten
from socialstrategy.operations import views as operations


def favicon(request):
    return RedirectView.as_view(url=static("img/logo.svg"))(request)


urlpatterns = [
    path("healthz", operations.healthz, name="healthz"),
    path("readyz", operations.readyz, name="readyz"),
    path("favicon.ico", favicon, name="favicon"),
    path("sign-in/", allauth.login, name="account_login"),
    path("sign-in/closed/", allauth.account_inactive, name="account_inactive"),
    path("sign-out/", allauth.logout, name="account_logout"),
    path("password/", allauth.password_change, name="account_change_password"),
    path("password/first/", allauth.password_set, name="account_set_password"),
    path("password/forgotten/", PasswordForgotten.as_view(), name="account_reset_password"),
    path("password/sent/", allauth.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        allauth.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/done/", allauth.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("admin/", admin.site.urls),
    path("jobs/", include("socialstrategy.jobs.urls")),
    path("outbox/", include("socialstrategy.mail.urls")),
    path("roles/", include("roles.urls")),
    path("assessment/", include("assessments.urls")),
    path("", include("accounts.urls")),
    path("", include("candidates.urls")),
    path("", include("teams.urls")),
]
handler404 = "socialstrategy.lib.errors.not_found"
handler500 = "socialstrategy.lib.errors.broken"
handler403 = "socialstrategy.lib.errors.forbidden"
handler400 = "socialstrategy.lib.errors.bad_request"
