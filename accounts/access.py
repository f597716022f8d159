"""Who may open what: the one matrix, by URL name. A page without a rule is open to nobody.

The rule decides about the page; which rows somebody sees on it is decided by ``visible_to`` in the view's first line.
"""

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.views import redirect_to_login
from django.http import Http404
from django.shortcuts import redirect
from django.urls import Resolver404, resolve

from accounts.models import User
from socialstrategy.lib.pages import page_of

HR, ASSESSOR, EXECUTIVE, EMPLOYEE = User.Role.HR, User.Role.ASSESSOR, User.Role.EXECUTIVE, User.Role.EMPLOYEE
LINK = "link"  # whoever holds a link or the session that it opened; the view checks the link itself
STRANGER = "stranger"  # nobody in particular
STAFF = "staff"  # administrators: accounts that may use Django's admin, which checks again

SIGNED_IN = frozenset({HR, ASSESSOR, EXECUTIVE, EMPLOYEE})
EVERYBODY = SIGNED_IN | {LINK, STRANGER}
ONLY_HR = frozenset({HR})
OVERSEERS = frozenset({HR, EXECUTIVE})  # HR by name, executives by count
NOBODY: frozenset = frozenset()

RULES: dict[str, frozenset] = {
    "healthz": EVERYBODY,
    "readyz": EVERYBODY,
    "favicon": EVERYBODY,
    "account_login": EVERYBODY,
    "account_inactive": EVERYBODY,
    "account_logout": EVERYBODY,
    "account_reset_password": EVERYBODY,
    "account_reset_password_done": EVERYBODY,
    "account_reset_password_from_key": EVERYBODY,
    "account_reset_password_from_key_done": EVERYBODY,
    "account_change_password": SIGNED_IN,
    "account_set_password": SIGNED_IN,
    "accounts:demo_sign_in": EVERYBODY,
    "accounts:theme": EVERYBODY,
    "accounts:settings": SIGNED_IN,
    "accounts:address_change": SIGNED_IN,
    "accounts:address_confirm": SIGNED_IN,
    "accounts:account_list": ONLY_HR,
    "accounts:account_new": ONLY_HR,
    "accounts:account_edit": ONLY_HR,
    "accounts:account_password": ONLY_HR,
    "accounts:audit_log": ONLY_HR,
    "mail:outbox": EVERYBODY,
    "mail:mail_detail": EVERYBODY,
    "mail:undelivered": ONLY_HR,
    "mail:again": ONLY_HR,
    "mail:again_all": ONLY_HR,
    "mail:set_aside": ONLY_HR,
    "mail:try_now": ONLY_HR,
    "jobs:job_progress": SIGNED_IN,
    "teams:overview": SIGNED_IN,
    "teams:search": SIGNED_IN,
    "teams:kept": EVERYBODY,
    "teams:overview_export": OVERSEERS,
    "teams:cell": OVERSEERS,
    "teams:team_list": OVERSEERS,
    "teams:team_detail": OVERSEERS,
    "teams:initiative_list": OVERSEERS,
    "teams:initiative_detail": OVERSEERS,
    "teams:initiative_export": OVERSEERS,
    "teams:team_new": ONLY_HR,
    "teams:team_edit": ONLY_HR,
    "teams:member_add": ONLY_HR,
    "teams:member_change": ONLY_HR,
    "teams:team_close": ONLY_HR,
    "teams:initiative_new": ONLY_HR,
    "teams:initiative_edit": ONLY_HR,
    "teams:initiative_state": ONLY_HR,
    "teams:demand_add": ONLY_HR,
    "teams:demand_edit": ONLY_HR,
    "teams:demand_remove": ONLY_HR,
    "roles:role_list": ONLY_HR | {ASSESSOR, EXECUTIVE},
    "roles:role_new": ONLY_HR,
    "roles:role_edit": ONLY_HR,
    "roles:role_describe": ONLY_HR,
    "roles:role_detail": ONLY_HR | {ASSESSOR, EXECUTIVE},
    "roles:requirement_add": ONLY_HR,
    "roles:requirement_remove": ONLY_HR,
    "roles:requirement_edit": ONLY_HR,
    "roles:role_undo": ONLY_HR,
    "roles:role_publish": ONLY_HR,
    "roles:role_next_version": ONLY_HR,
    "roles:role_retire": ONLY_HR,
    "roles:role_compare": ONLY_HR | {ASSESSOR, EXECUTIVE},
    "roles:role_discard": ONLY_HR,
    "roles:role_template": ONLY_HR,
    "roles:template_list": ONLY_HR,
    "roles:template_detail": ONLY_HR,
    "roles:template_edit": ONLY_HR,
    "roles:template_line_add": ONLY_HR,
    "roles:template_line_edit": ONLY_HR,
    "roles:template_retire": ONLY_HR,
    "roles:occupation_list": ONLY_HR,
    "roles:occupation_import": ONLY_HR,
    "roles:occupation_detail": ONLY_HR,
    "roles:skill_list": SIGNED_IN,
    "roles:skill_detail": SIGNED_IN,
    "roles:skill_new": ONLY_HR,
    "roles:skill_edit": ONLY_HR,
    "roles:skill_retire": ONLY_HR,
    "roles:skill_set_edit": ONLY_HR,
    "roles:function_list": SIGNED_IN,
    "roles:function_edit": ONLY_HR,
    "candidates:who_fits": ONLY_HR,
    "candidates:person_list": ONLY_HR,
    "candidates:person_new": ONLY_HR,
    "candidates:person_edit": ONLY_HR,
    "candidates:person_erase": ONLY_HR,
    "candidates:person_archive": ONLY_HR,
    "candidates:account_join": ONLY_HR,
    "candidates:account_part": ONLY_HR,
    "candidates:account_invite": ONLY_HR,
    "candidates:person_detail": SIGNED_IN,
    "candidates:person_fit": ONLY_HR,
    "candidates:fit_store": ONLY_HR,
    "candidates:fit_detail": ONLY_HR,
    "candidates:background_add": SIGNED_IN,
    "candidates:background_edit": SIGNED_IN,
    "candidates:background_remove": SIGNED_IN,
    "candidates:evidence_add": ONLY_HR,
    "candidates:development": SIGNED_IN,
    "candidates:goal_add": SIGNED_IN,
    "candidates:goal_close": SIGNED_IN,
    "candidates:help_offer": SIGNED_IN,
    "candidates:person_export": SIGNED_IN,
    "candidates:import_new": ONLY_HR,
    "candidates:import_detail": ONLY_HR,
    "candidates:import_start": ONLY_HR,
    "candidates:import_errors": ONLY_HR,
    "candidates:invitation_list": ONLY_HR,
    "candidates:invitation_new": ONLY_HR,
    "candidates:invitation_change": ONLY_HR,
    "candidates:invitation_remind": ONLY_HR,
    "candidates:paper": ONLY_HR,
    "candidates:paper_all": ONLY_HR,
    "candidates:paper_report": ONLY_HR,
    "candidates:invitation_open": EVERYBODY,
    "candidates:invitation_begin": EVERYBODY,
    "candidates:invitation_fresh": EVERYBODY,
    "candidates:invitation_mine": SIGNED_IN,
    "candidates:continue_elsewhere": SIGNED_IN | {LINK},
    "candidates:wizard_background": SIGNED_IN | {LINK},
    "candidates:wizard_background_add": SIGNED_IN | {LINK},
    "candidates:wizard_background_edit": SIGNED_IN | {LINK},
    "candidates:wizard_background_remove": SIGNED_IN | {LINK},
    "candidates:wizard_at_deadline": SIGNED_IN | {LINK},
    "candidates:wizard_submit": SIGNED_IN | {LINK},
    "candidates:report": SIGNED_IN | {LINK},
    "candidates:report_json": SIGNED_IN | {LINK},
    "candidates:report_xlsx": SIGNED_IN | {LINK},
    "candidates:report_open": EVERYBODY,
    "candidates:report_begin": EVERYBODY,
    "candidates:report_fresh": EVERYBODY,
    "candidates:rating_queue": SIGNED_IN,
    "candidates:rating_ask": ONLY_HR,
    "candidates:rating_go_on": SIGNED_IN,
    "candidates:rate": SIGNED_IN,
    "candidates:rating_hand_in": SIGNED_IN,
    "candidates:hiring": ONLY_HR,
    "candidates:hiring_count": ONLY_HR,
    "candidates:ranking": ONLY_HR,
    "candidates:ranking_blind": ONLY_HR,
    "candidates:ranking_export": ONLY_HR,
    "candidates:compare": ONLY_HR,
    "candidates:sources": ONLY_HR,
    "candidates:sources_edit": frozenset({STAFF}),
    "assessments:wizard_intro": SIGNED_IN | {LINK},
    "assessments:wizard_skill": SIGNED_IN | {LINK},
    "assessments:wizard_later": SIGNED_IN | {LINK},
    "assessments:wizard_ended": EVERYBODY,
    "assessments:leave": EVERYBODY,
    "assessments:left": EVERYBODY,
}


