"""What a failed attempt means: whether it is worth another one, whose trouble it is, and what to tell people."""

import smtplib
import ssl
from dataclasses import dataclass

SIGN_IN = {530, 534, 535, 538}
"""Answers that ask for another sign-in, wherever in the conversation they come."""
CLOSING = {421, 454}
"""The server is about to close, or cannot do TLS or the sign-in just now."""


@dataclass(frozen=True)
class Failure:
    """``is_server``: no mail goes out, whoever it is for. ``is_final``: not worth another attempt."""

    words: str
    answer: str
    is_server: bool = False
    is_final: bool = False


def failure_of(error: Exception, *, connected: bool) -> Failure:
    """Read an error of smtplib or of the network; ``connected`` says whether the conversation had begun."""
    code, answer = _answer(error)
    if not connected:
        return Failure(_words_of_connecting(error, code), answer, is_server=True)
    if code in SIGN_IN:
        return Failure("the mail server refuses our sign-in", answer, is_server=True)
    if isinstance(error, smtplib.SMTPSenderRefused):
        return Failure("the mail server does not let us send from our address", answer, is_server=True)
    if code in CLOSING:
        return Failure("the mail server is not available just now", answer, is_server=True)
    if _is_timeout(error):
        return Failure("the mail server did not answer in time", answer, is_server=True)
    if isinstance(error, smtplib.SMTPNotSupportedError | ValueError):
        return Failure("a mail cannot be written to this address", answer, is_final=True)
    if code >= 500:
        return Failure(_words_of_refusal(code, answer), answer, is_final=True)
    if code >= 400:
        return Failure("the receiving side asks to come back later", answer)
    return Failure("the conversation with the mail server broke off", answer)


def _answer(error: Exception) -> tuple[int, str]:
    """The server's code (0 when it said nothing) and its words."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error  # type: ignore[assignment]
    else:
        return 0, (str(error) or type(error).__name__)[:300]
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return int(code), f"{code} {' '.join(text.split())}"[:300]


def _is_timeout(error: Exception) -> bool:
    """smtplib tells of a lost connection where an answer did not come in time."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def _words_of_connecting(error: Exception, code: int) -> str:
    if code in SIGN_IN or isinstance(error, smtplib.SMTPAuthenticationError) or "uthentication" in str(error):
        return "the mail server refuses our sign-in"
    if isinstance(error, ssl.SSLError) or code == 454 or "STARTTLS" in str(error):
        return "there is no secure connection to the mail server"
    if _is_timeout(error):
        return "the mail server did not answer in time"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server refuses our sign-in"
    if code:
        return "the mail server turns us away"
    return "the mail server cannot be reached"


def _words_of_refusal(code: int, answer: str) -> str:
    """Why a mail is refused for good, by the extended code where there is one (RFC 3463)."""
    words = answer.lower()
    if "5.2.2" in words or "full" in words or code == 552:
        return "the mailbox is full"
    if "5.7." in words or "spam" in words or code == 554:
        return "the receiving side refuses our mail"
    if code in {550, 551, 553} or "5.1." in words:
        return "there is no such address"
    return "the receiving side refuses this mail"
