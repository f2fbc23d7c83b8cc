"""A model without a wrapper."""


class WordModel:
    def init(self, model_root):
        self.model_root = model_root
