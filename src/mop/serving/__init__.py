"""Running a revision as a web service."""
