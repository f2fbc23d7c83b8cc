"""Load tests: how many requests a second a service stands, and how long its callers wait. docs/load-tests.md."""
