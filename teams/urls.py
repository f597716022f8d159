from django.urls import path

from teams import views

app_name = "teams"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("search/", views.search, name="search"),
]
