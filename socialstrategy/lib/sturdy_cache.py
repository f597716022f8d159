"""A cache in Redis that nobody waits for: while Redis is away, each process keeps its own."""

import logging
import threading
import time

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

ASK_AGAIN_SECONDS = 5.0
ANSWER_SECONDS = 1.0
logger = logging.getLogger(__name__)
_lock = threading.Lock()
_away_until: dict[str, float] = {}


class SturdyRedisCache(RedisCache):
    """Django's cache in Redis, with a short patience and a memory of this process behind it.

    What was kept in Redis is not seen meanwhile, and what was kept here is forgotten when Redis is back: rate limits
    begin anew, and count by process instead of by installation. Nothing else is kept in the cache.
    """

    def __init__(self, server, params):
        wait = {"socket_connect_timeout": ANSWER_SECONDS, "socket_timeout": ANSWER_SECONDS}
        # The library's own way of trying again takes ten seconds and more.
        options = wait | {"retry": Retry(NoBackoff(), 0)} | params.get("OPTIONS", {})
        super().__init__(server, params | {"OPTIONS": options})
        self.place = str(server)
        self.own = LocMemCache(f"beside {server}", {"OPTIONS": {"MAX_ENTRIES": 10_000}})

    def is_away(self) -> bool:
        """Ask Redis now, unless it was away a moment ago."""
        self.get("anybody-there")
        return self._is_skipped()

    def _is_skipped(self) -> bool:
        return time.monotonic() < _away_until.get(self.place, 0.0)

    def _try(self, method: str, *args, **kwargs):
        if not self._is_skipped():
            try:
                return getattr(super(), method)(*args, **kwargs)
            except (RedisError, OSError) as error:
                with _lock:
                    _away_until[self.place] = time.monotonic() + ASK_AGAIN_SECONDS
                logger.warning("The cache cannot be reached; this process keeps its own (%s)", type(error).__name__)
        return getattr(self.own, method)(*args, **kwargs)

    def add(self, *args, **kwargs):
        return self._try("add", *args, **kwargs)

    def get(self, *args, **kwargs):
        return self._try("get", *args, **kwargs)

    def set(self, *args, **kwargs):
        return self._try("set", *args, **kwargs)

    def touch(self, *args, **kwargs):
        return self._try("touch", *args, **kwargs)

    def delete(self, *args, **kwargs):
        return self._try("delete", *args, **kwargs)

    def get_many(self, *args, **kwargs):
        return self._try("get_many", *args, **kwargs)

    def has_key(self, *args, **kwargs):
        return self._try("has_key", *args, **kwargs)

    def incr(self, *args, **kwargs):
        return self._try("incr", *args, **kwargs)

    def set_many(self, *args, **kwargs):
        return self._try("set_many", *args, **kwargs)

    def delete_many(self, *args, **kwargs):
        return self._try("delete_many", *args, **kwargs)

    def clear(self, *args, **kwargs):
        return self._try("clear", *args, **kwargs)
