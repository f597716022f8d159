"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "socialstrategy.settings")
application = get_wsgi_application()


def warm_up() -> None:
    """Compile the ranking's loop before the first visitor waits for it."""
    import numpy as np

    from scoring import normal

    normal.joint(np.zeros((1, 1)), 0.3)


warm_up()
