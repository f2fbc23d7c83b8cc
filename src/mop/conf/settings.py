"""Django settings of an installation, from MOP_HOME, its mop.toml and the environment."""

from __future__ import annotations

import os
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from mop import failpoints
from mop.areas.installed import AREAS
from mop.conf.databases import django_database, engine_url
from mop.conf.email import mail_settings
from mop.conf.home import find_home, keep_secret, runtime_folder
from mop.conf.log_formats import LogFormat
from mop.conf.options import read_options

MOP_HOME = find_home(os.environ)
OPTIONS = read_options(os.environ, MOP_HOME)
MOP_FILE_ROOTS: tuple[Path, ...] = OPTIONS["MOP_FILE_ROOTS"]
MOP_SUPPORT_CONTACT: str = OPTIONS["MOP_SUPPORT_CONTACT"]
MOP_AZURE_ACCOUNTS: str = OPTIONS["MOP_AZURE_ACCOUNTS"]
MOP_SOURCE_PREFIXES: str = OPTIONS["MOP_SOURCE_PREFIXES"]
MOP_INTERPRETER_FOLDERS: tuple[Path, ...] = OPTIONS["MOP_INTERPRETER_FOLDERS"]
MOP_PYTHON_DOWNLOADS: bool = OPTIONS["MOP_PYTHON_DOWNLOADS"]
MOP_PYTHON_MIRROR: str = OPTIONS["MOP_PYTHON_MIRROR"]
MOP_PACKAGE_INDEX: str = OPTIONS["MOP_PACKAGE_INDEX"]
MOP_EXTRA_INDEXES: tuple[str, ...] = OPTIONS["MOP_EXTRA_INDEXES"]
MOP_INDEX_FILE_HOSTS: tuple[str, ...] = OPTIONS["MOP_INDEX_FILE_HOSTS"]
MOP_ADVISORIES: str = OPTIONS["MOP_ADVISORIES"]
MOP_OSV_URL: str = OPTIONS["MOP_OSV_URL"]
MOP_SANDBOX_MINIMUM_LEVEL: int = OPTIONS["MOP_SANDBOX_MINIMUM_LEVEL"]
MOP_SANDBOX_LEVEL: int = OPTIONS["MOP_SANDBOX_LEVEL"]
MOP_SANDBOX_UID: int = OPTIONS["MOP_SANDBOX_UID"]
MOP_INIT_DEADLINE: float = OPTIONS["MOP_INIT_DEADLINE"]
MOP_REQUEST_DEADLINE: float = OPTIONS["MOP_REQUEST_DEADLINE"]
MOP_BUILD_DEADLINE: float = OPTIONS["MOP_BUILD_DEADLINE"]
MOP_FETCH_DEADLINE: float = OPTIONS["MOP_FETCH_DEADLINE"]
MOP_SIGNING_KEY: Path | None = OPTIONS["MOP_SIGNING_KEY"]
MOP_SIGNING_PUBLIC_KEYS: tuple[Path, ...] = OPTIONS["MOP_SIGNING_PUBLIC_KEYS"]
MOP_SCAN_DEADLINE: float = OPTIONS["MOP_SCAN_DEADLINE"]
MOP_MODEL_FILES_MAX: int = OPTIONS["MOP_MODEL_FILES_MAX"]
MOP_MODEL_BYTES_MAX: int = OPTIONS["MOP_MODEL_BYTES_MAX"]
MOP_EVALUATION_CONCURRENCY: int = OPTIONS["MOP_EVALUATION_CONCURRENCY"]
MOP_EVALUATION_START_SECONDS: float = OPTIONS["MOP_EVALUATION_START_SECONDS"]
MOP_REGRESSION_SECONDS: float = OPTIONS["MOP_REGRESSION_SECONDS"]
MOP_EVALUATION_SLICE_ROWS_MIN: int = OPTIONS["MOP_EVALUATION_SLICE_ROWS_MIN"]
MOP_EVALUATION_BUDGET_DAYS: int = OPTIONS["MOP_EVALUATION_BUDGET_DAYS"]
MOP_EVALUATION_BUDGET_MODEL: int = OPTIONS["MOP_EVALUATION_BUDGET_MODEL"]
MOP_EVALUATION_BUDGET_PERSON: int = OPTIONS["MOP_EVALUATION_BUDGET_PERSON"]
MOP_EVALUATION_BUDGET_TEAM: int = OPTIONS["MOP_EVALUATION_BUDGET_TEAM"]
MOP_GATEWAY_RECORD_DAYS: int = OPTIONS["MOP_GATEWAY_RECORD_DAYS"]
MOP_GATEWAY_BLOB_ENDPOINTS: tuple[str, ...] = OPTIONS["MOP_GATEWAY_BLOB_ENDPOINTS"]
MOP_GATEWAY_CANARY_ERRORS: float = OPTIONS["MOP_GATEWAY_CANARY_ERRORS"]
MOP_GATEWAY_CANARY_LATENCY: float = OPTIONS["MOP_GATEWAY_CANARY_LATENCY"]
MOP_DATASET_BYTES_MAX: int = OPTIONS["MOP_DATASET_BYTES_MAX"]
MOP_DATASET_PIXELS_MAX: int = OPTIONS["MOP_DATASET_PIXELS_MAX"]
MOP_DATASET_ROWS_MIN: int = OPTIONS["MOP_DATASET_ROWS_MIN"]
MOP_DATASET_DIGEST_BYTES_MAX: int = OPTIONS["MOP_DATASET_DIGEST_BYTES_MAX"]
MOP_DATASET_DEADLINE: float = OPTIONS["MOP_DATASET_DEADLINE"]
MOP_DATASET_CONCURRENCY: int = OPTIONS["MOP_DATASET_CONCURRENCY"]
MOP_DSAT_IMPORT_BYTES_MAX: int = OPTIONS["MOP_DSAT_IMPORT_BYTES_MAX"]
MOP_DSAT_RETENTION_DAYS: int = OPTIONS["MOP_DSAT_RETENTION_DAYS"]
MOP_TEAM_VERSIONS_MAX: int = OPTIONS["MOP_TEAM_VERSIONS_MAX"]
MOP_TEAM_STORED_BYTES_MAX: int = OPTIONS["MOP_TEAM_STORED_BYTES_MAX"]
MOP_TEAM_LOAD_TEST_SECONDS_MAX: int = OPTIONS["MOP_TEAM_LOAD_TEST_SECONDS_MAX"]
MOP_WHEEL_BYTES_MAX: int = OPTIONS["MOP_WHEEL_BYTES_MAX"]
MOP_ENVIRONMENTS_MAX_DAYS: float = OPTIONS["MOP_ENVIRONMENTS_MAX_DAYS"]
MOP_ENVIRONMENTS_MAX_BYTES: int = OPTIONS["MOP_ENVIRONMENTS_MAX_BYTES"]
MOP_GC_HOURS: float = OPTIONS["MOP_GC_HOURS"]
MOP_ENGINE_DAYS: int = OPTIONS["MOP_ENGINE_DAYS"]
MOP_WORKER_CONCURRENCY: int = OPTIONS["MOP_WORKER_CONCURRENCY"]
MOP_WORKER_BEAT_SECONDS: float = OPTIONS["MOP_WORKER_BEAT_SECONDS"]
MOP_WORKER_STALE_SECONDS: float = OPTIONS["MOP_WORKER_STALE_SECONDS"]
MOP_RETRY_BASE: float = OPTIONS["MOP_RETRY_BASE"]
MOP_RETRY_MAX: int = OPTIONS["MOP_RETRY_MAX"]
MOP_LOAD_TEST_STEP_SECONDS: float = OPTIONS["MOP_LOAD_TEST_STEP_SECONDS"]
MOP_LOAD_TEST_WARM_UP_SECONDS: float = OPTIONS["MOP_LOAD_TEST_WARM_UP_SECONDS"]
MOP_LOAD_TEST_TARGET_MAX: int = OPTIONS["MOP_LOAD_TEST_TARGET_MAX"]
MOP_LOAD_TEST_BUDGET_SECONDS: float = OPTIONS["MOP_LOAD_TEST_BUDGET_SECONDS"]
MOP_LOAD_TEST_DEFERRED: bool = OPTIONS["MOP_LOAD_TEST_DEFERRED"]
MOP_WEBHOOK_HOSTS: tuple[str, ...] = OPTIONS["MOP_WEBHOOK_HOSTS"]
MOP_WEBHOOK_NETWORKS: tuple[str, ...] = OPTIONS["MOP_WEBHOOK_NETWORKS"]
MOP_WEBHOOK_SECONDS: float = OPTIONS["MOP_WEBHOOK_SECONDS"]
MOP_TRIALS_MAX: int = OPTIONS["MOP_TRIALS_MAX"]
MOP_TRY_SECONDS: float = OPTIONS["MOP_TRY_SECONDS"]
MOP_TRY_CLAIM_SECONDS: float = OPTIONS["MOP_TRY_CLAIM_SECONDS"]
MOP_LOG_LINES_MAX: int = OPTIONS["MOP_LOG_LINES_MAX"]
MOP_RUNTIME_FOLDER: Path = OPTIONS["MOP_RUNTIME_FOLDER"] or runtime_folder(os.environ, MOP_HOME)
MOP_ENGINE_URL = engine_url(OPTIONS["MOP_ENGINE_URL"], OPTIONS["MOP_DATABASE_URL"], MOP_HOME)
MOP_SINGLE_HOST = not OPTIONS["MOP_DATABASE_URL"]  # SQLite is one file on one host
# several workers share the work, and take over each other's, where both databases can be reached by all of them
MOP_MANY_WORKERS = OPTIONS["MOP_DATABASE_URL"].startswith("postgres") and MOP_ENGINE_URL.startswith("postgresql")
# the bundle of certificate authorities that this process was told to trust; model builds trust the same
MOP_CERTIFICATE_BUNDLE = os.environ.get("SSL_CERT_FILE", "")

