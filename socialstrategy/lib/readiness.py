"""What a part of an installation says of itself on /readyz; apps add their own here (``FURTHER``)."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """How one part is; ``needed`` parts decide whether the whole is ready."""

    ok: bool
    sentence: str
    needed: bool = True


FURTHER: dict[str, Callable[[], Part]] = {}
"""name → the function that looks"""
