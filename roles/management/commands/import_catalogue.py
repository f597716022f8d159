from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from roles import catalogue


class Command(BaseCommand):
    help = "Read what export_catalogue has printed: adds and updates by slug, all of it or nothing."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)

    def handle(self, *args, file, **options):
        try:
            data = catalogue.read(file)
            catalogue.load(data)
        except (OSError, catalogue.CatalogueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{len(data.get('skills', []))} skills and {len(data.get('templates', []))} templates are in."
        )
