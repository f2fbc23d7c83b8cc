"""Globals are judged whole, by data, each with a reason."""

from __future__ import annotations

import pytest

from mop.scanning.pickles import known_globals
from mop.scanning.pickles.known_globals import Kind, judge, kind_of, may_be_dangerous
from mop.scanning.pickles.values import Global


@pytest.mark.parametrize(
    ("module", "name", "kind"),
    [
        ("collections", "OrderedDict", Kind.HARMLESS),
        ("builtins", "set", Kind.HARMLESS),
        ("builtins", "eval", Kind.DANGEROUS),
        ("os.path", "join", Kind.DANGEROUS),
        ("numpy", "ndarray", Kind.HARMLESS),
        ("numpy.f2py.crackfortran", "getlincoef", Kind.DANGEROUS),
        ("sklearn.utils._testing", "check_docstring_parameters", Kind.DANGEROUS),
        ("sklearn.linear_model._logistic", "LogisticRegression", Kind.HARMLESS),
        ("sklearn.linear_model._logistic", "os.system", Kind.DANGEROUS),
        ("collections", "OrderedDict.__init__.__globals__", Kind.DANGEROUS),
        ("__main__", "Model", Kind.UNKNOWN),
        ("my_package.model", "Model", Kind.UNKNOWN),
        ("operator", "itemgetter", Kind.HARMLESS),
        ("operator", "attrgetter", Kind.DANGEROUS),
        # every part of a dotted name counts
        ("pathlib", "os.system", Kind.DANGEROUS),
        ("random", "_os.system", Kind.DANGEROUS),
        ("random", "_os", Kind.DANGEROUS),
        ("a.b", "np.load", Kind.DANGEROUS),
        ("a.b", "Outer.Inner", Kind.UNKNOWN),
        # dangerous wherever it lives
        ("uuid", "_get_command_stdout", Kind.DANGEROUS),
        ("codecs", "open", Kind.DANGEROUS),
        ("torch.utils.collect_env", "run", Kind.DANGEROUS),
        ("cloudpickle.cloudpickle", "_make_function", Kind.DANGEROUS),
        # harmless members of dangerous modules
        ("types", "SimpleNamespace", Kind.HARMLESS),
        ("logging", "getLogger", Kind.HARMLESS),
        ("io", "BytesIO", Kind.HARMLESS),
        ("zoneinfo", "ZoneInfo._unpickle", Kind.HARMLESS),
        ("builtins", "hash", Kind.HARMLESS),
        ("builtins", "max", Kind.HARMLESS),
        ("builtins", "str.lower", Kind.HARMLESS),
        ("torch.jit._pickle", "build_intlist", Kind.HARMLESS),
        ("__torch__.torch.nn.modules.linear", "Linear", Kind.HARMLESS),
        ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked", Kind.HARMLESS),
        ("keras.preprocessing.text", "Tokenizer", Kind.HARMLESS),
        # a harmless class does not make its methods harmless
        ("pathlib", "PosixPath", Kind.HARMLESS),
        ("pathlib", "PosixPath.write_text", Kind.UNKNOWN),
    ],
)
def test_names_are_judged_one_by_one(module: str, name: str, kind: Kind):
    assert kind_of(Global(module, name)) == kind


@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("io", "BytesIO"), ("uuid", "_get_command_stdout"), ("numpy", "load")]
)
def test_what_is_listed_has_a_reason(module: str, name: str):
    assert len(judge(Global(module, name)).reason) > 10


def test_what_is_dangerous_is_never_ruled_out_beforehand():
    listed = known_globals._listed(known_globals._DANGEROUS_LISTS)
    for name in listed:
        asked = Global(name.module, "anything" if name.name == known_globals._WHOLE else name.name)
        for one in (asked, Global("any", f"{asked.module}.{asked.name}"), Global(f"_{asked.module}", f"_{asked.name}")):
            assert judge(one).kind != Kind.DANGEROUS or may_be_dangerous(one), one
    for module, name in (("any", "__class__"), ("any", "_os"), ("commands", "getoutput"), ("__builtin__", "eval")):
        assert may_be_dangerous(Global(module, name))
    assert not may_be_dangerous(Global("lectric", "scenario"))
