"""The engine: from evidence to a level, from levels to a fit, from people to a team.

Pure functions over arrays. Nothing in here knows Django, a clock, a database or a hidden random state;
generators and times are passed in. Everything is on one scale, level 0-5, continuous inside.
"""

ENGINE_VERSION = "1.0"
"""Stored with every estimate and every stored fit. A method that produced stored results gets a new version."""

LEVEL_MIN, LEVEL_MAX = 0.0, 5.0
PRIOR_MEAN, PRIOR_SD = 2.5, 1.25
INTERVAL_Z = 1.2815515655446004
"""Half width of a central 80 % interval, in standard deviations."""
