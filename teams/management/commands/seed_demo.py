from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.closing import CLOSED_DOMAIN
from accounts.models import User
from candidates.models import Person
from teams import demo


class Command(BaseCommand):
    help = "Fill an empty installation in demo mode with the demo organisation."

    def add_arguments(self, parser):
        parser.add_argument("--if-empty", action="store_true", help="Do nothing where there is anybody already.")

    def handle(self, *args, if_empty, **options):
        # Accounts that were closed when the demo was cleared are nobody.
        occupied = User.objects.exclude(email__iendswith=CLOSED_DOMAIN).exists() or Person.objects.exists()
        if if_empty and (occupied or not settings.DEMO):
            return
        if not settings.DEMO:
            raise CommandError("The demo organisation belongs into demo mode only (DEMO=1).")
        if occupied:
            raise CommandError("There are people in this installation already.")
        self.stdout.write("· Making up the demo organisation")
        made = demo.seed()
        self.stdout.write("  " + ", ".join(f"{n} {what}" for what, n in made.items()))
