"""Run a model by hand, as mop-utils 2.x did: `mop_init` once, then `mop_run` from any thread.

Importing this module imports `inference` (the model folder's `src/inference.py`, which must be on the path) and
constructs its wrapper. MOP itself does not use this module. A script for a web server:

    from mop_utils.inference_wrapper import build_response, mop_init, mop_run, status_of

    def init():
        mop_init("model", {"enable": True, "max_batch_size": 12, "idle_batch_size": 3, "max_batch_interval": 0.002})

    def run(data):
        try:
            return build_response(mop_run(data["input"], data.get("mop", False)))
        except Exception as error:
            return my_server_response(str(error), status_of(error))   # 4xx for mistakes of the client
"""

import importlib
import inspect
import json
from types import ModuleType
from typing import Any, Dict, List, Mapping, Optional, Tuple, Type

from ._batching import Batcher, Failure, PredictTimeoutError
from .base_model_wrapper import BaseModelWrapper, MopInferenceInput
from .constant import CM_MODEL_WRAPPER_NAME

__all__ = [
    "InvalidRequestError",
    "MOPInferenceWrapper",
    "ModelWrapper",
    "PredictTimeoutError",
    "base_model_wrapper",
    "build_response",
    "get_model_wrapper",
    "inference_wrapper",
    "mop_init",
    "mop_run",
    "status_of",
]

REQUEST_SECONDS = 60.0
"""How long `mop_run` waits for a batched answer."""

MAX_BATCH_SIZE = 12
"""Items in one call of `inference_batch` at most, where `dynamic_batch_args` do not say so."""

_SERVER_ERROR = 500


class InvalidRequestError(ValueError):
    """The client's data cannot be used."""

    status_code = 400


def find_wrapper(module: ModuleType) -> Type[BaseModelWrapper]:
    """The first concrete class that the module defines and that no other class of it extends.

    Raises:
        ImportError: there is none.
    """
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, BaseModelWrapper) and value.__module__ == module.__name__
    ]
    for one in own:
        if not inspect.isabstract(one) and not any(other is not one and issubclass(other, one) for other in own):
            return one
    raise ImportError(
        "%s.py defines no complete class that extends mop_utils.base_model_wrapper.BaseModelWrapper" % module.__name__
    )


class MOPInferenceWrapper:
    """Calls a model's wrapper, in the model's own format or in MOP's. Holds no state of a request."""

    def __init__(self, base_model_wrapper: BaseModelWrapper) -> None:
        self.model_wrapper = base_model_wrapper

    def init(self, model_root: str) -> None:
        """Load the model."""
        self.model_wrapper.init(model_root)

    def run(self, item: Dict[str, Any], triggered_by_mop: bool) -> Any:  # noqa: FBT001 - as in 2.x
        """One item through `inference`: a list with the model's output, or MOP's output as a dict.

        Raises:
            InvalidRequestError: triggered by MOP, and the item is no MOP input.
            Exception: what the model raised.
        """
        output = _guarded(self.model_wrapper.inference, self._model_input(item, mop=triggered_by_mop))
        return self._mop_output(output) if triggered_by_mop else [output]

    def run_batch(
        self,
        items: List[Any],
        triggered_by_mop: bool,  # noqa: FBT001 - as in 2.x
        batch_size: Optional[int] = None,
    ) -> List[Any]:
        """Items through `inference_batch`, at most `batch_size` in a call: one output per item, in order.

        Raises:
            InvalidRequestError: triggered by MOP, and an item is no MOP input.
            Exception: what the model raised for the first item that failed.
        """
        size = batch_size or MAX_BATCH_SIZE
        entries = [(item, triggered_by_mop) for item in items]
        outputs: List[Any] = []
        for start in range(0, len(entries), size):
            for outcome in self.outcomes(entries[start : start + size]):
                if isinstance(outcome, Failure):
                    raise outcome.error
                outputs.append(outcome)
        return outputs

    def outcomes(self, entries: List[Tuple[Any, bool]]) -> List[Any]:
        """For each (item, triggered by MOP) its output, or a Failure of its own; one call of `inference_batch`."""
        found: List[Any] = [None] * len(entries)
        inputs: Dict[int, Any] = {}
        for index, (item, triggered_by_mop) in enumerate(entries):
            try:
                inputs[index] = self._model_input(item, mop=triggered_by_mop)
            except Exception as error:  # noqa: BLE001 - the model's code runs here; its item's caller hears of it
                found[index] = Failure(error)
        for index, output in zip(inputs, self._outputs(list(inputs.values()))):  # noqa: B905 - Python 3.8
            found[index] = self._outcome(output, mop=entries[index][1])
        return found

    def _model_input(self, item: Any, *, mop: bool) -> Any:
        if not mop:
            return item
        if not isinstance(item, Mapping):
            raise InvalidRequestError("A MOP input is a dict, not a %s." % type(item).__name__)
        try:
            mop_input = MopInferenceInput().from_dict(dict(item))
        except ValueError as error:
            raise InvalidRequestError(str(error)) from error
        return _guarded(self.model_wrapper.convert_mop_input_to_model_input, mop_input)

    def _outputs(self, inputs: List[Any]) -> List[Any]:
        """An output or a Failure for each input; if the batch fails, its items are tried one by one."""
        try:
            return self._batch(inputs) if inputs else []
        except Exception as error:  # noqa: BLE001 - the model's code runs here; its item's caller hears of it
            if len(inputs) == 1:
                return [Failure(error)]
        return [self._outputs([one])[0] for one in inputs]

    def _batch(self, inputs: List[Any]) -> List[Any]:
        outputs = _guarded(self.model_wrapper.inference_batch, list(inputs))
        outputs = outputs.tolist() if hasattr(outputs, "tolist") else list(outputs)
        if len(outputs) != len(inputs):
            raise RuntimeError("inference_batch returned %d outputs for %d items." % (len(outputs), len(inputs)))
        return outputs

    def _outcome(self, output: Any, *, mop: bool) -> Any:
        if isinstance(output, Failure) or not mop:
            return output
        try:
            return self._mop_output(output)
        except Exception as error:  # noqa: BLE001 - the model's code runs here; its item's caller hears of it
            return Failure(error)

    def _mop_output(self, output: Any) -> Any:
        return _guarded(self.model_wrapper.convert_model_output_to_mop_output, output).output


