from pathlib import Path

EXCEPTIONS = Path(__file__).with_name("exceptions.txt")


class WordList:
    @classmethod
    def read(cls, model_root):
        words = Path(model_root, "words.txt").read_text(encoding="utf-8").split()
        return set(words) - set(EXCEPTIONS.read_text(encoding="utf-8").split())
