"""What `mop doctor` looks at. A check that itself fails is a problem, never a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mop.errors import MopError

OK, NOTE, PROBLEM = "ok", "note", "problem"

GIB = 1024**3
DISK_LOW, DISK_TIGHT = 2 * GIB, 20 * GIB
UV_SECONDS = 30
TEAMS_SHOWN = 5
CONNECT_SECONDS = 10
_BUG = "Install MOP again; if it stays, report it as CONTRIBUTING.md says."


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ok; note (works, could be better, or is not set up yet); problem (fix it)."""

    name: str
    state: str
    detail: str
    hint: str = ""


Check = tuple[str, Callable[[], Iterator[Finding]]]


def examine() -> list[Finding]:
    """Every finding, in the order in which things depend on each other."""
    return [
        *_guarded("system", _system),
        *_examined(
            ("home", _home),
            ("runtime", _runtime),
            ("disk", _disk),
            ("database", _database),
            ("engine", _engine),
            ("workers", _workers),
            ("sandbox", _sandbox),
            ("python", _pythons),
            ("uv", _uv),
            ("storage", _storage),
            ("sources", _sources),
            ("advisories", examine_advisories),
            ("signing", _signing),
            ("e-mail", _mail),
            ("webhooks", _webhooks),
            ("sign-in", _sign_in),
        ),
    ]


def examine_settings() -> list[Finding]:
    """What the settings point at: folders, databases, places that models come from."""
    return _examined(
        ("home", _home),
        ("runtime", _runtime),
        ("database", _database),
        ("engine", _engine),
        ("storage", _storage),
        ("signing", _signing),
    )


def _examined(*checks: Check) -> list[Finding]:
    from mop.cli.installation import open_settings

    try:
        open_settings()
    except SystemExit as error:
        return [Finding("settings", PROBLEM, str(error), "Correct the environment variable or mop.toml.")]
    except Exception as error:  # noqa: BLE001 - an installation that cannot be opened is what is asked about
        return [Finding("settings", PROBLEM, f"{type(error).__name__}: {error}", _BUG)]
    return [finding for name, check in checks for finding in _guarded(name, check)]


