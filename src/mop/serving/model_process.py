"""One model process: loads src/inference.py and answers the frames of the service's front.

This file is bound into the sandbox, with model_causes.py beside it, and run by the model's own Python (3.8 to 3.13):
standard library only, nothing of MOP is imported. Descriptor 0 is the frame channel, 1 and 2 are the log.

    frame     u32 length of what follows | u8 kind | body          (big endian)
    to here   SETTINGS  JSON {"max_response_bytes", "init_deadline_s"}
              RUN       u32 id | u16 n | n x (u8 format, u32 size) | n JSON values
              SERIES    u32 id | u16 n | u16 most | u8 format | list of n values by `marshal`: batches of `most`
              WITHDRAW  u32 id: leave this batch or series out if it did not begin; its RESULT is empty then
    from here READY     JSON {"python", "wrapper"}
              FAILED    JSON error, the process ends
              RESULT    u32 id | u16 n | n x (u8 ok, u32 size) | n JSON values (outputs, or errors where ok is 0)
              LISTED    u32 id | u16 n | n x u32 size | JSON list of n outputs: a series in which every item succeeded
              AT_WORK   u32 id: a series goes on, TELL_SECONDS or more after the last word; at most 3 n / `most` times

An error is the dictionary form of MOP's error catalogue: name, message, hint, place, also.
"""

from __future__ import annotations

import argparse
import base64
import faulthandler
import importlib
import importlib.util
import inspect
import json
import linecache
import marshal
import math
import os
import platform
import queue
import select
import socket
import struct
import sys
import threading
import time
import traceback
from collections import deque
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Deque, Dict, Iterable, List, NoReturn, Optional, Tuple, Union

SETTINGS, RUN, READY, FAILED, RESULT, WITHDRAW, SERIES, LISTED, AT_WORK = 1, 2, 3, 4, 5, 6, 7, 8, 9
MODEL_FORMAT, MOP_FORMAT, CONVERSION = 0, 1, 2  # the last: what the converter makes of a MOP input, not run
ACS_TEXT, ACS_IMAGE = 3, 4  # {"text"} and {"image": base64}, through the model's converters for AACS
BUFFER_BYTES = 1 << 18
LARGE_ITEM_BYTES = 1 << 16  # the front leaves the reading of larger single items to this process
DEEPEST_JSON = 1024
MESSAGE_CHARACTERS = 4000
MODULE = "inference"
METHODS = (
    "init",
    "inference",
    "inference_batch",
    "convert_mop_input_to_model_input",
    "convert_model_output_to_mop_output",
)
ACS_METHODS = {
    ACS_TEXT: (
        "convert_acs_text_request_to_model_inference_input",
        "convert_model_inference_output_to_acs_text_response",
    ),
    ACS_IMAGE: (
        "convert_acs_image_request_to_model_inference_input",
        "convert_model_inference_output_to_acs_image_response",
    ),
}
ACS_RESULTS = ("hate", "self_harm", "sexual", "violence")
HIGHEST_SEVERITY = 7
SEARCH_DEPTH = 50
STACK_BEFORE_DEADLINE = 0.2
TELL_SECONDS = 0.05


def _beside(name: str) -> Any:
    """A module that lies beside this file: an isolated Python does not look for modules there."""
    found = importlib.util.spec_from_file_location("mop_" + name, str(Path(__file__).with_name(name + ".py")))
    if found is None or found.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


causes = _beside("model_causes")

Error = Dict[str, Any]
Answer = Tuple[bool, bytes]
Item = Tuple[int, bytes]  # format and JSON
Batch = Tuple[int, List[Item]]


