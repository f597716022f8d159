from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self):
        from accounts import append_only, mails, tasks  # noqa: F401 (registers its schedule)
        from socialstrategy.lib import readiness

        post_migrate.connect(append_only.install, sender=self)
        register(append_only.check, Tags.database)
        readiness.FURTHER["append_only"] = append_only.ready
        mails.register()
