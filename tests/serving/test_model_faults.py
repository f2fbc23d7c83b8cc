from __future__ import annotations

import pytest

from mop.errors import (
    DeploymentCrashedError,
    DeploymentTimeoutError,
    InvalidModelOutputError,
    ModelStructureError,
    ModelWrapperAmbiguousError,
    ModelWrapperNotFoundError,
    MopError,
    UserScriptException,
)
from mop.serving.http_client import request
from serving.conftest import HEADER, MakeModel, StartService
from serving.probes import metric, reached


async def refusal(start: StartService, folder: object, **changes: object) -> MopError:
    """Why the service of this folder does not become ready."""
    service = await start(folder, ready=False, **changes)  # type: ignore[arg-type]
    with pytest.raises(MopError) as caught:
        await service.wait_ready(30)
    return caught.value


async def test_no_wrapper(make_model: MakeModel, start: StartService):
    error = await refusal(start, make_model(whole="x = 1"))
    assert isinstance(error, ModelWrapperNotFoundError)


async def test_an_incomplete_wrapper_is_told_what_it_lacks(make_model: MakeModel, start: StartService):
    folder = make_model(
        whole="""
        from mop_utils.base_model_wrapper import BaseModelWrapper
        class Half(BaseModelWrapper):
            def init(self, model_root): pass
            def inference(self, item): return item
    """
    )
    error = await refusal(start, folder)
    assert isinstance(error, ModelWrapperNotFoundError)
    assert "Half lacks" in error.message
    assert "inference_batch" in error.message


async def test_several_wrappers_are_named(make_model: MakeModel, start: StartService):
    folder = make_model(whole=HEADER + "\nclass B(Complete): pass\nclass A(Complete): pass\n")
    error = await refusal(start, folder)
    assert isinstance(error, ModelWrapperAmbiguousError)
    assert error.message.endswith("A, B.")


async def test_a_base_class_with_one_leaf_and_imported_wrappers_are_fine(make_model: MakeModel, start: StartService):
    folder = make_model(files={"other.py": HEADER + "\nclass Other(Complete): pass\n"})
    script = folder / "src" / "inference.py"
    script.write_text(script.read_text() + "\nfrom other import Other\nAlias = Wrapper\n")
    service = await start(folder)
    assert await service.score(1, mop=False) == {"echo": 1}


async def test_no_inference_file(make_model: MakeModel, start: StartService):
    folder = make_model()
    (folder / "src" / "inference.py").unlink()
    assert isinstance(await refusal(start, folder), ModelStructureError)


async def test_a_missing_module_is_to_be_added_to_the_requirements(make_model: MakeModel, start: StartService):
    error = await refusal(start, make_model(whole="import os\nimport no_such_package.part"))
    assert isinstance(error, UserScriptException)
    assert error.place == "src/inference.py:2"
    assert "no_such_package" in error.hint
    assert "src/requirements.txt" in error.hint


async def test_a_syntax_error_names_its_line(make_model: MakeModel, start: StartService):
    error = await refusal(start, make_model(whole="x = 1\ny = = 2\n"))
    assert isinstance(error, UserScriptException)
    assert error.place == "src/inference.py:2"
    assert "y = = 2" in error.message


async def test_an_error_in_init_names_the_last_line_in_inference(make_model: MakeModel, start: StartService):
    folder = make_model(
        "def init(self, model_root):\n    import helper\n    helper.fail()",
        files={"helper.py": "def fail():\n    raise OSError('no weights')"},
    )
    error = await refusal(start, folder)
    assert isinstance(error, UserScriptException)
    assert "OSError: no weights" in error.message
    assert "`helper.fail()`" in error.message
    assert "init" in error.message


@pytest.mark.parametrize(
    "call",
    [
        "import socket; raise socket.gaierror(-3, 'Temporary failure in name resolution')",
        "import errno; raise OSError(errno.ENETUNREACH, 'Network is unreachable')",
        "from urllib.error import URLError; raise URLError(ConnectionRefusedError())",
        "raise RuntimeError('download failed') from ConnectionResetError()",
    ],
)
async def test_a_failed_network_call_says_that_services_have_none(
    make_model: MakeModel, start: StartService, call: str
):
    error = await refusal(start, make_model(f"def init(self, model_root):\n    {call}"))
    assert isinstance(error, UserScriptException)
    assert "services have no network" in error.message


async def test_a_process_that_exits_in_init_tells_code_and_last_lines(make_model: MakeModel, start: StartService):
    error = await refusal(start, make_model("def init(self, model_root):\n    print('last words')\n    os._exit(3)"))
    assert isinstance(error, DeploymentCrashedError)
    assert "exited with code 3 during init" in error.message
    assert "last words" in error.message


@pytest.mark.parametrize(("status", "words"), [(122, "memory limit"), (124, "time limit"), (137, "SIGKILL")])
async def test_the_sandboxs_exit_codes_are_explained(
    make_model: MakeModel, start: StartService, status: int, words: str
):
    error = await refusal(start, make_model(f"def init(self, model_root):\n    os._exit({status})"))
    assert isinstance(error, DeploymentCrashedError)
    assert words in error.message


async def test_a_sandbox_that_can_not_be_set_up_is_no_fault_of_the_model(make_model: MakeModel, start: StartService):
    error = await refusal(start, make_model("def init(self, model_root):\n    os._exit(125)"))
    assert error.name == "SandboxUnavailableError"


async def test_a_command_that_does_not_exist_is_told(make_model: MakeModel, start: StartService):
    error = await refusal(start, make_model(), command=("/no/such/python",))
    assert isinstance(error, DeploymentCrashedError)
    assert "could not be started" in error.message


