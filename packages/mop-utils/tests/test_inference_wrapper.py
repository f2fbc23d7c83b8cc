"""Running a model by hand: the answers of mop-utils 2.x, each without the defect that the test names."""

import importlib
import os
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mop_utils._batching import Batcher, PredictTimeoutError
from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceOutput
from support.waiting import wait_for

BATCHING = {"enable": True, "max_batch_size": 12, "idle_batch_size": 3, "max_batch_interval": 0.002}
PATIENCE = 30


class Model(BaseModelWrapper):
    """Says yes to texts with "bad"; `hold` keeps the next batch waiting; remembers what it was given and where."""

    def __init__(self):
        self.batches = []
        self.threads = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def init(self, model_root):
        self.root = model_root

    def inference(self, item):
        return self.inference_batch([item])[0]

    def inference_batch(self, items):
        self.batches.append([item["text"] for item in items])
        self.threads.append(threading.current_thread())
        self.entered.set()
        assert self.gate.wait(PATIENCE)
        for item in items:
            if item["text"] == "raise":
                raise KeyError("raise")
            if item["text"] == "exit":
                sys.exit(3)
        return [{"bad": "bad" in item["text"]} for item in items if item["text"] != "lose"]

    def convert_mop_input_to_model_input(self, mop_input):
        if mop_input.text == "odd":
            raise ArithmeticError("odd")
        return {"text": mop_input.text}

    def convert_model_output_to_mop_output(self, output):
        bad = int(output["bad"])
        labels = {"hate": {"no": 1 - bad, "yes": bad}}
        return MopInferenceOutput({"predicted_labels": labels, "confidence_scores": labels})

    @property
    def sizes(self):
        return [len(batch) for batch in self.batches]


YES = {"confidence_scores": {"hate": {"no": 0, "yes": 1}}, "predicted_labels": {"hate": {"no": 0, "yes": 1}}}
NO = {"confidence_scores": {"hate": {"no": 1, "yes": 0}}, "predicted_labels": {"hate": {"no": 1, "yes": 0}}}


@pytest.fixture
def hand(monkeypatch):
    """mop_utils.inference_wrapper, imported beside an inference.py that holds Model."""
    module = load(monkeypatch, {"WordModel": type("WordModel", (Model,), {"__module__": "inference"})})
    yield module
    if module.batch_model is not None:
        module.batch_model.close()


def load(monkeypatch, names):
    inference = types.ModuleType("inference")
    vars(inference).update(names)
    monkeypatch.setitem(sys.modules, "inference", inference)
    monkeypatch.delitem(sys.modules, "mop_utils.inference_wrapper", raising=False)
    return importlib.import_module("mop_utils.inference_wrapper")


def texts(*given):
    return [{"text": text} for text in given]


def held(hand, pool, *given, mop=()):
    """Calls that wait in the queue behind one that holds the model; they are one batch when it is let go."""
    model = hand.base_model_wrapper
    model.gate.clear()
    first = pool.submit(hand.mop_run, {"text": "first"})
    assert model.entered.wait(PATIENCE)
    calls = []
    for number, text in enumerate(given):
        calls.append(pool.submit(hand.mop_run, {"text": text}, number in mop))
        wait_for(lambda: len(hand.batch_model._queue) == len(calls), seconds=PATIENCE, what="the call in the queue")
    model.gate.set()
    assert first.result(PATIENCE) == [{"bad": False}]
    return calls


@pytest.fixture
def pool():
    with ThreadPoolExecutor(16) as pool:
        yield pool


@pytest.mark.parametrize("arguments", [None, BATCHING, {**BATCHING, "enable": False}], ids=["none", "on", "off"])
@pytest.mark.parametrize(
    ("raw", "mop", "alone", "batched"),
    [
        ({"text": "bad"}, False, [{"bad": True}], [{"bad": True}]),
        ({"text": "bad"}, True, YES, [YES]),
        (texts("bad", "good"), False, [{"bad": True}, {"bad": False}], [{"bad": True}, {"bad": False}]),
        (texts("bad", "good"), True, [YES, NO], [YES, NO]),
        ([], False, [], []),
        ([], True, [], []),
    ],
)
def test_the_answers_are_those_of_2x(hand, arguments, raw, mop, alone, batched):
    hand.mop_init("model", arguments)
    assert hand.base_model_wrapper.root == "model"
    assert hand.mop_run(raw, mop, more="ignored") == (batched if arguments is BATCHING else alone)


