from django.urls import path

from socialstrategy.mail import views

app_name = "mail"
urlpatterns = [
    path("", views.outbox, name="outbox"),
    path("<uuid:pk>/", views.mail_detail, name="mail_detail"),
    path("undelivered/", views.undelivered, name="undelivered"),
    path("undelivered/again/", views.again_all, name="again_all"),
    path("undelivered/now/", views.try_now, name="try_now"),
    path("undelivered/<uuid:pk>/again/", views.again, name="again"),
    path("undelivered/<uuid:pk>/aside/", views.set_aside, name="set_aside"),
]
