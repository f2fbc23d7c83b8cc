"""`mop createuser` and `mop doctor`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from cli.commands import mop
from support.prepared import copy_tables
from support.signing import make_signing_key

PASSWORD = "correct horse battery"


def accounts(home: Path) -> list[tuple[str, int]]:
    with sqlite3.connect(home / "installation" / "mop.db") as database:
        return list(database.execute("select username, is_superuser from accounts_user order by username"))


def test_createuser_works_before_the_first_start_and_refuses_a_taken_name(tmp_path: Path):
    stdin = f"{PASSWORD}\n"
    assert mop("createuser", "ada", "--admin", "--password-stdin", home=tmp_path, stdin=stdin).code == 0
    user = mop("createuser", "ben", "--password-stdin", home=tmp_path, stdin=stdin)
    assert (user.code, user.out) == (0, "")
    assert PASSWORD not in user.err
    assert accounts(tmp_path) == [("ada", 1), ("ben", 0)]
    taken = mop("createuser", "ben", "--password-stdin", home=tmp_path, stdin=stdin)
    assert (taken.code, taken.err.partition(":")[0]) == (64, "ValidationFailedError")


def test_createuser_refuses_a_weak_password(tmp_path: Path):
    copy_tables(tmp_path / "installation")
    result = mop("createuser", "ada", "--password-stdin", home=tmp_path, stdin="12345\n")
    assert result.code == 64
    assert "password" in result.err
    assert accounts(tmp_path) == []


def test_doctor_names_what_a_fresh_host_has(tmp_path: Path):
    result = mop("doctor", "--json", home=tmp_path, MOP_FILE_ROOTS=str(tmp_path))
    checks = {check["name"]: check for check in result.json["checks"]}
    places = {"home", "runtime", "disk", "database", "engine", "storage"}
    told = {"e-mail", "webhooks", "sign-in"}
    assert set(checks) == places | told | {"signing", "system", "workers", "sandbox", "python", "uv", "advisories"}
    assert checks["storage"] == {"name": "storage", "state": "ok", "detail": f"file://{tmp_path}", "hint": ""}
    assert all(checks[name]["detail"].startswith("off: ") for name in ("signing", "e-mail", "webhooks"))
    assert checks["database"]["state"] == "note"
    assert (result.code, result.json["ok"]) == ((0, True) if result.code == 0 else (1, False))
    problems = [check for check in result.json["checks"] if check["state"] == "problem"]
    assert bool(problems) == (result.code == 1)
    assert all(check["hint"] for check in problems)
    assert not (tmp_path / "installation" / "mop.db").exists()


def test_doctor_tries_the_signing_keys(tmp_path: Path):
    key = make_signing_key(tmp_path / "key.pem")
    key.chmod(0o644)
    shown = mop("settings", "--check", "--json", home=tmp_path, MOP_SIGNING_KEY=str(key))
    assert f"artifacts are signed with {key}; 1 public key accepted" in shown.out
    assert f"others may read {key}" in shown.out
    key.write_bytes(b"no key")
    refused = mop("settings", "--check", "--json", home=tmp_path, MOP_SIGNING_KEY=str(key))
    assert refused.code == 1
    assert f"The private key {key} cannot be used" in refused.out


def test_doctor_is_1_for_a_missing_root_and_says_the_hint(tmp_path: Path):
    result = mop("doctor", home=tmp_path, MOP_FILE_ROOTS="/no/such/folder")
    assert result.code == 1
    assert "problem storage     /no/such/folder is not a readable folder" in result.out
    assert "hint: Make it, or correct MOP_FILE_ROOTS." in result.out


def test_doctor_is_1_for_a_database_that_does_not_answer(tmp_path: Path):
    result = mop("doctor", "--json", home=tmp_path, MOP_DATABASE_URL="postgresql://127.0.0.1:9/none")
    assert result.code == 1
    (database,) = [check for check in result.json["checks"] if check["name"] == "database"]
    assert (database["state"], bool(database["hint"])) == ("problem", True)


def test_doctor_is_1_for_a_setting_that_can_not_be_read(tmp_path: Path):
    result = mop("doctor", "--json", home=tmp_path, MOP_DEBUG="perhaps")
    assert result.code == 1
    (settings,) = [check for check in result.json["checks"] if check["name"] == "settings"]
    assert "MOP_DEBUG" in settings["detail"]
