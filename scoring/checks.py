"""Checks at the door: each raises ValueError with a sentence that names the bad value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring import LEVEL_MAX, LEVEL_MIN

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]


def finite(name: str, value: float) -> float:
    """A finite float, or ValueError."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number, not {value!r}.")
    return number


def level(name: str, value: float, low: float = LEVEL_MIN, high: float = LEVEL_MAX) -> float:
    """A level between ``low`` and ``high``, or ValueError."""
    number = finite(name, value)
    if not low <= number <= high:
        raise ValueError(f"{name} must lie between {low:g} and {high:g}, not {value!r}.")
    return number


def fraction(name: str, value: float) -> float:
    """A number in [0, 1), or ValueError (correlations)."""
    number = finite(name, value)
    if not 0.0 <= number < 1.0:
        raise ValueError(f"{name} must be at least 0 and below 1, not {value!r}.")
    return number


def array(name: str, values: Any) -> Floats:
    """A float64 array without NaN and infinity, or ValueError."""
    numbers = np.asarray(values, dtype=np.float64)
    if not np.isfinite(numbers).all():
        bad = numbers[~np.isfinite(numbers)].flat[0]
        raise ValueError(f"{name} must hold finite numbers only, and holds {bad}.")
    return numbers


def positive(name: str, values: Floats) -> Floats:
    """The array itself when every entry is above zero, or ValueError."""
    if values.size and not (values > 0).all():
        raise ValueError(f"{name} must be above 0 everywhere, and holds {values[values <= 0].flat[0]:g}.")
    return values


def same_shape(names: str, first: Sequence[int], second: Sequence[int]) -> None:
    """ValueError unless both shapes are equal."""
    if tuple(first) != tuple(second):
        raise ValueError(f"{names} must have the same shape, not {tuple(first)} and {tuple(second)}.")
