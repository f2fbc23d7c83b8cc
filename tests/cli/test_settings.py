"""`mop settings`, and the table of docs/operations.md."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.commands import Result, mop, mop_here
from mop.conf.home import runtime_folder
from mop.conf.listing import list_settings, shown
from mop.conf.option_values import SOCKET_FOLDER_BYTES_MAX
from mop.conf.options import OPTIONS, key_of, read_options
from support import settings_table

LONG = f"/tmp/{'a' * SOCKET_FOLDER_BYTES_MAX}"


Here = Callable[..., Result]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Here:
    """`mop settings` in this process, with no settings but the given variables."""

    def run(*arguments: str, **env: str) -> Result:
        for name in [name for name in os.environ if name.startswith("MOP_")]:
            monkeypatch.delenv(name)
        for name, value in {"MOP_HOME": str(tmp_path / "installation"), **env}.items():
            monkeypatch.setenv(name, value)
        return mop_here(capsys, "settings", *arguments)

    return run


def test_every_setting_says_its_value_where_it_comes_from_and_what_it_means(here: Here, tmp_path: Path):
    home = tmp_path / "installation"
    home.mkdir()
    (home / "mop.toml").write_text('worker_concurrency = 3\nfile_roots = ["/a", "/b"]\nretry_max = 2\ndebug = true\n')
    result = here("--json", MOP_RETRY_MAX="4", MOP_SECRET_KEY="very secret")
    assert result.code == 0, result.err
    assert result.json["home"] == str(home)
    rows = {row["name"]: row for row in result.json["settings"]}
    assert list(rows) == [option.name for option in OPTIONS]
    seen = {name: (rows[name]["value"], rows[name]["source"]) for name in rows}
    assert seen["MOP_WORKER_CONCURRENCY"] == ("3", "mop.toml")
    assert seen["MOP_FILE_ROOTS"] == ("/a:/b", "mop.toml")
    assert seen["MOP_DEBUG"] == ("true", "mop.toml")
    assert seen["MOP_RETRY_MAX"] == ("4", "environment")  # wins over the file
    assert seen["MOP_INIT_DEADLINE"] == ("300", "default")
    assert seen["MOP_RUNTIME_FOLDER"] == (str(runtime_folder(dict(os.environ), home)), "default")
    assert seen["MOP_PUBLIC_URL"] == ("", "default")
    assert all(row["meaning"] for row in rows.values())


def test_secrets_are_shown_as_set_or_not_set_only(here: Here):
    secret = {"MOP_SECRET_KEY": "s3cr3t", "MOP_DATABASE_URL": "postgresql://u:s3cr3t@h/n", "MOP_TOKEN": "s3cr3t"}
    for arguments in ((), ("--json",), ("--all",), ("--all", "--json"), ("secret-key",)):
        result = here(*arguments, **secret)
        assert result.code == 0, result.err
        assert "s3cr3t" not in result.out + result.err
    text = here("--all", **secret).out
    assert "MOP_SECRET_KEY = set  [environment]" in text
    assert "MOP_ENGINE_URL = not set  [default]" in text
    assert "MOP_TOKEN = set  [environment]" in text


def test_one_setting_is_found_by_either_of_its_names(here: Here):
    for name in ("MOP_RETRY_MAX", "retry_max", "Retry-Max"):
        result = here(name)
        assert result.out.splitlines()[0] == "MOP_RETRY_MAX = 5  [default]"
    unknown = here("retry_mx")
    assert (unknown.code, unknown.out) == (64, "")
    assert "did you mean MOP_RETRY_MAX?" in unknown.err


def test_unknown_names_are_told_with_the_nearest_one(here: Here, tmp_path: Path):
    home = tmp_path / "installation"
    home.mkdir()
    (home / "mop.toml").write_text('databse_url = "x"\nzzz = 1\n')
    result = here(MOP_ALOWED_HOSTS="x")
    assert result.code == 0
    assert "unknown: databse_url (did you mean database_url?) in mop.toml" in result.err
    assert "unknown: zzz in mop.toml" in result.err
    assert "unknown: MOP_ALOWED_HOSTS (did you mean MOP_ALLOWED_HOSTS?)" in result.err
    refused = mop("createuser", "ada", "--password-stdin", home=tmp_path, stdin="x\n")
    assert refused.code == 64
    assert "unknown settings databse_url (did you mean database_url?), zzz" in refused.err


def test_check_is_0_for_what_can_be_used(tmp_path: Path):
    result = mop("settings", "--check", "--json", home=tmp_path, MOP_FILE_ROOTS=str(tmp_path))
    assert result.code == 0, result.out
    assert (result.json["problems"], result.json["unknown"]) == ([], [])
    looked_at = ["home", "runtime", "database", "engine", "storage", "signing"]
    assert [check["name"] for check in result.json["checks"]] == looked_at


def test_check_names_all_that_can_not_be_read(here: Here):
    result = here("--check", MOP_DEBUG="perhaps", MOP_RETRY_MAX="many", MOP_RUNTIME_FOLDER=LONG)
    assert result.code == 1
    assert "problem: MOP_DEBUG: 'perhaps' is not true or false" in result.err
    assert "problem: MOP_RETRY_MAX: " in result.err
    assert f"may have {SOCKET_FOLDER_BYTES_MAX} at most" in result.err


def test_check_names_all_that_can_not_be_used(tmp_path: Path):
    nowhere = "postgresql://127.0.0.1:9/none"
    wrong = {
        "MOP_RUNTIME_FOLDER": "/proc/mop",
        "MOP_FILE_ROOTS": "/no/such/folder",
        "MOP_DATABASE_URL": nowhere,
        "MOP_ENGINE_URL": nowhere,
    }
    result = mop("settings", "--check", "--json", home=tmp_path, **wrong)
    assert result.code == 1, result.err
    assert [problem.partition(":")[0] for problem in result.json["problems"]] == [
        "runtime",
        "database",
        "engine",
        "storage",
    ]
    assert all(check["hint"] for check in result.json["checks"] if check["state"] == "problem")


def test_a_mop_toml_that_can_not_be_read_is_a_problem_not_a_traceback(here: Here, tmp_path: Path):
    home = tmp_path / "installation"
    home.mkdir()
    (home / "mop.toml").write_text("debug = ")
    result = here("--check")
    assert result.code == 1
    assert "mop.toml" in result.err
    assert "Traceback" not in result.err


def test_a_runtime_folder_too_long_for_sockets_is_a_configuration_error_of_every_command(tmp_path: Path):
    result = mop("createuser", "ada", "--password-stdin", home=tmp_path, stdin="x\n", MOP_RUNTIME_FOLDER=LONG)
    assert result.code == 64
    assert result.err.startswith(f"MOP_RUNTIME_FOLDER: {LONG} is ")


def test_the_default_runtime_folder_is_short_whatever_the_temporary_folder(tmp_path: Path):
    assert runtime_folder({"XDG_RUNTIME_DIR": LONG}, tmp_path).parent == Path("/tmp")
    assert runtime_folder({"XDG_RUNTIME_DIR": "/run/user/1"}, tmp_path).parent == Path("/run/user/1")


def test_lists_of_mop_toml_read_as_their_environment_variables_do(tmp_path: Path):
    (tmp_path / "mop.toml").write_text('file_roots = ["/a", "/b"]\nallowed_hosts = ["x", "y"]\ndebug = false\n')
    read = read_options({}, tmp_path)
    assert (read["MOP_FILE_ROOTS"], read["MOP_ALLOWED_HOSTS"]) == ((Path("/a"), Path("/b")), ("x", "y"))
    assert read["MOP_DEBUG"] is False


def test_check_is_1_for_a_name_that_is_no_setting(tmp_path: Path):
    result = mop("settings", "--check", home=tmp_path, MOP_ALOWED_HOSTS="x")
    assert result.code == 1
    assert "unknown: MOP_ALOWED_HOSTS (did you mean MOP_ALLOWED_HOSTS?)" in result.err


def test_a_shown_default_can_be_read_back():
    for option in OPTIONS:
        if option.default not in (None, "", ()):
            once = option.read(shown(option.default))  # a reader may complete it, with a port for example
            assert option.read(shown(once)) == once, option.name


def test_docs_list_every_setting_with_its_default_and_meaning():
    written = settings_table.PAGE.read_text().partition(settings_table.HEAD)[2]
    assert written == settings_table.table(), "run python tests/support/settings_table.py"


def test_keys_of_mop_toml_are_the_names_in_lower_case(tmp_path: Path):
    listed = list_settings({"MOP_HOME": str(tmp_path)})
    assert [setting.key for setting in listed.settings] == [key_of(option) for option in OPTIONS]
