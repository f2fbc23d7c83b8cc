"""Secrets are found where they lie, and are never shown: not in findings, logs or exceptions."""

from __future__ import annotations

import base64
import json
import random
import string
import subprocess
import sys
from pathlib import Path

import pytest
from detect_secrets.plugins.keyword import DENYLIST

from mop.scanning.deadline import DeadlineError
from mop.scanning.findings import Severity, Verdict
from mop.scanning.limits import ScanLimits
from mop.scanning.scanner import Subject
from mop.scanning.scanners import secret_shapes, secrets
from mop.scanning.scanners.secret_marks import KEYWORD_MARKS, MARKS
from mop.scanning.scanners.secret_shapes import secrets_of
from mop.scanning.scanners.secrets import Secrets
from scanning.looking import caged, only, rules, scanned, write

_MADE = random.Random(7)  # noqa: S311 - invented secrets, the same in each run
_LETTERS = string.ascii_letters + string.digits


def _text(length: int, characters: str = _LETTERS) -> str:
    return "".join(_MADE.choices(characters, k=length))


def _part(value: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


# rule, the value, the line around it
SECRETS = [
    ("aws-key", "AKIA" + _text(16, string.ascii_uppercase + string.digits), "key = '{}'"),
    ("aws-key", _text(40), "aws_secret_access_key = '{}'"),
    ("azure-storage-key", f"{_text(86)}==", "c = 'DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};x'"),
    ("azure-shared-access-key", _text(43) + "=", "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKey={}"),
    (
        "azure-shared-access-signature",
        _text(43) + "%3D",
        "url: https://a.blob.core.windows.net/c/b?sv=2024-01-01&sig={}",
    ),
    ("azure-client-secret", f"{_text(3)}8Q~{_text(34)}", "c={}"),
    ("connection-string", "Geheim!99", "Server=tcp:a.database.windows.net,1433;Database=b;User ID=c;Password={};"),
    ("password-in-url", "n1Ghtingale", "postgresql://reader:{}@db.example.com/data"),
    ("github-token", "ghp_" + _text(36), "x = {}"),
    ("github-token", "github_pat_" + _text(82), "x = {}"),
    ("gitlab-token", "glpat-" + _text(20), "x = {}"),
    ("google-key", "AIza" + _text(35), "x = '{}'"),
    ("hugging-face-token", "hf_" + _text(34), "login('{}')"),
    ("json-web-token", f"{_part({'alg': 'HS256'})}.{_part({'sub': 'somebody'})}.{_text(43)}", "Bearer {}"),
    ("openai-key", f"sk-{_text(20)}T3BlbkFJ{_text(20)}", "x = '{}'"),
    ("openai-key", "sk-proj-" + _text(60), "x = '{}'"),
    ("anthropic-key", "sk-ant-api03-" + _text(60), "x = '{}'"),
    ("databricks-token", "dapi" + _text(32, "0123456789abcdef"), "x = '{}'"),
    ("slack-token", "xoxb-123456789012-123456789012-" + _text(24), "x = '{}'"),
    ("stripe-key", "sk_live_" + _text(24), "x = '{}'"),
    ("sendgrid-key", f"SG.{_text(22)}.{_text(43)}", "x = '{}'"),
    ("npm-token", "npm_" + _text(36), "//registry.npmjs.org/:_authToken={}"),
    ("pypi-token", "pypi-AgEIcHlwaS5vcmc" + _text(80), "x = '{}'"),
    ("square-token", "sq0csp-" + _text(43), "x = '{}'"),
    ("mailchimp-key", _text(32, string.ascii_lowercase + string.digits) + "-us12", "x = '{}'"),
    ("twilio-key", "SK" + _text(32, string.ascii_lowercase + string.digits), "x = '{}'"),
    ("telegram-token", "123456789:AA" + _text(33), "x = '{}'"),
    ("keyword", "correct4Horse!Staple", "password = '{}'"),
    ("keyword", "q7" + _text(20), "my_api_key: '{}'"),
]


@pytest.mark.parametrize(("rule", "value", "line"), SECRETS, ids=[f"{one[0]}-{at}" for at, one in enumerate(SECRETS)])
def test_it_is_found_with_its_line_and_never_shown(tmp_path: Path, rule: str, value: str, line: str):
    report = scanned(Secrets(), write(tmp_path, {"src/a.py": f"import os\n\n{line.format(value)}\n"}))
    finding = next(finding for finding in report.findings if finding.rule == rule)
    assert (finding.severity, finding.position, finding.path) == (Severity.MEDIUM, "line 3", "src/a.py")
    assert f"{len(value)} characters" in finding.message
    _assert_hidden(json.dumps(report.to_dict()), value)


@pytest.mark.parametrize("kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY"])
def test_private_keys(tmp_path: Path, kind: str):
    body = _text(60)
    report = scanned(Secrets(), write(tmp_path, {"model/key": f"-----BEGIN {kind}-----\n{body}\n"}))
    assert (only(report).rule, only(report).position) == ("private-key", "line 1")
    _assert_hidden(repr(report), body)