def rule_for(match) -> frozenset:
    """The rule of a resolved URL; Django's admin keeps its own house."""
    if match.app_names[:1] == ["admin"]:
        return frozenset({STAFF})
    return RULES.get(match.view_name or "", NOBODY)


def may_open(user, rule: frozenset) -> bool:
    """Whether ``user`` (signed in or not) may open pages of this rule."""
    if user.is_authenticated:
        return user.role in rule or (STAFF in rule and user.is_staff)
    return STRANGER in rule or LINK in rule


class AccessMiddleware:
    """Enforces the matrix before any view runs: strangers are asked to sign in, outsiders get 404."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code == 405 and request.method in {"GET", "HEAD"}:
            response = redirect(page_above(request))
        # Nearly every page names somebody: nothing of it stays in a shared computer's cache.
        response.setdefault("Cache-Control", "private, no-store")
        return response

    def process_view(self, request, view, args, kwargs):
        rule = rule_for(request.resolver_match)
        if SESSION_KEY in request.session and not request.user.is_authenticated:
            # An account that may not sign in any more: what was opened with it, an assessment or a report, is closed.
            request.session.flush()
        if may_open(request.user, rule):
            return None
        if rule and not request.user.is_authenticated:
            return redirect_to_login(page_of(request))
        raise Http404


def page_above(request) -> str:
    """For an address that only takes what a form sends: the nearest page above it that whoever asks may open."""
    path = request.path
    while path != "/":
        path = path.rstrip("/").rpartition("/")[0] + "/"
        try:
            match = resolve(path)
        except Resolver404:
            continue
        if may_open(request.user, rule_for(match)):
            return path
    return path
