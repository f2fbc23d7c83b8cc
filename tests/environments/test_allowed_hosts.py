"""Which texts are hosts, and which addresses are the public internet's."""

from __future__ import annotations

import pytest

from mop.environments import allowed_host, host_text
from mop.environments.allowed_hosts import is_public


@pytest.mark.parametrize(
    ("text", "kept", "public"),
    [
        ("api.example", "api.example", True),
        (" API.Example:443 ", "api.example", True),
        ("api.example:8443", "api.example:8443", True),
        ("localhost:8443", "localhost:8443", True),  # a name: what it leads to is looked at when it is asked for
        ("127.1", "127.1", True),  # no address as it stands there, whatever a resolver makes of it
        ("127.0.0.1:8443", "127.0.0.1:8443", False),
        ("10.1.2.3", "10.1.2.3", False),
        ("::1", "[::1]", False),
        ("[0:0::1]:8443", "[::1]:8443", False),
    ],
)
def test_a_host_is_a_name_for_public_addresses_or_a_literal_address(*, text: str, kept: str, public: bool):
    target = allowed_host(text)
    assert (host_text(target), target.public, target.tls) == (kept, public, True)
    assert allowed_host(kept) == target


@pytest.mark.parametrize(
    "text",
    [
        *("", "*", "*.example", "https://api.example", "api.example/path", "user@api.example", "api.example:", "a b"),
        *("api.example:0", "api.example:65536", "api.example:80:80", "api..example", "-a.example", ".example"),
        *("bücher.example", "api.example:٤٤٣", "a" * 64, "a." * 127 + "aa", "api.example.", "[api.example]", "a\0b"),
        *(
            "0.0.0.0:443",
            "224.0.0.1",
            "169.254.169.254",
            "fe80::1",
            "::ffff:169.254.169.254",
            "[::]:443",
            "fe80::1%eth0",
        ),
    ],
)
def test_what_is_no_host_is_refused(text: str):
    with pytest.raises(ValueError, match=r"is not a host|no address of a service"):
        allowed_host(text)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_public_addresses(address: str):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.1.2.3"),
        *("224.0.0.1", "255.255.255.255", "::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "::"),
        # these lead on to an address of their own
        *(
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2002:a00:1::",
        ),
    ],
)
def test_addresses_that_are_not_public(address: str):
    assert not is_public(address)
