"""Signs of life of the processes that nobody sees."""

from django.db import models


class Sign(models.Model):
    """When a worker or the scheduler was last heard of."""

    class Of(models.TextChoices):
        WORKER = "worker", "Worker"
        BEAT = "beat", "Scheduler"

    of = models.CharField(max_length=10, choices=Of, unique=True)
    at = models.DateTimeField()

    def __str__(self):
        return f"{self.of} at {self.at:%Y-%m-%d %H:%M:%S}"
