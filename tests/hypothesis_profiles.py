"""How Hypothesis runs here: imported by the conftest of each folder of tests."""

from __future__ import annotations

import os

from hypothesis import settings

# Machines differ in speed, so no example has a deadline; in CI the same commit always tries the same examples.
settings.register_profile("anywhere", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("anywhere"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "anywhere")
