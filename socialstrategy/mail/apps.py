from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "socialstrategy.mail"
    label = "mail"

    def ready(self):
        from socialstrategy.mail import tasks  # noqa: F401 (registers its job)
