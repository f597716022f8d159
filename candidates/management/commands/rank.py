import json

from django.core.management.base import BaseCommand, CommandError

from candidates.ranking import RoleRanking
from roles.models import Role, RoleVersion
from socialstrategy.lib.searching import Folded, folded


class Command(BaseCommand):
    help = "Rank everybody against a role, by its number or its title: the ranking of the page, for scripts."

    def add_arguments(self, parser):
        parser.add_argument("role")
        parser.add_argument("--top", type=int, default=50)
        parser.add_argument("--format", choices=["json", "text"], default="text")

    def handle(self, *args, role, top, format, **options):
        if top < 1:
            raise CommandError("--top must be at least 1.")
        found = self.role(role)
        if found is None:
            raise CommandError(f"There is no role {role!r}.")
        version = RoleVersion.objects.published().with_lines().filter(role=found).first()
        if version is None:
            raise CommandError(f"{found.title} has no published version.")
        lines = [self.row(line) for line in RoleRanking(version)[:top]]
        if format == "json":
            self.stdout.write(json.dumps({"role": found.title, "version": version.number, "people": lines}, indent=1))
            return
        for row in lines:
            self.stdout.write(
                f"{row['place']:>4} {row['band']:<13} {row['all_essentials']:.3f} {row['fit']:.3f}  {row['name']}"
            )

    def role(self, wanted: str) -> Role | None:
        if wanted.isdecimal():
            return Role.objects.filter(pk=int(wanted)).first()
        alike = Role.objects.alias(folded_title=Folded("title")).filter(folded_title=folded(wanted))
        return alike.filter(title=wanted).first() or alike.first()

    def row(self, line) -> dict:
        return {
            "place": line.place,
            "person": line.person.pk,
            "name": line.person.name,
            "code": line.person.code,
            "kind": line.person.kind,
            "band": line.band,
            "all_essentials": round(line.all_essentials, 6),
            "fit": round(line.fit, 6),
            "fit_low": round(line.fit_low, 6),
            "fit_high": round(line.fit_high, 6),
        }
