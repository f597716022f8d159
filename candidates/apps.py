from django.apps import AppConfig
from django.db.models.signals import post_migrate, post_save


class CandidatesConfig(AppConfig):
    name = "candidates"

    def ready(self):
        from accounts import neighbours
        from candidates import delivery, development, joining, standings, tasks  # noqa: F401 (models and jobs)
        from candidates.changes import Change, watch
        from roles.models import EnterpriseFunction, Skill, SkillSet

        delivery.register()
        post_migrate.connect(watch, sender=self)
        neighbours.ENTERED.append(joining.account_entered)
        neighbours.OWNERS.append(joining.owners)
        # What is read from memory names them: a new or renamed one is a change as well.
        for model in (EnterpriseFunction, Skill, SkillSet):
            post_save.connect(lambda **_: Change.note(), sender=model, weak=False)