def main() -> None:
    """Serve frames until the front closes the channel."""
    arguments = _arguments()
    channel = Channel(_take_channel())
    os.register_at_fork(after_in_child=channel.lose)
    faulthandler.enable()
    kind, body = channel.read()
    settings = json.loads(bytes(body)) if kind == SETTINGS else {}
    watch = InitWatch(settings.get("init_deadline_s"))
    try:
        wrapper, contract = load_wrapper(arguments.src, arguments.model)
    except Refused as refused:
        traceback.print_exception(*refused.shown)
        channel.write(FAILED, _dump(refused.error))
        _leave(1)
    watch.stop()
    runner = Runner(
        wrapper,
        contract,
        src=arguments.src,
        batch=arguments.batch,
        max_response_bytes=int(settings["max_response_bytes"]),
    )
    channel.write(READY, _dump({"python": platform.python_version(), "wrapper": type(wrapper).__name__}))
    try:
        if arguments.batch:
            _serve_batches(channel, runner)
        _serve_items(channel, runner, arguments.threads)
    except (EOFError, ConnectionError):
        _leave(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--src", required=True, type=_folder)
    parser.add_argument("--model", required=True, type=_folder)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", action="store_true")
    return parser.parse_args()


def _folder(text: str) -> Path:
    return Path(text).absolute()


def _take_channel() -> socket.socket:
    """The frame channel, moved off descriptor 0, where the model's code finds an empty input instead."""
    channel = socket.socket(fileno=os.dup(0))
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return channel


def _leave(status: int) -> None:
    """End at once: the model's non-daemon threads and exit handlers may not hold the process."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue
    os._exit(status)


def _serve_batches(channel: Channel, runner: Runner) -> NoReturn:
    """Run batches one after the other on this thread; the front may withdraw those that wait their turn."""
    waiting: Deque[Tuple[int, Union[List[Item], Series]]] = deque()
    while True:
        while not waiting or channel.readable():
            kind, body = channel.read()
            if kind == RUN:
                waiting.append(_read_run(body))
                continue
            if kind == SERIES:
                series = Series(body)
                waiting.append((series.number, series))
                continue
            (number,) = struct.unpack(">I", body)
            left = [batch for batch in waiting if batch[0] != number]
            if len(left) < len(waiting):
                waiting = deque(left)
                channel.write_result(number, [])
        number, work = waiting.popleft()
        if isinstance(work, Series):
            _run_series(channel, runner, number, work)
        else:
            channel.write_result(number, runner.run(work))


def _run_series(channel: Channel, runner: Runner, number: int, series: Series) -> None:
    """Answer a series in one frame; the front hears from time to time that it goes on."""
    told = time.monotonic()

    def tell() -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_SECONDS:
            channel.write(AT_WORK, struct.pack(">I", number))
            told = time.monotonic()

    answers = runner.run_series(series, tell)
    if all(succeeded for succeeded, _ in answers):
        channel.write_listed(number, [body for _, body in answers])
    else:
        channel.write_result(number, answers)


def _serve_items(channel: Channel, runner: Runner, threads: int) -> NoReturn:
    """Run single items side by side on `threads` threads."""
    todo: queue.SimpleQueue[Batch] = queue.SimpleQueue()

    def work() -> None:
        while True:
            number, items = todo.get()
            channel.write_result(number, runner.run(items))

    for index in range(threads):
        threading.Thread(target=work, name="inference-%d" % index, daemon=True).start()
    while True:
        todo.put(_read_run(channel.read()[1]))


def _read_run(body: memoryview) -> Batch:
    """Number and (format, JSON) items of a batch."""
    number, count = struct.unpack_from(">IH", body)
    table = struct.unpack_from(">" + "BI" * count, body, 6)
    position = 6 + 5 * count
    items = []
    for index in range(count):
        size = table[2 * index + 1]
        items.append((table[2 * index], bytes(body[position : position + size])))
        position += size
    return number, items


class Series:
    """The items of a list, which the model gets batch by batch.

    The front has read them and hands them over by `marshal`, which takes a fifth of the time of JSON. Nothing that
    comes from a model is read so.

    Attributes:
        form: format of every item.
        most: items of a batch at most.
        count: items.
        values: the items.
    """

    def __init__(self, body: memoryview) -> None:
        self.number, self.count, self.most, self.form = struct.unpack_from(">IHHB", body)
        self.values: List[Any] = marshal.loads(body[9:])  # noqa: S302 - the front wrote it


class InitWatch:
    """Writes every thread's stack to the log shortly before the front gives up; works while the lock is held, too.

    It pauses while the model forks: a child would wait at its end for the watching thread, which it does not have.
    """

    def __init__(self, deadline: Optional[float]) -> None:
        self._end = time.monotonic() + deadline - min(5.0, deadline * STACK_BEFORE_DEADLINE) if deadline else 0.0
        os.register_at_fork(before=faulthandler.cancel_dump_traceback_later, after_in_parent=self._start)
        self._start()

    def _start(self) -> None:
        left = self._end - time.monotonic()
        if left > 0:
            faulthandler.dump_traceback_later(left)

    def stop(self) -> None:
        """The model is ready."""
        self._end = 0.0
        faulthandler.cancel_dump_traceback_later()


class Channel:
    """Length-prefixed frames over a stream socket; one system call for a frame that fits the buffer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lost = False
        self._lock = threading.Lock()
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)
        self._buffer = bytearray(BUFFER_BYTES)
        self._start = 0
        self._end = 0

    def lose(self) -> None:
        """A child that the model forked may not speak for the model."""
        self._lost = True
        self._connection.close()

    def read(self) -> Tuple[int, memoryview]:
        """Kind and body of the next frame; the body is valid until the next call. EOFError when closed."""
        size = 4 + struct.unpack_from(">I", self._fill(4), 0)[0]
        frame = self._fill(size)
        self._start += size
        return frame[4], frame[5:]

    def _fill(self, size: int) -> memoryview:
        """At least `size` bytes from the start of the unread part."""
        if self._start == self._end:
            self._start = self._end = 0
            if len(self._buffer) > BUFFER_BYTES and size <= BUFFER_BYTES:
                self._buffer = bytearray(BUFFER_BYTES)
        if self._start + size > len(self._buffer):
            unread = self._buffer[self._start : self._end]
            self._buffer = bytearray(max(BUFFER_BYTES, size))
            self._buffer[: len(unread)] = unread
            self._start, self._end = 0, len(unread)
        view = memoryview(self._buffer)
        while self._end - self._start < size:
            count = self._connection.recv_into(view[self._end :])
            if count == 0:
                raise EOFError
            self._end += count
        return view[self._start : self._start + size]

    def readable(self) -> bool:
        """Whether more is here already, or the channel is closed."""
        return self._start < self._end or bool(self._poll.poll(0))

    def write_result(self, number: int, answers: List[Answer]) -> None:
        """Send the answers of one batch."""
        table: List[int] = []
        for succeeded, body in answers:
            table += (succeeded, len(body))
        head = struct.pack(">IH" + "BI" * len(answers), number, len(answers), *table)
        self.write(RESULT, b"".join([head] + [body for _, body in answers]))

    def write_listed(self, number: int, outputs: List[bytes]) -> None:
        """Send the outputs of a series in which every item succeeded."""
        head = struct.pack(">IH%dI" % len(outputs), number, len(outputs), *map(len, outputs))
        self.write(LISTED, b"".join([head, b"[", b",".join(outputs), b"]"]))

    def write(self, kind: int, body: bytes) -> None:
        """Send one frame."""
        if self._lost:
            print("A process that the model forked returned from the model's code; it ends here.", file=sys.stderr)
            _leave(1)
        frame = struct.pack(">IB", 1 + len(body), kind) + body
        with self._lock:
            self._connection.sendall(frame)


