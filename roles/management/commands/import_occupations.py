import contextlib
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from roles import occupation_imports, occupations
from roles.models import Occupation
from roles.occupation_files import OccupationFileError


class Command(BaseCommand):
    help = "Read what O*NET and ESCO publish of real occupations (their own text and CSV files), to draft roles from."

    def add_arguments(self, parser):
        parser.add_argument("files", type=Path, nargs="+")
        parser.add_argument("--source", default="", help="Named beside every figure taken from it, as in O*NET 29.3.")
        parser.add_argument("--show", action="store_true", help="Print what each occupation drafts into.")

    def handle(self, *args, files, source, show, **options):
        try:
            with contextlib.ExitStack() as stack:
                pairs = [(path.name, stack.enter_context(path.open("rb"))) for path in files]
                count = occupation_imports.take_in(pairs, source)
        except (OSError, OccupationFileError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} occupations are in.")
        if show:
            for occupation in Occupation.objects.exclude(rating_count=0).iterator():
                lines = occupations.draft(occupation)
                essential = sum(line["is_essential"] for line in lines)
                self.stdout.write(f"{occupation.long_title}: {len(lines)} requirements, {essential} essential")
