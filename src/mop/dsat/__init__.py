"""DSAT cases: contents that a service answered wrongly, kept until a model answers them rightly."""