async def test_an_init_past_its_deadline(make_model: MakeModel, start: StartService):
    folder = make_model("def init(self, model_root):\n    print('loading')\n    threading.Event().wait()")
    error = await refusal(start, folder, init_deadline_s=1.5)
    assert isinstance(error, DeploymentTimeoutError)
    assert "1.5 s" in error.message
    assert "loading" in error.message


BAD_OUTPUTS = [
    ("{'a': [1, float('nan')]}", "$.a[1]", "nan"),
    ("{'a': {'b': float('inf')}}", "$.a.b", "inf"),
    ("{'a': {1, 2}}", "$.a", "set"),
    ("{(1, 2): 3}", "$", "tuple"),
    ("{'a': object()}", "$.a", "object"),
    ("x", "$", "contains itself"),
    ("'\\ud800'", None, "not strict JSON"),
]


async def test_an_output_that_is_not_strict_json_names_its_place(make_model: MakeModel, start: StartService):
    outputs = ", ".join(output for output, _, _ in BAD_OUTPUTS)
    folder = make_model(f"def inference(self, item):\n    x = []\n    x.append(x)\n    return [{outputs}][item]")
    service = await start(folder)
    for number, (_, place, words) in enumerate(BAD_OUTPUTS):
        with pytest.raises(InvalidModelOutputError, match=words) as caught:
            await service.score(number, mop=False)
        assert caught.value.place == place


async def test_numpy_like_scalars_and_arrays_become_json(make_model: MakeModel, start: StartService):
    folder = make_model("""
        class Scalar:
            def item(self): return 0.5
        class Array:
            def tolist(self): return [1, 2]
        def inference(self, item):
            return {"scalar": self.Scalar(), "array": self.Array()}
    """)
    assert await (await start(folder)).score({}, mop=False) == {"scalar": 0.5, "array": [1, 2]}


@pytest.mark.parametrize("outputs", ["[1]", "[1, 2, 3]", "None", "{0: 1, 1: 2}", "'ab'"])
async def test_a_wrong_number_of_outputs(make_model: MakeModel, start: StartService, outputs: str):
    service = await start(make_model(f"def inference_batch(self, items):\n    return {outputs}"))
    with pytest.raises(InvalidModelOutputError, match="one output per item"):
        await service.score([1, 2], mop=False)


async def test_an_output_over_the_limit(make_model: MakeModel, start: StartService):
    service = await start(make_model("def inference(self, item): return 'x' * item"), max_response_bytes=1000)
    assert await service.score(500, mop=False) == "x" * 500
    with pytest.raises(InvalidModelOutputError, match="the limit is 1,000"):
        await service.score(2000, mop=False)


async def test_an_error_of_a_list_names_the_item(make_model: MakeModel, start: StartService):
    service = await start(make_model("def inference(self, item): return 1 / item"))
    with pytest.raises(UserScriptException, match="ZeroDivisionError") as caught:
        await service.score([1, 2, 0, 4], mop=False)
    assert caught.value.place is not None
    assert caught.value.place.startswith("item 2, src/inference.py:")


async def test_a_models_fault_is_5xx_with_its_name(make_model: MakeModel, start: StartService):
    service = await start(make_model("def inference(self, item): return item['text']"))
    answer = await request(service.address, "POST", "/score", body=b"{}")
    assert answer.status == 500
    assert b'"name":"UserScriptException"' in answer.body


async def test_a_converter_that_raises_fails_its_item_only(make_model: MakeModel, start: StartService):
    folder = make_model("""
        def convert_mop_input_to_model_input(self, mop_input):
            return {"length": 1 / len(mop_input.text)}
    """)
    service = await start(folder)
    with pytest.raises(UserScriptException, match="convert_mop_input_to_model_input"):
        await service.score([{"text": ""}], mop=True)
    assert await service.score([{"text": "a"}], mop=True)


async def test_printing_and_reading_do_not_touch_the_channel(make_model: MakeModel, start: StartService):
    folder = make_model("""
        def inference(self, item):
            print("printed", item)
            os.write(1, b"written\\n")
            return sys.stdin.read() + os.read(0, 10).decode()
    """)
    service = await start(folder)
    assert await service.score("x", mop=False) == ""

    async def logged() -> bool:
        await service.score("x", mop=False)
        return {"[process-1] printed x", "[process-1] written"} <= set(service.log_lines(0))

    await reached(logged)


async def test_relative_paths_and_main_guards_work(make_model: MakeModel, start: StartService):
    folder = make_model(
        "def inference(self, item): return [open('words.txt').read(), os.listdir(self.model_root)]",
        files={"words.txt": "w"},
    )
    script = folder / "src" / "inference.py"
    script.write_text(script.read_text() + "\nassert __name__ == 'inference'\nif __name__ == '__main__': os._exit(9)\n")
    assert await (await start(folder)).score({}, mop=False) == ["w", ["weights.txt"]]


async def test_garbage_in_the_channel_costs_the_process_its_life(make_model: MakeModel, start: StartService):
    folder = make_model("""
        def inference(self, item):
            if item == "garbage":
                for name in os.listdir("/proc/self/fd"):
                    if int(name) > 2 and os.readlink("/proc/self/fd/" + name).startswith("socket:"):
                        os.write(int(name), b"\\xff" * 100)
            return item
    """)
    service = await start(folder)
    with pytest.raises(DeploymentCrashedError, match="channel"):
        await service.score("garbage", mop=False)
    assert await service.score("fine", mop=False) == "fine"
    assert await metric(service, "process_boots_total") == 2
