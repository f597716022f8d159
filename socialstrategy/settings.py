"""All settings, from the environment (or a .env file) alone; wrong values are refused with a sentence."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from celery.schedules import crontab

from socialstrategy import compiled
from socialstrategy import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_file(BASE_DIR / ".env")

DEMO = env.flag("DEMO")
DEBUG = env.flag("DEBUG")
TESTING = "pytest" in sys.modules
SECRET_KEY = env.secret_key()
VAR_DIR = env.folder("VAR_DIR", BASE_DIR / "var", BASE_DIR)
for folder in ("broker/in", "broker/processed", "broker/control", "cache", "static", "signs"):
    env.writable("VAR_DIR", VAR_DIR / folder)
compiled.choose_cache(BASE_DIR / "scoring", VAR_DIR)

TYPOS = env.likely_typos(os.environ)

BASE_URL = env.web_address("BASE_URL", "http://127.0.0.1:8000")
_base = urlsplit(BASE_URL)
IS_SECURE = _base.scheme == "https"
_host = f"[{_base.hostname}]" if ":" in (_base.hostname or "") else _base.hostname
_local = ["localhost", "127.0.0.1", "[::1]"] if DEMO else []
ALLOWED_HOSTS = [_host, *_local, *env.hosts("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [BASE_URL] if IS_SECURE else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.admin",
    "allauth",
    "allauth.account",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "csp",
    "socialstrategy.lib",
    "socialstrategy.jobs",
    "socialstrategy.mail",
    "socialstrategy.operations",
    "accounts",
    "roles",
    "assessments",
    "candidates",
    "teams",
]
MIDDLEWARE = [
    "socialstrategy.operations.middleware.ProbesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "socialstrategy.lib.in_place.InPlaceMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "socialstrategy.lib.hostile.NoNulMiddleware",
    "accounts.attempts.KnownBrowserMiddleware",
    "accounts.access.AccessMiddleware",
    "candidates.middleware.GettingReadyMiddleware",
    "socialstrategy.lib.together.TogetherMiddleware",
]
ROOT_URLCONF = "socialstrategy.urls"
WSGI_APPLICATION = "socialstrategy.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "socialstrategy.lib.context.site",
            ],
            "builtins": ["socialstrategy.lib.templatetags.components"],
        },
    }
]

DATABASES = {"default": env.database("DATABASE_URL", VAR_DIR / "db.sqlite3")}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    _database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    # A server that answers nothing is away, and nobody waits for minutes to learn it.
    _database["OPTIONS"] = {"connect_timeout": 5} | _database.get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.redis_address("REDIS_URL")
# Django forgets entries by chance beyond 300, and with them who has guessed too often.
_many = {"OPTIONS": {"MAX_ENTRIES": 10_000}}
CACHES = {
    "default": {"BACKEND": "socialstrategy.lib.sturdy_cache.SturdyRedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": VAR_DIR / "cache"} | _many
}
CELERY_BROKER_URL = env.broker_address("CELERY_BROKER_URL", REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "data_folder_in": str(VAR_DIR / "broker/in"),
        "data_folder_out": str(VAR_DIR / "broker/in"),
        "processed_folder": str(VAR_DIR / "broker/processed"),
        "control_folder": str(VAR_DIR / "broker/control"),
        "store_processed": False,
        # It takes one message and then rests so long before the next; a second would be a job a second.
        "polling_interval": 0.05,
    }
    if CELERY_BROKER_URL.startswith("filesystem")
    else {
        "visibility_timeout": 3600,
        # A page that hands a job on waits no longer than this: without a broker the job waits in the database.
        "socket_connect_timeout": 1,
        "socket_timeout": 3,
        "max_retries": 1,
        "interval_start": 0,
        "connect_retries_timeout": 2,
    }
)
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_DEFAULT_QUEUE = env.queue("CELERY_QUEUE")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "socialstrategy.operations.signs:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "send mails": {"task": "socialstrategy.mail.tasks.send_due", "schedule": timedelta(seconds=10)},
    "remind": {"task": "candidates.tasks.remind", "schedule": timedelta(minutes=15)},
    "hand in": {"task": "candidates.tasks.hand_in", "schedule": timedelta(minutes=15)},
    "refresh estimates": {"task": "candidates.tasks.refresh", "schedule": timedelta(hours=6)},
    "renew levels": {"task": "candidates.tasks.renew_snapshot", "schedule": timedelta(minutes=5)},
    "count roles": {"task": "candidates.tasks.count_roles", "schedule": timedelta(minutes=10)},
    "guard what is only added": {"task": "accounts.tasks.guard", "schedule": timedelta(hours=1)},
    "forget uploaded files": {"task": "candidates.tasks.forget_files", "schedule": timedelta(hours=6)},
    "clear away": {"task": "teams.tasks.clear_away", "schedule": crontab(hour=3, minute=10)},
    "clear files away": {"task": "operations.tasks.clear_away", "schedule": crontab(hour=3, minute=40)},
    "take snapshot": {"task": "teams.tasks.take_snapshot", "schedule": timedelta(hours=6)},
    "publish figures": {"task": "teams.tasks.publish", "schedule": timedelta(hours=1)},
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
ACCOUNT_FORMS = {"login": "accounts.forms.SignInForm", "reset_password": "accounts.password_reset.ResetForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# Signing in and asking for a new password have limits of the house (accounts/attempts.py).
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None, "reset_password": None}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "teams:overview"
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_HTTPONLY = True
ASSESSMENT_IDLE_DAYS = env.number("ASSESSMENT_IDLE_DAYS", 7, 1, 180)
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

EMAIL_CONFIG = env.mail_server("EMAIL_URL", "dummymail://" if DEMO else "smtp://localhost:25")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.sender("DEFAULT_FROM_EMAIL", f"SocialStrategy <noreply@{_base.hostname}>")

LANGUAGE_CODE = "en-gb"
env.number("PORT", 8000, 1, 65_535)
env.number("WEB_CONCURRENCY", 2, 1, 256)
START_WAIT = env.number("START_WAIT", 120, 0, 86_400)
TIME_ZONE = env.time_zone("TIME_ZONE")
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / env.text("STATIC_DIR", str(VAR_DIR / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = TESTING
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
IMPORT_MAX_BYTES = 10 * 1024 * 1024
IMPORT_MAX_ROWS = 100_000
OCCUPATION_MAX_BYTES = 64 * 1024 * 1024

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "socialstrategy.lib.errors.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SECURE
SECURE_SSL_REDIRECT = IS_SECURE and not TESTING
SECURE_HSTS_SECONDS = 31_536_000 if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_SECURE
TRUSTED_PROXIES = env.proxies("TRUST_PROXY")
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "socialstrategy.lib.logs.Masking",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "socialstrategy.lib.logs.Console", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.log_level("LOG_LEVEL")},
    # The development server's lines hold addresses, too.
    "loggers": {"django.server": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
