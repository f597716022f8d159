"""What the environment says, checked: each function gives a usable value or refuses it with one sentence.

Sentences name the variable and what is expected. They never repeat an address that may hold a password.
"""

import difflib
import os
import re
import zlib
from email.utils import getaddresses
from io import StringIO
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

import environ
import redis
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

KNOWN = frozenset(
    {
        *("SECRET_KEY", "DEMO", "DEBUG", "BASE_URL", "ALLOWED_HOSTS", "TRUST_PROXY", "HOST", "PORT", "WEB_CONCURRENCY"),
        *("DATABASE_URL", "POSTGRES_PASSWORD", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_QUEUE", "START_WAIT"),
        *("EMAIL_URL", "DEFAULT_FROM_EMAIL", "TIME_ZONE", "VAR_DIR", "STATIC_DIR", "LOG_LEVEL"),
        *("ASSESSMENT_IDLE_DAYS", "NUMBA_CACHE_DIR"),
    }
)
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
BROKERS = ("redis", "rediss", "redis+socket", "sentinel", "amqp", "amqps", "filesystem")
ENCODE = "Signs such as @ : / # in its password are written as %40 %3A %2F %23."


def text(name: str, default: str = "") -> str:
    """A setting as it stands; one that is empty counts as not set."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool = False) -> bool:
    """A yes/no setting; anything else than 1/0, true/false, yes/no, on/off is refused."""
    value = text(name, "1" if default else "0").lower()
    if value not in {"1", "0", "true", "false", "yes", "no", "on", "off"}:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
    return value in {"1", "true", "yes", "on"}


def number(name: str, default: int, lowest: int, highest: int) -> int:
    """A whole number within limits."""
    value = text(name, str(default))
    if not (value.isascii() and value.isdigit() and lowest <= int(value) <= highest):
        raise ImproperlyConfigured(f"{name} must be a whole number from {lowest} to {highest}, not {value!r}.")
    return int(value)


def proxies(name: str) -> int:
    """How many proxies stand in front; yes and no, as they used to be written, mean one and none."""
    if text(name).lower() in {"true", "yes", "on", "false", "no", "off"}:
        return int(flag(name))
    return number(name, 0, 0, 9)


def secret_key(name: str = "SECRET_KEY") -> str:
    """A key that nobody guesses: long, of many different signs, and not a short text over and over."""
    value = text(name)
    if len(value) < 32:
        raise ImproperlyConfigured(f"{name} must be set to 32 characters or more. `make setup` writes one into .env.")
    if len(set(value)) < 8 or len(zlib.compress(value.encode(), 9)) - 8 < 24:
        raise ImproperlyConfigured(
            f"{name} repeats itself and could be guessed. "
            "`python -c 'import secrets; print(secrets.token_urlsafe(50))'` makes a good one."
        )
    return value


def folder(name: str, default: Path, base: Path) -> Path:
    """A folder that this process may write to; made when it is missing. Relative ones start at ``base``."""
    return writable(name, base / text(name, str(default)))


def writable(name: str, path: Path) -> Path:
    """``path``, made when it is missing; refused where this process may not write to it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: the folder {path} cannot be made ({error.strerror}).") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"{name}: the folder {path} cannot be written to by the user with the number {os.getuid()}."
        )
    return path


