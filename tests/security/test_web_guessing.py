"""Guessing: passwords and tokens, by account and by address, counted for all threads and processes together."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest
from django.contrib.auth.hashers import get_hasher
from django.core.cache import cache
from django.test import Client, RequestFactory, override_settings

from mop.accounts.addresses import client_address
from mop.accounts.wrong_tokens import WRONG_TOKENS_MAX, count_wrong_token
from mop.errors import TooManyRequestsError
from support.api import Api
from support.factories import PASSWORD, make_token, make_user
from support.installation import Installation, free_port, running_installation

TRIES_FOR_AN_ACCOUNT, TRIES_FROM_AN_ADDRESS = 5, 10


def clock(monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    """Let the count believe that it is now `now`."""
    monkeypatch.setattr("mop.accounts.wrong_tokens.time", SimpleNamespace(time=lambda: now))


def sign_in(username: str, password: str, *, address: str = "192.0.2.1", client: Client | None = None) -> str:
    """What the sign-in page answers; empty when it lets in."""
    answer = (client or Client()).post(
        "/accounts/login/", {"login": username, "password": password}, REMOTE_ADDR=address
    )
    return "" if answer.status_code == 302 else answer.content.decode()


@pytest.mark.django_db
def test_an_account_takes_five_wrong_passwords_from_wherever_they_come():
    make_user("olivia")
    for number in range(TRIES_FOR_AN_ACCOUNT):
        assert "Too many failed" not in sign_in("olivia", "wrong", address=f"192.0.2.{number + 1}")
    assert "Too many failed" in sign_in("olivia", PASSWORD, address="198.51.100.7")
    assert sign_in("somebody else", PASSWORD, address="198.51.100.7") != ""


@pytest.mark.django_db
def test_neither_host_header_nor_letter_case_begin_a_new_count():
    make_user("olivias")
    names = ("olivias", "OLIVIAS", "olivia\u017f", "oliviaS", "Olivias")
    for number, name in enumerate(names):
        Client().post(
            "/accounts/login/",
            {"login": name, "password": "wrong"},
            REMOTE_ADDR=f"192.0.2.{number}",
            headers={"Host": f"localhost:{number + 1}"},
        )
    assert "Too many failed" in sign_in("olivias", PASSWORD, address="198.51.100.7")


@pytest.mark.django_db
def test_an_address_takes_ten_wrong_passwords_for_whomever_they_are():
    make_user("olivia")
    for number in range(TRIES_FROM_AN_ADDRESS):
        assert "Too many failed" not in sign_in(f"nobody{number}", "wrong")
    assert "Too many failed" in sign_in("olivia", PASSWORD)
    assert sign_in("olivia", PASSWORD, address="192.0.2.2") == ""


@pytest.mark.django_db
def test_an_ipv6_customer_is_one_address():
    for number in range(TRIES_FROM_AN_ADDRESS):
        sign_in(f"nobody{number}", "wrong", address=f"2001:db8:0:1::{number + 1:x}")
    assert "Too many failed" in sign_in("nobody", "wrong", address="2001:db8:0:1:ffff::1")
    assert "Too many failed" not in sign_in("nobody", "wrong", address="2001:db8:0:2::1")


@pytest.mark.django_db
def test_signing_in_is_never_tried_without_end():
    """Even right passwords: each costs a third of a second of a CPU."""
    make_user("olivia")
    answers = [
        Client().post("/accounts/login/", {"login": "olivia", "password": PASSWORD}, REMOTE_ADDR="192.0.2.9")
        for _ in range(31)
    ]
    assert [answer.status_code for answer in answers] == [302] * 30 + [429]
    assert "Wait a few minutes" in answers[-1].content.decode()


@pytest.mark.django_db
def test_a_person_who_mistypes_now_and_then_is_not_kept_out():
    make_user("olivia")
    for _ in range(TRIES_FOR_AN_ACCOUNT - 1):
        assert sign_in("olivia", "wrong") != ""
    assert sign_in("olivia", PASSWORD) == ""


@pytest.mark.django_db
def test_an_unknown_name_is_answered_as_a_known_one(monkeypatch: pytest.MonkeyPatch):
    """In words, and in work: the same number of password hashes."""
    known, without = make_user("olivia"), make_user("bot")
    without.set_unusable_password()
    without.save()
    hashes: list[str] = []
    hasher = type(get_hasher())
    encode = hasher.encode

    def counted(self: object, password: str, salt: str) -> str:
        hashes.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(hasher, "encode", counted)
    answers, work = [], []
    for name in (known.username, without.username, "nobody"):
        hashes.clear()
        page = sign_in(name, "wrong horse battery staple")
        answers.append(page[page.index("<main") :].split("csrfmiddlewaretoken")[0])
        work.append(len(hashes))
    assert len(set(answers)) == 1
    assert len(set(work)) == 1
    assert work[0] > 0


@pytest.mark.django_db
def test_wrong_tokens_from_one_address_are_slowed_down():
    right = make_token(make_user())
    statuses = []
    for number in range(WRONG_TOKENS_MAX + 1):
        answer = Api(token=f"mop_{number}").get("/me")
        statuses.append(answer.status_code)
    # a minute may have begun anew in between, once
    assert statuses[0] == 401
    assert set(statuses) <= {401, 429}
    assert statuses.count(429) <= 1
    assert Api(token=right).get("/me").status_code == 200


@pytest.mark.django_db
def test_over_the_limit_a_wrong_token_is_told_to_wait(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    clock(monkeypatch, 1_000_000_000.0)
    cache.clear()
    for _ in range(WRONG_TOKENS_MAX):
        assert Api(token="mop_planted-secret").get("/me").status_code == 401
    answer = Api(token="mop_planted-secret").get("/me")
    assert (answer.status_code, answer.json()["name"]) == (429, "TooManyRequestsError")
    assert answer.headers["Retry-After"] == "20"
    assert Client().get("/api/v1/me").status_code == 401  # none is no wrong one
    told = [record.getMessage() for record in caplog.records if record.name == "mop.accounts.wrong_tokens"]
    assert told == [f"127.0.0.1 sent {WRONG_TOKENS_MAX} wrong access tokens within a minute"]
    clock(monkeypatch, 1_000_000_060.0)
    assert Api(token="mop_planted-secret").get("/me").status_code == 401


@pytest.mark.django_db
def test_addresses_are_counted_apart(monkeypatch: pytest.MonkeyPatch):
    clock(monkeypatch, 2_000_000_000.0)
    cache.clear()
    for number in range(WRONG_TOKENS_MAX):
        count_wrong_token(f"2001:db8::{number + 1:x}")
    with pytest.raises(TooManyRequestsError):
        count_wrong_token("2001:db8::ffff")
    count_wrong_token("2001:db8:0:1::1")
    count_wrong_token("192.0.2.1")
    count_wrong_token("local")


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, None, "192.0.2.1"),
        (0, "203.0.113.9", "192.0.2.1"),
        (1, None, "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.66, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.66, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "192.0.2.1"),
        (1, "2001:DB8::1", "2001:db8::1"),
        (1, "<script>", "192.0.2.1"),
        (1, "unknown", "192.0.2.1"),
    ],
)
def test_a_forwarded_address_counts_only_where_a_trusted_proxy_wrote_it(proxies: int, header: str | None, address: str):
    headers = {"X-Forwarded-For": header} if header else {}
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="192.0.2.1")
    with override_settings(MOP_TRUSTED_PROXIES=proxies):
        assert client_address(request) == address


def test_a_unix_socket_has_an_address_to_count_by():
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="")) == "local"


@pytest.mark.django_db
def test_a_forged_header_does_not_get_around_the_limit():
    for number in range(TRIES_FROM_AN_ADDRESS + 1):
        page = Client().post(
            "/accounts/login/",
            {"login": f"nobody{number}", "password": "wrong"},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
    assert "Too many failed" in page.content.decode()


@pytest.fixture(scope="module")
def two_portals() -> Iterator[tuple[Installation, list[str]]]:
    """One installation with two portal processes; in a run on PostgreSQL it works on that."""
    with running_installation() as mop:
        first = f"http://127.0.0.1:{mop.port}"
        mop.port = free_port()
        mop.api.base_url = f"http://127.0.0.1:{mop.port}/api/v1"
        mop.start_portal()
        yield mop, [first, f"http://127.0.0.1:{mop.port}"]


@pytest.mark.chaos
def test_several_processes_count_together(two_portals: tuple[Installation, list[str]]):
    _, portals = two_portals
    pages = []
    for number in range(TRIES_FOR_AN_ACCOUNT + 1):
        with httpx.Client(base_url=portals[number % 2], trust_env=False, timeout=60) as browser:
            browser.get("/accounts/login/")
            form = {"login": "ghost", "password": "wrong", "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            answer = browser.post("/accounts/login/", data=form)
            assert answer.status_code == 200, answer.text
            pages.append(answer.text)
    assert ["Too many failed" in page for page in pages] == [False] * TRIES_FOR_AN_ACCOUNT + [True]


def test_the_count_survives_a_process(two_portals: tuple[Installation, list[str]]):
    mop, _ = two_portals
    script = "import django; django.setup(); from django.core.cache import cache; "
    for step in ("cache.set('kept', 7)", "assert cache.get('kept') == 7"):
        done = mop.run("-c", script + step)
        assert done.returncode == 0, done.stderr
