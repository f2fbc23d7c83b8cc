"""Every setting of an installation: name, kind, default, meaning.

A value comes from the environment variable of that name, else from `mop.toml` in MOP_HOME (the name in lower
case without `MOP_`), else the default. Nothing else in MOP reads environment variables.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mop.conf.email import CONSOLE, mail_address, mail_server
from mop.conf.log_formats import LogFormat, read_log_format
from mop.conf.option_values import (
    read_advisory_source,
    read_boolean,
    read_count,
    read_endpoints,
    read_hosts,
    read_hours,
    read_issuer,
    read_pairs,
    read_path,
    read_paths,
    read_positive,
    read_public_url,
    read_seconds,
    read_seconds_or_none,
    read_service_url,
    read_socket_folder,
    read_source_prefixes,
    read_storage_accounts,
    read_webhook_hosts,
    read_webhook_networks,
    read_words,
)


@dataclass(frozen=True)
class Option:
    """One setting: its environment variable, how its text is read, its default and what it means."""

    name: str
    read: Callable[[str], Any]
    default: Any
    meaning: str
    secret: bool = False


GIB = 1024**3

OPTIONS: tuple[Option, ...] = (
    Option(
        "MOP_DATABASE_URL", str, "", "database, `postgresql://user:password@host/name`; empty: SQLite in MOP_HOME", True
    ),
    Option(
        "MOP_ENGINE_URL",
        str,
        "",
        "database of the engine; empty: that of MOP_DATABASE_URL, else SQLite in MOP_HOME",
        True,
    ),
    Option("MOP_SECRET_KEY", str, "", "signs sessions; empty: made once and kept in MOP_HOME", True),
    Option("MOP_DEBUG", read_boolean, False, "Django's debug pages; never for others than yourself"),
    Option(
        "MOP_PUBLIC_URL",
        read_public_url,
        "",
        "the address people use, for links and CSRF; https turns on secure cookies",
    ),
    Option(
        "MOP_TRUSTED_PROXIES",
        read_count,
        0,
        "proxies in front that add to X-Forwarded-For; 0: a caller's address is that of the connection",
    ),
    Option("MOP_SESSION_IDLE_HOURS", read_hours, 12.0, "hours without a click after which one has to sign in again"),
    Option("MOP_SESSION_MAX_HOURS", read_hours, 168.0, "hours after signing in at which one has to sign in again"),
    Option(
        "MOP_OIDC_ISSUER",
        read_issuer,
        "",
        "issuer of an OpenID Connect provider, such as https://login.microsoftonline.com/TENANT/v2.0; empty: people "
        "sign in here alone",
    ),
    Option("MOP_OIDC_CLIENT_ID", str, "", "this installation's client id at the provider"),
    Option("MOP_OIDC_CLIENT_SECRET", str, "", "its client secret", True),
    Option("MOP_OIDC_NAME", str, "single sign-on", "the provider's name on the sign-in page"),
    Option("MOP_OIDC_ROLES_CLAIM", str, "roles", "the claim that lists a person's roles"),
    Option(
        "MOP_OIDC_USER_ROLE", str, "", "the role without which nobody signs in by the provider; empty: everybody may"
    ),
    Option(
        "MOP_OIDC_ADMINISTRATOR_ROLE",
        str,
        "",
        "the role that makes administrators, given and taken at each sign-in; empty: MOP's administrators decide",
    ),
    Option("MOP_OIDC_TEAMS_CLAIM", str, "groups", "the claim that lists a person's teams"),
    Option(
        "MOP_OIDC_TEAMS",
        read_pairs,
        {},
        "teams that the provider fills, as `value=team, value=team`: members are added and removed at each sign-in",
    ),
    Option(
        "MOP_TOKEN_SIGN_IN_DAYS",
        read_positive,
        30,
        "days after a sign-in by the provider for which a person's access tokens work",
    ),
    Option(
        "MOP_SINGLE_ADMIN_APPROVES",
        read_boolean,
        False,
        "the only admin of a service may approve a release that they requested or whose model they own; it is shown",
    ),
    Option(
        "MOP_ALLOWED_HOSTS", read_words, ("localhost", "127.0.0.1", "[::1]"), "host names that the portal answers to"
    ),
    Option("MOP_SUPPORT_CONTACT", str, "", "whom people may ask for help: an e-mail address, a https url, or a text"),
    Option(
        "MOP_FILE_ROOTS", read_paths, (), f"folders that `file://` model urls may lie in, separated by {os.pathsep!r}"
    ),
    Option(
        "MOP_AZURE_ACCOUNTS",
        read_storage_accounts,
        "",
        "JSON list of storage accounts and their credentials; docs/storage.md shows each kind",
        True,
    ),
    Option(
        "MOP_SOURCE_PREFIXES",
        read_source_prefixes,
        "",
        "JSON list that says below which urls each team may read models and datasets; docs/storage.md shows it",
    ),
    Option(
        "MOP_RUNTIME_FOLDER", read_socket_folder, None, "short folder for sockets; empty: one under /run/user or /tmp"
    ),
    Option("MOP_INTERPRETER_FOLDERS", read_paths, (), "further folders in which Python interpreters are looked for"),
    Option("MOP_PYTHON_DOWNLOADS", read_boolean, False, "fetch a Python that a model asks for and this host lacks"),
    Option("MOP_PYTHON_MIRROR", str, "", "where Pythons are fetched from: a mirror of uv's, or a list ending in .json"),
    Option("MOP_PACKAGE_INDEX", str, "", "package index url for model environments; empty: PyPI", True),
    Option("MOP_EXTRA_INDEXES", read_words, (), "further package indexes that a requirements.txt may name", True),
    Option(
        "MOP_INDEX_FILE_HOSTS",
        read_hosts,
        ("files.pythonhosted.org",),
        "hosts that the indexes' pages link to, as `host` or `host:port`; builds reach these and the indexes alone",
    ),
    Option(
        "MOP_ADVISORIES",
        read_advisory_source,
        "osv",
        "where advisories about installed packages come from: `osv` asks MOP_OSV_URL, `imported` what `mop advisories "
        "import` brought, `off` audits nothing and says so",
    ),
    Option(
        "MOP_OSV_URL",
        read_service_url,
        "https://api.osv.dev",
        "OSV service that is told names and versions of packages",
    ),
    Option("MOP_SANDBOX_MINIMUM_LEVEL", int, 2, "refuse to run models below this sandbox level"),
    Option(
        "MOP_SANDBOX_LEVEL", int, 0, "force this sandbox level, none below the minimum; 0: the best that works here"
    ),
    Option("MOP_SANDBOX_UID", int, 61000, "user id that models run under when MOP itself runs as root"),
    Option("MOP_INIT_DEADLINE", float, 300.0, "seconds a model may take to become ready"),
    Option("MOP_REQUEST_DEADLINE", float, 60.0, "seconds a model may take for one request"),
    Option("MOP_BUILD_DEADLINE", float, 1800.0, "seconds an environment build may take"),
    Option("MOP_FETCH_DEADLINE", float, 7200.0, "seconds reading a model folder may take"),
    Option(
        "MOP_SIGNING_KEY", read_path, None, "PEM file of the private key that signs model artifacts; empty: no signing"
    ),
    Option(
        "MOP_SIGNING_PUBLIC_KEYS",
        read_paths,
        (),
        f"PEM files of further public keys whose signatures are accepted, separated by {os.pathsep!r}",
    ),
    Option(
        "MOP_SCAN_DEADLINE", float, 3600.0, "seconds a scan may take; what it has not seen then is not fully scanned"
    ),
    Option("MOP_MODEL_FILES_MAX", int, 10_000, "files in a model folder"),
    Option("MOP_MODEL_BYTES_MAX", int, 20 * GIB, "bytes in a model folder"),
    Option("MOP_DATASET_BYTES_MAX", read_positive, 20 * GIB, "bytes in the file of a dataset"),
    Option("MOP_DATASET_PIXELS_MAX", read_positive, 50_000_000, "pixels in one image of a dataset"),
    Option("MOP_DATASET_ROWS_MIN", read_positive, 100, "rows that a dataset needs to be approved for a task"),
    Option(
        "MOP_DATASET_DIGEST_BYTES_MAX",
        read_positive,
        256 * 1024**2,
        "bytes of disk for the digests of a file's rows, 8 bytes each; rows beyond are not searched for duplicates",
    ),
    Option("MOP_DATASET_DEADLINE", read_seconds, 7200.0, "seconds that the verification of a file may take"),
    Option("MOP_DATASET_CONCURRENCY", read_positive, 2, "files of datasets that a worker reads at once"),
    Option("MOP_DSAT_IMPORT_BYTES_MAX", read_positive, 256 * 1024**2, "bytes in a file of DSAT cases"),
    Option("MOP_DSAT_RETENTION_DAYS", int, 730, "days after which a DSAT case that nobody changed goes; 0: never"),
    Option(
        "MOP_TEAM_VERSIONS_MAX",
        read_count,
        100,
        "versions of one team that may be onboarded at once, unless the team has a limit of its own; 0: any number",
    ),
    Option(
        "MOP_TEAM_STORED_BYTES_MAX",
        read_count,
        0,
        "bytes of snapshots of one team's versions, each snapshot counted once, likewise; 0: any number",
    ),
    Option(
        "MOP_TEAM_LOAD_TEST_SECONDS_MAX",
        read_count,
        0,
        "seconds that one team's load tests may measure within 24 hours, likewise; 0: any number",
    ),
    Option("MOP_WHEEL_BYTES_MAX", int, 5 * GIB // 2, "bytes in a private wheel"),
    Option("MOP_ENVIRONMENTS_MAX_DAYS", float, 30.0, "days after which an unused environment or model copy goes"),
    Option(
        "MOP_ENVIRONMENTS_MAX_BYTES",
        int,
        50 * GIB,
        "bytes of environments, package caches and unpacked models; beyond, the longest unused go",
    ),
    Option("MOP_GC_HOURS", float, 6.0, "hours between two garbage collections of a worker host; 0: never by itself"),
    Option(
        "MOP_ENGINE_DAYS",
        read_count,
        30,
        "days for which the engine keeps what steps of work that ended were given and gave; 0: for ever",
    ),
    Option("MOP_WORKER_CONCURRENCY", int, 2, "onboardings a worker runs at once for one instance type"),
    Option("MOP_WORKER_BEAT_SECONDS", float, 1.0, "seconds between two heartbeats of a worker on PostgreSQL"),
    Option("MOP_WORKER_STALE_SECONDS", float, 5.0, "seconds without a heartbeat until another worker takes over"),
    Option(
        "MOP_RETRY_BASE", float, 30.0, "seconds before the first try again after a cause outside the model; doubles"
    ),
    Option("MOP_RETRY_MAX", int, 5, "tries again within 24 hours before a revision ends in verifyFailed"),
    Option("MOP_LOAD_TEST_STEP_SECONDS", read_seconds, 300.0, "seconds of a load test's step that are counted"),
    Option("MOP_LOAD_TEST_WARM_UP_SECONDS", read_seconds_or_none, 5.0, "seconds before them that are not"),
    Option("MOP_LOAD_TEST_TARGET_MAX", read_positive, 1000, "last target of a load test's steps 1, 10, 20, 30 ..."),
    Option("MOP_LOAD_TEST_BUDGET_SECONDS", read_seconds, 7200.0, "seconds that a load test measures in all"),
    Option(
        "MOP_LOAD_TEST_DEFERRED",
        read_boolean,
        False,
        "load tests that the pipeline starts begin, and go on after each step, when no version waits for verification",
    ),
    Option("MOP_EVALUATION_CONCURRENCY", read_positive, 1, "evaluations that a worker runs at once"),
    Option(
        "MOP_EVALUATION_START_SECONDS", read_seconds_or_none, 10.0, "seconds between two looks for missing evaluations"
    ),
    Option(
        "MOP_REGRESSION_SECONDS", read_seconds_or_none, 300.0, "seconds between two looks for new, changed DSAT cases"
    ),
    Option(
        "MOP_EVALUATION_SLICE_ROWS_MIN",
        read_positive,
        10,
        "rows that a slice needs to be shown; fewer tell of single ones",
    ),
    Option("MOP_EVALUATION_BUDGET_DAYS", read_positive, 30, "days over which measurements on a dataset count"),
    Option("MOP_EVALUATION_BUDGET_MODEL", read_positive, 50, "measurements of one model on one dataset in that time"),
    Option("MOP_EVALUATION_BUDGET_PERSON", read_positive, 100, "measurements of one person's versions, likewise"),
    Option("MOP_EVALUATION_BUDGET_TEAM", read_positive, 300, "measurements of one team's versions, likewise"),
    Option("MOP_TRIALS_MAX", read_positive, 4, "tries (Try it) that wait or run at once, of all people together"),
    Option("MOP_TRY_SECONDS", read_seconds, 120.0, "seconds until a try ends without an answer, the start included"),
    Option(
        "MOP_TRY_CLAIM_SECONDS", read_seconds, 10.0, "seconds until a try is refused because no worker host is free"
    ),
    Option(
        "MOP_GATEWAY_RECORD_DAYS", read_positive, 30, "days for which a gateway's answers are recorded, without content"
    ),
    Option(
        "MOP_GATEWAY_BLOB_ENDPOINTS",
        read_endpoints,
        (),
        "comma-separated blob endpoints whose containers services may list for blobUrl, beside "
        "https://ACCOUNT.blob.core.windows.net",
    ),
    Option(
        "MOP_GATEWAY_CANARY_ERRORS",
        float,
        1.0,
        "per cent of a canary's answers that may fail, more than of what is live",
    ),
    Option(
        "MOP_GATEWAY_CANARY_LATENCY", float, 1.5, "how many times the P95 latency of what is live a canary's may be"
    ),
    Option(
        "MOP_LOG_FORMAT",
        read_log_format,
        LogFormat.LINE,
        "how portal and workers write their log: `line` for people, `json` for one object a line",
    ),
    Option("MOP_LOG_LINES_MAX", int, 20_000, "lines kept of one build or deployment log, and of one load test"),
    Option(
        "MOP_CHAOS", read_boolean, False, "this installation is for tests of crashes alone; lets MOP_FAILPOINTS work"
    ),
    Option("MOP_FAILPOINTS", read_path, None, "folder of files that name where MOP kills itself; needs MOP_CHAOS"),
    Option(
        "MOP_EMAIL_BACKEND",
        mail_server,
        CONSOLE,
        "`console` prints e-mails in the worker's output; or smtp://user:password@host:port, or smtps://...",
        True,
    ),
    Option("MOP_EMAIL_FROM", mail_address, "MOP <mop@localhost>", "sender of e-mails"),
    Option(
        "MOP_WEBHOOK_HOSTS",
        read_webhook_hosts,
        (),
        "hosts that webhooks may be sent to, as `hooks.example.com`, `*.example.com` or `http://relay.internal:8080`; "
        "`*`: every host by https; empty: no webhooks",
    ),
    Option(
        "MOP_WEBHOOK_NETWORKS",
        read_webhook_networks,
        (),
        "networks beside the public internet in which these hosts may lie, such as 10.20.0.0/16",
    ),
    Option("MOP_WEBHOOK_SECONDS", read_seconds, 10.0, "seconds that a receiver of webhooks has to answer"),
)


# read before the settings, or by commands that need no installation
VARIABLES: tuple[tuple[str, str, bool], ...] = (
    ("MOP_HOME", "the folder of this installation; empty: `mop` below XDG_DATA_HOME (~/.local/share)", False),
    ("MOP_URL", "address of the server that `mop model` talks to; empty: that of `mop login`", False),
    ("MOP_TOKEN", "personal access token for it; empty: that of `mop login`", True),
)


def read_options(environment: Mapping[str, str], home: Path) -> dict[str, Any]:
    """All settings of an installation by name.

    Raises:
        SystemExit: a value cannot be read, or mop.toml holds an unknown name; the message says which.
    """
    file = read_file(home)
    values: dict[str, Any] = {}
    for option in OPTIONS:
        try:
            values[option.name] = read_option(option, environment, file)[0]
        except ValueError as error:
            raise SystemExit(f"{option.name}: {error}") from error
    if unknown := unknown_keys(file):
        raise SystemExit(f"{home / 'mop.toml'}: unknown settings {', '.join(unknown)}; see `mop settings`")
    return values


def read_option(option: Option, environment: Mapping[str, str], file: Mapping[str, Any]) -> tuple[Any, str]:
    """The value of one setting, and where it comes from: `environment`, `mop.toml` or `default`.

    Raises:
        ValueError: the value cannot be read.
    """
    source = "environment" if option.name in environment else "mop.toml"
    text = environment.get(option.name, _text(option, file.get(key_of(option))))
    return (option.read(text), source) if text else (option.default, "default")


def read_file(home: Path) -> dict[str, Any]:
    """What mop.toml in MOP_HOME holds; nothing when there is none.

    Raises:
        SystemExit: it cannot be read; the message says where.
    """
    path = home / "mop.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path}: {error}") from error


def key_of(option: Option) -> str:
    """The setting's name in mop.toml."""
    return option.name.removeprefix("MOP_").lower()


def unknown_keys(file: Mapping[str, Any]) -> list[str]:
    """Names in mop.toml that are no settings, each with the nearest name where one is near."""
    known = [key_of(option) for option in OPTIONS]
    return [f"{key}{suggestion(key, known)}" for key in sorted(set(file) - set(known))]


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Environment variables that look like settings and are none, each with the nearest name where one is near."""
    known = [*(option.name for option in OPTIONS), *(name for name, _, _ in VARIABLES)]
    names = sorted(name for name in environment if name.startswith("MOP_") and name not in known)
    return [f"{name}{suggestion(name, known)}" for name in names]


def suggestion(name: str, known: Iterable[str]) -> str:
    """` (did you mean X?)`, or nothing when no known name is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _text(option: Option, value: object) -> str:
    """The text of a TOML value, as the environment variable would hold it."""
    if isinstance(value, list):
        return (os.pathsep if option.read is read_paths else ",").join(map(str, value))
    return "" if value is None else str(value)