class Refused(Exception):
    """An expected failure, as the catalogue's dictionary; `shown` is the exception whose trace goes to the log."""

    def __init__(self, name: str, message: str, hint: Optional[str] = None, place: Optional[str] = None) -> None:
        super().__init__(message)
        self.error: Error = {"name": name, "message": message[:MESSAGE_CHARACTERS], "place": place, "also": []}
        if hint is not None:
            self.error["hint"] = hint
        self.shown: Tuple[Any, Any, Any] = (Refused, self, None)


class Runner:
    """Turns items into answers through the model's wrapper. Safe for several threads."""

    def __init__(self, wrapper: Any, contract: Any, *, src: Path, batch: bool, max_response_bytes: int) -> None:
        self._wrapper = wrapper
        self._contract = contract
        self._src = src
        self._batch = batch
        self._max_response_bytes = max_response_bytes

    def run(self, items: List[Item]) -> List[Answer]:
        """One answer per item, in order; an item that fails leaves the others alone."""
        forms: List[int] = []
        values: List[Any] = []
        for form, body in items:
            forms.append(form)
            try:
                values.append(read_item(body))
            except (ValueError, RecursionError) as error:
                message = "The item is not JSON that the model's Python can read: %s" % error
                values.append(Refused("InvalidRequestError", message))
        inputs: Dict[int, Any] = {}
        answers: Dict[int, Answer] = {}
        self._take(0, forms, values, inputs, answers)
        self._give(forms, inputs, self._outputs(list(inputs.values())), answers)
        return [answers[index] for index in range(len(items))]

    def run_series(self, series: Series, tell: Callable[[], None]) -> List[Answer]:
        """As `run`; `tell` is called after each part of the work.

        All inputs are converted before the first call of the model and all outputs after the last: between two calls of
        a large model what converts them is slow each time, because the processor has forgotten it.
        """
        forms, most = [series.form] * series.count, series.most
        inputs: Dict[int, Any] = {}
        answers: Dict[int, Answer] = {}
        for begin in range(0, series.count, most):
            self._take(begin, forms, series.values[begin : begin + most], inputs, answers)
            tell()
        indexes, given = list(inputs), list(inputs.values())
        outputs: List[Tuple[Any, Optional[Refused]]] = []
        for begin in range(0, len(given), most):
            outputs += self._outputs(given[begin : begin + most])
            tell()
        for begin in range(0, len(given), most):
            self._give(forms, indexes[begin : begin + most], outputs[begin : begin + most], answers)
            tell()
        return [answers[index] for index in range(series.count)]

    def _take(
        self, first: int, forms: List[int], values: List[Any], inputs: Dict[int, Any], answers: Dict[int, Answer]
    ) -> None:
        """The inputs of items by their places, or answers where the model is not asked.

        An item that could not be read has a Refused for its value.
        """
        for index, value in enumerate(values, first):
            form = forms[index]
            try:
                if form != MODEL_FORMAT or isinstance(value, Refused):
                    value = self._model_input(form, value)  # noqa: PLW2901 - what the model takes for it
                    if form == CONVERSION:
                        answers[index] = (True, self._conversion(value))
                        continue
                inputs[index] = value
            except Refused as refused:
                answers[index] = (False, _dump(refused.error))

    def _give(
        self,
        forms: List[int],
        indexes: Iterable[int],
        outputs: List[Tuple[Any, Optional[Refused]]],
        answers: Dict[int, Answer],
    ) -> None:
        """The answers of these items by what the model made of their inputs."""
        write = _writer()
        for index, (output, refused) in zip(indexes, outputs):  # noqa: B905 - Python 3.8 has no strict=
            if refused is None:
                try:
                    answers[index] = (True, self._body(forms[index], output, write))
                    continue
                except Refused as failure:
                    refused, write = failure, _writer()  # noqa: PLW2901 - and a writer that failed remembers where
            answers[index] = (False, _dump(refused.error))

    def _model_input(self, form: int, value: Any) -> Any:
        if isinstance(value, Refused):
            raise value
        if form in ACS_METHODS:
            request = acs_request(self._contract, form, value)
            self._require_converters(ACS_METHODS[form])
            return self._call(ACS_METHODS[form][0], request)
        return self._converted(value)

    def _converted(self, value: Any) -> Any:
        """The model's input of a MOP input."""
        if not isinstance(value, dict):
            raise Refused("InvalidRequestError", "A MOP input is a JSON object, not %s." % _kind(value))
        try:
            mop_input = self._contract.MopInferenceInput().from_dict(value)
        except Exception as error:
            raise Refused("InvalidRequestError", "The item is not a MOP input: %s" % causes.text_of(error)) from error
        return self._call("convert_mop_input_to_model_input", mop_input)

    def _require_converters(self, methods: Tuple[str, str]) -> None:
        """The base class has the converters for AACS too, and they do nothing."""
        for method in methods:
            if getattr(type(self._wrapper), method, None) is getattr(self._contract.BaseModelWrapper, method, None):
                raise _no_converter("The model does not implement %s." % method, method)

    def _conversion(self, value: Any) -> bytes:
        """`{"model_input": ...}`, or `{"not_json": why}` where JSON would not give the model the same input."""
        try:
            body = json.dumps({"model_input": value}, allow_nan=False, separators=(",", ":")).encode()
            reason = "" if _same(json.loads(body)["model_input"], value) else "JSON changes it"
            if len(body) > self._max_response_bytes:
                reason = "it is {:,} bytes of JSON; the limit is {:,}".format(len(body), self._max_response_bytes)
        except BaseException as error:  # noqa: BLE001 - the code of the model's own types runs here
            reason = causes.text_of(error) or type(error).__name__
        return _dump({"not_json": reason}) if reason else body

    def _outputs(self, inputs: List[Any]) -> List[Tuple[Any, Optional[Refused]]]:
        """(output, None) or (None, why) per input."""
        if not self._batch:
            return [self._one("inference", value) for value in inputs]
        if not inputs:
            return []
        try:
            outputs = self._call("inference_batch", inputs[:])
        except Refused as refused:
            if len(inputs) == 1:
                return [(None, refused)]
            return [self._one_of_batch(value) for value in inputs]
        return self._counted(outputs, len(inputs))

    def _one(self, method: str, value: Any) -> Tuple[Any, Optional[Refused]]:
        try:
            return self._call(method, value), None
        except Refused as refused:
            return None, refused

    def _one_of_batch(self, value: Any) -> Tuple[Any, Optional[Refused]]:
        outputs, refused = self._one("inference_batch", [value])
        return (None, refused) if refused else self._counted(outputs, 1)[0]

    @staticmethod
    def _counted(outputs: Any, expected: int) -> List[Tuple[Any, Optional[Refused]]]:
        """The outputs one by one, or for every item that their number is wrong."""
        if hasattr(outputs, "tolist"):
            outputs = outputs.tolist()
        if isinstance(outputs, (list, tuple)) and len(outputs) == expected:
            return [(output, None) for output in outputs]
        found = "%d" % len(outputs) if isinstance(outputs, (list, tuple)) else _kind(outputs)
        refused = Refused(
            "InvalidModelOutputError",
            "inference_batch must return a list with one output per item, in order: expected %d, found %s."
            % (expected, found),
            "Return one output for each item of the list that inference_batch gets, in its order.",
            "inference_batch in src/inference.py",
        )
        return [(None, refused)] * expected

    def _body(self, form: int, output: Any, write: Callable[[Any], str]) -> bytes:
        if form == MOP_FORMAT:
            output = self._call("convert_model_output_to_mop_output", output)
            output = getattr(output, "output", output)
        elif form in ACS_METHODS:
            method = ACS_METHODS[form][1]
            output = acs_findings(self._call(method, output), method)
        body = encode(output, write)
        if len(body) > self._max_response_bytes:
            message = "An output is {:,} bytes of JSON; the limit is {:,}.".format(len(body), self._max_response_bytes)
            hint = "Return labels and scores, not the input or other large values."
            raise Refused("InvalidModelOutputError", message, hint, "$")
        return body

    def _call(self, method: str, argument: Any) -> Any:
        """One call of the model's code; whatever it raises is its fault, SystemExit included."""
        try:
            return getattr(self._wrapper, method)(argument)
        except BaseException as error:  # noqa: BLE001 - SystemExit and the like are the model's fault too
            refused = blame(error, self._src, method)
            traceback.print_exception(*refused.shown)
            raise refused from None


