"""A snapshot that was damaged after it had been written is refused, and the levels are read anew."""

import os
import random
import shutil

import pytest

from candidates import checksums, matrix
from candidates.models import Estimate
from candidates.tables import Table, TableError
from candidates.tests.test_matrix import begin_anew, same_as_fresh, snapshot  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db


def flip(path, place: int, bits: int = 1) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ bits]))


def refused(path, caplog) -> bool:
    """Whether a process that begins now reads everybody anew and says why."""
    caplog.clear()
    matrix.forget()
    same_as_fresh()
    return matrix._keeper.path is None and f"The snapshot {path.name} is not used" in caplog.text


def test_a_flipped_bit_is_refused_wherever_it_is(snapshot, caplog):  # noqa: F811
    """In the header, in what is between sections, in each section, and in the sums themselves."""
    size = snapshot.stat().st_size
    rng = random.Random(1)
    places = [0, 9, 13, 25, 30_000, 65_535, 65_536, size - 5, size - 1, *(rng.randrange(size) for _ in range(40))]
    for place in places:
        bits = 1 << rng.randrange(8)
        flip(snapshot, place, bits)
        assert refused(snapshot, caplog), place
        flip(snapshot, place, bits)
    begin_anew(pytest.MonkeyPatch())


@pytest.mark.parametrize(
    "change",
    [
        *(lambda data, n=n: data[:n] for n in (0, 1, 19, 20, 70_000, -100_000, -9, -1)),
        *(lambda data, n=n: data + bytes(n) for n in (1, 4, 4096)),
        lambda data: data[:70_000] + bytes(8) + data[70_000:-8],
    ],
)
def test_what_was_cut_lengthened_or_moved_is_refused(change, snapshot, caplog):  # noqa: F811
    snapshot.write_bytes(change(snapshot.read_bytes()))
    assert refused(snapshot, caplog)


def test_a_file_under_another_name_is_refused(snapshot, caplog):  # noqa: F811
    other = snapshot.with_name("0000000099.levels")
    shutil.copy2(snapshot, other)
    snapshot.unlink()
    assert refused(other, caplog)
    assert f"written as '{snapshot.name}'" in caplog.text


def test_a_file_put_in_the_place_of_another_is_refused(snapshot, caplog):  # noqa: F811
    """The older one's content, whole in itself, would bring back levels of long ago."""
    old = snapshot.read_bytes()
    os.utime(snapshot, (0, 0))
    Estimate.objects.update(mean=1.0)
    newer = matrix.renew_snapshot()
    newer.write_bytes(old)
    assert refused(newer, caplog)


def test_who_sets_the_time_back_is_found_out_too(snapshot, caplog):  # noqa: F811
    before = snapshot.stat()
    flip(snapshot, 70_000)
    os.utime(snapshot, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert refused(snapshot, caplog)


def test_the_sums_are_compared_once_on_a_machine(snapshot, monkeypatch):  # noqa: F811
    (note,) = checksums.notes(snapshot)
    monkeypatch.setattr(checksums, "is_whole", lambda *_: pytest.fail("compared again"))
    for _ in range(3):
        begin_anew(monkeypatch)
        monkeypatch.setattr(checksums, "is_whole", lambda *_: pytest.fail("compared again"))
    monkeypatch.undo()
    compared = []
    real = checksums.is_whole
    monkeypatch.setattr(checksums, "is_whole", lambda *found: compared.append(1) or real(*found))
    # Another machine, or this one after a new start, looks for itself; a note that says something else counts for none.
    for spoil in (note.unlink, lambda: note.write_text("[1, 2"), lambda: note.write_text("[1, 2, 3, 4]")):
        spoil()
        Table.open(snapshot)
        Table.open(snapshot)
    assert len(compared) == 3


def test_where_no_note_can_be_left_everybody_compares(snapshot, monkeypatch):  # noqa: F811
    (note,) = checksums.notes(snapshot)
    note.unlink()
    note.mkdir()
    for _ in range(2):
        assert Table.open(snapshot)[1]["name"] == snapshot.name
    flip(snapshot, 70_000)
    with pytest.raises(TableError, match="sums do not fit"):
        Table.open(snapshot)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: flip(path, 70_000),
        lambda path: os.truncate(path, 100_000),
        lambda path: path.write_bytes(b"something else"),
    ],
)
def test_a_file_that_is_damaged_while_it_is_mapped_is_let_go(snapshot, damage, caplog):  # noqa: F811
    """Mapped pages show what is written into the file later; one that was cut would end the process."""
    begin_anew(pytest.MonkeyPatch())
    assert matrix._keeper.path == snapshot
    damage(snapshot)
    matrix.current()
    assert matrix._keeper.path is None
    same_as_fresh()
    assert f"The snapshot {snapshot.name} is let go" in caplog.text
    # The next schedule writes one that can be used again.
    later = matrix.renew_snapshot()
    begin_anew(pytest.MonkeyPatch())
    assert matrix._keeper.path == later
    same_as_fresh()


def test_a_touched_file_is_looked_at_and_kept(snapshot):  # noqa: F811
    begin_anew(pytest.MonkeyPatch())
    before = matrix.current()
    os.utime(snapshot)
    assert matrix.current() is before


def test_sums_go_over_many_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(checksums, "BLOCK", 64)
    for length in (0, 1, 63, 64, 65, 1000):
        path = tmp_path / f"{length}"
        content = bytes(n % 251 for n in range(length))
        with path.open("wb") as raw:
            file = checksums.Summed(raw)
            file.write(content[:70])
            file.write(content[70:])
            file.finish()
        data = path.read_bytes()
        assert len(data) == checksums.with_sums(length)
        assert checksums.is_whole(data, length)
        for place in range(len(data)):
            assert not checksums.is_whole(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :], length)
