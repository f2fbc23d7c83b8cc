"""leaves children and threads that never end, and ignores signals."""

import atexit
import signal
import subprocess
import threading
import time
from pathlib import Path

from mop_utils.base_model_wrapper import BaseModelWrapper, MopInferenceOutput


class WordModel(BaseModelWrapper):
    def init(self, model_root):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        atexit.register(time.sleep, 600)
        threading.Thread(target=time.sleep, args=(600,)).start()
        subprocess.Popen(["sleep", "86397"], start_new_session=True)
        self.words = set(Path(model_root, "words.txt").read_text(encoding="utf-8").split())

    def inference(self, item):
        return {"bad": any(word in self.words for word in item["text"].lower().split())}

    def inference_batch(self, items):
        return [self.inference(item) for item in items]

    def convert_mop_input_to_model_input(self, mop_input):
        return {"text": mop_input.text}

    def convert_model_output_to_mop_output(self, output):
        bad = int(output["bad"])
        labels = {"no": 1 - bad, "yes": bad}
        scores = {"no": 1.0 - bad, "yes": float(bad)}
        return MopInferenceOutput(
            {"predicted_labels": {"bad words": labels}, "confidence_scores": {"bad words": scores}}
        )
