"""What killed readings and old containers leave in VAR_DIR goes by night, and nothing that is in use."""

import os
import time

from django.conf import settings as django_settings

from socialstrategy.celery import app
from socialstrategy.lib.uploads.reading import read
from socialstrategy.operations import signs


def night():
    name = django_settings.CELERY_BEAT_SCHEDULE["clear files away"]["task"]
    app.loader.import_default_modules()
    app.tasks[name]()


def aged(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_what_is_left_goes_and_what_is_in_use_stays(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    night()
    for folder in ("reading/killed", "reading/busy", "signs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "upload").write_text("Name")
    gone = [aged(tmp_path / "reading" / "killed", 3700), aged(tmp_path / "signs" / "upload", 25 * 3600)]
    kept = [aged(tmp_path / "reading" / "busy", 3500), signs.file_of("worker")]
    kept[1].touch()
    aged(kept[1], 23 * 3600)
    night()
    assert [path.exists() for path in gone] == [False, False]
    assert [path.exists() for path in kept] == [True, True]


def test_a_reading_that_ends_leaves_nothing(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    with read(b"Name\nAda\n") as table:
        assert len(list((tmp_path / "reading").iterdir())) == 1
        night()
        assert [cells for _, cells in table.rows()] == [["Ada"]]
    assert list((tmp_path / "reading").iterdir()) == []