def load_wrapper(src: Path, model: Path) -> Tuple[Any, Any]:
    """The initialised wrapper of src/inference.py, and the module of the SDK that its class comes from.

    Raises:
        Refused: nothing to load, none or several wrappers, or the model's code raised.
    """
    script = src / (MODULE + ".py")
    if not script.is_file():
        raise Refused("ModelStructureError", "src/inference.py is missing.", place="src/inference.py")
    os.chdir(src)
    sys.path.insert(0, str(src))
    sys.argv = [str(script)]
    module = _guarded(src, "import", lambda: importlib.import_module(MODULE))
    contract = _guarded(src, "import", lambda: importlib.import_module("mop_utils.base_model_wrapper"))
    wrapper_class = find_wrapper(module, contract.BaseModelWrapper)
    _refuse_async(wrapper_class)
    wrapper = _guarded(src, "constructor", wrapper_class)
    _guarded(src, "init", lambda: wrapper.init(str(model)))
    return wrapper, contract


def _guarded(src: Path, stage: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except BaseException as error:  # noqa: BLE001 - SystemExit and the like are the model's fault too
        raise blame(error, src, stage) from None


def find_wrapper(module: ModuleType, base: type) -> type:
    """The one concrete class of the module that extends `base` and that no other class of the module extends."""
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]
    classes = list(dict.fromkeys(found))
    leaves = [one for one in classes if not any(other is not one and issubclass(other, one) for other in classes)]
    concrete = [leaf for leaf in leaves if not inspect.isabstract(leaf)]
    if len(concrete) == 1:
        return concrete[0]
    if concrete:
        names = ", ".join(sorted(leaf.__name__ for leaf in concrete))
        raise Refused(
            "ModelWrapperAmbiguousError",
            "src/inference.py defines %d classes that could be the wrapper: %s." % (len(concrete), names),
            "Keep one of them in src/inference.py, and move the others to modules beside it.",
            "src/inference.py",
        )
    raise _no_wrapper(module, base, leaves)


