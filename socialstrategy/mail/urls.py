from django.urls import path

from socialstrategy.mail import views

app_name = "mail"
urlpatterns = [
    path("", views.outbox, name="outbox"),
    path("<uuid:pk>/", views.mail_detail, name="mail_detail"),
]
