"""The steps of one build, from an empty folder to the marker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from mop import failpoints
from mop.environments.build_area import BuildArea, BuildLayout
from mop.environments.bytecode import compile_arguments, move_bytecode
from mop.environments.commands import Finished, run_step
from mop.environments.config import BuildCommand, Cage, Log
from mop.environments.fingerprint import write_listing
from mop.environments.index_proxy import IndexProxy, index_proxy
from mop.environments.index_targets import index_targets
from mop.environments.installed import Installed, open_to_read, read_installed, site_packages
from mop.environments.marker import Marker, write_marker
from mop.environments.orphans import MARK, end_orphans
from mop.environments.removal import clean_command
from mop.environments.trees import remove
from mop.environments.uv_errors import disk_error, install_error, last_lines, needs_source_build, sandbox_error
from mop.errors import EnvironmentBuildError

_T = TypeVar("_T")
_REFUSED_NOTED = 10


class Builder:
    """Builds one environment; the caller holds the key's lock.

    Args:
        area: where.
        cage: wraps every step.
        log: gets the build log.
        trust_cache: False empties the package cache first: its files are links to those of environments, so bytes that
            changed in one have changed in the other.
    """

    def __init__(self, area: BuildArea, *, cage: Cage, log: Log, trust_cache: bool = True) -> None:
        self._area = area
        self._plan = area.plan
        self._cage = cage
        self._log = log
        self._trust_cache = trust_cache
        self._proxy: IndexProxy | None = None
        self._refused: list[str] = []

    async def build(self) -> Marker:
        """Install, move to its place, compile, start once, write the marker.

        Raises:
            EnvironmentBuildError, RequirementsFileError, PackageIndexUnavailableError, DiskFullError and the others
            of `ensure_environment`.
        """
        area, plan = self._area, self._plan
        self._log(
            f"builds environment {plan.key[:12]}: Python {plan.choice.interpreter.version}, pip {plan.settings.pip}"
        )
        await end_orphans(area.lock, log=self._log)
        await _in_thread(area.sweep)
        try:
            return await self._make()
        except BaseException:
            await _in_thread(area.sweep)  # at once: the disk may be full of it
            raise

    async def _make(self) -> Marker:
        area = self._area
        await _in_thread(area.make_scratch)
        layout = await _in_thread(area.wheel_layout)
        if not self._trust_cache:
            self._log("empties the package cache, which shares files with the damaged environment")
            await self._run(clean_command(area.config, layout.area, everything=True))
        try:
            async with self._index_alone():
                shadowed = await self._shadowed(layout)
                installed_on = await self._install(layout)
            await _in_thread(self._keep, installed_on)
        finally:
            await _in_thread(remove, layout.folder)
        try:
            await _in_thread(area.make_scratch)
            await self._compile()
            packages = await _in_thread(read_installed, area.final / "venv")
            await self._start(packages)
            files = await _in_thread(write_listing, area.final)
            marker = self._marker(packages, shadowed, files)
            await _in_thread(write_marker, area.final, marker)
        finally:
            await _in_thread(remove, area.scratch)
        return marker

    @contextlib.asynccontextmanager
    async def _index_alone(self) -> AsyncIterator[None]:
        """While the block runs, steps reach the indexes and nothing else, where the cage can hold them to that."""
        config = self._area.config
        if config.proxy_folder is None:
            yield
            return
        async with index_proxy(
            index_targets(self._area.indexes(), config.file_hosts),
            config.proxy_folder,
            prepare_writable=self._area.prepare_writable,
            log=self._log,
            certificates=config.certificates,
        ) as proxy:
            self._proxy, self._refused = proxy, proxy.refused
            try:
                yield
            finally:
                self._proxy = None

    async def _install(self, layout: BuildLayout) -> BuildLayout:
        """Install from wheels alone, where no stranger's code runs; from source in a place apart if that is needed."""
        area = self._area
        finished = await self._install_on(layout, from_source=False)
        if finished.status and needs_source_build(finished.lines):
            self._log("some package has no wheel for this Python: builds it from source, with a cache of its own")
            if self._proxy is None:
                self._log("this sandbox shares the host's network: build scripts reach what the host reaches")
            layout = await _in_thread(area.source_layout)
            finished = await self._install_on(layout, from_source=True)
        if finished.status:
            raise install_error(
                finished.status,
                finished.lines,
                refused=self._refused,
                requirements=self._plan.requirements.requirements,
                python_version=self._plan.choice.interpreter.version,
            )
        return layout

    async def _install_on(self, layout: BuildLayout, *, from_source: bool) -> Finished:
        created = await self._run(self._area.create(layout))
        if created.status:
            raise self._failed("The virtual environment could not be created", created)
        return await self._run(self._area.install(layout, from_source=from_source))

    def _keep(self, layout: BuildLayout) -> None:
        """Move the virtual environment to its final place, readable for every uid."""
        final = self._area.final
        final.mkdir(parents=True)
        final.chmod(0o755)
        failpoints.hit("before environment rename")
        layout.environment.rename(final / "venv")
        failpoints.hit("after environment rename")
        open_to_read(final / "venv")
        python = final / "venv" / "bin" / "python"
        if python.resolve() != self._plan.choice.interpreter.path.resolve():
            raise EnvironmentBuildError(
                "A package replaced the environment's own bin/python",
                hint="Remove the package that installs a script named python.",
            )

    async def _compile(self) -> None:
        library = site_packages(self._area.final / "venv")
        output = self._area.scratch / "bytecode"
        finished = await self._run(self._area.inspect(*compile_arguments(library, output)))
        moved = await _in_thread(lambda: move_bytecode(library, output))
        if finished.status:
            self._log(f"compiling ended with status {finished.status}; what is missing is compiled at every start")
        self._log(f"compiled {moved} files")

    async def _start(self, packages: list[Installed]) -> None:
        """Start the Python once, with every start-up hook that packages installed, and its pip."""
        finished = await self._run(self._area.inspect("-I", "-m", "pip", "--version"))
        if finished.status == 0:
            return
        pip = next((one.version for one in packages if one.name == "pip"), self._plan.settings.pip)
        python = self._plan.choice.interpreter.version
        if "/pip/" in "\n".join(finished.lines) or "No module named pip" in "\n".join(finished.lines):
            raise EnvironmentBuildError(
                f"pip {pip} does not run on Python {python}:\n{last_lines(finished.lines)}",
                hint=f"Set env.pip in src/settings.yml to a version that supports Python {python}, for example 24.0.",
                place="src/settings.yml",
            )
        raise self._failed("The environment's Python does not start", finished)

    async def _shadowed(self, layout: BuildLayout) -> list[str]:
        """The private wheels whose names the package index has too."""
        names = []
        for wheel in self._plan.wheels:
            listing = layout.folder / "name.txt"
            listing.write_text(f"{wheel.name}\n", encoding="utf-8")
            command = self._area.offered(layout, listing)
            finished = await self._run(command, log=_unheard)
            if finished.status == 0 or needs_source_build(finished.lines):
                names.append(wheel.name)
        return names

    def _marker(self, packages: list[Installed], shadowed: list[str], files: str) -> Marker:
        plan = self._plan
        private = {wheel.name: wheel for wheel in plan.wheels}
        notes = []
        for name in shadowed:
            needed_by = sorted(one.name for one in packages if name in one.requires and one.name not in private)
            wanted = f", which {', '.join(needed_by[:5])} asks for" if needed_by else ""
            notes.append(f"{private[name].place} takes the place of the public package {name}{wanted}")
        for note in notes:
            self._log(note)
        notes += [f"the build tried to reach {one}; refused" for one in self._refused[:_REFUSED_NOTED]]
        return Marker(
            key=plan.key,
            files=files,
            interpreter=str(plan.choice.interpreter.path.resolve()),
            python_version=plan.choice.interpreter.version,
            pip_version=next((one.version for one in packages if one.name == "pip"), ""),
            packages=tuple(f"{one.name}=={one.version}" for one in packages),
            notes=tuple(notes),
        )

    async def _run(self, command: BuildCommand, *, log: Log | None = None) -> Finished:
        if self._proxy is not None and command.network:
            command = self._proxy.through(command)
        env = {**command.env, MARK: str(self._area.lock)}
        return await run_step(self._cage(command), env=env, cwd=command.cwd, log=log or self._log)

    def _failed(self, what: str, finished: Finished) -> Exception:
        text = "\n".join(finished.lines)
        known = sandbox_error(finished.status, text) or disk_error(text)
        return known or EnvironmentBuildError(f"{what} (status {finished.status}):\n{last_lines(finished.lines)}")


def _unheard(_line: str) -> None:
    """The log of a question whose answer alone matters."""


async def _in_thread(function: Callable[..., _T], *arguments: object) -> _T:
    """Run in a thread; when cancelled, first let it finish: it must not go on after the lock is given back."""
    work = asyncio.create_task(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        raise
