"""What htmx gets where the answer would be a whole page: a redirect of the whole window, or a sentence in place.

Requests of htmx ask for a part of a page, and whatever comes is put into that part. A page to sign in, "not found" or
"the deadline has passed" would be drawn inside it. This middleware makes a redirect of a redirect, and of every other
whole page its heading and first paragraph, which static/js/app.js shows beside the page: nothing typed is lost.
"""

import json
import re
from html import unescape

from django.middleware.csrf import get_token

HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
PARAGRAPH = re.compile(r"<p\b[^>]*>(.*?)</p>", re.DOTALL)
TAG = re.compile(r"<[^>]+>")


class InPlaceMiddleware:
    """Answers htmx with parts of pages only."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if not request.htmx:
            return response
        if response.status_code in {301, 302, 303, 307, 308}:
            return _lead(response, response["Location"])
        if is_whole_page(response):
            if response.status_code < 300:
                return _lead(response, request.get_full_path() if request.method == "GET" else "/")
            return _say(request, response)
        return response


def is_whole_page(response) -> bool:
    """Whether a response is a document, and not a part of one."""
    if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
        return False
    return response.content[:200].lstrip().lower().startswith(b"<!doctype")


def _lead(response, address: str):
    """The same response as a redirect of the whole window; cookies stay."""
    del response["Location"]
    response.status_code = 204
    response.content = b""
    response["HX-Redirect"] = address
    return response


def _say(request, response):
    """The page's heading and first sentence in the place of the page."""
    said = dict(zip(("title", "text"), in_short(response.content.decode()), strict=True))
    if getattr(response, "is_for_another_try", False):
        said |= {"token": get_token(request), "who": str(getattr(request.user, "pk", None) or "")}
    response.content = b""
    response["HX-Reswap"] = "none"
    response["HX-Trigger"] = json.dumps({"said": said})
    return response


def in_short(page: str) -> tuple[str, str]:
    """The heading of a page and the paragraph after it, as text."""
    heading = HEADING.search(page)
    if heading is None:
        return "That did not work", ""
    paragraph = PARAGRAPH.search(page, heading.end())
    return _text(heading[1]), _text(paragraph[1]) if paragraph else ""


def _text(html: str) -> str:
    return " ".join(unescape(TAG.sub("", html)).split())
