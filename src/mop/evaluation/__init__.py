"""Evaluation: how well a revision predicts the labels of data that its maker never saw."""
