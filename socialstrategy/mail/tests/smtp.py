"""Starts and stops the tests' own mail server, a process of its own."""

import email
import json
import socket
import subprocess
import sys
import time
from pathlib import Path


class SmtpServer:
    """``start`` and ``stop`` it, change its ``mood``, read what it has ``received``."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen | None = None
        self.mood()

    def start(self) -> None:
        script = Path(__file__).with_name("smtp_server.py")
        self.process = subprocess.Popen([sys.executable, str(script), str(self.port), str(self.folder)])
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline, "the mail server did not start"
            time.sleep(0.02)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def mood(self, **moods) -> None:
        """From now on it behaves like this, and otherwise well; see smtp_server.py."""
        part = self.folder / "mood.part"
        part.write_text(json.dumps(moods))
        part.rename(self.folder / "mood.json")

    def received(self) -> list:
        """The mails it took, oldest first, as email messages with their headers as they were sent."""
        files = sorted(self.folder.glob("*.eml"), key=lambda file: int(file.stem))
        return [email.message_from_bytes(file.read_bytes()) for file in files]
