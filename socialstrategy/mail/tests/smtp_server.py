"""An SMTP server with moods, for tests: python smtp_server.py PORT FOLDER

It keeps each mail it takes as FOLDER/n.eml. How it behaves stands in FOLDER/mood.json, read before every answer:

greeting   what it says first, such as "554 go away"
auth       what it answers to a sign-in; it offers one only then
starttls   what it answers to STARTTLS; it offers that only then, and goes on without TLS
mail       what it answers to MAIL FROM
rcpt       {address: answer for ever, or [answer, answer, …] before it agrees}
data       what it answers to a whole mail, or "drop": it hangs up in the middle
delay      seconds before each answer
after      seconds before the answer to a whole mail, which it has kept by then
"""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path


class Server:
    def __init__(self, folder: Path):
        self.folder = folder
        self.asked: Counter = Counter()

    def mood(self, name: str, default=None):
        return json.loads((self.folder / "mood.json").read_text()).get(name, default)

    async def talk(self, reader, writer) -> None:
        """One conversation."""

        async def say(answer: str) -> None:
            await asyncio.sleep(self.mood("delay", 0))
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()

        try:
            await say(self.mood("greeting", "220 moody"))
            while line := await reader.readline():
                command = line.decode("utf-8", "replace").strip()
                verb = command.partition(" ")[0].upper()
                if verb == "DATA" and not await self.take(reader, writer, say):
                    break
                if verb != "DATA":
                    await say(self.answer(verb, command))
                if verb == "QUIT":
                    break
        finally:
            writer.close()

    def answer(self, verb: str, command: str) -> str:
        if verb == "EHLO":
            offers = ["AUTH PLAIN LOGIN"] if self.mood("auth") else []
            offers += ["STARTTLS"] if self.mood("starttls") else []
            lines = ["moody", *offers, "8BITMIME"]
            return "\r\n".join(f"250{' ' if line == lines[-1] else '-'}{line}" for line in lines)
        if verb == "RCPT":
            return self.judge(command.partition("<")[2].partition(">")[0])
        return self.mood(verb.lower()) or ("221 bye" if verb == "QUIT" else "250 ok")

    def judge(self, address: str) -> str:
        answers = self.mood("rcpt", {}).get(address, [])
        if isinstance(answers, str):
            return answers
        self.asked[address] += 1
        return answers[self.asked[address] - 1] if self.asked[address] <= len(answers) else "250 ok"

    async def take(self, reader, writer, say) -> bool:
        """Read one mail and keep it; False when this was the end of the conversation."""
        await say("354 go on")
        text = b""
        while (line := await reader.readline()) != b".\r\n":
            text += line[1:] if line.startswith(b"..") else line
            if not line or self.mood("data") == "drop":
                return False
        refusal = self.mood("data")
        if not refusal:
            count = len(list(self.folder.glob("*.eml")))
            part = self.folder / "coming.part"
            part.write_bytes(text)
            part.rename(self.folder / f"{count}.eml")
        await asyncio.sleep(self.mood("after", 0))
        await say(refusal or "250 kept")
        return True


async def main(port: int, folder: Path) -> None:
    server = await asyncio.start_server(Server(folder).talk, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
