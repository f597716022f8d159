"""Compiled loops are kept where this process may write, by what they say."""

import os
import time
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from socialstrategy import compiled


@pytest.fixture
def code(tmp_path, monkeypatch):
    folder = tmp_path / "scoring"
    folder.mkdir()
    (folder / "loops.py").write_text("one = 1\n")
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    return folder


@pytest.fixture
def read_only(monkeypatch):
    """As root every folder can be written to, so that the system's answer stands in for another user's."""
    monkeypatch.setattr(os, "access", lambda *_: False)


def chosen(code, tmp_path, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    compiled.choose_cache(code, tmp_path / "var")
    return os.environ.get("NUMBA_CACHE_DIR")


def test_beside_the_code_where_that_can_be_written_to(code, tmp_path, monkeypatch):
    assert chosen(code, tmp_path, monkeypatch) is None


def test_in_the_own_folder_where_it_cannot(code, tmp_path, monkeypatch, read_only):
    folder = chosen(code, tmp_path, monkeypatch)
    assert folder.startswith(str(tmp_path / "var" / "numba"))
    assert Path(folder).is_dir()


def test_an_upgrade_of_the_same_date_and_length_has_a_cache_of_its_own(code, tmp_path, monkeypatch, read_only):
    before = chosen(code, tmp_path, monkeypatch)
    dated = (code / "loops.py").stat()
    (code / "loops.py").write_text("one = 2\n")
    os.utime(code / "loops.py", ns=(dated.st_atime_ns, dated.st_mtime_ns))
    assert chosen(code, tmp_path, monkeypatch) != before


def test_an_upgrade_of_numba_has_one_too(code, tmp_path, monkeypatch, read_only):
    before = chosen(code, tmp_path, monkeypatch)
    monkeypatch.setattr(compiled, "version", lambda _: "99.0")
    assert chosen(code, tmp_path, monkeypatch) != before


def test_what_the_administrator_says_holds(code, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "elsewhere"))
    compiled.choose_cache(code, tmp_path / "var")
    assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path / "elsewhere")


def test_a_folder_that_cannot_be_written_to_is_refused(code, tmp_path, monkeypatch, read_only):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "elsewhere"))
    with pytest.raises(ImproperlyConfigured, match=r"NUMBA_CACHE_DIR: the folder .* cannot be written to"):
        compiled.choose_cache(code, tmp_path / "var")


def test_an_empty_setting_counts_as_none(code, tmp_path, monkeypatch, read_only):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    compiled.choose_cache(code, tmp_path / "var")
    assert os.environ["NUMBA_CACHE_DIR"].startswith(str(tmp_path / "var" / "numba"))


def test_caches_that_nobody_started_with_for_a_month_go(code, tmp_path, monkeypatch, read_only):
    for name, days in {"old": 31, "lately": 20}.items():
        (tmp_path / "var" / "numba" / name).mkdir(parents=True)
        at = time.time() - days * 24 * 3600
        os.utime(tmp_path / "var" / "numba" / name, (at, at))
    current = chosen(code, tmp_path, monkeypatch)
    kept = {path.name for path in (tmp_path / "var" / "numba").iterdir()}
    assert kept == {"lately", Path(current).name}
