import json

from django.core.management.base import BaseCommand

from roles import catalogue


class Command(BaseCommand):
    help = "Print functions, skill sets, skills with anchors, and role templates."

    def add_arguments(self, parser):
        parser.add_argument("--format", choices=["json"], default="json")

    def handle(self, *args, **options):
        self.stdout.write(json.dumps(catalogue.export(), ensure_ascii=False, indent=1))
