"""Severe places in Python are told of; what cannot be read is never silent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mop.scanning.findings import Severity, Verdict
from mop.scanning.limits import ScanLimits
from mop.scanning.python_acts import PYTHON_BYTES_MAX
from mop.scanning.scanner import Subject
from mop.scanning.scanners import source
from mop.scanning.scanners.source import Source
from scanning.looking import caged, only, rules, scanned, write

SHELL = "import subprocess\nsubprocess.call('ls ' + name, shell=True)\n"


def test_ordinary_source_is_clean(tmp_path: Path):
    write(tmp_path, {"src/inference.py": "import json\n\n\ndef run(item):\n    return json.loads(item)\n"})
    report = scanned(Source(), tmp_path)
    assert [(file.path, file.verdict) for file in report.files] == [("src/inference.py", Verdict.CLEAN)]
    assert report.findings == ()


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (SHELL, "subprocess-popen-with-shell-equals-true"),
        ("import os\nos.system(name)\n", "start-process-with-a-shell"),
        ("import hashlib\nhashlib.md5(b'')\n", "hashlib"),
        ("import requests\nrequests.get(url, verify=False)\n", "request-with-no-cert-validation"),
        ("import tarfile\ntarfile.open(name).extractall()\n", "tarfile-unsafe-members"),
        ("access = 'user\u202e'  # \u2066\n", "trojansource"),
        ("import ftplib\n", "blacklist"),
    ],
)
def test_severe_places_are_medium_with_their_line(tmp_path: Path, code: str, rule: str):
    report = scanned(Source(), write(tmp_path, {"src/deep/a.py": code}))
    finding = report.findings[0]
    assert (finding.rule, finding.severity, finding.path) == (rule, Severity.MEDIUM, "src/deep/a.py")
    assert finding.position == f"line {code.count(chr(10))}"
    assert finding.hint
    assert report.files[0].verdict == Verdict.SUSPICIOUS


def test_a_comment_does_not_silence_it(tmp_path: Path):
    code = SHELL.replace("True)", "True)  # nosec")
    assert only(scanned(Source(), write(tmp_path, {"src/a.py": code}))).position == "line 2"


def test_python_anywhere_is_looked_at_and_nothing_else(tmp_path: Path):
    write(tmp_path, {"model/a.py": SHELL, "src/a.txt": SHELL, "src/A.PY": SHELL})
    assert set(rules(scanned(Source(), tmp_path))) == {"model/a.py", "src/A.PY"}


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess\nsubprocess.call(['touch', 'a'])\n",
        "from os import system as s\ns('touch a')\n",
        "import base64\nexec(base64.b64decode('cGFzcw=='))\n",
        "import os\n\ndef go():\n    os.popen('touch a')\n\ngo()\n",
        "import os\nclass M:\n    def __init__(self):\n        os.system('touch a')\n",
        "import urllib.request\nurllib.request.urlopen('http://a')\n",
        "open('/tmp/a', 'w')\n",
        "from os import *\nsystem('touch a')\n",
        "import os\nrun = os.system\nrun('touch a')\n",
        "import os\nlist(map(os.system, ['touch a']))\n",
        "getattr(__import__('os'), 'system')('touch a')\n",
        "import sys\nsys.modules['os'].system('touch a')\n",
        "system = __import__('os')\nsystem.popen('touch a')\n",
        "__builtins__['exec']('pass')\n",
        "vars(__import__('posix'))['system']('touch a')\n",
        "import os\nname = 'sys' + 'tem'\ngetattr(os, name)('touch a')\n",
        "import os\n\ndef go(a=os.system('touch a')):\n    pass\n",
        "import os\nif __name__ != 'x':\n    os.system('touch a')\n",
        "import os\nif __name__ == '__main__':\n    pass\nelse:\n    os.system('touch a')\n",
        "# coding: unicode_escape\n# what a comment hides: \\u000aimport os; os.system('touch a')\n",
    ],
)
def test_what_runs_with_the_weights_is_critical(tmp_path: Path, code: str):
    report = scanned(Source(), write(tmp_path, {"model/modeling_x.py": code, "src/same.py": code}))
    assert "code-beside-weights" in rules(report)["model/modeling_x.py"]
    assert report.findings[0].severity == Severity.CRITICAL
    assert "code-beside-weights" not in rules(report).get("src/same.py", [])
    assert {file.path: file.verdict for file in report.files}["model/modeling_x.py"] == Verdict.INFECTED


@pytest.mark.parametrize(
    "code",
    [
        "import os\nhere = os.path.join('a', 'b')\nhome = os.environ.get('HOME')\n",
        "class M:\n    def save(self, path):\n        self.model.eval()\n        return open(path)\n",
        "import re\npattern = re.compile('a')\n",
        "def main():\n    open('a', 'w')\n\nif __name__ == '__main__':\n    main()\n",
    ],
)
def test_ordinary_code_beside_the_weights_is_clean(tmp_path: Path, code: str):
    assert scanned(Source(), write(tmp_path, {"model/modeling_x.py": code})).findings == ()


@pytest.mark.parametrize(
    "code",
    ["import os; os.system('touch a')\n" + "#" * PYTHON_BYTES_MAX, "os.system('touch a')\n" + "-" * 100_000 + "1\n"],
    ids=["large", "nested"],
)
def test_code_beside_the_weights_that_is_made_not_to_be_seen_blocks(tmp_path: Path, code: str):
    report = scanned(Source(), write(tmp_path, {"model/modeling_x.py": code}))
    assert (only(report).rule, only(report).severity) == ("costly-structure", Severity.CRITICAL)
    assert report.files[0].verdict == Verdict.NOT_FULLY_SCANNED


def test_a_program_in_a_function_that_others_may_call_warns(tmp_path: Path):
    code = "import subprocess\n\ndef convert(path):\n    subprocess.run(['convert', path])\n"
    report = scanned(Source(), write(tmp_path, {"model/convert.py": code}))
    assert [(finding.rule, finding.severity) for finding in report.findings] == [("code-beside-weights", Severity.HIGH)]


def test_the_code_of_a_notebook_is_looked_at(tmp_path: Path):
    cells = [{"cell_type": "markdown", "source": ["x"]}, {"cell_type": "code", "source": ["!pip install x\n", SHELL]}]
    notebook = json.dumps({"cells": cells, "nbformat": 4})
    report = scanned(Source(), write(tmp_path, {"model/train.ipynb": notebook, "model/bad.ipynb": "{"}))
    assert rules(report) == {"model/train.ipynb": [SHELL_RULE], "model/bad.ipynb": ["not-fully-scanned"]}


@pytest.mark.parametrize(
    "code",
    ["def (", 'print "a"', "\0", "(" * 5000, "-" * 100_000 + "1", "x = a" + ".a" * 100_000, "# coding: none\n"],
    ids=["syntax", "python 2", "null", "parentheses", "unary", "attributes", "encoding"],
)
def test_what_can_not_be_parsed_is_a_finding(tmp_path: Path, code: str):
    report = scanned(Source(), write(tmp_path, {"src/a.py": code}))
    assert only(report).rule == "not-fully-scanned"
    assert report.files[0].verdict == Verdict.NOT_FULLY_SCANNED
    assert not report.depends_on_host


def test_a_test_of_bandit_that_fails_on_a_file_is_not_passed_over(tmp_path: Path):
    code = "import subprocess\nsubprocess.call(*a, **{1: 2}, shell=1 << 10**9)\n"
    report = scanned(Source(), write(tmp_path, {"src/a.py": code}))
    assert report.files[0].verdict != Verdict.CLEAN


def test_a_large_file_is_not_read(tmp_path: Path):
    report = scanned(Source(), write(tmp_path, {"src/a.py": "#" * (PYTHON_BYTES_MAX + 1)}))
    assert "larger than" in only(report).message


def test_a_slow_file_is_given_up(tmp_path: Path):
    write(tmp_path, {"src/a.py": "a," * 100_000, "src/b.py": SHELL})
    report = scanned(Source(), Subject(tmp_path, limits=ScanLimits(seconds=0.5)))
    # a fast machine takes over a second for the first and a thousandth of one for the other
    assert rules(report) == {"src/a.py": ["costly-structure"], "src/b.py": [SHELL_RULE]}
    assert "takes more processor time than 0.5 s" in report.findings[0].message
    assert report.findings[0].severity == Severity.CRITICAL
    assert report.depends_on_host


def test_a_flood_is_counted(tmp_path: Path):
    report = scanned(Source(), write(tmp_path, {"src/a.py": SHELL * 30}))
    assert len(report.findings) == source.FINDINGS_MAX + 1
    assert report.findings[0].rule == "more" or report.findings[-1].rule == "more"


@pytest.mark.sandbox
def test_in_the_cage_the_worst_files_neither_end_it_nor_stay_clean(tmp_path: Path):
    most = PYTHON_BYTES_MAX
    folder = write(
        tmp_path / "folder",
        {
            "src/adds.py": "x=a" + "+a" * (most // 2 - 2),
            "src/brackets.py": "[" * 150 + "]" * 150 + ",[]" * (most // 3 - 200),
            "src/shell.py": SHELL,
            "src/texts.py": "x=f'{a}'" + "f'{a}'" * (most // 6 - 10),
        },
    )
    report = caged(Subject(folder, limits=ScanLimits(seconds=5)), "source")
    assert report.incomplete == {}
    assert SHELL_RULE in rules(report)["src/shell.py"]
    assert not [finding for finding in report.findings if finding.rule == "scanner-ended"]
    assert {file.path: file.verdict for file in report.files}["src/adds.py"] == Verdict.NOT_FULLY_SCANNED


SHELL_RULE = "subprocess-popen-with-shell-equals-true"
