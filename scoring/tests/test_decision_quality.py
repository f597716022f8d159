"""The figure that matters, small and seeded; `make bench` runs it at full size."""

from benchmarks.quality import precision


def test_the_engine_finds_more_of_those_who_truly_meet_all_essentials():
    found = precision(seeds=4)
    assert found["engine"] > 1.15 * max(found["peer formula"], found["weighted sum"])
    assert found["engine"] > 1.5 * found["self-rating"]
    assert found["self-rating"] > found["chance"]
