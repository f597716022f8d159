from django.urls import path

from assessments import views

app_name = "assessments"
urlpatterns = [
    path("", views.wizard_intro, name="wizard_intro"),
    path("<int:place>/", views.wizard_skill, name="wizard_skill"),
    path("later/", views.wizard_later, name="wizard_later"),
    path("ended/", views.wizard_ended, name="wizard_ended"),
]