def _no_wrapper(module: ModuleType, base: type, leaves: List[type]) -> Refused:
    hint = None
    message = "src/inference.py defines no class that extends BaseModelWrapper"
    imported = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, base)]
    foreign = [one for one in imported if one is not base]
    if leaves:
        lacking = "; ".join(
            "%s lacks %s" % (leaf.__name__, ", ".join(sorted(getattr(leaf, "__abstractmethods__", ()))))
            for leaf in leaves
        )
        message = "src/inference.py defines no complete wrapper: %s" % lacking
        hint = "Define the methods that are missing."
    elif foreign:
        message += "; it only imports %s from %s" % (foreign[0].__name__, foreign[0].__module__)
        hint = "Define the class in src/inference.py; `class Model(%s): pass` is enough." % foreign[0].__name__
    return Refused("ModelWrapperNotFoundError", message + ".", hint, "src/inference.py")


def _refuse_async(wrapper: type) -> None:
    """Methods of the contract return what they compute: nobody awaits a coroutine or goes through a generator."""
    for name in METHODS:
        method = inspect.unwrap(getattr(wrapper, name, None) or _refuse_async)
        is_async = inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
        if not is_async and not inspect.isgeneratorfunction(method):
            continue
        line = method.__code__.co_firstlineno
        own = inspect.getsourcefile(method) == inspect.getsourcefile(wrapper)
        raise Refused(
            "UserScriptException",
            "src/inference.py%s: %s is %s, which MOP calls and does not await or iterate."
            % (" line %d" % line if own else "", name, "`async def`" if is_async else "a generator (it has `yield`)"),
            "Write `def %s`%s." % (name, "" if is_async else ", and return the value or a list instead of `yield`"),
            "src/inference.py:%d" % line if own else "src/inference.py",
        )


