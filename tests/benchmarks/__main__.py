"""Figures of this machine, printed: ``uv run python -m tests.benchmarks [decisions|requests|backfill|webhooks|filling]``.

Nothing here passes or fails. Times are of this machine, in this run; counts of requests carry over to any other.
"""

from __future__ import annotations

import argparse

from tests.benchmarks import backfill_cost, decisions, filling, request_cost, webhooks

SUBJECTS = {
    "decisions": decisions.report,
    "requests": request_cost.report,
    "backfill": backfill_cost.report,
    "webhooks": webhooks.report,
    "filling": filling.report,
}


def main() -> None:
    """Print the figures that were asked for, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "subjects", nargs="*", metavar="SUBJECT", help=f"one of: {', '.join(SUBJECTS)}; all without any"
    )
    wanted = parser.parse_args().subjects or list(SUBJECTS)
    for subject in wanted:
        if subject not in SUBJECTS:
            parser.error(f"{subject} is none of {', '.join(SUBJECTS)}")
        print("\n".join(SUBJECTS[subject]()))


main()
