"""Which page a request was made on."""

from urllib.parse import urlsplit

from django.utils.http import url_has_allowed_host_and_scheme


def page_of(request) -> str:
    """The request's own address if a page was asked for, else that of the page with the form or the part."""
    if request.htmx:
        return request.htmx.current_url_abs_path or "/"
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    return came_from(request) or request.get_full_path()


def came_from(request) -> str:
    """The address of the page of this house that led here; empty if it is not known."""
    address = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}, request.is_secure()):
        return ""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