def blame(error: BaseException, src: Path, stage: str) -> Refused:
    """What the model's code raised, with the last place in inference.py and what to do."""
    line, code = _last_place(error, src)
    raised = ("%s: %s" % (type(error).__name__, causes.text_of(error))).rstrip(": ")
    where = "src/inference.py line %d" % line if line else "src/inference.py"
    message = "%s raised %s (in %s%s)" % (where, raised, stage, ", at `%s`" % code if code else "")
    cause = causes.cause_of(error, src)
    place = "src/inference.py:%d" % line if line else "src/inference.py"
    refused = Refused("UserScriptException", message + cause.told, cause.hint, place)
    refused.shown = (type(error), error, error.__traceback__)
    return refused


def _last_place(error: BaseException, src: Path) -> Tuple[int, str]:
    """Line number (0: none) and text of the last frame in inference.py."""
    path = str(src / (MODULE + ".py"))
    if isinstance(error, SyntaxError) and error.filename == path:
        return error.lineno or 0, (error.text or "").strip()
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        if frame.f_code.co_filename == path:
            return line, linecache.getline(path, line).strip()
    return 0, ""


def acs_request(contract: Any, form: int, value: Any) -> Any:
    """What the model's converter for AACS takes: a text, or an image file as bytes.

    Raises:
        Refused: the item is neither.
    """
    name, field = ("TextAnalysisInput", "text") if form == ACS_TEXT else ("ImageAnalysisInput", "image")
    given = value.get(field) if isinstance(value, dict) else None
    if not isinstance(given, str):
        raise Refused("InvalidRequestError", 'An AACS request is {"text": text} or {"image": base64}.')
    request = getattr(contract, name)()
    if form == ACS_TEXT:
        request.text = given
        return request
    try:
        request.data = base64.b64decode(given, validate=True)
    except ValueError as error:
        raise Refused("InvalidRequestError", "The image is not base64.") from error
    return request


