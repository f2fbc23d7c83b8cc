"""Database settings from one url: PostgreSQL, or SQLite in MOP_HOME."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

SQLITE_OPTIONS = {
    # measured with 20 readers and 3 writers: no error; Django's defaults gave 323 "locked"
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
}

_WRITE_IT_AS = (
    "MOP_DATABASE_URL: write postgresql://user:password@host:port/name; in a password, / is %2F, @ is %40, # is %23"
)


def django_database(url: str, home: Path) -> dict[str, Any]:
    """The `DATABASES["default"]` entry for a database url; an empty url is SQLite in MOP_HOME."""
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": home / "mop.db", "OPTIONS": SQLITE_OPTIONS}
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its message would repeat a part of the password that holds a / or #
        raise SystemExit(_WRITE_IT_AS) from None
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.path[1:], "OPTIONS": SQLITE_OPTIONS}
    if parts.scheme not in {"postgresql", "postgres"}:
        raise SystemExit(_WRITE_IT_AS)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def engine_url(engine: str, database: str, home: Path) -> str:
    """The engine's database url: its own, else the PostgreSQL of MOP, else a second SQLite file."""
    url = engine or (database if database.startswith("postgres") else "")
    if not url:
        return f"sqlite:///{home / 'engine.db'}"
    return url.replace("postgres://", "postgresql://", 1).replace("postgresql://", "postgresql+psycopg://", 1)
