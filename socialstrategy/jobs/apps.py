from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "socialstrategy.jobs"
    label = "jobs"
