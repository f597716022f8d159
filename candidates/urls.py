from django.urls import path

from candidates import account_views as accounts
from candidates import development_views as development
from candidates import erasing_views as erasing
from candidates import hiring_views as hiring
from candidates import import_views as imports
from candidates import invitation_views as invitations
from candidates import method_views as method
from candidates import paper_views as paper
from candidates import rating_views as ratings
from candidates import report_views as reports
from candidates import views
from candidates import wizard_views as wizard

app_name = "candidates"
urlpatterns = [
    path("people/", views.person_list, name="person_list"),
    path("people/new/", views.person_new, name="person_new"),
    path("people/<int:pk>/", views.person_detail, name="person_detail"),
    path("people/<int:pk>/edit/", views.person_edit, name="person_edit"),
    path("people/<int:pk>/erase/", erasing.person_erase, name="person_erase"),
    path("people/<int:pk>/archive/", views.person_archive, name="person_archive"),
    path("people/<int:pk>/account/join/", accounts.account_join, name="account_join"),
    path("people/<int:pk>/account/part/", accounts.account_part, name="account_part"),
    path("people/<int:pk>/account/invite/", accounts.account_invite, name="account_invite"),
    path("people/<int:pk>/evidence/", views.evidence_add, name="evidence_add"),
    path("people/<int:pk>/rating/", ratings.rating_ask, name="rating_ask"),
    path("people/<int:pk>/background/add/", views.background_add, name="background_add"),
    path("people/<int:pk>/background/<int:entry>/", views.background_edit, name="background_edit"),
    path("people/<int:pk>/background/<int:entry>/remove/", views.background_remove, name="background_remove"),
    path("people/<int:pk>/development/", development.development, name="development"),
    path("people/<int:pk>/development/goals/", development.goal_add, name="goal_add"),
    path("people/<int:pk>/development/goals/<int:goal>/close/", development.goal_close, name="goal_close"),
    path("people/<int:pk>/development/help/", development.help_offer, name="help_offer"),
    path("people/<int:pk>/profile.xlsx", views.person_export, name="person_export"),
    path("people/import/", imports.import_new, name="import_new"),
    path("people/import/<uuid:pk>/", imports.import_detail, name="import_detail"),
    path("people/import/<uuid:pk>/start/", imports.import_start, name="import_start"),
    path("people/import/<uuid:pk>/errors.csv", imports.import_errors, name="import_errors"),
    path("evidence/sources/", method.sources, name="sources"),
    path("evidence/sources/edit/", method.sources_edit, name="sources_edit"),
    path("invitations/", invitations.invitation_list, name="invitation_list"),
    path("invitations/new/", invitations.invitation_new, name="invitation_new"),
    path("invitations/remind/", invitations.invitation_remind, name="invitation_remind"),
    path("invitations/<uuid:pk>/change/", invitations.invitation_change, name="invitation_change"),
    path("invitations/paper/", paper.paper_all, name="paper_all"),
    path("invitations/<uuid:pk>/paper/", paper.paper, name="paper"),
    path("people/<int:pk>/report/paper/", paper.paper_report, name="paper_report"),
    path("invitations/<uuid:pk>/mine/", invitations.invitation_mine, name="invitation_mine"),
    path("i/<str:token>/", invitations.invitation_open, name="invitation_open"),
    path("i/<str:token>/begin/", invitations.invitation_begin, name="invitation_begin"),
    path("i/<str:token>/fresh/", invitations.invitation_fresh, name="invitation_fresh"),
    path("assessment/<uuid:sitting>/elsewhere/", wizard.continue_elsewhere, name="continue_elsewhere"),
    path("assessment/<uuid:sitting>/background/", wizard.wizard_background, name="wizard_background"),
    path("assessment/<uuid:sitting>/background/add/", wizard.wizard_background_add, name="wizard_background_add"),
    path(
        "assessment/<uuid:sitting>/background/<int:entry>/",
        wizard.wizard_background_edit,
        name="wizard_background_edit",
    ),
    path(
        "assessment/<uuid:sitting>/background/<int:entry>/remove/",
        wizard.wizard_background_remove,
        name="wizard_background_remove",
    ),
    path("assessment/<uuid:sitting>/at-deadline/", wizard.wizard_at_deadline, name="wizard_at_deadline"),
    path("assessment/<uuid:sitting>/submit/", wizard.wizard_submit, name="wizard_submit"),
    path("report/<uuid:subject>/", reports.report, name="report"),
    path("report/<uuid:subject>/my-skills.xlsx", reports.report_xlsx, name="report_xlsx"),
    path("report/<uuid:subject>/my-skills.json", reports.report_json, name="report_json"),
    path("r/<str:token>/", reports.report_open, name="report_open"),
    path("r/<str:token>/begin/", reports.report_begin, name="report_begin"),
    path("r/<str:token>/fresh/", reports.report_fresh, name="report_fresh"),
    path("ratings/", ratings.rating_queue, name="rating_queue"),
    path("ratings/<uuid:pk>/", ratings.rating_go_on, name="rating_go_on"),
    path("ratings/<uuid:pk>/skills/<slug:skill>/", ratings.rate, name="rate"),
    path("ratings/<uuid:pk>/hand-in/", ratings.rating_hand_in, name="rating_hand_in"),
    path("hiring/", hiring.hiring, name="hiring"),
    path("hiring/count/", hiring.hiring_count, name="hiring_count"),
    path("hiring/<int:pk>/", hiring.ranking, name="ranking"),
    path("hiring/<int:pk>/blind/", hiring.ranking_blind, name="ranking_blind"),
    path("hiring/<int:pk>/compare/", hiring.compare, name="compare"),
    path("hiring/<int:pk>/who-fits/", hiring.who_fits, name="who_fits"),
    path("hiring/<int:pk>/ranking.<str:form>", hiring.ranking_export, name="ranking_export"),
    path("hiring/<int:pk>/<str:code>/", hiring.person_fit, name="person_fit"),
    path("hiring/<int:pk>/<str:code>/keep/", hiring.fit_store, name="fit_store"),
    path("fits/<uuid:pk>/", hiring.fit_detail, name="fit_detail"),
]
