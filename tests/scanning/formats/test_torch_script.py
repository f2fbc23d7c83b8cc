"""The code in an archive of TorchScript, whose methods run when a model's state is read."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from mop.scanning.findings import Verdict
from scanning.formats.reading import looked_at, rules, verdict
from security.hostile import zipped


def script(call: str) -> bytes:
    code = f"class Net(Module):\n  def __setstate__(self, state: Tensor) -> NoneType:\n    _0 = {call}\n"
    members = {
        "data.pkl": pickle.dumps({}, 2),
        "constants.pkl": pickle.dumps((), 2),
        "code/__torch__.py": code.encode(),
    }
    return zipped({f"net/{name}": content for name, content in members.items()})


@pytest.mark.parametrize("call", ["torch.save(state, 'a')", "ops.aten.save(state, 'a')", "torch.from_file('a')"])
def test_a_call_that_reaches_files_is_infected(tmp_path: Path, call: str):
    assert rules(looked_at(tmp_path, script(call))) == {"graph-operation"}


@pytest.mark.parametrize("call", ["torch.relu(state)", "self.save(state)", "torch.linear(state, state, None)"])
def test_a_call_that_computes_is_clean(tmp_path: Path, call: str):
    assert verdict(tmp_path, script(call)).verdict == Verdict.CLEAN


def test_code_that_cannot_be_parsed_is_not_fully_scanned(tmp_path: Path):
    assert verdict(tmp_path, script("(")).verdict == Verdict.NOT_FULLY_SCANNED
