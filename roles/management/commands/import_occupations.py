from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from roles import occupations
from roles.models import Occupation


class Command(BaseCommand):
    help = "Read O*NET ratings or ESCO's occupation-skill relations (CSV, tabs), to draft roles from real occupations."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", default="", help="Named beside every figure taken from it, as in O*NET 29.3.")
        parser.add_argument("--show", action="store_true", help="Print what each occupation drafts into.")

    def handle(self, *args, file, source, show, **options):
        try:
            count = occupations.import_file(file.read_bytes(), source)
        except (OSError, occupations.OccupationFileError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} occupations are in.")
        if show:
            for occupation in Occupation.objects.all():
                lines = occupations.draft(occupation)
                essential = sum(line["is_essential"] for line in lines)
                self.stdout.write(
                    f"{occupation.code} {occupation.title}: {len(lines)} requirements, {essential} essential"
                )