if OPTIONS["MOP_FAILPOINTS"]:
    if not OPTIONS["MOP_CHAOS"]:
        raise SystemExit("MOP_FAILPOINTS lets MOP kill itself: for tests of crashes only, with MOP_CHAOS=true.")
    failpoints.arm(OPTIONS["MOP_FAILPOINTS"])

SECRET_KEY = OPTIONS["MOP_SECRET_KEY"] or keep_secret(MOP_HOME)
DEBUG = OPTIONS["MOP_DEBUG"]
DEFAULT_EXCEPTION_REPORTER_FILTER = "mop.conf.error_reports.SecretFilter"
PUBLIC_URL: str = OPTIONS["MOP_PUBLIC_URL"]
_PUBLIC = urlsplit(PUBLIC_URL)
_SECURE = _PUBLIC.scheme == "https"
ALLOWED_HOSTS = [*OPTIONS["MOP_ALLOWED_HOSTS"], *([_PUBLIC.hostname or ""] if PUBLIC_URL else [])]
CSRF_TRUSTED_ORIGINS = [f"{_PUBLIC.scheme}://{_PUBLIC.netloc}"] if PUBLIC_URL else []
MOP_TRUSTED_PROXIES: int = OPTIONS["MOP_TRUSTED_PROXIES"]

