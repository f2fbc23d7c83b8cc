"""One environment per content: there already, or built, checked and kept."""

from __future__ import annotations

import asyncio
import errno
import time
from pathlib import Path

from mop.environments.build_area import BuildArea
from mop.environments.builder import Builder
from mop.environments.config import Cage, Environment, EnvironmentConfig, Log, PrepareWritable
from mop.environments.fingerprint import Damage, find_damage
from mop.environments.interpreter_downloads import with_interpreter
from mop.environments.locks import key_lock, shared_use
from mop.environments.marker import NAME as MARKER
from mop.environments.marker import Marker, last_used, read_marker, touch_marker
from mop.environments.plan import Plan, make_plan, read_python
from mop.errors import DiskFullError, EnvironmentBuildError

TRUSTED_SECONDS = 60.0
"""So long after an environment was found whole its files are not looked at again."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


async def ensure_environment(
    src: Path,
    private_wheels: Path | None,
    *,
    config: EnvironmentConfig,
    cage: Cage,
    prepare_writable: PrepareWritable,
    log: Log,
) -> Environment:
    """The environment for a model's src/ and privatepkgs/, built if no equal one exists.

    Callers that ask for the same content at once, from any process, share one build. Cancelling ends the build's
    processes; what it leaves is removed by the next build of that key.

    Args:
        src: the model's src folder.
        private_wheels: the model's privatepkgs folder; None or missing is none.
        config: the installation's rules.
        cage: wraps every step that handles strangers' files.
        prepare_writable: makes an empty folder writable in the cage.
        log: gets the build log.

    Raises:
        SettingsFileError: settings.yml cannot be used.
        RequirementsFileError: a line of requirements.txt cannot be used.
        EnvironmentBuildError: the requirements do not resolve, build or start; the cause is in the message.
        ModelStructureError: privatepkgs/ breaks a rule of the folder.
        PackageIndexUnavailableError: the index did not answer.
        InterpreterDownloadError: the Python that settings.yml asks for could not be fetched.
        PlatformCredentialError: the index refused this installation.
        SandboxUnavailableError: the cage could not be set up.
        DiskFullError: the disk of `config.root` is full.
    """
    started = time.monotonic()
    try:
        if config.downloads is not None:
            wanted = await asyncio.to_thread(read_python, src)
            config = await with_interpreter(wanted, config, log=log)
        plan = await asyncio.to_thread(make_plan, src, private_wheels, config=config)
        area = BuildArea(plan, config, prepare_writable)
        for note in plan.notes:
            log(note)
        marker, _ = await asyncio.to_thread(_look, area)
        reused = marker is not None
        if marker is None:
            async with key_lock(area.lock, log=log):
                marker, damage = await asyncio.to_thread(_look, area)
                reused = marker is not None
                if marker is None:
                    if damage is not None:
                        log(f"environment {plan.key[:12]} is not whole and is built again: {damage.text}")
                    builder = Builder(area, cage=cage, log=log, trust_cache=damage is None or not damage.in_place)
                    marker = await _build(builder, config.build_seconds)
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(f"The disk that holds environments is full: {config.root}") from error
        raise
    seconds = time.monotonic() - started
    log(f"environment {plan.key[:12]} {'is there already' if reused else 'is ready'}, {seconds:.2f} s")
    return _environment(plan, area, marker, reused=reused, seconds=seconds)


async def _build(builder: Builder, seconds: float) -> Marker:
    try:
        async with asyncio.timeout(seconds):
            return await builder.build()
    except TimeoutError:
        raise EnvironmentBuildError(
            f"The environment was not built within {seconds:.0f} s",
            hint="Choose packages that have a wheel for this Python: building from source takes long.",
        ) from None


def _look(area: BuildArea) -> tuple[Marker | None, Damage | None]:
    """The marker of the environment at its place if it is whole, which counts as a use; else what is wrong with it.

    While this looks, the environment cannot be removed; for a while after it is too young to be. Damage means
    something under the key's lock only: without it another process may be building.
    """
    if not area.final.exists():
        return None, None
    with shared_use(area.lock):
        marker = read_marker(area.final)
        damage = _damage(area, marker)
        if damage is not None:
            return None, damage
        touch_marker(area.final)
        return marker, None


def _damage(area: BuildArea, marker: Marker | None) -> Damage | None:
    if marker is None or marker.key != area.plan.key:
        return Damage(f"its {MARKER} is missing or cannot be read")
    python = area.final / "venv" / "bin" / "python"
    if not python.exists():
        return Damage(f"its interpreter {marker.interpreter} is gone")
    if str(python.resolve()) != marker.interpreter:
        return Damage(f"its interpreter is {python.resolve()}, not {marker.interpreter}")
    # one onboarding asks twice, a moment apart
    if 0 <= time.time() - last_used(area.final) < TRUSTED_SECONDS:
        return None
    return find_damage(area.final, marker.files)


def _environment(plan: Plan, area: BuildArea, marker: Marker, *, reused: bool, seconds: float) -> Environment:
    path = area.final / "venv"
    return Environment(
        key=plan.key,
        path=path,
        python=path / "bin" / "python",
        interpreter=Path(marker.interpreter),
        python_version=marker.python_version,
        pip_version=marker.pip_version,
        files=marker.files,
        packages=marker.packages,
        reused=reused,
        seconds=seconds,
        notes=(*plan.notes, *marker.notes),
    )
