from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


def last_as_others_do(sender, request, **_) -> None:
    """Who signs in where an assessment was open gets a session that ends as every other does."""
    request.session.set_expiry(None)


class AssessmentsConfig(AppConfig):
    name = "assessments"

    def ready(self):
        user_logged_in.connect(last_as_others_do)
