"""Other model servers with the same models, each as its own documentation puts a batching model behind HTTP.

All have one worker, batches of at most 12 items and, where that can be set, a window of 2 ms, as ours and the original
stack have; access logs are off. The programs below call the same wrapper as every other stack.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service_models import BATCH, SDK, SKLEARN, ModelFolder, make_environment
from service_process import ServerProcess, free_port

WINDOW_S = 0.002

MLSERVER = """
import os, sys
sys.path.insert(0, os.environ["MODEL_SRC"])
from inference import Wrapper
from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceResponse, ResponseOutput

class Text(MLModel):
    async def load(self):
        self.model = Wrapper()
        self.model.init(os.environ["MODEL_ROOT"])
        return True

    async def predict(self, payload):
        texts = StringCodec.decode_input(payload.inputs[0])
        outputs = self.model.inference_batch([{"text": text} for text in texts])
        columns = (("label", "INT64"), ("score", "FP64"))
        return InferenceResponse(model_name=self.name, outputs=[
            ResponseOutput(name=name, shape=[len(outputs), 1], datatype=kind, data=[one[name] for one in outputs])
            for name, kind in columns
        ])
"""

LITSERVE = """
import os, sys
sys.path.insert(0, os.environ["MODEL_SRC"])
import litserve
from inference import Wrapper

class Text(litserve.LitAPI):
    def setup(self, device):
        self.model = Wrapper()
        self.model.init(os.environ["MODEL_ROOT"])

    def decode_request(self, request): return {"text": request["text"]}
    def batch(self, inputs): return inputs
    def predict(self, items): return self.model.inference_batch(items)
    def unbatch(self, output): return output
    def encode_response(self, output): return output

if __name__ == "__main__":
    api = Text(max_batch_size=int(os.environ["BATCH"]), batch_timeout=float(os.environ["WINDOW_S"]))
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, fast_queue=True)
    port = int(os.environ["PORT"])
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)
"""

BENTOML = """
import os, sys
from typing import Any
sys.path.insert(0, os.environ["MODEL_SRC"])
import bentoml
from inference import Wrapper

@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Text:
    def __init__(self):
        self.model = Wrapper()
        self.model.init(os.environ["MODEL_ROOT"])

    @bentoml.api(batchable=True, max_batch_size=int(os.environ["BATCH"]), max_latency_ms=1000)
    def score(self, texts: list[str]) -> list[dict[str, Any]]:
        return self.model.inference_batch([{"text": text} for text in texts])
"""

Output = dict[str, Any]


@dataclass(frozen=True)
class Rival:
    """A model server.

    Attributes:
        requirements: what pip installs for it, beside the model's own packages.
        path: where it takes a text.
        make_body: the JSON that it takes for a text.
        read: label and score of its JSON answer.
        argv: its command, after the folder of the environment's programs, with `{port}`.
        files: by name, of its working directory; with three free ports each.
        variables: of its environment, beside those of the model.
    """

    name: str
    requirements: tuple[str, ...]
    path: str
    make_body: Callable[[str], object]
    read: Callable[[Any], Output]
    argv: tuple[str, ...]
    files: Callable[[list[int]], dict[str, str]]
    variables: dict[str, str] = field(default_factory=dict)


def _mlserver_files(ports: list[int]) -> dict[str, str]:
    http_port, grpc_port, metrics_port = ports
    settings = {
        "debug": False,
        "host": "127.0.0.1",
        "http_port": http_port,
        "grpc_port": grpc_port,
        "metrics_port": metrics_port,
        "parallel_workers": 1,
    }
    model = {
        "name": "text",
        "implementation": "text_runtime.Text",
        "max_batch_size": BATCH,
        "max_batch_time": WINDOW_S,
    }
    return {
        "text_runtime.py": MLSERVER,
        "settings.json": json.dumps(settings),
        "model-settings.json": json.dumps(model),
    }


def _mlserver_body(text: str) -> object:
    inputs = {"name": "text", "shape": [1, 1], "datatype": "BYTES", "parameters": {"content_type": "str"}}
    return {"inputs": [inputs | {"data": [text]}]}


RIVALS = (
    Rival(
        name="MLServer",
        requirements=("mlserver==1.7.1", "uvloop<0.22", "httptools"),
        path="/v2/models/text/infer",
        make_body=_mlserver_body,
        read=lambda answer: {output["name"]: output["data"][0] for output in answer["outputs"]},
        argv=("mlserver", "start", "."),
        files=_mlserver_files,
    ),
    Rival(
        name="LitServe",
        requirements=("litserve==0.2.19",),
        path="/predict",
        make_body=lambda text: {"text": text},
        read=lambda answer: answer,
        argv=("python", "server.py"),
        files=lambda _ports: {"server.py": LITSERVE},
    ),
    Rival(
        name="BentoML",
        requirements=("bentoml==1.4.40", "uvloop", "httptools"),
        path="/score",
        make_body=lambda text: {"texts": [text]},
        read=lambda answer: answer[0],
        argv=("bentoml", "serve", "service:Text", "--host", "127.0.0.1", "--port", "{port}"),
        files=lambda _ports: {"service.py": BENTOML},
        variables={"BENTOML_DO_NOT_TRACK": "True"},
    ),
)


def make_rivals(cache: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The Python of each rival that can be installed, by name; and why the others cannot."""
    pythons, absent = {}, {}
    for rival in RIVALS:
        try:
            folder = cache / rival.name.lower()
            pythons[rival.name] = make_environment(folder, (*rival.requirements, *SKLEARN, str(SDK)))
        except subprocess.CalledProcessError:
            absent[rival.name] = f"uv could not install {' '.join(rival.requirements)}; it says why above"
    return pythons, absent


class RivalStack(ServerProcess):
    """A running rival, which has answered the first of the texts."""

    def __init__(self, rival: Rival, python: Path, folder: ModelFolder, place: Path) -> None:
        place.mkdir()
        ports = [free_port() for _ in range(3)]
        for name, content in rival.files(ports).items():
            (place / name).write_text(content)
        texts = [json.loads(line)["text"] for line in folder.bodies.read_text().splitlines()]
        bodies = [json.dumps(rival.make_body(text)) for text in texts]
        self.path = rival.path
        self.bodies: Path | None = place / "bodies"
        self.bodies.write_text("\n".join(bodies))
        program, *arguments = rival.argv
        super().__init__(
            [python.with_name(program), *(argument.format(port=ports[0]) for argument in arguments)],
            port=ports[0],
            place=place,
            variables={
                "MODEL_SRC": str(folder.src),
                "MODEL_ROOT": str(folder.model),
                "PORT": str(ports[0]),
                "BATCH": str(BATCH),
                "WINDOW_S": str(WINDOW_S),
                **rival.variables,
            },
            probe=(rival.path, bodies[0].encode()),
        )
        self.first = rival.read(json.loads(self.first_answer))
