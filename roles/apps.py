from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RolesConfig(AppConfig):
    name = "roles"

    def ready(self):
        from roles import occupation_imports  # noqa: F401 (registers the job)
        from roles.catalogue import load_shipped

        post_migrate.connect(load_shipped, sender=self)
