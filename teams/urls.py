from django.urls import path

from teams import initiative_views as initiatives
from teams import team_views as teams
from teams import views
from teams.kept_views import kept

app_name = "teams"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("overview/overview.xlsx", views.overview_export, name="overview_export"),
    path("overview/<slug:function>/<slug:skill_set>/", views.cell, name="cell"),
    path("kept/", kept, name="kept"),
    path("search/", views.search, name="search"),
    path("teams/", teams.team_list, name="team_list"),
    path("teams/new/", teams.team_new, name="team_new"),
    path("teams/<int:pk>/", teams.team_detail, name="team_detail"),
    path("teams/<int:pk>/edit/", teams.team_edit, name="team_edit"),
    path("teams/<int:pk>/members/", teams.member_add, name="member_add"),
    path("teams/<int:pk>/members/<int:member>/", teams.member_change, name="member_change"),
    path("teams/<int:pk>/close/", teams.team_close, name="team_close"),
    path("initiatives/", initiatives.initiative_list, name="initiative_list"),
    path("initiatives/new/", initiatives.initiative_new, name="initiative_new"),
    path("initiatives/<int:pk>/", initiatives.initiative_detail, name="initiative_detail"),
    path("initiatives/<int:pk>/edit/", initiatives.initiative_edit, name="initiative_edit"),
    path("initiatives/<int:pk>/state/", initiatives.initiative_state, name="initiative_state"),
    path("initiatives/<int:pk>/initiative.xlsx", initiatives.initiative_export, name="initiative_export"),
    path("initiatives/<int:pk>/demands/add/", initiatives.demand_add, name="demand_add"),
    path("initiatives/<int:pk>/demands/<int:demand>/", initiatives.demand_edit, name="demand_edit"),
    path("initiatives/<int:pk>/demands/<int:demand>/remove/", initiatives.demand_remove, name="demand_remove"),
]
