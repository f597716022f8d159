"""Where a request comes from."""

import ipaddress
import logging

from django.conf import settings

IPV6_HOUSEHOLD = 64
logger = logging.getLogger(__name__)
_is_said = False


def address(request) -> str:
    """The address that limits count by: the visitor's own, as far as somebody trusted has seen it.

    Each proxy adds the address it was asked from at the right of X-Forwarded-For, so with ``TRUSTED_PROXIES`` of them
    the visitor stands that many places from the right. What stands further left was written by whoever asked, and is
    not read. An IPv6 address counts with its whole household (/64), which one visitor can use at will.
    """
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    direct = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXIES
    if not proxies:
        _say_once(bool(seen))
        return _plain(direct) or "unknown"
    # With fewer entries than proxies the outermost one was passed by: its place is taken by the one after it.
    claimed = seen[max(0, len(seen) - proxies)] if seen else direct
    return _plain(claimed) or _plain(direct) or "unknown"


def _plain(text: str) -> str:
    """An address without port and brackets, or nothing when it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, IPV6_HOUSEHOLD), strict=False).network_address)
    return str(found)


def _say_once(is_forwarded: bool) -> None:
    global _is_said
    if is_forwarded and not _is_said:
        _is_said = True
        logger.warning(
            "A request came with X-Forwarded-For, and TRUST_PROXY is 0. If a proxy stands in front, set TRUST_PROXY to "
            "the number of proxies: without it all visitors count as one, and limits on attempts hit everybody."
        )
