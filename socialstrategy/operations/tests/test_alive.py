"""The health check of worker and scheduler, as a container runs it."""

import os
import subprocess
import sys
import time

import pytest
from django.conf import settings as django_settings

from socialstrategy.operations import signs


def alive(var, *names):
    command = [sys.executable, django_settings.BASE_DIR / "scripts" / "alive.py", *names]
    return subprocess.run(command, env={**os.environ, "VAR_DIR": str(var)}, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_it_follows_the_sign(settings, tmp_path, name):
    settings.VAR_DIR = tmp_path
    assert alive(tmp_path, name).returncode == 1
    file = signs.file_of(name)
    file.parent.mkdir(parents=True)
    file.touch()
    assert alive(tmp_path, name).returncode == 0
    long_ago = time.time() - 600
    os.utime(file, (long_ago, long_ago))
    done = alive(tmp_path, name)
    assert done.returncode == 1
    assert f"last sign of life of the {name} is 60" in done.stdout


def test_it_asks_for_what_it_knows(tmp_path):
    assert alive(tmp_path).returncode == 2
    assert alive(tmp_path, "web").returncode == 2