# of the page that describes the API. As an app it would be imported, with pydantic, by processes that have no API
_NINJA = Path(str(cast("ModuleSpec", find_spec("ninja")).origin)).parent

INSTALLED_APPS = [
    "mop.ui",  # first: its templates of sign-in and error pages stand before those of the packages
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "csp",
    "django_htmx",
    "rules.apps.AutodiscoverRulesConfig",
    *(area for area in AREAS if area != "mop.ui"),
]

MIDDLEWARE = [
    # what sets headers stands before whatever answers by itself: static files and refusals carry them too
    "mop.ui.middleware.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "mop.accounts.sessions.SignedInMiddleware",
    "mop.accounts.session_lifetime.SessionLifetimeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "mop.ui.middleware.PrivatePageMiddleware",
    "mop.ui.middleware.FormAddressMiddleware",
    "mop.ui.middleware.FaultMiddleware",
]

ROOT_URLCONF = "mop.conf.urls"
WSGI_APPLICATION = "mop.conf.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "DIRS": [_NINJA / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mop.ui.context.portal",
            ],
        },
    },
]

DATABASES = {"default": django_database(OPTIONS["MOP_DATABASE_URL"], MOP_HOME)}
CACHES = {
    "default": {
        # limits on guessing are counted here: all threads, processes and hosts of the portal must see one count
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "mop_cache",
        # a guesser of many names must not push counts out; by default 300 entries stay
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATOMIC_REQUESTS = False

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "rules.permissions.ObjectPermissionBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "mop.accounts.adapter.ClosedSignupAdapter"
MOP_SINGLE_ADMIN_APPROVES: bool = OPTIONS["MOP_SINGLE_ADMIN_APPROVES"]
# single sign-on: docs/sign-in.md
MOP_OIDC_ISSUER: str = OPTIONS["MOP_OIDC_ISSUER"]
MOP_OIDC_CLIENT_ID: str = OPTIONS["MOP_OIDC_CLIENT_ID"]
MOP_OIDC_NAME: str = OPTIONS["MOP_OIDC_NAME"]
MOP_OIDC_ROLES_CLAIM: str = OPTIONS["MOP_OIDC_ROLES_CLAIM"]
MOP_OIDC_USER_ROLE: str = OPTIONS["MOP_OIDC_USER_ROLE"]
MOP_OIDC_ADMINISTRATOR_ROLE: str = OPTIONS["MOP_OIDC_ADMINISTRATOR_ROLE"]
MOP_OIDC_TEAMS_CLAIM: str = OPTIONS["MOP_OIDC_TEAMS_CLAIM"]
MOP_OIDC_TEAMS: dict[str, str] = OPTIONS["MOP_OIDC_TEAMS"]
MOP_TOKEN_SIGN_IN_DAYS: int = OPTIONS["MOP_TOKEN_SIGN_IN_DAYS"]
if MOP_OIDC_ISSUER and not MOP_OIDC_CLIENT_ID:
    raise SystemExit("MOP_OIDC_CLIENT_ID: with MOP_OIDC_ISSUER, give the client id that the provider knows MOP by.")
SOCIALACCOUNT_ADAPTER = "mop.accounts.adapter.SingleSignOnAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": MOP_OIDC_NAME,
                "client_id": MOP_OIDC_CLIENT_ID,
                "secret": OPTIONS["MOP_OIDC_CLIENT_SECRET"],
                "settings": {"server_url": MOP_OIDC_ISSUER},
            }
        ],
    }
}
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # an e-mail address says nothing about whose account it is
MFA_ADAPTER = "mop.accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {"add_webauthn": "mop.accounts.passkey_forms.AddPasskeyForm"}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "MOP"
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True
# browsers give keys to https, and to this machine
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = _PUBLIC.hostname in {None, "localhost"}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
PASSWORD_RESET_TIMEOUT = 24 * 3600  # a link for a forgotten password
ACCOUNT_FORMS = {"login": "mop.accounts.forms.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
# how often one may try, by address (ip), by the name that is typed (key) or by who is signed in (user)
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/300s/key",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
}

