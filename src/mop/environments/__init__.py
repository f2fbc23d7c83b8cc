"""Environments: settings.yml, requirements.txt and private wheels become a virtual environment, shared by content."""

from mop.environments.allowed_hosts import allowed_host, host_text
from mop.environments.config import BuildCommand, Cage, Environment, EnvironmentConfig, PythonDownloads, no_cage
from mop.environments.environment import ensure_environment
from mop.environments.installed import Installed, read_installed
from mop.environments.interpreter_search import SUPPORTED_MINORS, missing_minors, usual_folders
from mop.environments.interpreters import Choice, Interpreter, choose_interpreter, find_interpreters
from mop.environments.removal import environment_in_use
from mop.environments.requirements_file import Requirement, check_requirements
from mop.environments.sdk_wheel import build_mop_utils_wheel
from mop.environments.settings_file import RuntimeSettings, read_settings

__all__ = [
    "SUPPORTED_MINORS",
    "BuildCommand",
    "Cage",
    "Choice",
    "Environment",
    "EnvironmentConfig",
    "Installed",
    "Interpreter",
    "PythonDownloads",
    "Requirement",
    "RuntimeSettings",
    "allowed_host",
    "build_mop_utils_wheel",
    "check_requirements",
    "choose_interpreter",
    "ensure_environment",
    "environment_in_use",
    "find_interpreters",
    "host_text",
    "missing_minors",
    "no_cage",
    "read_installed",
    "read_settings",
    "usual_folders",
]
