"""The naive script as a process: each call again when it fails, and from the start when it was killed."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.naive import SCRIPTS

TRIES = 3


def main(orders: dict[str, Any]) -> None:
    """Write every call; what fails three times is left out, as such a script does."""
    script = SCRIPTS[orders["crm"]]
    for line in Path(orders["calls"]).read_text().splitlines():
        for _ in range(TRIES):
            try:
                script(orders["url"], orders["settings"], [json.loads(line)])
                break
            except Exception:  # noqa: BLE001 - whatever it is, such a script tries again
                time.sleep(0.2)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
