"""The hint of an exception follows from its cause: each case through a model process, as a contributor meets it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mop.errors import MopError, UserScriptException
from serving.conftest import MakeModel, StartService
from serving.test_model_faults import refusal

LOADS = """
def init(self, model_root):
    import pickle
    with open(os.path.join(model_root, "classifier.pkl"), "rb") as file:
        self.value = pickle.load(file)
"""
DEFAULT = UserScriptException.default_hint


def pickled_from(module: str, name: str) -> bytes:
    """A pickle of a function as a program with that module writes it."""
    return f"c{module}\n{name}\n.".encode()


async def refused(start: StartService, folder: Path) -> MopError:
    error = await refusal(start, folder)
    assert isinstance(error, UserScriptException)
    return error


@pytest.mark.parametrize(
    ("module", "name", "told", "hint"),
    [
        ("utils", "tokenize", "", "Put your own module `utils` into src/, beside inference.py."),
        ("tone_words", "tokenize", "has this module", "If `tone_words` is a module of your own, put it"),
        ("__main__", "tokenize", "defined `tokenize` itself", "Define `tokenize` in a module, import it from there"),
        ("features", "gone", "", "Define `gone` in features of src/"),
        ("yaml._core", "scalar", "has no `yaml._core`", "The file was saved with another version of PyYAML: pin"),
        ("yaml", "Gone", "has no `yaml.Gone`", "The file was saved with another version of PyYAML: pin"),
    ],
)
async def test_what_a_pickle_refers_to(
    make_model: MakeModel, start: StartService, module: str, name: str, told: str, hint: str
):
    folder = make_model(LOADS, files={"features.py": "def tokenize(text): return text.split()"})
    (folder / "model/classifier.pkl").write_bytes(pickled_from(module, name))
    error = await refused(start, folder)
    assert told in error.message
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("module", "there", "hint"),
    [
        ("numpy._core.multiarray", "numpy", "The file was saved with numpy 2: write `numpy>=2` into"),
        ("sklearn.ensemble.forest", "sklearn/ensemble", "The file was saved with scikit-learn before 0.22: write `sci"),
        ("pandas.core.indexes.numeric", "pandas/core/indexes", "The file was saved with pandas 1: write `pandas<2` in"),
    ],
)
async def test_a_module_that_moved_between_versions_is_known(
    make_model: MakeModel, start: StartService, module: str, there: str, hint: str, tmp_path: Path
):
    """The package is there without that module: empty packages stand for it, ahead of what the tests have installed."""
    site = tmp_path / "site"
    (site / there).mkdir(parents=True)
    for part in [*(site / there).relative_to(site).parents, Path(there)][1:]:
        (site / part / "__init__.py").touch()
    folder = make_model(LOADS)
    (folder / "model/classifier.pkl").write_bytes(pickled_from(module, "x"))
    script = folder / "src/inference.py"
    script.write_text(f"import sys\nsys.path.insert(1, {str(site)!r})\n" + script.read_text())
    error = await refused(start, folder)
    assert "has no `" in error.message
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "A file that is loaded ends too early"),
        (pickle.dumps({"words": ["a" * 300]})[:-200], "A file that is loaded ends too early"),
        (b"<html>", DEFAULT),
    ],
)
async def test_a_checkpoint_that_ends_too_early_asks_for_no_terminal(
    make_model: MakeModel, start: StartService, content: bytes, hint: str
):
    folder = make_model(LOADS)
    (folder / "model/classifier.pkl").write_bytes(content)
    assert (await refused(start, folder)).hint.startswith(hint)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("import helpers", "Put your own module `helpers` into src/"),
        ("import lexicon", "Rename src/Lexicon.py to src/lexicon.py."),
        ("import tables", "Move model/tables.py to src/."),
        ("import yaml.no_such_part", "Pin a version of PyYAML that has `yaml.no_such_part`"),
        ("from yaml import no_such_name", "Require a version of PyYAML that has `yaml.no_such_name`"),
        ("import yaml; yaml.no_such_name", "Require a version of PyYAML that has `yaml.no_such_name`"),
        ("import lexicon_of_somebody", "Add the package that provides `lexicon_of_somebody`"),
        ("raise KeyError('x')", DEFAULT),
        ("object().words", DEFAULT),
    ],
)
async def test_what_an_import_did_not_find(make_model: MakeModel, start: StartService, code: str, hint: str):
    folder = make_model(f"def init(self, model_root):\n    {code}", files={"Lexicon.py": ""})
    (folder / "model/tables.py").touch()
    assert (await refused(start, folder)).hint.startswith(hint)


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("yaml.py", "import yaml; yaml.safe_load('a')", "src/yaml.py hides the installed module `yaml`"),
        ("yaml.py", "from yaml import safe_load", "src/yaml.py hides the installed module `yaml`"),
        ("yaml.py", "import yaml.nodes", "src/yaml.py hides the installed module `yaml`"),
        ("tabnanny.py", "import tabnanny; tabnanny.check", "src/tabnanny.py hides the installed module `tabnanny`"),
        ("queue.py", "import queue; queue.words", "Python's own module `queue` was loaded, not src/queue.py"),
        ("time.py", "from time import words", "Python's own module `time` was loaded, not src/time.py"),
    ],
)
async def test_a_module_of_src_with_the_name_of_another(
    make_model: MakeModel, start: StartService, name: str, code: str, told: str
):
    error = await refused(start, make_model(f"def init(self, model_root):\n    {code}", files={name: ""}))
    assert told in error.message
    assert error.hint.startswith(f"Rename src/{name}")


@pytest.mark.parametrize(
    ("call", "says_where_logs_go"),
    [
        ("logging.handlers.RotatingFileHandler('/var/log/no-such/app.log')", True),
        ("logging.basicConfig(filename='/no-such/app.log')", True),
        ("open('/no-such/cache.json', 'w')", False),
        ("open('/no-such/cache.json', mode='ab')", False),
        ("pathlib.Path('/no-such/cache.json').write_text('x')", False),
        ("os.mkdir('/no-such/cache')", False),
    ],
)
async def test_a_file_that_is_written_where_nothing_can_be(
    make_model: MakeModel, start: StartService, call: str, *, says_where_logs_go: bool
):
    error = await refused(
        start, make_model(f"def init(self, model_root):\n    import logging.handlers, pathlib\n    {call}")
    )
    assert "is opened to be written" in error.message
    assert error.hint.startswith("Write below tempfile.gettempdir() alone")
    assert ("Log to stdout" in error.hint) == says_where_logs_go


@pytest.mark.parametrize(
    ("opened", "hint"),
    [
        ("open(os.path.join(model_root, 'Weights.TXT'))", "Write the name as the file has it"),
        ("open(os.path.join(model_root, 'labels.yml'))", "Write the name as the file has it"),
        ("open(os.path.join(model_root, 'mod\\u00e8le.bin'))", "Write the name as the file has it"),
        ("open(os.path.join(model_root, 'lexicon.csv'))", "Put `lexicon.csv` where the script looks for it"),
        ("open('/home/me/words.txt')", "Put `words.txt` into model/, and build its path from the model_root"),
        ("open('words.txt')", "Build paths from the model_root that init gets"),
    ],
)
async def test_a_file_that_is_read_and_not_there(make_model: MakeModel, start: StartService, opened: str, hint: str):
    folder = make_model(f"def init(self, model_root):\n    {opened}")
    for name in ("labels.yaml", "mode\u0300le.bin"):
        (folder / "model" / name).write_text("x")
    assert (await refused(start, folder)).hint.startswith(hint)


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("async def init(self, model_root): pass", "`async def`"),
        ("async def inference(self, item): return item", "`async def`"),
        ("async def inference_batch(self, items): return items", "`async def`"),
        ("async def convert_mop_input_to_model_input(self, mop_input): return {}", "`async def`"),
        ("def inference_batch(self, items):\n    for item in items: yield item", "a generator"),
    ],
)
async def test_a_method_that_nobody_awaits(make_model: MakeModel, start: StartService, method: str, kind: str):
    error = await refused(start, make_model(method))
    name = method.split("(", maxsplit=1)[0].rsplit(maxsplit=1)[-1]
    assert f"{name} is {kind}" in error.message
    assert error.hint.startswith(f"Write `def {name}`")
    assert error.place is not None
    assert error.place.startswith("src/inference.py:")