_MAIL = mail_settings(OPTIONS["MOP_EMAIL_BACKEND"])
EMAIL_BACKEND = _MAIL.backend
EMAIL_HOST = _MAIL.host
EMAIL_PORT = _MAIL.port
EMAIL_HOST_USER = _MAIL.user
EMAIL_HOST_PASSWORD = _MAIL.password
EMAIL_USE_SSL = _MAIL.tls
EMAIL_USE_TLS = _MAIL.starttls
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL: str = OPTIONS["MOP_EMAIL_FROM"]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [_NINJA / "static"]
STATIC_ROOT = MOP_HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "mop.ui.storage.StaticStorage"},
}
WHITENOISE_USE_FINDERS = True  # the packages' own files, until `collectstatic` has made the hashed ones
WHITENOISE_ALLOW_ALL_ORIGINS = False  # only the portal's own pages use them
MEDIA_ROOT = MOP_HOME / "media"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# browsers take a __Host- cookie only over https, for this host alone and from nobody beside it
_COOKIE_PREFIX = "__Host-" if _SECURE else ""
SESSION_ENGINE = "mop.accounts.sessions"
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}sessionid"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _SECURE
MOP_SESSION_IDLE_SECONDS = OPTIONS["MOP_SESSION_IDLE_HOURS"] * 3600
MOP_SESSION_MAX_SECONDS = OPTIONS["MOP_SESSION_MAX_HOURS"] * 3600
SESSION_COOKIE_AGE = int(MOP_SESSION_MAX_SECONDS)
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}csrftoken"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _SECURE
SECURE_SSL_REDIRECT = False  # the operator's proxy redirects; MOP itself listens on http
SECURE_HSTS_SECONDS = 31_536_000 if _SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _SECURE else None
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # hosts below MOP's own are not MOP's to decide about
    "security.W008",  # see SECURE_SSL_REDIRECT
    "security.W021",  # nor is a browser's preload list
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024**2
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
# files of a try stay in memory: a handler that writes to a disk is not among them, and a larger body has no files
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE
FILE_UPLOAD_HANDLERS = ["mop.ui.uploads.MemoryUploadHandler"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        LogFormat.LINE: {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        LogFormat.JSON: {"()": "mop.conf.log_formats.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": OPTIONS["MOP_LOG_FORMAT"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "azure": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "dbos": {"level": "WARNING", "propagate": True},
    },
}
