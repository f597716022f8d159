"""A mail server that keeps what it has taken, and can be away, put off or hang up."""

from __future__ import annotations

import contextlib
import email
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from email.message import Message

from aiosmtpd.controller import Controller

from faults.servers import free_port


class Mailbox:
    """``mode``: take, greylist (450 at each recipient), drop (hang up after the text). ``on_taken`` is called once,
    when it has the next mail and has not yet said so."""

    def __init__(self):
        self.mode = "take"
        self.on_taken: Callable[[], None] | None = None
        self.taken: dict[str, list[Message]] = defaultdict(list)
        self.lock = threading.Lock()
        self.controller: Controller | None = None
        self.port = free_port()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.mode == "greylist":
            return "450 4.2.0 Greylisted, please come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if self.mode == "drop":
            server.transport.abort()
            return "421 Gone"
        message = email.message_from_bytes(envelope.content)
        with self.lock:
            self.taken[envelope.rcpt_tos[0]].append(message)
            on_taken, self.on_taken = self.on_taken, None
        if on_taken:
            on_taken()
            server.transport.abort()
        return "250 Taken"

    def open(self) -> None:
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=20)
        self.controller.start()

    def close(self) -> None:
        if self.controller:
            self.controller.stop(no_assert=True)
            self.controller = None

    @contextlib.contextmanager
    def behaving(self, mode: str):
        """Within it the server does as it is told: away, greylist or drop."""
        if mode == "away":
            self.close()
        self.mode = mode
        try:
            yield
        finally:
            self.mode = "take"
            if mode == "away":
                self.open()

    def messages(self, to: str) -> list[Message]:
        with self.lock:
            return list(self.taken.get(to, ()))

    def twice(self) -> int:
        """Mails that came more than once under the same Message-ID, by which mail programs tell that it is the same."""
        with self.lock:
            ids = [[one["Message-ID"] for one in found] for found in self.taken.values()]
        return sum(len(found) - len(set(found)) for found in ids)


def link_in(message: Message) -> str:
    """The path of the link in a mail."""
    text = message.get_payload(decode=True).decode()
    return re.search(r"https?://[^/\s]+(/\S+)", text).group(1)
