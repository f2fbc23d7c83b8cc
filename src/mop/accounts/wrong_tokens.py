"""A limit on wrong access tokens from one address.

A token is 256 random bits, so the limit does not stop guessing: nobody guesses one. It slows scripts that go on with a
token that has ended, and tells the operator. A right token is let in whatever else comes from its address, so that
one broken script behind a shared address shuts nobody out.
"""

from __future__ import annotations

import ipaddress
import logging
import time

from django.core.cache import cache

from mop.errors import TooManyRequestsError

logger = logging.getLogger(__name__)
WRONG_TOKENS_MAX = 30
WINDOW_SECONDS = 60
IPV6_PREFIX = 64  # one customer has at least so many addresses


def count_wrong_token(address: str) -> None:
    """Count one more wrong token from an address.

    Raises:
        TooManyRequestsError: it sent more than 30 within this minute.
    """
    now = time.time()
    key = f"wrong-tokens:{int(now // WINDOW_SECONDS)}:{_network(address)}"
    count = cache.get(key) or 0
    if count >= WRONG_TOKENS_MAX:
        wait = WINDOW_SECONDS - int(now % WINDOW_SECONDS)
        raise TooManyRequestsError(
            f"More than {WRONG_TOKENS_MAX} wrong access tokens came from {address} within a minute.",
            hint=f"Sign in, make a new token and use that. Wrong ones are answered again in {wait} s.",
            retry_after_s=wait,
        )
    cache.set(key, count + 1, WINDOW_SECONDS)
    if count + 1 == WRONG_TOKENS_MAX:
        logger.warning("%s sent %d wrong access tokens within a minute", address, WRONG_TOKENS_MAX)


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    return str(ipaddress.ip_network(f"{found}/{IPV6_PREFIX}", strict=False))
