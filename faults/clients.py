"""People at work: HR managers, candidates and raters, each in a browser, following the pages that they are shown.

What fails is done again, as people do; what a page has confirmed goes into the ledger.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from datetime import date, timedelta

from faults.browser import Browser, Form, NoAnswerError, Page, RefusedError
from faults.ledger import Ledger
from faults.mailbox import link_in

PASSWORD = "a long pass phrase of the harness"
BREATH = 0.15
"""Seconds between two steps of somebody."""


class Client(threading.Thread):
    """Somebody who does ``turn`` after turn until all is over."""

    email = ""

    def __init__(self, url: str, ledger: Ledger, seed: int, is_over: threading.Event):
        super().__init__(name=type(self).__name__, daemon=True)
        self.browser, self.ledger, self.rng, self.is_over = Browser(url), ledger, random.Random(seed), is_over

    def run(self) -> None:
        while not self.is_over.wait(BREATH):
            try:
                if self.email and not self.is_signed_in:
                    self.sign_in()
                self.turn()
            except NoAnswerError:
                self.is_over.wait(0.3)
            except RefusedError as error:
                self.ledger.refuse(f"{self.name}: {error}")
                self.is_signed_in = False
                self.is_over.wait(0.5)

    is_signed_in = False

    def sign_in(self) -> None:
        page = self.browser.get("/sign-in/")
        form = page.form("login", "password")
        if form:
            page = self.browser.submit(form, login=self.email, password=PASSWORD)
            if page.form("login", "password"):
                raise RefusedError("the sign-in was refused")
        self.is_signed_in = True

    def turn(self) -> None:
        raise NotImplementedError

    def look(self, url: str) -> Page:
        """A page, asked for until it comes."""
        while not self.is_over.is_set():
            try:
                page = self.browser.get(url)
                if page.form("login", "password"):
                    self.is_signed_in = False
                    raise RefusedError(f"{url} asks to sign in")
                return page
            except NoAnswerError:
                self.is_over.wait(0.3)
        raise NoAnswerError("it is over")

    def send(self, page: Page, find, **values) -> Page:
        """Submit the form that ``find`` finds on the page, again from a fresh page while nobody answers."""
        while not self.is_over.wait(BREATH):
            try:
                return self.browser.submit(find(page), **values)
            except NoAnswerError:
                self.is_over.wait(0.3)
                page = self.look(page.url)
        raise NoAnswerError("it is over")


class Recruiter(Client):
    """Adds people, one after the other, and invites each to an assessment."""

    email = "hr@faults.example"

    def __init__(self, *arguments, version: int, waiting: deque):
        super().__init__(*arguments)
        self.version, self.waiting = version, waiting

    def turn(self) -> None:
        begun = time.time()
        page = self.look("/people/")
        if page.status != 200:
            raise RefusedError(f"/people/ answered {page.status}")
        self.ledger.success("page", begun)
        person = self.add()
        if person and len(self.waiting) < 12:
            self.invite(*person)

    def add(self) -> tuple[str, str] | None:
        n, begun = self.ledger.number(), time.time()
        email = f"person{n}@faults.example"
        page = self.browser.get("/people/new/")
        page = self.browser.submit(page.need("name", "email"), name=f"Person {n}", email=email, kind="candidate")
        key = page.url.rstrip("/").rpartition("/")[2]
        if page.status != 200 or not key.isdecimal():
            raise RefusedError(f"{email} was not added: {page.url} {page.status} {page.problem}")
        with self.ledger.lock:
            self.ledger.people.add(email)
        self.ledger.success("person", begun)
        return key, email

    def invite(self, key: str, email: str) -> None:
        page = self.look(f"/invitations/new/?people={key}&role_version={self.version}")
        page = self.browser.submit(
            page.need("people", "role_version", "deadline_on"),
            people=[key],
            role_version=str(self.version),
            deadline_on=(date.today() + timedelta(days=30)).isoformat(),
        )
        if page.status != 200 or page.form("deadline_on"):
            raise RefusedError(f"{email} was not invited: {page.url} {page.status} {page.problem}")
        with self.ledger.lock:
            self.ledger.invited[email] = time.time()
        self.waiting.append(email)


class Importer(Client):
    """Imports lists of ten people."""

    email = "hr2@faults.example"

    def turn(self) -> None:
        n, begun = self.ledger.number(), time.time()
        emails = [f"list{n}.{k}@faults.example" for k in range(10)]
        lines = ["Name,Email", *(f"Listed {n} {k},{email}" for k, email in enumerate(emails))]
        page = self.look("/people/import/")
        page = self.browser.submit(page.need("file"), file=("file", "people.csv", "\n".join(lines).encode()))
        batch = page.url.rstrip("/").rpartition("/")[2]
        page = self.shown(page, lambda page: page.form(action="/start/") is not None)
        page = self.send(page, lambda page: page.need(action="/start/"))
        with self.ledger.lock:
            self.ledger.imports[batch] = emails
        self.shown(page, lambda page: "of 10" not in page.html and page.form(action="/start/") is None, batch)
        self.ledger.success("import", begun)
        self.is_over.wait(1)

    def shown(self, page: Page, is_so, done: str = "") -> Page:
        """The page, looked at until it shows what is waited for."""
        for _ in range(600):
            if is_so(page) and (not done or self.is_done(done)):
                return page
            if self.is_over.wait(0.3):
                break
            page = self.look(page.url)
        raise RefusedError(f"{page.url} does not come to an end")

    @staticmethod
    def is_done(batch: str) -> bool:
        from candidates.imports import ImportBatch
        from faults.ledger import asked_again

        return asked_again(lambda: ImportBatch.objects.filter(pk=batch, state="done").exists())


class Candidate(Client):
    """Opens an invitation from the mailbox, answers everything, hands it in."""

    def __init__(self, *arguments, waiting: deque):
        super().__init__(*arguments)
        self.waiting = waiting

    def turn(self) -> None:
        try:
            email = self.waiting.popleft()
        except IndexError:
            return
        messages = self.ledger.mailbox.messages(email)
        if not messages:
            self.waiting.append(email)
            return
        self.browser = Browser(self.browser.base)
        page = self.look(link_in(messages[-1]))
        begin = page.form(action="/begin/")
        if begin is None:
            return
        page = self.browser.submit(begin)
        page = self.send(page, lambda page: page.need("consent"), consent="on")
        marks = []
        while page.form("level"):
            page = self.answer(page, marks)
        page = self.send(page, lambda page: page.need(text="Hand in"))
        if "report" in page.url and page.status == 200:
            with self.ledger.lock:
                self.ledger.handed_in[email] = marks

    def answer(self, page: Page, marks: list[str]) -> Page:
        mark, begun = self.ledger.mark(), time.time()
        level = self.rng.randint(0, 5)
        answered = self.send(page, lambda page: page.need("level"), level=str(level), note=mark)
        if answered.status != 200 or answered.url == page.url:
            raise RefusedError(
                f"the answer at {page.url} was not taken: {answered.url} {answered.status} {answered.problem}"
            )
        with self.ledger.lock:
            self.ledger.answers[mark] = level
        marks.append(mark)
        self.ledger.success("answer", begun)
        return answered


class Rater(Client):
    """Rates whom the queue shows; when it is empty, asks for nothing."""

    email = "rater@faults.example"

    def turn(self) -> None:
        page = self.look("/ratings/")
        link = next((one for one in page.links if "/ratings/" in one and one.rstrip("/").endswith("/1")), None)
        if link is None:
            self.is_over.wait(1)
            return
        request = link.rstrip("/").split("/")[-2]
        page, marks = self.look(link), []
        while page.form("level"):
            page = self.rate(page, marks)
        page = self.send(page, lambda page: page.need(text="Hand in"))
        if page.status == 200 and page.url.rstrip("/").endswith("/ratings"):
            with self.ledger.lock:
                self.ledger.rated[request] = marks

    def rate(self, page: Page, marks: list[str]) -> Page:
        mark, level, begun = self.ledger.mark(), self.rng.randint(0, 5), time.time()
        rated = self.send(page, lambda page: page.need("level"), level=str(level), note=mark)
        if rated.status != 200 or rated.url == page.url:
            raise RefusedError(f"{page.url} took no rating: {rated.url} {rated.status} {rated.problem}")
        with self.ledger.lock:
            self.ledger.ratings[mark] = level
        marks.append(mark)
        self.ledger.success("rating", begun)
        return rated


class Asker(Client):
    """An HR manager who asks the rater for a rating of somebody, now and then."""

    email = "hr3@faults.example"

    def __init__(self, *arguments, keys: list[int]):
        super().__init__(*arguments)
        self.keys = keys

    def turn(self) -> None:
        if not self.keys:
            self.is_over.wait(5)
            return
        page = self.look(f"/people/{self.keys[0]}/")
        form: Form = page.need("rater", "kind")
        page = self.browser.submit(form, rater=Rater.email, kind="peer")
        if page.status != 200:
            raise RefusedError(f"the rating was not asked for: {page.status} {page.problem}")
        self.keys.pop(0)
        self.is_over.wait(3)


class Overseer(Client):
    """An HR manager who looks at the ranking, which is read from everybody's levels."""

    email = "hr4@faults.example"

    def __init__(self, *arguments, version: int):
        super().__init__(*arguments)
        self.version = version

    def turn(self) -> None:
        begun = time.time()
        page = self.look(f"/hiring/{self.version}/")
        if page.status != 200:
            raise RefusedError(f"the ranking answered {page.status}")
        self.ledger.success("ranking", begun)
        self.is_over.wait(0.5)