def _guarded(call: Any, argument: Any) -> Any:
    """Call the model; what would end the thread (SystemExit and the like) becomes an ordinary error of its caller."""
    try:
        return call(argument)
    except Exception:
        raise
    except BaseException as error:
        raise RuntimeError("The model raised %s: %s" % (type(error).__name__, error)) from error


inference_module = importlib.import_module(CM_MODEL_WRAPPER_NAME)
ModelWrapper = find_wrapper(inference_module)
base_model_wrapper: BaseModelWrapper = ModelWrapper()
inference_wrapper = MOPInferenceWrapper(base_model_wrapper)
batch_model: Optional[Batcher] = None
batch_size: Optional[int] = None


def mop_init(model_root: str, dynamic_batch_args: Optional[Mapping[str, Any]]) -> None:
    """Load the model, and set up dynamic batching.

    Args:
        model_root: the path of the model folder's `model/`.
        dynamic_batch_args: None for none, or `enable` (default: true), `max_batch_size`, `idle_batch_size` and
            `max_batch_interval` (seconds).

    Raises:
        ValueError: an entry of dynamic_batch_args is missing or out of range.
        Exception: what the model's init raised.
    """
    global batch_model, batch_size
    batcher, size = _batching(dynamic_batch_args)
    inference_wrapper.init(model_root)
    if batch_model is not None:
        batch_model.close()
    batch_model, batch_size = batcher, size


def _batching(arguments: Optional[Mapping[str, Any]]) -> Tuple[Optional[Batcher], Optional[int]]:
    if arguments is None:
        return None, None
    enabled = str(arguments.get("enable", True)).lower() not in ("false", "0", "no", "none", "")
    if not enabled and arguments.get("max_batch_size") is None:
        return None, None
    max_size = _number(arguments, "max_batch_size", int, least=1)
    if not enabled:
        return None, max_size
    idle_size = _number(arguments, "idle_batch_size", int, least=1)
    if idle_size > max_size:
        raise ValueError("idle_batch_size is %d, which is over max_batch_size, %d" % (idle_size, max_size))
    interval = _number(arguments, "max_batch_interval", float, least=0)
    batcher = Batcher(inference_wrapper.outcomes, max_size=max_size, idle_size=idle_size, max_interval=interval)
    return batcher, max_size


def _number(arguments: Mapping[str, Any], name: str, kind: Any, *, least: int) -> Any:
    value = arguments.get(name)
    try:
        number = kind(str(value))
    except ValueError:
        number = None
    if number is None or not least <= number < float("inf"):
        raise ValueError(
            "dynamic_batch_args[%r] must be %s of at least %d, but it is %r"
            % (name, "an integer" if kind is int else "a number", least, value)
        )
    return number


def mop_run(
    raw_data: Any,
    is_mop_triggered: bool = False,  # noqa: FBT001, FBT002 - as in 2.x
    **kwargs: Any,  # noqa: ARG001 - as in 2.x
) -> Any:
    """Run the model on one item or on a list of items.

    Args:
        raw_data: an item, or a list of items.
        is_mop_triggered: items are MOP inputs and outputs are MOP outputs; else both are in the model's own format.
        kwargs: ignored.

    Returns:
        With dynamic batching, or for a list: a list with one output per item. For a single item without dynamic
        batching: MOP's output as a dict, or a list with the model's one output.

    Raises:
        InvalidRequestError: the data are not what they must be; `status_of` gives 400.
        PredictTimeoutError: a batched answer did not come within REQUEST_SECONDS; `status_of` gives 504.
        Exception: what the model raised for the first item that failed.
    """
    if batch_model is not None:
        items = raw_data if isinstance(raw_data, list) else [raw_data]
        return batch_model.predict([(item, bool(is_mop_triggered)) for item in items], REQUEST_SECONDS)
    if isinstance(raw_data, dict):
        return inference_wrapper.run(raw_data, is_mop_triggered)
    if isinstance(raw_data, list):
        return inference_wrapper.run_batch(raw_data, is_mop_triggered, batch_size)
    raise InvalidRequestError("Invalid input data format: an item must be a dict, not a %s." % type(raw_data).__name__)


def status_of(error: BaseException) -> int:
    """The HTTP status for what `mop_run` raised: 400 for the client's mistakes, 504 for a timeout, else 500."""
    return error.status_code if isinstance(error, (InvalidRequestError, PredictTimeoutError)) else _SERVER_ERROR


def build_response(inference_result: Any) -> Any:
    """The result as plain JSON data: numpy scalars and arrays become numbers and lists, objects their attributes.

    Raises:
        TypeError: something in it is not JSON.
    """
    if isinstance(inference_result, (dict, list)) or hasattr(inference_result, "__dict__"):
        return json.loads(json.dumps(inference_result, default=_plain))
    return inference_result


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "__dict__"):
        return vars(value)
    raise TypeError("%s is not JSON" % type(value).__name__)


def get_model_wrapper() -> MOPInferenceWrapper:
    """The wrapper that `mop_init` loads."""
    return inference_wrapper
