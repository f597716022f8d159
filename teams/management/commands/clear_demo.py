from django.core.management.base import BaseCommand, CommandError

from teams import demo_clearing


class Command(BaseCommand):
    help = "Take out the demo organisation; what was not made by it stays."

    def add_arguments(self, parser):
        parser.add_argument("--yes", action="store_true", help="Go ahead where there is more than the demo.")

    def handle(self, *args, yes, **options):
        if not demo_clearing.is_here():
            self.stdout.write("There is nothing of the demo organisation here.")
            return
        staying = ", ".join(demo_clearing.others())
        if staying and not yes:
            raise CommandError(
                f"Not everything here is the demo's: {staying}. That would stay, without what ties it to the demo, and "
                "all quarters and published figures would go. Nothing has been changed; --yes goes ahead."
            )
        gone = demo_clearing.clear() or {}
        self.stdout.write("· The demo organisation is cleared")
        self.stdout.write("  gone: " + ", ".join(f"{count} {what}" for what, count in gone.items()))
        self.stdout.write("  stays: " + ", ".join(["the catalogue", "the parameters", *demo_clearing.others()]))
