"""Exit statuses of a caged job that are the cage's, not the job's own.

Each comes with one line on the job's stderr: `mop-sandbox: <reason>`.
"""

from __future__ import annotations

EXIT_MEMORY = 122  # the job went over its memory
EXIT_TIME = 124  # the job ran longer than `Limits.seconds`
EXIT_SETUP = 125  # the cage could not be set up; the job did not start