def _guarded(name: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(check())
    except MopError as error:
        return [Finding(name, PROBLEM, error.message, error.hint)]
    except Exception as error:  # noqa: BLE001 - doctor reports what is broken, whatever it is
        return [Finding(name, PROBLEM, f"{type(error).__name__}: {error}", _BUG)]


def _system() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.platform.startswith("linux"):
        yield Finding("system", OK, f"Linux, Python {version}")
    else:
        yield Finding(
            "system", PROBLEM, f"{sys.platform} cannot run models", "Use Linux or WSL2; CLI and SDK work here."
        )


def _home() -> Iterator[Finding]:
    from django.conf import settings

    yield _writable("home", settings.MOP_HOME, "MOP_HOME")


def _runtime() -> Iterator[Finding]:
    from django.conf import settings

    yield _writable("runtime", settings.MOP_RUNTIME_FOLDER, "MOP_RUNTIME_FOLDER")


def _mail() -> Iterator[Finding]:
    from django.conf import settings

    if settings.EMAIL_BACKEND.endswith("console.EmailBackend"):
        yield Finding(
            "e-mail",
            NOTE,
            "off: e-mails are printed in the worker's output and reach nobody",
            "Set MOP_EMAIL_BACKEND to smtp://user:password@host:port, and MOP_EMAIL_FROM.",
        )
        return
    yield Finding("e-mail", OK, f"by {settings.EMAIL_HOST}:{settings.EMAIL_PORT}, from {settings.DEFAULT_FROM_EMAIL}")
    if not settings.PUBLIC_URL:
        yield Finding("e-mail", NOTE, "links in e-mails are not whole", "Set MOP_PUBLIC_URL.")


def _webhooks() -> Iterator[Finding]:
    from django.conf import settings

    if settings.MOP_WEBHOOK_HOSTS:
        yield Finding("webhooks", OK, f"allowed to {', '.join(settings.MOP_WEBHOOK_HOSTS)}")
    else:
        yield Finding(
            "webhooks", NOTE, "off: no host is allowed", "List hosts in MOP_WEBHOOK_HOSTS to let people use webhooks."
        )


def _writable(name: str, folder: Path, option: str) -> Finding:
    hint = f"sudo chown {os.getuid()} {folder}, or set {option} to another folder."
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return Finding(name, PROBLEM, f"{folder} cannot be made: {error.strerror}", f"Set {option} to another folder.")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(name, PROBLEM, f"{folder} is not writable", hint)
    return Finding(name, OK, str(folder))


def _disk() -> Iterator[Finding]:
    from django.conf import settings

    free = shutil.disk_usage(settings.MOP_HOME).free
    detail = f"{free / GIB:.1f} GiB free at {settings.MOP_HOME}"
    if free < DISK_LOW:
        yield Finding("disk", PROBLEM, detail, "Free space, or set MOP_HOME to a larger disk.")
    elif free < DISK_TIGHT:
        yield Finding("disk", NOTE, detail, "Model environments take 0.1 to 10 GiB each; plan for 20 GiB.")
    else:
        yield Finding("disk", OK, detail)


def _database() -> Iterator[Finding]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.db.utils import OperationalError

    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite" and not Path(name).exists():
        yield Finding("database", NOTE, f"{name} is not made yet", "`mop up` makes it.")
        return
    try:
        executor = MigrationExecutor(connection)
    except OperationalError as error:
        yield Finding(
            "database", PROBLEM, " ".join(str(error).split()), "Start the database, or correct MOP_DATABASE_URL."
        )
        return
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield Finding("database", NOTE, f"{connection.vendor}: {len(plan)} migrations to run", "`mop up` runs them.")
    else:
        yield Finding("database", OK, f"{connection.vendor}: {Path(name).name}, all migrations are in")


def _engine() -> Iterator[Finding]:
    import sqlalchemy
    from django.conf import settings
    from sqlalchemy.exc import SQLAlchemyError

    url = sqlalchemy.make_url(settings.MOP_ENGINE_URL)
    if url.get_backend_name() == "sqlite":
        made = url.database is not None and Path(url.database).exists()
        detail = str(url.database) if made else f"{url.database} is not made yet"
        yield Finding("engine", OK if made else NOTE, detail, "" if made else "`mop up` makes it.")
        return
    engine = sqlalchemy.create_engine(url, connect_args={"connect_timeout": CONNECT_SECONDS})
    try:
        with engine.connect():
            yield Finding("engine", OK, f"{url.get_backend_name()}: {url.database}")
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", error)).split())
        yield Finding("engine", PROBLEM, reason, "Start the database, or correct MOP_ENGINE_URL or MOP_DATABASE_URL.")
    finally:
        engine.dispose()


def _workers() -> Iterator[Finding]:
    from django.db.utils import DatabaseError

    from mop.engine.worker_registry import names_of_living_workers

    try:
        names = names_of_living_workers()
    except DatabaseError:
        return  # the database says what is wrong with it
    if names:
        yield Finding("workers", OK, f"at work: {', '.join(names)}")
    else:
        yield Finding("workers", NOTE, "none is at work", "`mop up` starts one; `mop worker` starts more.")


def _sandbox() -> Iterator[Finding]:
    from django.conf import settings

    from mop.sandbox import describe_sandbox

    results = describe_sandbox()
    minimum = settings.MOP_SANDBOX_MINIMUM_LEVEL
    suffices = any(result.available and result.level <= minimum for result in results)
    for result in results:
        if result.available:
            yield Finding("sandbox", OK, f"level {result.level}: {', '.join(result.parts)}")
        else:
            state = NOTE if suffices else PROBLEM
            yield Finding("sandbox", state, f"level {result.level}: {result.reason}", result.hint)


def _sources() -> Iterator[Finding]:
    from django.db import connection
    from django.db.utils import DatabaseError

    from mop.sources.prefixes import teams_without_places
    from mop.sources.purposes import Purpose

    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite" and not connection.is_in_memory_db() and not Path(name).exists():  # type: ignore[attr-defined] # of SQLite
        return  # asking would make it
    try:
        without = [(purpose, teams_without_places(purpose)) for purpose in Purpose]
    except DatabaseError:
        return  # the database says what is wrong with it
    for purpose, teams in without:
        if teams:
            shown = ", ".join(teams[:TEAMS_SHOWN]) + (
                f" and {len(teams) - TEAMS_SHOWN} more" * (len(teams) > TEAMS_SHOWN)
            )
            detail = f"no source prefix for {purpose}, so nothing to read: {shown}"
            hint = f"mop source-prefix add URL --purpose {purpose} --team TEAM, or Administration, Source prefixes."
            yield Finding("sources", NOTE, detail, hint)
    if not any(teams for _, teams in without):
        yield Finding("sources", OK, "every team has a place to read models and datasets from")


def _pythons() -> Iterator[Finding]:
    from django.conf import settings

    from mop.environments import find_interpreters, missing_minors
    from mop.hosting.tools import interpreter_folders

    found = find_interpreters(list(interpreter_folders()))
    for interpreter in found:
        yield Finding("python", OK, f"{interpreter.version:<9}{interpreter.path}")
    missing = missing_minors(found)
    if not found:
        state, detail = PROBLEM, "no Python for model environments was found"
    elif missing:
        state, detail = NOTE, f"models cannot ask for Python {', '.join(missing)}"
    else:
        return
    if settings.MOP_PYTHON_DOWNLOADS:
        hint = "Nothing to do: MOP_PYTHON_DOWNLOADS lets MOP fetch them when a model asks."
    else:
        hint = (
            f"Where models need one: `uv python install {' '.join(missing)}`, pyenv or the system's packages (found by "
            "themselves), MOP_INTERPRETER_FOLDERS for another place, or MOP_PYTHON_DOWNLOADS=true."
        )
    yield Finding("python", state, detail, hint)


def _uv() -> Iterator[Finding]:
    from uv import find_uv_bin

    answer = subprocess.run(
        [find_uv_bin(), "--version"], capture_output=True, text=True, timeout=UV_SECONDS, check=True
    )
    yield Finding("uv", OK, answer.stdout.strip())


def _storage() -> Iterator[Finding]:
    from mop.sources.storage_settings import storage_config
    from mop.storage.principals import blob_principal

    config = storage_config()
    for root in config.file_roots:
        if root.is_dir() and os.access(root, os.R_OK | os.X_OK):
            yield Finding("storage", OK, f"file://{root}")
        else:
            yield Finding("storage", PROBLEM, f"{root} is not a readable folder", "Make it, or correct MOP_FILE_ROOTS.")
    for account in config.azure_accounts:
        yield Finding("storage", OK, f"{account.url}/, as {blob_principal(account)}")
    if not config.file_roots and not config.azure_accounts:
        yield Finding(
            "storage",
            NOTE,
            "no place that models come from is configured",
            "Set MOP_FILE_ROOTS=/folder/of/models or MOP_AZURE_ACCOUNTS.",
        )


def examine_advisories() -> Iterator[Finding]:
    """Where advisories about packages come from, and whether they are old."""
    from django.conf import settings
    from django.db import connection
    from django.db.utils import DatabaseError

    from mop.advisories.selectors import knowledge
    from mop.advisories.sources import Source

    if settings.MOP_ADVISORIES == Source.OSV:
        yield Finding("advisories", OK, f"asked of {settings.MOP_OSV_URL} at each audit")
        return
    if settings.MOP_ADVISORIES == Source.OFF:
        hint = "Set MOP_ADVISORIES=osv, or =imported where the internet cannot be reached."
        yield Finding("advisories", NOTE, "installed packages are not audited", hint)
        return
    hint = "Fetch PyPI/all.zip of OSV, then `mop advisories import all.zip`."
    is_made = connection.connection is not None or Path(connection.settings_dict["NAME"]).exists()
    if connection.vendor == "sqlite" and not is_made:  # to look into it would make it
        yield Finding("advisories", NOTE, "none are imported", hint)
        return
    try:
        known = knowledge()
    except DatabaseError:
        return  # the database says what is wrong with it
    if known.dated is None:
        yield Finding("advisories", NOTE, "none are imported", hint)
    else:
        detail = f"{known.records:,} imported, the newest change of {known.dated:%Y-%m-%d}"
        yield Finding("advisories", NOTE if known.is_stale else OK, detail, hint if known.is_stale else "")


def _sign_in() -> Iterator[Finding]:
    from django.conf import settings

    if not settings.MOP_OIDC_ISSUER:
        yield Finding("sign-in", OK, "accounts of this installation; MOP_OIDC_ISSUER adds single sign-on")
        return
    import httpx

    document = settings.MOP_OIDC_ISSUER.rstrip("/") + "/.well-known/openid-configuration"
    try:
        answer = httpx.get(document, timeout=CONNECT_SECONDS)
        found = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        hint = "Check MOP_OIDC_ISSUER, and that this host reaches it."
        yield Finding("sign-in", PROBLEM, f"{document} cannot be read: {type(error).__name__}", hint)
        return
    lacking = [name for name in ("authorization_endpoint", "token_endpoint", "jwks_uri") if name not in found]
    if lacking:
        yield Finding("sign-in", PROBLEM, f"{document} lacks {', '.join(lacking)}", "Is this an OpenID provider?")
    elif found.get("issuer") != settings.MOP_OIDC_ISSUER:
        hint = f"Set MOP_OIDC_ISSUER to {found.get('issuer')}, as the provider writes it."
        yield Finding("sign-in", PROBLEM, f"the provider calls itself {found.get('issuer')}", hint)
    elif not settings.PUBLIC_URL:
        hint = "Set MOP_PUBLIC_URL: the provider sends people back there."
        yield Finding("sign-in", NOTE, "single sign-on works on this machine alone", hint)
    else:
        back = f"{settings.PUBLIC_URL}/accounts/oidc/oidc/login/callback/"
        yield Finding("sign-in", OK, f"{settings.MOP_OIDC_ISSUER}; the provider must allow {back}")


def _signing() -> Iterator[Finding]:
    from django.conf import settings

    private, public = settings.MOP_SIGNING_KEY, settings.MOP_SIGNING_PUBLIC_KEYS
    if private is None and not public:
        yield Finding("signing", OK, "off: artifacts are not signed; MOP_SIGNING_KEY turns it on")
        return
    from mop.storage.signing_keys import read_signing_keys

    accepted = len(read_signing_keys(private, public).public)
    does = f"artifacts are signed with {private}" if private else "artifacts are verified, and not signed here"
    if private and private.stat().st_mode & 0o077:
        yield Finding("signing", NOTE, f"others may read {private}", f"chmod 0400 {private}")
    yield Finding("signing", OK, f"{does}; {accepted} public key{'s' if accepted > 1 else ''} accepted")
