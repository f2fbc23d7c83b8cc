"""Where a build's files lie, and the commands that handle them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mop.environments.config import BuildCommand, EnvironmentConfig, PrepareWritable
from mop.environments.index_targets import PUBLIC_INDEX_URL, without_credentials
from mop.environments.locks import unused_key
from mop.environments.plan import Plan
from mop.environments.removal import TRASH, leftover_folders, leftover_key, put_aside, remove_leftover
from mop.environments.requirements_file import normal_index
from mop.environments.sdk_wheel import DISTRIBUTION
from mop.environments.trees import remove

_HTTP_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class BuildLayout:
    """Where one build writes: `area` is what the cage may write, cache and virtual environment lie in it together.

    Together, because a hard link cannot cross from one mount of the cage to another.
    """

    area: Path
    cache: Path
    folder: Path

    @property
    def environment(self) -> Path:
        """The virtual environment while it is built."""
        return self.folder / "venv"

    @property
    def requirements(self) -> Path:
        """The requirements that uv reads."""
        return self.folder / "requirements.txt"


class BuildArea:
    """The folders of one key below the configured root.

    ```
    root/locks/KEY                                held while KEY is built or removed
    root/locks/KEY.use                            shared by those who use KEY
    root/trash/KEY.*                              moved away, to be removed
    root/cache-UID/uv, root/cache-UID/building/KEY   installs from wheels: no stranger's code runs, all share the cache
    root/builds/KEY/...                           builds from source: strangers' code runs, the cache is its own
    root/envs/KEY/venv, environment.json          finished; read-only in every cage
    ```
    """

    def __init__(self, plan: Plan, config: EnvironmentConfig, prepare_writable: PrepareWritable) -> None:
        self.plan = plan
        self.config = config
        self.prepare_writable = prepare_writable
        self.final = config.root / "envs" / plan.key
        self.lock = config.root / "locks" / plan.key
        self.scratch = config.root / "builds" / plan.key

    def sweep(self) -> None:
        """Remove what killed builds left: of this key, and of every other that nobody builds now."""
        root = self.config.root
        if self.final.exists():
            # a service that runs in it, though it is not whole, keeps its files
            aside = put_aside(self.final, root)
            with unused_key(self.lock) as unused:
                if unused:
                    remove(aside)
        for part in leftover_folders(root):
            if leftover_key(part) != self.plan.key:
                remove_leftover(root, part)
            elif part.parent.name != TRASH:
                remove(part)

    def make_scratch(self) -> None:
        """An empty private folder for steps that install nothing."""
        remove(self.scratch)
        self.scratch.mkdir(parents=True)
        self.prepare_writable(self.scratch)

    def wheel_layout(self) -> BuildLayout:
        """A layout on the cache that all builds share; only for steps that run no stranger's code."""
        # What runs in the cage owns what it writes; each such uid has a cache of its own.
        area = self.config.root / f"cache-{self.scratch.stat().st_uid}"
        return self._prepared(BuildLayout(area=area, cache=area / "uv", folder=area / "building" / self.plan.key))

    def source_layout(self) -> BuildLayout:
        """A layout with a cache of its own, for steps in which strangers' build scripts run."""
        return self._prepared(BuildLayout(area=self.scratch, cache=self.scratch / "uv", folder=self.scratch / "build"))

    def _prepared(self, layout: BuildLayout) -> BuildLayout:
        remove(layout.folder)
        for folder in (layout.area, layout.cache, layout.folder.parent, layout.folder):
            if not folder.exists():
                folder.mkdir(parents=True)
                self.prepare_writable(folder)
        lines = [
            one.line_text()
            for one in self.plan.requirements.requirements
            if one.name != DISTRIBUTION or self.plan.sdk_wheel is None
        ]
        layout.requirements.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        layout.requirements.chmod(0o644)
        for name in ("venv", "tmp"):
            (layout.folder / name).mkdir()
            self.prepare_writable(layout.folder / name)
        return layout

    def indexes(self) -> list[str]:
        """The package indexes of this build, with the operator's credentials; the default one first."""
        named = self.plan.requirements.extra_indexes
        extra = {without_credentials(normal_index(url)): url for url in self.config.allowed_indexes}
        return [self.config.index_url or PUBLIC_INDEX_URL, *(extra[url] for url in named)]

    def create(self, layout: BuildLayout) -> BuildCommand:
        """Create the empty virtual environment; relocatable, because it moves when it is complete."""
        interpreter = str(self.plan.choice.interpreter.path)
        return self._uv(
            layout, "venv", "--relocatable", "--python", interpreter, str(layout.environment), network=False
        )

    def install(self, layout: BuildLayout, *, from_source: bool) -> BuildCommand:
        """Install pip, requirements, private wheels and mop-utils in one resolution."""
        wheels = [str(wheel.path) for wheel in self.plan.wheels]
        if self.plan.sdk_wheel:
            wheels.append(str(self.plan.sdk_wheel))
        return self._uv(
            layout,
            *("pip", "install", "--python", str(layout.environment / "bin" / "python")),
            *(() if from_source else ("--no-build",)),
            *("--requirements", str(layout.requirements), f"pip=={self.plan.settings.pip}", *wheels),
            network=True,
        )

    def offered(self, layout: BuildLayout, names: Path) -> BuildCommand:
        """Ask the index for the packages listed in the file `names`."""
        version = self.plan.choice.interpreter.version
        return self._uv(
            layout,
            *("pip", "compile", "--quiet", "--no-deps", "--no-build", "--no-header", "--no-annotate"),
            *("--python", str(self.plan.choice.interpreter.path), "--python-version", version, str(names)),
            network=True,
        )

    def inspect(self, *arguments: str) -> BuildCommand:
        """Run the finished environment's Python; it can write the scratch folder only."""
        return BuildCommand(
            argv=(str(self.final / "venv" / "bin" / "python"), *arguments),
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.scratch), "TMPDIR": str(self.scratch), "LANG": "C.UTF-8"},
            cwd=self.scratch,
            interpreter=self.plan.choice.interpreter.path,
            readable=(self.final / "venv",),
            writable=(self.scratch,),
            network=False,
        )

    def _uv(self, layout: BuildLayout, *arguments: str, network: bool) -> BuildCommand:
        plan, config = self.plan, self.config
        readable = [config.uv, *(wheel.path for wheel in plan.wheels)]
        readable += [path for path in (plan.sdk_wheel, config.certificates) if path]
        return BuildCommand(
            argv=(str(config.uv), *arguments),
            env=self._environment(layout),
            cwd=layout.folder,
            interpreter=plan.choice.interpreter.path,
            readable=tuple(readable),
            writable=(layout.area,),
            network=network,
        )

    def _environment(self, layout: BuildLayout) -> dict[str, str]:
        config = self.config
        variables = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(layout.folder / "tmp"),
            "TMPDIR": str(layout.folder / "tmp"),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "UV_CACHE_DIR": str(layout.cache),
            "UV_HTTP_RETRIES": str(config.index_retries),
            "UV_HTTP_TIMEOUT": str(_HTTP_TIMEOUT_SECONDS),
            "UV_NO_CONFIG": "1",
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        }
        if config.certificates or not config.proxy_folder:
            variables["UV_SYSTEM_CERTS"] = "true"  # a cage without a network has no system's; uv brings some of its own
        # a build script can read them, so the proxy keeps their credentials
        shown = without_credentials if config.proxy_folder else str
        default, *extra = self.indexes()
        variables["UV_DEFAULT_INDEX"] = shown(default)
        if extra:
            variables["UV_INDEX"] = " ".join(map(shown, extra))
        if config.certificates:
            variables["SSL_CERT_FILE"] = str(config.certificates)
        return variables
