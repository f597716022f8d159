"""Fixtures of all tests."""

from hypothesis import settings as hypothesis_settings

# Timings are measured by `make bench`; the same examples in every run keep the suite reproducible.
hypothesis_settings.register_profile("house", deadline=None, derandomize=True, max_examples=60)
hypothesis_settings.load_profile("house")