def acs_findings(response: Any, method: str) -> Dict[str, Dict[str, Any]]:
    """`{"hate": {"severity": 0 to 7, "score": 0 to 1}, ...}` of what the model's converter returned.

    Raises:
        Refused: it returned something else.
    """
    if response is None:
        raise _no_converter("%s returned None." % method, method)
    findings = {}
    for name in ACS_RESULTS:
        try:
            result = getattr(response, name)
            severity, score = _unboxed(result.severity_level), _unboxed(result.harmful_score)
        except Exception as error:
            raise _no_finding(method, name, "cannot be read: %s" % causes.text_of(error)) from error
        if type(severity) is not int or not 0 <= severity <= HIGHEST_SEVERITY:
            raise _no_finding(method, name, "has the severity_level %s" % _shown(severity))
        if type(score) not in (int, float) or not 0 <= score <= 1:
            raise _no_finding(method, name, "has the harmful_score %s" % _shown(score))
        findings[name] = {"severity": severity, "score": score}
    return findings


def _no_converter(message: str, method: str) -> Refused:
    hint = "Implement both AACS converters of the modality in src/inference.py."
    return Refused("InvalidModelOutputError", message, hint, "%s in src/inference.py" % method)


def _unboxed(value: Any) -> Any:
    """The number that a numpy scalar holds; any other value as it is."""
    return value if type(value) in (int, float, bool) else value.item() if hasattr(value, "item") else value


def _no_finding(method: str, name: str, reason: str) -> Refused:
    hint = "Set severity_level to an integer from 0 to %d and harmful_score to a number from 0 to 1." % HIGHEST_SEVERITY
    return Refused("InvalidModelOutputError", "The result %s of %s %s." % (name, method, reason), hint, name)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError("%s is no JSON number" % name)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("the number %s is too large" % text[:50])
    return value


def _int(text: str) -> int:
    if len(text) > sys.float_info.max_10_exp:
        _float(text)
    return int(text)


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
_strict_decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_float, parse_int=_int)


def read_item(body: bytes) -> Any:
    """The value of an item by the rule of the front, which has read all but the large ones itself.

    Python's own reader takes more: half of a surrogate pair, numbers that are infinite as a float, deeper nesting.

    Raises:
        ValueError, RecursionError: it is not JSON.
    """
    if len(body) <= LARGE_ITEM_BYTES:
        return _decoded(body.decode())
    value = _strict_decoder.decode(body.decode())
    if b"\\u" in body:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("a text holds half of a surrogate pair") from None
    if body.count(b"[") + body.count(b"{") > DEEPEST_JSON and _is_deeper(value, DEEPEST_JSON):
        raise ValueError("it is nested more than %d deep" % DEEPEST_JSON)
    return value


