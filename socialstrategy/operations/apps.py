from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "socialstrategy.operations"
    label = "operations"