@pytest.mark.parametrize("name", ["src/settings.yml", "src/requirements.txt", ".env", "model/config.json", "README.md"])
def test_every_text_of_the_folder_is_read(tmp_path: Path, name: str):
    assert list(rules(scanned(Secrets(), write(tmp_path, {name: f"\n'hf_{_text(34)}'"})))) == [name]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_in_other_encodings(tmp_path: Path, encoding: str):
    text = f"wörter\r\npassword='{SECRETS[-2][1]}'\r\n"
    assert only(scanned(Secrets(), write(tmp_path, {"a.env": text.encode(encoding)}))).position == "line 2"


def test_yaml_needs_no_quotes(tmp_path: Path):
    assert only(scanned(Secrets(), write(tmp_path, {"a.yml": f"api_key: q7{_text(20)}\n"}))).rule == "keyword"


@pytest.mark.parametrize("before", [0, 1, 4090, 8180, 65_500, 131_060, 200_000])
def test_in_a_line_of_any_length_it_is_found_once(tmp_path: Path, before: int):
    token = f"hf_{_text(34)}"
    write(tmp_path, {"a.json": f"first\n{'-' * before} {token} {'-' * before}\nlast"})
    assert only(scanned(Secrets(), tmp_path)).position == "line 2"


@pytest.mark.parametrize("lines", [1, 5000, 20_000])
def test_lines_are_counted_right(tmp_path: Path, lines: int):
    write(tmp_path, {"a.txt": "word\n" * lines + f"hf_{_text(34)}\n"})
    assert only(scanned(Secrets(), tmp_path)).position == f"line {lines + 1}"


@pytest.mark.parametrize(
    "line",
    [
        "password = os.environ['PASSWORD']",
        "password = 'password'",
        "password = '${DB_PASSWORD_1}'",
        "api_key = '<your-api-key-1>'",
        "api_key = 'your-key-goes-here-123'",
        "secret = 'xxxxxxxxxxxx1'",
        "secret_token_ids = '0123456789'",
        "password = getpass('Password2024? ')",
        '{"password": 7279, "secret": 3595, "api_key": 12}',
        '{"pass_token": "</s>", "pad_token": "[PAD]", "unk_token": "<unk>"}',
        "url = 'https://example.com/a:b'",
        "url = 'https://user:password@example.com'",
        "sha = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'",
        "id = '123e4567-e89b-12d3-a456-426614174000'",
        "numpy==1.26.4 --hash=sha256:" + "ab12" * 16,
        "eyJhbGciOi.no.token",
    ],
)
def test_placeholders_and_ordinary_lines_are_passed_over(tmp_path: Path, line: str):
    assert scanned(Secrets(), write(tmp_path, {"src/a.py": line + "\n"})).findings == ()


def test_vocabularies_notebooks_and_weights_do_not_flood(tmp_path: Path):
    words = {_text(_MADE.randint(2, 12), string.ascii_lowercase): number for number in range(30_000)}
    words |= {"password": 1, "secret": 2, "token": 3, "api_key": 4, "://": 5, "AKIA": 6, "hf_": 7, "eyJ": 8}
    image = base64.b64encode(_MADE.randbytes(300_000)).decode()
    notebook = {"cells": [{"source": ["a = 1"], "outputs": [{"data": {"image/png": image}}]}]}
    write(
        tmp_path,
        {
            "model/tokenizer.json": json.dumps({"model": {"vocab": words}}),
            "model/vocab.json": json.dumps(words, indent=2),
            "model/vocab.txt": "\n".join(words),
            "model/merges.txt": "\n".join(f"{one} {one}" for one in words),
            "src/explore.ipynb": json.dumps(notebook, indent=1),
            "model/weights.bin": b"hf_" + _text(34).encode() + b"\0" + _MADE.randbytes(10_000),
        },
    )
    report = scanned(Secrets(), tmp_path)
    assert (report.files, report.findings) == ((), ())