def _split(name: str, value: str, expected: str) -> SplitResult:
    """The parts of an address, with a port that is a number."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be an address such as {expected}. {ENCODE}") from error
    if port == 0 or re.search(r"\s", value):
        raise ImproperlyConfigured(f"{name} must be an address such as {expected}.")
    return parts


def web_address(name: str, default: str) -> str:
    """The public address: http or https, a host, perhaps a port, and nothing behind them."""
    value = text(name, default).rstrip("/")
    expected = "https://skills.example.org"
    parts = _split(name, value, expected)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
        raise ImproperlyConfigured(f"{name} must be an address such as {expected}, not {value!r}.")
    if not re.fullmatch(r"(?!.*\.\.)[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+", host):
        raise ImproperlyConfigured(f"{name}: {host!r} is no host name; names with other letters are written as xn--….")
    if parts.path or value.endswith(":") or re.search(r"[?#]", value):
        raise ImproperlyConfigured(f"{name} must end with the host or port: nothing may follow it, as in {expected}.")
    return value


def hosts(name: str) -> list[str]:
    """Host names, separated by commas; no addresses."""
    found = [host.strip() for host in text(name).split(",") if host.strip()]
    for host in found:
        if not re.fullmatch(r"\*|\.?[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]", host):
            raise ImproperlyConfigured(f"{name} holds host names such as skills.example.org, not {host!r}.")
    return found


def database(name: str, default: Path) -> dict:
    """Django's settings of the database: PostgreSQL with a name, or a file of SQLite."""
    value = text(name, f"sqlite:///{default}")
    expected = "postgresql://user:password@host/name"
    scheme = value.partition(":")[0]
    if scheme not in {"postgres", "postgresql", "sqlite"}:
        raise ImproperlyConfigured(f"{name} must name PostgreSQL or SQLite, such as {expected}.")
    # Without a path SQLite would keep it in memory: one for each process, gone with it.
    if scheme == "sqlite" and not re.match(r"sqlite:///+[^/]", value):
        raise ImproperlyConfigured(f"{name} must name the file of SQLite, such as sqlite:////var/app/db.sqlite3.")
    try:
        found = environ.Env.db_url_config(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be an address such as {expected}. {ENCODE}") from error
    if scheme == "sqlite":
        return found
    port = str(found["PORT"] or 5432)
    if not found["NAME"] or not all(one.isdigit() and 0 < int(one) < 65_536 for one in port.split(",")):
        raise ImproperlyConfigured(f"{name} must name a database, such as {expected}. {ENCODE}")
    return found


def redis_address(name: str) -> str:
    """A Redis server by host or socket, or nothing."""
    value = text(name)
    if not value:
        return ""
    expected = "redis://host:6379/0"
    parts = _split(name, value, expected)
    place = {"redis": parts.hostname, "rediss": parts.hostname, "unix": parts.path.strip("/")}.get(parts.scheme)
    if not place:
        raise ImproperlyConfigured(f"{name} must be an address such as {expected}, rediss://… or unix:///path.")
    if parts.scheme != "unix" and parts.path.strip("/") and not parts.path.strip("/").isdigit():
        raise ImproperlyConfigured(f"{name}: what follows the host is the number of a database, as in {expected}.")
    _check_redis(name, value, parts, expected)
    return value


def _check_redis(name: str, value: str, parts: SplitResult, expected: str) -> None:
    """That both who keep counters and who hand jobs on can make use of an address, which each finds out late."""
    read = {"rediss": r"ssl_\w+", "unix": "db"}.get(parts.scheme, "")
    if any(not re.fullmatch(read, one.partition("=")[0]) for one in parts.query.split("&") if one):
        raise ImproperlyConfigured(f"{name} takes no options behind a ?, but for those of rediss that begin with ssl_.")
    try:
        redis.ConnectionPool.from_url(value).make_connection()
    except (redis.RedisError, TypeError, ValueError) as error:
        raise ImproperlyConfigured(f"{name} must be an address such as {expected}. {ENCODE}") from error


def broker_address(name: str, redis: str) -> str:
    """Where jobs are handed on: as told, else the Redis of the cache, else a folder."""
    default = redis.replace("unix://", "redis+socket://", 1) if redis else "filesystem://localhost"
    value = text(name, default)
    parts = _split(name, value, "redis://host:6379/0")
    if parts.scheme not in BROKERS or not (parts.hostname or parts.path.strip("/")):
        raise ImproperlyConfigured(f"{name} must be an address such as redis://host:6379/0 or amqp://host.")
    return redis_address(name) or value if parts.scheme in {"redis", "rediss"} else value


def queue(name: str) -> str:
    """The name of a queue."""
    value = text(name, "celery")
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,80}", value):
        raise ImproperlyConfigured(f"{name} is a name of letters, digits, - _ and ., not {value!r}.")
    return value


