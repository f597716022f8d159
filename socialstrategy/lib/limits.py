"""How often something may be tried: counters in the cache, which never hold what they count by."""

from dataclasses import dataclass
from time import time

from django.core.cache import cache
from django.utils.crypto import salted_hmac


@dataclass(frozen=True)
class Limit:
    """At most ``most`` times within a window of ``seconds``, for each of those who try.

    An attempt is taken before it is made, so that a hundred at once do not all find the counter at zero; one that
    should not count after all is given back.
    """

    name: str
    most: int
    seconds: int

    def take(self, *who: str) -> bool:
        """Count an attempt; whether it is within the limit."""
        key = self._key(who)
        cache.add(key, 0, self.seconds)
        try:
            return cache.incr(key) <= self.most
        except ValueError:
            # It ran out between the two: this is the first of the next window.
            cache.set(key, 1, self.seconds)
            return True

    def give_back(self, *who: str) -> None:
        """One attempt less."""
        try:
            cache.decr(self._key(who))
        except ValueError:
            return

    def wait(self) -> int:
        """Seconds until the next window begins."""
        return self.seconds - int(time()) % self.seconds

    def _key(self, who: tuple[str, ...]) -> str:
        window = int(time()) // self.seconds
        return f"limit:{self.name.replace(' ', '-')}:{window}:{salted_hmac(self.name, repr(who)).hexdigest()}"


def minutes(seconds: int) -> str:
    """A waiting time as one says it."""
    rounded = max(1, -(-seconds // 60))
    return "a minute" if rounded == 1 else f"{rounded} minutes"
