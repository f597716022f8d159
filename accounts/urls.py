from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("demo/", views.demo_sign_in, name="demo_sign_in"),
    path("theme/", views.theme, name="theme"),
    path("settings/", views.settings, name="settings"),
    path("settings/address/", views.address_change, name="address_change"),
    path("address/<str:token>/", views.address_confirm, name="address_confirm"),
    path("accounts/", views.account_list, name="account_list"),
    path("accounts/new/", views.account_new, name="account_new"),
    path("accounts/<int:pk>/", views.account_edit, name="account_edit"),
    path("accounts/<int:pk>/password/", views.account_password, name="account_password"),
    path("audit/", views.audit_log, name="audit_log"),
]