def mail_server(name: str, default: str) -> dict:
    """Django's settings of the mail server."""
    value = text(name, default)
    expected = "smtp+tls://user:password@host:587"
    parts = _split(name, value, expected)
    if parts.scheme not in environ.Env.EMAIL_SCHEMES:
        known = ", ".join(environ.Env.EMAIL_SCHEMES)
        raise ImproperlyConfigured(f"{name} must be an address such as {expected}; it may begin with {known}.")
    if parts.scheme.startswith("smtp") and not parts.hostname:
        raise ImproperlyConfigured(f"{name} must name the host of the mail server, such as {expected}. {ENCODE}")
    if parts.scheme == "filemail" and not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name} must name a folder, such as filemail:///var/mails.")
    if parts.query:
        raise ImproperlyConfigured(f"{name} takes no options behind a ?. smtp+tls:// and smtp+ssl:// send encrypted.")
    return environ.Env.email_url_config(value)


def sender(name: str, default: str) -> str:
    """Who mails come from: an address, perhaps with a name before it."""
    value = text(name)
    if not value:
        return default
    try:
        if "\n" in value or "\r" in value:
            raise ValidationError("More than a line.")
        # A name with a comma in it, or two addresses: no mail server takes it.
        ((_, address),) = getaddresses([value])
        validate_email(address)
    except (ValidationError, ValueError) as error:
        raise ImproperlyConfigured(
            f"{name} must be such as People team <people@example.org>, not {value!r}."
        ) from error
    return value


def time_zone(name: str) -> str:
    """A time zone by its name."""
    value = text(name, "UTC")
    if value not in available_timezones():
        close = difflib.get_close_matches(value, available_timezones(), 1, 0.6)
        meant = f" Did you mean {close[0]}?" if close else ""
        raise ImproperlyConfigured(f"{name} must be a name such as Europe/Berlin, not {value!r}.{meant}")
    return value


def log_level(name: str) -> str:
    """How much is logged."""
    value = text(name, "WARNING").upper()
    if value not in LEVELS:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(LEVELS)}, not {value!r}.")
    return value


def likely_typos(names) -> list[str]:
    """Sentences about variables whose names look like ours and are not."""
    said = []
    for name in sorted(set(names) - KNOWN):
        close = difflib.get_close_matches(name.upper(), KNOWN - {"HOST", "PORT", "DEMO", "DEBUG"}, 1, 0.86)
        if close:
            said.append(f"{name} is set, which nothing reads; {close[0]} may be meant.")
    return said


def file_text(file: Path) -> str:
    """What a .env file says, with or without the mark that some editors write in front; empty where there is none."""
    try:
        return file.read_text(encoding="utf-8-sig") if file.is_file() else ""
    except UnicodeDecodeError as error:
        raise ImproperlyConfigured(f"{file.name} is not UTF-8 text. Save it as UTF-8.") from error
    except OSError as error:
        raise ImproperlyConfigured(f"{file.name} cannot be read ({error.strerror}).") from error


def names_in(text: str) -> list[str]:
    """The variables that the text of a .env file sets."""
    lines = (line.strip().removeprefix("export ").strip() for line in text.splitlines())
    return [line.partition("=")[0].strip() for line in lines if "=" in line and not line.startswith("#")]


def read_file(file: Path) -> None:
    """Take in what a .env file sets and the environment does not. It is ours alone, so misspelt names are refused."""
    content = file_text(file)
    said = likely_typos(names_in(content))
    if said:
        raise ImproperlyConfigured(f"{file.name}: {said[0]}")
    environ.Env.read_env(StringIO(content))