def test_a_flood_is_cut_off(tmp_path: Path):
    write(tmp_path, {"a.txt": "".join(f"hf_{_text(34)}\n" for _ in range(1000))})
    report = scanned(Secrets(), tmp_path)
    assert [finding.rule for finding in report.findings].count("hugging-face-token") == secrets.FINDINGS_MAX
    assert [finding.rule for finding in report.findings].count("more") == 1


def test_what_is_too_long_or_too_slow_is_not_fully_scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(secrets, "BYTES_MAX", 2_000_000)
    write(tmp_path, {"long.txt": "word " * 500_000, "slow.txt": "password" * 200_000, "last.txt": f"hf_{_text(34)}"})
    report = scanned(Secrets(), Subject(tmp_path, limits=ScanLimits(seconds=0.3, bytes_per_second=10**12)))
    assert {file.path: file.verdict for file in report.files} == dict.fromkeys(
        ("long.txt", "slow.txt"), Verdict.NOT_FULLY_SCANNED
    )
    assert rules(report)["last.txt"] == ["hugging-face-token"]
    severities = {finding.path: finding.severity for finding in report.findings}
    assert (severities["long.txt"], severities["slow.txt"]) == (Severity.LOW, Severity.CRITICAL)


def test_a_pattern_that_fails_tells_nothing_of_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    value = SECRETS[-2][1]

    def failing(line: str, *_: object) -> None:
        raise ValueError(line)

    monkeypatch.setattr(secret_shapes, "secrets_of", failing)
    report = scanned(Secrets(), write(tmp_path, {"a.py": f"password = '{value}'"}))
    assert only(report).rule == "not-fully-scanned"
    _assert_hidden(repr(report), value)


def test_a_secret_does_not_show_in_a_traceback():
    value = SECRETS[-2][1]
    (seen,) = secrets_of(f"password = '{value}'", "a.py", ["keyword"])
    _assert_hidden(f"{seen!r} {seen} {[seen]}", value)


def test_a_deadline_carries_nothing():
    assert str(DeadlineError()) == ""


@pytest.mark.sandbox
def test_nothing_that_leaves_the_cage_holds_a_value(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    lines = [line.format(value) for _, value, line in SECRETS]
    files = {f"src/{number}.py": f"{line}\n" for number, line in enumerate(lines)}
    report = caged(write(tmp_path / "folder", files), "structure", "model-files", "source", "secrets")
    captured = capfd.readouterr()
    said = json.dumps(report.to_dict()) + captured.out + captured.err
    assert {path for path in rules(report) if path in files} == set(files)
    assert report.incomplete == {}
    for _, value, _ in SECRETS:
        _assert_hidden(said, value)


@pytest.mark.sandbox
def test_the_worst_texts_neither_end_it_nor_hold_it_up(tmp_path: Path):
    worst = [
        "eyJ",
        "password",
        "aws key '",
        "://a:",
        "host=a;pwd",
        "'secret[[",
        "-us1",
        "AC",
        "hf_",
        "\x85secret=",
        "'==",
    ]
    files = {f"model/{number}.txt": one * (600_000 // len(one)) for number, one in enumerate(worst)}
    report = caged(Subject(write(tmp_path / "folder", files), limits=ScanLimits(seconds=1)), "secrets")
    assert report.incomplete == {}
    assert not [finding for finding in report.findings if finding.rule == "scanner-ended"]


def _assert_hidden(said: str, value: str) -> None:
    value = value.removeprefix("github_pat_")
    for start in range(len(value) - 5):
        assert value[start : start + 6] not in said, "a part of a secret was told"


def test_the_cheap_signs_are_those_of_the_patterns():
    assert set(MARKS) == set(secret_shapes._PATTERNS)
    words = {word.replace("_?", between) for word in DENYLIST for between in ("", "_")}
    assert set(KEYWORD_MARKS) == words


def test_a_text_without_signs_brings_no_patterns_of_others(tmp_path: Path):
    write(tmp_path, {"src/inference.py": "import json\nprint(json.dumps([1, 2]))\n"})
    program = (
        "import sys; from pathlib import Path; from mop.scanning.scanner import Subject;"
        "from mop.scanning.scanners import scanner_of;"
        "[*scanner_of('secrets').scan(Subject(Path(sys.argv[1])))]; print('detect_secrets' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
