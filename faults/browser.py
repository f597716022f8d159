"""As much of a browser as somebody needs who works with pages, links and forms: cookies, redirects, forms as shown."""

from __future__ import annotations

import http.client
import re
import time
import uuid
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit


class NoAnswerError(Exception):
    """The server did not answer, or not as it should: nothing is known about what it did."""


class RefusedError(Exception):
    """The server said no, in a page."""


@dataclass
class Form:
    action: str
    method: str = "get"
    values: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    text: str = ""

    def has(self, *names: str) -> bool:
        return set(names) <= {name for name, _ in self.values} | set(self.choices)


@dataclass
class Page:
    url: str
    status: int
    html: str
    forms: list[Form]
    links: list[str]

    def form(self, *names: str, text: str = "", action: str = "") -> Form | None:
        """The first form with these fields, words and address."""
        fit = (one for one in self.forms if one.has(*names) and text in one.text and action in one.action)
        return next(fit, None)

    @property
    def problem(self) -> str:
        """What the page says is wrong."""
        found = re.findall(r'class="[^"]*(?:invalid-feedback|alert|bad)[^"]*"[^>]*>(.*?)</', self.html, re.DOTALL)
        return " ".join(re.sub(r"<[^>]+>", "", " ".join(found)).split())[:200]

    def need(self, *names: str, text: str = "", action: str = "") -> Form:
        found = self.form(*names, text=text, action=action)
        if found is None:
            raise RefusedError(f"{self.url} ({self.status}) has no form with {names or text or action}")
        return found


class _Forms(HTMLParser):
    def __init__(self, url: str):
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.form: Form | None = None
        self.by_id: dict[str, Form] = {}
        self.select = self.area = ""
        self.chosen: str | None = None

    def handle_starttag(self, tag, attributes):
        found = {name: value or "" for name, value in attributes}
        if tag == "a" and "href" in found:
            self.links.append(urljoin(self.url, found["href"]))
        elif tag == "form":
            self.form = Form(urljoin(self.url, found.get("action") or self.url), found.get("method", "get").lower())
            self.forms.append(self.form)
            self.by_id[found.get("id", "")] = self.form
        form = self.by_id.get(found["form"]) if found.get("form") else self.form
        name = found.get("name", "")
        if form is None:
            return
        if tag == "input" and name:
            self._input(form, name, found)
        elif tag == "select" and name:
            self.select, self.chosen = name, None
            form.choices[name] = []
        elif tag == "option" and self.select:
            form.choices[self.select].append(found.get("value", ""))
            if "selected" in found or self.chosen is None:
                self.chosen = found.get("value", "")
        elif tag == "textarea" and name:
            self.area = name
            form.values.append((name, ""))

    def _input(self, form: Form, name: str, found: dict) -> None:
        kind, value = found.get("type", "text"), found.get("value", "")
        if kind in {"radio", "checkbox"}:
            form.choices.setdefault(name, []).append(value or "on")
            if "checked" in found:
                form.values.append((name, value or "on"))
        elif kind not in {"submit", "button", "image"}:
            form.values.append((name, value))

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None
        elif tag == "textarea":
            self.area = ""
        elif tag == "select" and self.form and self.select:
            self.form.values.append((self.select, self.chosen or ""))
            self.select = ""

    def handle_data(self, data):
        if self.form is None:
            return
        if self.area:
            name, before = self.form.values[-1]
            self.form.values[-1] = (name, before + (data.removeprefix("\n") if not before else data))
        else:
            self.form.text += data


class Browser:
    """One person's browser."""

    def __init__(self, base: str, timeout: float = 20, patience: float = 90):
        self.host, self.base, self.timeout, self.patience = urlsplit(base).netloc, base, timeout, patience
        self.cookies: dict[str, str] = {}

    def get(self, url: str) -> Page:
        return self._follow("GET", urljoin(self.base, url), b"", "")

    def submit(self, form: Form, *, file: tuple[str, str, bytes] | None = None, **values) -> Page:
        """Send a form as it is shown, with these values in it; ``file``: field, name, content."""
        given = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
        pairs = [(name, value) for name, value in form.values if name not in given and not (file and name == file[0])]
        pairs += [(name, value) for name, several in given.items() for value in several]
        if form.method == "get":
            return self.get(f"{form.action.partition('?')[0]}?{urlencode(pairs)}")
        if file:
            return self._follow("POST", form.action, *_multipart(pairs, file))
        return self._follow("POST", form.action, urlencode(pairs).encode(), "application/x-www-form-urlencoded")

    def _follow(self, method: str, url: str, body: bytes, kind: str) -> Page:
        status, place, html = self._ask(method, url, body, kind)
        for _ in range(8):
            if status not in {301, 302, 303, 307, 308}:
                break
            url = urljoin(url, place)
            status, place, html = self._ask_until_answered(url)
        if status >= 500:
            raise NoAnswerError(f"{url} answered {status}")
        parser = _Forms(url)
        parser.feed(html)
        return Page(url, status, html, parser.forms, parser.links)

    def _ask_until_answered(self, url: str) -> tuple[int, str, str]:
        """What a redirect answers has been done: whatever becomes of the page that it leads to."""
        deadline = time.monotonic() + self.patience
        while True:
            try:
                found = self._ask("GET", url, b"", "")
                if found[0] < 500 or time.monotonic() > deadline:
                    return found
            except NoAnswerError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.2)

    def _ask(self, method: str, url: str, body: bytes, kind: str) -> tuple[int, str, str]:
        parts = urlsplit(url)
        if parts.netloc != self.host:
            raise RefusedError(f"{url} is on another machine")
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers |= {"Content-Type": kind} if kind else {}
        connection = http.client.HTTPConnection(self.host, timeout=self.timeout)
        try:
            connection.request(method, f"{parts.path}{'?' * bool(parts.query)}{parts.query}", body or None, headers)
            answer = connection.getresponse()
            html = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError(f"{url}: {type(error).__name__} {error}") from error
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return answer.status, answer.headers.get("Location", ""), html


def _multipart(pairs, file: tuple[str, str, bytes]) -> tuple[bytes, str]:
    mark = uuid.uuid4().hex
    lines = []
    for name, value in pairs:
        lines.append(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    name, file_name, content = file
    head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
    lines.append(f"{head}Content-Type: text/csv\r\n\r\n".encode() + content + f"\r\n--{mark}--\r\n".encode())
    return b"".join(lines), f"multipart/form-data; boundary={mark}"
