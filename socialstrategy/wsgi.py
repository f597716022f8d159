"""What gunicorn serves, once the database is ready."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialstrategy.settings")
application = get_wsgi_application()


def warm_up() -> None:
    """Compile the loops of the ranking and of coverage before the first visitor waits for them."""
    import numpy as np

    from scoring import ranking, readiness, teams

    ranking.warm_up()
    one = readiness.Demand(1, 0, np.zeros(1, dtype=np.int64), np.zeros(1))
    readiness.readiness([one], seed=0, draws=10)
    nobody = np.zeros((1, 1, 2), dtype=np.float32)
    teams.coverages(nobody, [np.zeros(1, dtype=np.intp)], team=[0], skill=[0], level=[3], people=[1])


def prepare() -> None:
    from socialstrategy.lib.logs import mask_gunicorn
    from socialstrategy.operations.starting import await_database

    mask_gunicorn()
    await_database()
    warm_up()


prepare()
