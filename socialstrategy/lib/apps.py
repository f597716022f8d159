from django.apps import AppConfig


class LibConfig(AppConfig):
    name = "socialstrategy.lib"
    label = "lib"
