from django.urls import path

from assessments import views

app_name = "assessments"
urlpatterns = [
    path("leave/", views.leave, name="leave"),
    path("left/", views.left, name="left"),
    path("<uuid:sitting>/", views.wizard_intro, name="wizard_intro"),
    path("<uuid:sitting>/skills/<slug:skill>/", views.wizard_skill, name="wizard_skill"),
    path("<uuid:sitting>/later/", views.wizard_later, name="wizard_later"),
    path("<uuid:sitting>/ended/", views.wizard_ended, name="wizard_ended"),
]
