"""What the log holds: no key of a link, no e-mail address, no row of a table; and one line for an outage."""

import copy
import logging
import re
import time

from socialstrategy.lib import outages

AGAIN_AFTER_SECONDS = 60.0
PROBES = ("/healthz", "/readyz")

UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
KEY = re.compile(rf"(?<![\w-])(?!{UUID}(?![\w-]))(?=[\w-]*[0-9A-Z])[A-Za-z0-9_-]{{32,}}(?![\w-])")
"""Long runs of letters and digits, as keys of links, sessions and resets are; numbers of rows (UUIDs) may stay."""
LINK = re.compile(r"(?<![\w.])((?:/|%2F)(?:[ir]|address|password/new|password%2Fnew)(?:/|%2F))[^\s/?%\"'<>&]+", re.I)
"""Whatever stands where a link has its key, however short or cut off it is."""
SIGN = r"[^\s@<>\"'(),;:=\[\]{}/?&]"
MAILBOX = rf"(?:\"[^\"\n]{{1,64}}\"|(?<!{SIGN}){SIGN}+(?:'{SIGN}+){{0,4}})"
"""It begins where a run of signs does: to try each sign of a long path for a beginning would take seconds."""
DOMAIN = r"(?:localhost\b|\[[\da-f:.]+\]|[^\W_][\w.-]*\.(?:xn--[\w-]+|[^\W\d_]{2,}))"
EMAIL = re.compile(rf"{MAILBOX}(?:@|%(?:25)*40){DOMAIN}", re.I)
ROW = re.compile(r"(Failing row contains )\(.*?\)(?=\.?(?:\n|$))", re.S)
VALUES = re.compile(r"(Key \(.*?\)=)\(.*?\)(?= (?:already|is|conflicts)\b)", re.S)
QUOTED = re.compile(r"(invalid (?:input|byte|value)[^\n:]*: ?)\"?[^\n]*")
STATEMENT = re.compile(r"^LINE \d+: .*\n(?:\s*\^.*)?", re.M)


def masked(text: str) -> str:
    """``text`` without what opens something or names somebody."""
    text = STATEMENT.sub("LINE …\n", text)
    text = ROW.sub(r"\1(…)", text)
    text = VALUES.sub(r"\1(…)", text)
    text = QUOTED.sub(r"\1…", text)
    text = LINK.sub(r"\1[key]", text)
    text = EMAIL.sub("[address]", text)
    return KEY.sub("[key]", text)


class Masking(logging.Formatter):
    """Formats as another formatter does, and masks the outcome, tracebacks included."""

    def __init__(self, *args, inner: logging.Formatter | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return masked(self.inner.format(record) if self.inner else super().format(record))


class Console(logging.StreamHandler):
    """Writes records; while something is away, one line a minute in the place of a traceback for each request."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.said_at: dict[str, float] = {}
        self.unsaid: dict[str, int] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if _is_known_already(record):
            return
        outage = outages.of(record.exc_info[1]) if record.exc_info else None
        if outage is None:
            super().emit(record)
        elif time.monotonic() - self.said_at.get(outage.name, -AGAIN_AFTER_SECONDS) < AGAIN_AFTER_SECONDS:
            self.unsaid[outage.name] = self.unsaid.get(outage.name, 0) + 1
        else:
            self.said_at[outage.name] = time.monotonic()
            super().emit(self._one_line(record, outage))

    def _one_line(self, record: logging.LogRecord, outage: outages.Outage) -> logging.LogRecord:
        reason = str(record.exc_info[1]).strip().partition("\n")[0] if record.exc_info else ""
        before = self.unsaid.pop(outage.name, 0)
        since = f" ({before} more since the last line)" if before else ""
        line = copy.copy(record)
        line.msg, line.args = f"{outage.log}{since}: {reason}", ()
        line.exc_info = line.exc_text = None
        return line


def _is_known_already(record: logging.LogRecord) -> bool:
    """Answers to probes that something is missing: whoever asks is told by the answer."""
    path = getattr(getattr(record, "request", None), "path", "")
    return record.name == "django.request" and path in PROBES and not record.exc_info


def mask_gunicorn() -> None:
    """gunicorn brings log handlers of its own, whose lines hold the paths of links."""
    for name in ("gunicorn.access", "gunicorn.error"):
        for handler in logging.getLogger(name).handlers:
            if not isinstance(handler.formatter, Masking):
                handler.setFormatter(Masking(inner=handler.formatter or logging.Formatter()))
