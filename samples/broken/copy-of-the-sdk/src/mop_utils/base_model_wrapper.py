class BaseModelWrapper:
    pass


class MopInferenceOutput(dict):
    pass
