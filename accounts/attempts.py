"""How often a password may be guessed, without anybody being able to lock others out.

Wrong passwords count by account and address together, so that a stranger who guesses elsewhere stops nobody. Two wider
limits slow down whoever tries one account from many addresses, or many accounts from one. They can hit others too, so
a browser from which somebody has signed in before has a limit of its own instead, and choosing a new password by mail
is always possible and makes a browser known.
"""

import secrets

from allauth.account.signals import password_reset
from django.conf import settings
from django.core import signing
from django.dispatch import receiver
from django.utils.crypto import salted_hmac

from socialstrategy.lib import visitors
from socialstrategy.lib.addresses import canonical
from socialstrategy.lib.limits import Limit, minutes

HERE = Limit("sign-in here", 5, 10 * 60)
ADDRESS = Limit("sign-in address", 60, 10 * 60)
ACCOUNT = Limit("sign-in account", 120, 60 * 60)
"""Four times what one address can reach: one stranger alone stops nobody elsewhere."""
KNOWN_BROWSER = Limit("sign-in known browser", 10, 10 * 60)
RESET_ADDRESS = Limit("reset address", 30, 10 * 60)
RESET_ACCOUNT = Limit("reset account", 3, 15 * 60)

COOKIE = "known_browser"
COOKIE_SECONDS = 180 * 24 * 3600
MOST_ACCOUNTS = 8


class Attempt:
    """One attempt to sign in to the account with this address."""

    def __init__(self, request, email: str):
        account = canonical(email)
        browser, known = read_cookie(request)
        address = visitors.address(request)
        self.limits: list[tuple[Limit, tuple[str, ...]]]
        if _digest(account) in known:
            self.limits = [(KNOWN_BROWSER, (browser, account))]
        else:
            self.limits = [(HERE, (account, address)), (ADDRESS, (address,)), (ACCOUNT, (account,))]

    def take(self) -> str:
        """Count it; a sentence when it is one too many, else nothing."""
        for limit, who in self.limits:
            # What a narrow limit stops does not count in a wider one, which others share.
            if not limit.take(*who):
                wait = minutes(limit.wait())
                return f"Too many wrong passwords. Wait {wait}, or choose a new password by mail, which works at once."
        return ""

    def give_back(self) -> None:
        """The password was right: it does not count."""
        for limit, who in self.limits:
            limit.give_back(*who)


def may_mail_reset(request, email: str) -> bool | None:
    """Whether to mail a link for a new password; None when this visitor has asked too often altogether.

    A mail that went out a moment ago does again: nobody's mailbox is filled, and nobody is kept from a new password.
    """
    account = canonical(email)
    _, known = read_cookie(request)
    if _digest(account) not in known and not RESET_ADDRESS.take(visitors.address(request)):
        return None
    return RESET_ACCOUNT.take(account)


def _digest(account: str) -> str:
    return salted_hmac(COOKIE, account).hexdigest()[:24]


def read_cookie(request) -> tuple[str, list[str]]:
    """This browser's own number, and digests of the accounts that were signed in to from it."""
    try:
        value = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=COOKIE_SECONDS)
        return str(value["browser"]), [str(digest) for digest in value["accounts"]]
    except (signing.BadSignature, KeyError, TypeError):
        return secrets.token_urlsafe(12), []


def remember(request, email: str) -> None:
    """This browser is known for the account from the next response on."""
    request.known_browser_for = canonical(email)


@receiver(password_reset)
def remember_after_reset(sender, request, user, **kwargs):
    remember(request, user.email)


class KnownBrowserMiddleware:
    """Puts a signed cookie into a browser from which somebody has signed in; it opens nothing."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        account = getattr(request, "known_browser_for", "")
        if account:
            browser, known = read_cookie(request)
            accounts = [_digest(account), *(digest for digest in known if digest != _digest(account))][:MOST_ACCOUNTS]
            response.set_cookie(
                COOKIE,
                signing.dumps({"browser": browser, "accounts": accounts}, salt=COOKIE),
                max_age=COOKIE_SECONDS,
                httponly=True,
                samesite="Lax",
                secure=settings.IS_SECURE,
            )
        return response
