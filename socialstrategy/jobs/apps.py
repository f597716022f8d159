from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "socialstrategy.jobs"
    label = "jobs"

    def ready(self):
        from socialstrategy.jobs import sweeper  # noqa: F401 (each worker starts it)