def test_the_format_belongs_to_the_request(hand, pool):
    hand.mop_init("model", BATCHING)
    calls = held(hand, pool, *["bad"] * 10, mop=range(0, 10, 2))
    assert [call.result(PATIENCE) for call in calls] == [[YES], [{"bad": True}]] * 5
    assert hand.base_model_wrapper.sizes == [1, 10]


@pytest.mark.parametrize(("text", "mop", "error"), [("raise", False, KeyError), ("odd", True, ArithmeticError)])
def test_a_bad_item_fails_alone(hand, pool, text, mop, error):
    hand.mop_init("model", BATCHING)
    bad, good = held(hand, pool, text, "bad", mop=[0] if mop else [])
    with pytest.raises(error):
        bad.result(PATIENCE)
    assert good.result(PATIENCE) == [{"bad": True}]


def test_an_output_too_few_fails_its_item_alone(hand, pool):
    hand.mop_init("model", BATCHING)
    lost, good = held(hand, pool, "lose", "bad")
    with pytest.raises(RuntimeError, match="0 outputs for 1 items"):
        lost.result(PATIENCE)
    assert good.result(PATIENCE) == [{"bad": True}]


def test_the_first_bad_item_of_a_list_is_what_its_caller_hears(hand):
    hand.mop_init("model", None)
    with pytest.raises(KeyError):
        hand.mop_run(texts("good", "raise", "good"))


@pytest.mark.parametrize("arguments", [None, BATCHING])
def test_what_would_end_the_thread_is_an_error_of_its_caller(hand, arguments):
    hand.mop_init("model", arguments)
    with pytest.raises(RuntimeError, match="The model raised SystemExit: 3"):
        hand.mop_run({"text": "exit"})
    assert hand.mop_run({"text": "bad"}) == [{"bad": True}]
    assert len({thread.ident for thread in hand.base_model_wrapper.threads}) == 1


def test_abandoned_work_is_not_run(hand, pool, monkeypatch):
    hand.mop_init("model", BATCHING)
    model = hand.base_model_wrapper
    model.gate.clear()
    first = pool.submit(hand.mop_run, {"text": "first"})
    assert model.entered.wait(PATIENCE)
    monkeypatch.setattr(hand, "REQUEST_SECONDS", 0.01)
    with pytest.raises(PredictTimeoutError) as caught:
        hand.mop_run(texts("late", "late"))
    assert hand.status_of(caught.value) == 504
    monkeypatch.setattr(hand, "REQUEST_SECONDS", PATIENCE)
    model.gate.set()
    first.result(PATIENCE)
    hand.mop_run({"text": "next"})
    assert model.batches == [["first"], ["next"]]


@pytest.mark.parametrize("enable", [False, "false", 0])
def test_enable_false_does_not_batch(hand, enable):
    hand.mop_init("model", {**BATCHING, "enable": enable})
    assert hand.batch_model is None
    assert hand.mop_run({"text": "bad"}) == [{"bad": True}]
    assert hand.base_model_wrapper.threads == [threading.current_thread()]


@pytest.mark.parametrize(
    ("arguments", "most"), [(BATCHING, 12), (None, 12), ({"enable": False, "max_batch_size": 50}, 50)]
)
def test_a_list_of_a_thousand_is_split(hand, arguments, most):
    hand.mop_init("model", arguments)
    outputs = hand.mop_run(texts(*["good", "bad"] * 500), True)
    assert outputs == [NO, YES] * 500
    assert sum(hand.base_model_wrapper.sizes) == 1000
    assert max(hand.base_model_wrapper.sizes) == most


@pytest.mark.parametrize(
    ("raw", "mop", "arguments"),
    [
        ("text", False, None),
        (None, True, None),
        ("text", True, BATCHING),
        ({"width": 3}, True, None),
        ({"width": 3}, True, BATCHING),
        ([{"text": "good"}, 3], True, None),
        ([{"text": "good"}, 3], True, BATCHING),
    ],
)
def test_the_clients_mistake_is_a_400(hand, raw, mop, arguments):
    hand.mop_init("model", arguments)
    with pytest.raises(hand.InvalidRequestError) as caught:
        hand.mop_run(raw, mop)
    assert isinstance(caught.value, ValueError)
    assert hand.status_of(caught.value) == 400


