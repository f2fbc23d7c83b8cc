"""Runs of a version over cases, each with the label that is right: golden sets and regression tests.

CaseKind ── what one kind of run is: its tables, its cases
  │
  ├─ keeping.py   what is read and written of a run, each as one transaction
  ├─ running.py   the steps of its workflow: a fresh service answers what has no outcome yet
  └─ models.py    the columns that runs and outcomes have
"""
