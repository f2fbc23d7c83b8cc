"""JSON and YAML are read by their tokens and events, never as bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mop.scanning.findings import Verdict
from mop.scanning.formats import json_text, yaml_text
from mop.scanning.formats import text as text_format
from mop.scanning.formats.json_text import JsonAlone
from scanning.formats.reading import looked_at, rules, verdict


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('{"class_name": "Lambda"}', "keras-lambda"),
        ('{"class_\\u006eame": "\\u004cambda"}', "keras-lambda"),
        ('{"class_name"\n:\t"Lambda"}', "keras-lambda"),
        ('{"config": {"x": [1]}, "module": "os", "class_name": "system"}', "code-execution"),
        ('{"module": "os", "config": {"x": {}}, "class_name": "system"}', "code-execution"),
        ('[{"py/object": "a.B"}]', "json-object"),
        ('{"py\\/reduce": []}', "json-object"),
        ('{"auto_map": {"AutoModel": "a.B"}}', "remote-code"),
        ('{"_target_": "builtins.eval"}', "code-execution"),
        ('{"flavors": {"python_function": {"loader_module": "my_loader"}}}', "remote-code"),
        ("flavors:\n  python_function:\n    model_code_path: model.py\n", "remote-code"),
        ("flavors:\n  python_function:\n    loader_module: mlflow.../my_loader\n", "remote-code"),
        ("a: &name os.system\nb:\n  _target_: *name\n", "code-execution"),
        ("a: &key _target_\nb:\n  *key : os.system\n", "code-execution"),
        ("a: &key _target_\n*key : os.system\n", "code-execution"),
        ("chat_template: \"{{ '}}' ~ x.__class__ }}\"", "template-code"),
        ("chat_template: '{{ {1: {}} or x.__class__ }}'", "template-code"),
        ("chat_template: '{# {{ \" #}{{ x.__class__ }}'", "template-code"),
        ("chat_template: '{% raw %}{{ \" {% endraw %}{{ x.__class__ }}'", "template-code"),
        (r"""chat_template: '{{ x["\137\137class\137\137"] }}' """, "template-code"),
        ("""chat_template: '{{ x["_" * 2 ~ "class" ~ "_" * 2] }}' """, "template-code"),
        ("""chat_template: '{{ x["%c%cclass"|format(95, 95)] }}' """, "template-code"),
        ("""chat_template: '{{ x["%s%sclass"|format("_", "_")] }}' """, "template-code"),
        ("""chat_template: '{{ x["aaclassaa"|replace("a", "_")] }}' """, "template-code"),
        ("""chat_template: '{% set u = x|string|first %}{% set n = u*2 %}{{ x[y[n]] }}' """, "template-code"),
        ("""chat_template: '{% for u in x|string %}{{ x[u] }}{% endfor %}' """, "template-code"),
        ("""chat_template: '{% set u %}_{% endset %}{{ x[u] }}' """, "template-code"),
        ("""chat_template: '{{ x["a" ~ b | reverse] }}' """, "template-code"),
        ("""chat_template: '{{ x["%c"%(95,)] }}' """, "template-code"),
        ("""chat_template: '{{ x["a_b"[1]] }}' """, "template-code"),
        ("""chat_template: '{{ x[name()] }}' """, "template-code"),
        ("""chat_template: '{{ x|map(attribute=u) }}' """, "template-code"),
        ('{"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}', "code-execution"),
        ('{"custom_pipelines": {"own": {"impl": "own.Pipeline"}}}', "remote-code"),
        ('{"class_name": "TFOpLambda", "config": {"function": "io.write_file"}}', "graph-operation"),
        ('{"chat_template": "{{ \'\'.__class__ }}"}', "template-code"),
        ("a: !!python/object/apply:os.system [x]", "yaml-object"),
        ("a: !!python/name:os.system", "yaml-object"),
        ("a: !apply:os.system [x]", "code-execution"),
        ("_target_: os.system\n", "code-execution"),
        ("flavors:\n  python_function:\n    loader_module: my_loader\n", "remote-code"),
        ("cos\nsystem\n(S'a'\ntR.", "code-execution"),
    ],
)
def test_what_is_constructed_or_called_is_told(tmp_path: Path, text: str, rule: str):
    assert rule in rules(looked_at(tmp_path, text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        '{"class_name": "Dense", "note": "Lambda"}',
        '["class_name", "Lambda"]',
        '{"text": "{\\"class_name\\": \\"Lambda\\"}"}',
        '{"module": "keras.layers", "class_name": "Dense"}',
        '{"class_name": "TFOpLambda", "config": {"function": "math.multiply"}}',
        '{"__class__": "LogisticRegression", "__module__": "sklearn.linear_model._logistic"}',
        '{"a": "py/object", "b": "auto_map"}',
        "{\"chat_template\": \"{{ '}}' ~ message['content'] }}{# __init__ #}{% raw %}__{% endraw %}__\"}",
        """{"chat_template": "{% set n = a ~ b %}{{ c['layer_' ~ i] }}{{ m[loop.index0 - 1].r[k] }}"}""",
        "{\"chat_template\": \"{% if m in ['a', 'b'] %}{{ m|map(attribute='r')|join }}{{ a[b|length] }}{% endif %}\"}",
        "{\"chat_template\": \"{% set c = m.split('</think>')[-1].lstrip('a') %}{{ c }}{{ r[m['role']] }}\"}",
        "{\"chat_template\": \"{{ {'a': {'b': 1}} }}{{ name|replace('_', ' ') ~ '_' ~ role }}\"}",
        "a: '!!python/object/apply:os.system'",
        "# !!python/object/apply:os.system [x]\na: 1",
        "a: !!python/tuple [1, 2]",
        "Hello! This is text. !important",
        "cat\ndog\ncos\nsystem\n.\n",
        "Very\nI\nSome 'text'\n",
        "",
    ],
)
def test_what_only_looks_alike_is_clean(tmp_path: Path, text: str):
    assert verdict(tmp_path, text.encode()).verdict == Verdict.CLEAN


def test_a_name_over_the_end_of_a_piece_is_found(tmp_path: Path):
    text = '{"a": "' + "x" * (1024 * 1024 - 12) + '", "class_name": "Lambda"}'
    assert rules(looked_at(tmp_path, text.encode())) == {"keras-lambda"}


@pytest.mark.parametrize("end", ["", "\\\\", '\\"', "\\n\\\\"], ids=["plain", "backslash", "quote", "both"])
@pytest.mark.parametrize("size", range(5_490, 5_501))
def test_what_stands_behind_a_long_text_is_read(tmp_path: Path, size: int, end: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(text_format, "_PIECE", 500)
    monkeypatch.setattr(json_text, "_PENDING_MAX", 2_000)
    before = '{"a": "' + "x" * size + end + '", '
    assert verdict(tmp_path, f'{before}"b": {{"text": "py/object"}}}}'.encode()).verdict == Verdict.CLEAN
    assert rules(looked_at(tmp_path, f'{before}"b": {{"py/object": "a.B"}}}}'.encode())) == {"json-object"}
    assert rules(looked_at(tmp_path, f'{before}"b": [{{"class_name": "Lambda"}}]}}'.encode())) == {"keras-lambda"}


def test_a_template_of_megabytes_blocks(tmp_path: Path):
    content = '{"chat_template": "' + "x" * 6_000_000 + '"}'
    assert rules(looked_at(tmp_path, content.encode())) == {"costly-structure"}


def test_bytes_behind_a_text_make_it_not_fully_scanned(tmp_path: Path):
    assert verdict(tmp_path, b"a" * 5000 + b"\0\1\2").verdict == Verdict.NOT_FULLY_SCANNED


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_json_of_two_and_four_bytes_a_character_is_read_as_json_loads_does(tmp_path: Path, encoding: str):
    assert rules(looked_at(tmp_path, '[{"py/object": "a.B"}]'.encode(encoding))) == {"json-object"}
    assert verdict(tmp_path, '[{"a": "b"}]'.encode(encoding)).verdict == Verdict.CLEAN


@pytest.mark.parametrize("filling", ["# words\n", "a: [b, c]\n", "- 'words'\n"])
def test_tags_behind_more_yaml_than_is_parsed_block(tmp_path: Path, filling: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(yaml_text, "CHARACTERS_MAX", 20_000)
    before = filling * 400_000
    tag = "!!%70ython/object/apply:os.system [x]\n"
    assert rules(looked_at(tmp_path, f"{before}--- {tag}".encode())) == {"costly-structure"}
    assert verdict(tmp_path, f"{before}--- !important\n".encode()).verdict == Verdict.CLEAN


@pytest.mark.parametrize(
    ("text", "is_json"),
    [
        ('{"a": "b\\"c", "d": [1, -2.5e3, true, null, {}]}', True),
        ('{"a": 1}\n{"a": 2}\n', True),
        ('["a", !!python/name:os.system ]', False),
        # a quote in a word of YAML begins no string
        ('{true", b: !!python/name:os.system , c: ": 1}', False),
        ("{true: 1}", False),
        ('{:", b: !!python/name:os.system , c: ": 1}', False),
        ('[1 ", !!python/name:os.system , "]', False),
        ("{'a': 1}", False),
        ("a: 1", False),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_what_is_json_alone_holds_no_tags(text: str, is_json: bool, step: int):  # noqa: FBT001
    alone = JsonAlone()
    for at in range(0, len(text), step):
        alone.feed(text[at : at + step])
    assert alone.is_whole() == is_json