def test_the_models_mistake_is_a_500(hand):
    hand.mop_init("model", None)
    with pytest.raises(KeyError) as caught:
        hand.mop_run({"text": "raise"})
    assert hand.status_of(caught.value) == 500


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_batch_size": None},
        {"max_batch_size": 0},
        {"max_batch_size": "many"},
        {"max_batch_size": 1.5},
        {"idle_batch_size": 13},
        {"max_batch_interval": -1},
        {"max_batch_interval": "nan"},
        {"max_batch_interval": "inf"},
    ],
)
def test_batching_that_makes_no_sense_is_refused_before_the_model_is_loaded(hand, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        hand.mop_init("model", {**BATCHING, **wrong})
    assert not hasattr(hand.base_model_wrapper, "root")


def test_init_again_takes_the_new_batching(hand):
    hand.mop_init("model", BATCHING)
    hand.mop_run({"text": "bad"})
    old = hand.batch_model
    hand.mop_init("model", {**BATCHING, "max_batch_size": 3})
    hand.mop_run(texts(*["good"] * 9))
    assert hand.base_model_wrapper.sizes == [1, 3, 3, 3]
    assert old.predict([({"text": "bad"}, False)], PATIENCE) == [{"bad": True}]


def test_results_become_plain_json(hand):
    class Found:
        def __init__(self):
            self.score = np.float32(0.5)

    response = hand.build_response
    assert response({"a": np.int64(1), "b": np.array([1.0, 2.0])}) == {"a": 1, "b": [1.0, 2.0]}
    assert response([Found(), {"flag": np.bool_(True)}]) == [{"score": 0.5}, {"flag": True}]
    assert response(Found()) == {"score": 0.5}
    assert response("text") == "text"
    assert response(None) is None
    with pytest.raises(TypeError, match="set is not JSON"):
        response({"a": {1}})


def test_the_leaf_of_inference_py_is_the_wrapper(monkeypatch):
    base = type("Base", (Model,), {"__module__": "inference"})
    leaf = type("Leaf", (base,), {"__module__": "inference"})
    names = {"Base": base, "Leaf": leaf, "Model": Model, "BaseModelWrapper": BaseModelWrapper}
    module = load(monkeypatch, names)
    assert module.ModelWrapper is leaf
    assert module.get_model_wrapper().model_wrapper is module.base_model_wrapper


def test_without_a_wrapper_the_import_says_so(monkeypatch):
    with pytest.raises(ImportError, match=r"inference\.py defines no complete class"):
        load(monkeypatch, {"Model": Model})


# The batcher alone ---------------------------------------------------------------------------------------


def batcher(**changes):
    sizes = []

    def run(items):
        sizes.append(len(items))
        return items

    return Batcher(run, **{"max_size": 12, "idle_size": 12, "max_interval": 0.2, **changes}), sizes


def let_pass(seconds):
    """Wait as the first and only item of a window does."""
    batcher(max_interval=seconds)[0].predict([0], PATIENCE)


def test_the_window_begins_with_its_first_item_not_with_the_last_run():
    subject, sizes = batcher(max_interval=0.2)
    subject.predict([1], PATIENCE)
    let_pass(0.3)
    began = time.monotonic()
    assert subject.predict([2], PATIENCE) == [2]
    assert time.monotonic() - began >= 0.2
    assert sizes == [1, 1]


def test_a_full_batch_and_the_idle_size_do_not_wait_for_the_window():
    subject, sizes = batcher(max_size=4, idle_size=2, max_interval=3600)
    assert subject.predict([1, 2], PATIENCE) == [1, 2]
    assert subject.predict(list(range(10)), PATIENCE) == list(range(10))
    assert sizes == [2, 4, 4, 2]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts wake-ups in /proc")
def test_a_thread_with_nothing_to_do_does_not_wake_up():
    subject, _ = batcher(max_interval=0.001)
    subject.predict([1], PATIENCE)

    def wakeups():
        status = Path(f"/proc/self/task/{subject._thread.native_id}/status").read_text()
        return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])

    for _ in range(20):  # it still goes back to sleep while the first are counted
        before = wakeups()
        let_pass(0.1)
        if wakeups() == before:
            return
    pytest.fail("the idle thread goes on waking up")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_has_a_thread_of_its_own():
    subject, _ = batcher()
    subject.predict([1], PATIENCE)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if subject.predict([2], PATIENCE) == [2] else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
