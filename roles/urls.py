from django.urls import path

from roles import catalogue_views as catalogue
from roles import template_views as templates
from roles import views

app_name = "roles"
urlpatterns = [
    path("", views.role_list, name="role_list"),
    path("new/", views.role_new, name="role_new"),
    path("<int:pk>/", views.role_detail, name="role_detail"),
    path("<int:pk>/draft/", views.role_edit, name="role_edit"),
    path("<int:pk>/describe/", views.role_describe, name="role_describe"),
    path("<int:pk>/add/", views.requirement_add, name="requirement_add"),
    path("<int:pk>/lines/<int:line>/level/", views.requirement_edit, name="requirement_edit"),
    path("<int:pk>/lines/<int:line>/remove/", views.requirement_remove, name="requirement_remove"),
    path("<int:pk>/undo/", views.role_undo, name="role_undo"),
    path("<int:pk>/publish/", views.role_publish, name="role_publish"),
    path("<int:pk>/next/", views.role_next_version, name="role_next_version"),
    path("<int:pk>/discard/", views.role_discard, name="role_discard"),
    path("<int:pk>/retire/", views.role_retire, name="role_retire"),
    path("<int:pk>/compare/", views.role_compare, name="role_compare"),
    path("<int:pk>/template/", views.role_template, name="role_template"),
    path("templates/", templates.template_list, name="template_list"),
    path("templates/<int:pk>/", templates.template_detail, name="template_detail"),
    path("templates/<int:pk>/edit/", templates.template_edit, name="template_edit"),
    path("templates/<int:pk>/lines/add/", templates.template_line_add, name="template_line_add"),
    path("templates/<int:pk>/lines/<int:line>/", templates.template_line_edit, name="template_line_edit"),
    path("templates/<int:pk>/retire/", templates.template_retire, name="template_retire"),
    path("skills/", catalogue.skill_list, name="skill_list"),
    path("skills/new/", catalogue.skill_new, name="skill_new"),
    path("skills/<slug:slug>/", catalogue.skill_detail, name="skill_detail"),
    path("skills/<slug:slug>/edit/", catalogue.skill_edit, name="skill_edit"),
    path("skills/<slug:slug>/retire/", catalogue.skill_retire, name="skill_retire"),
    path("skill-sets/<slug:slug>/", catalogue.skill_set_edit, name="skill_set_edit"),
    path("functions/", catalogue.function_list, name="function_list"),
    path("functions/<slug:slug>/", catalogue.function_edit, name="function_edit"),
    path("occupations/", catalogue.occupation_list, name="occupation_list"),
    path("occupations/import/", catalogue.occupation_import, name="occupation_import"),
    path("occupations/<int:pk>/", catalogue.occupation_detail, name="occupation_detail"),
]