def _decoded(text: str) -> Any:
    """What `_decoder.decode` gives. That looks for blanks around the value, for longer than most items are read."""
    try:
        value, end = _decoder.raw_decode(text)
        if end == len(text):
            return value
    except ValueError:
        pass  # blanks before it, or no JSON: it knows which
    return _decoder.decode(text)


def _is_deeper(value: Any, levels: int) -> bool:
    here = [value]
    for _ in range(levels):
        here = [
            inner
            for outer in here
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(value, (dict, list)) for value in here)


def encode(value: Any, write: Callable[[Any], str]) -> bytes:
    """Strict JSON by a `_writer`; numpy-like scalars and arrays become numbers and lists.

    Raises:
        Refused: InvalidModelOutputError that names the first value which JSON does not have.
    """
    try:
        return write(value).encode()
    except RecursionError:
        message, place = "The output is nested too deep for JSON.", "$"
    except (TypeError, ValueError, OverflowError) as error:
        place, reason = _offender(value, "$") or ("$", causes.text_of(error))
        message = "The output is not JSON at %s: %s." % (place, reason)
    except BaseException as error:  # noqa: BLE001 - the code of the model's own types runs here
        place, message = (
            "$",
            "The output cannot be turned into JSON: %s: %s" % (type(error).__name__, causes.text_of(error)),
        )
    hint = "Return plain dictionaries, lists, texts and finite numbers."
    raise Refused("InvalidModelOutputError", message, hint, place)


def _plain(value: Any) -> Any:
    """What a numpy-like scalar or array holds."""
    for method in ("tolist", "item"):
        convert = getattr(value, method, None)
        if callable(convert):
            return convert()
    raise TypeError("%s is not JSON" % _kind(value))


_encoder = json.JSONEncoder(allow_nan=False, default=_plain, separators=(",", ":"))


def _writer() -> Callable[[Any], str]:
    """What `_encoder.encode` does, without what that does for each value anew."""
    if _make_writer is None:
        return _encoder.encode
    write = _make_writer({}, _plain, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, False)
    return lambda value: "".join(write(value, 0))


_make_writer: Any = json.encoder.c_make_encoder  # type: ignore[attr-defined]  # absent where Python has no C


def _offender(value: Any, path: str, depth: int = 0) -> Optional[Tuple[str, str]]:
    """Path of, and reason against, the first value that is not JSON."""
    if depth > SEARCH_DEPTH:
        return "$", "it is nested too deep, or contains itself"
    if isinstance(value, (dict, list, tuple)):
        return _offender_inside(value, path, depth)
    if isinstance(value, float) and not math.isfinite(value):
        return path, "%r is no JSON number" % float(value)
    if value is None or isinstance(value, (str, int, float)):
        return None
    try:
        return _offender(_plain(value), path, depth + 1)
    except Exception:  # noqa: BLE001 - the code of the model's own types runs here
        return path, "the value is %s" % _kind(value)


def _offender_inside(value: Any, path: str, depth: int) -> Optional[Tuple[str, str]]:
    named = isinstance(value, dict)
    for key, inner in value.items() if named else enumerate(value):
        if not isinstance(key, (str, int, float, type(None))):
            return path, "the key %s is %s" % (_shown(key), _kind(key))
        found = _offender(inner, "%s.%s" % (path, key) if named else "%s[%s]" % (path, key), depth + 1)
        if found:
            return found
    return None


def _same(left: Any, right: Any) -> bool:
    """Whether two values are the same JSON, also in their types: a tuple is no list, a subclass is no dict."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def _kind(value: Any) -> str:
    return "of type " + type(value).__name__


def _shown(value: Any) -> str:
    try:
        return repr(value)[:100]
    except Exception:  # noqa: BLE001 - the code of the model's own types runs here
        return "?"


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "replace")


if __name__ == "__main__":
    main()
