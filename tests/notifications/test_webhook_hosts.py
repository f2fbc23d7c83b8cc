"""Where webhooks may go: what the operator listed, and never where a cloud keeps its credentials."""

from __future__ import annotations

import pytest

from mop.conf.options import read_options
from mop.notifications.webhook_hosts import Allowed, RefusedTargetError, read_hosts, read_networks

HOSTS = read_hosts(["hooks.example.com", "*.partner.example", "build.internal:8443", "http://relay.internal:8080"])


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://hooks.example.com", "hooks.example.com", "/"),
        ("https://HOOKS.example.com:443/mop?x=1", "hooks.example.com", "/mop?x=1"),
        ("https://a.b.partner.example/", "a.b.partner.example", "/"),
        ("https://build.internal:8443/", "build.internal:8443", "/"),
        ("http://relay.internal:8080/", "relay.internal:8080", "/"),
    ],
)
def test_what_is_listed_is_a_target(url: str, authority: str, path: str):
    target = Allowed(HOSTS).target(url)
    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://hooks.example.com:8443/",
        "https://hooks.example.com.evil.example/",
        "https://evilpartner.example/",
        "https://partner.example/",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com/#fragment",
        "https://hooks.example.com\r\nX: y/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "https:///path",
        "https://[::1",
        "https://hooks.example.com:99999/",
        "https://127.0.0.1/",
        f"https://hooks.example.com/{'a' * 500}",
    ],
)
def test_what_is_not_listed_or_no_plain_url_is_refused(url: str):
    with pytest.raises(RefusedTargetError):
        Allowed(HOSTS).target(url)


def test_without_a_list_there_are_no_webhooks():
    with pytest.raises(RefusedTargetError, match="MOP_WEBHOOK_HOSTS"):
        Allowed().target("https://hooks.example.com/")


def test_a_star_allows_every_host_by_https_alone():
    anywhere = Allowed(read_hosts(["*"]))
    assert anywhere.target("https://any.example/").host == "any.example"
    with pytest.raises(RefusedTargetError):
        anywhere.target("http://any.example/")


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "10.20.3.4", "::ffff:10.20.3.4"])
def test_public_addresses_and_listed_networks_are_reached(address: str):
    Allowed(HOSTS, read_networks(["10.20.0.0/16"])).check_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "0.0.0.1", "::", "224.0.0.1",
        "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "255.255.255.255",
    ],
)  # fmt: skip
def test_other_addresses_are_not(address: str):
    with pytest.raises(RefusedTargetError):
        Allowed(HOSTS, read_networks(["10.20.0.0/16"])).check_address(address)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "168.63.129.16", "100.100.100.200"]
)
def test_addresses_of_a_cloud_s_credentials_are_refused_whatever_is_listed(address: str):
    with pytest.raises(RefusedTargetError, match="never"):
        Allowed(HOSTS, read_networks(["0.0.0.0/0", "::/0"])).check_address(address)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOP_WEBHOOK_HOSTS", "ftp://a.example"),
        ("MOP_WEBHOOK_HOSTS", "a.example/path"),
        ("MOP_WEBHOOK_HOSTS", "a_b c"),
        ("MOP_WEBHOOK_NETWORKS", "10.0.0.1/8"),
        ("MOP_WEBHOOK_NETWORKS", "internal"),
    ],
)
def test_a_setting_that_can_not_be_read_is_told_at_the_start(name: str, value: str, tmp_path):
    with pytest.raises(SystemExit, match=name):
        read_options({name: value}, tmp_path)
