"""A small invented world with a few calls: what a sandbox serves without a seed, and the demo command shows."""

from __future__ import annotations

from pathlib import Path

DEMO_WORLD = Path(__file__).with_name("demo_world.json")
"""A dozen people of five companies; the seed of any sandbox."""

DEMO_CALLS = Path(__file__).with_name("demo_calls.jsonl")
"""Calls with them: one a line, each another case of the decision."""

DEMO_REGIONS = ("FR", "US")
"""The regions under which the phone numbers of both are read."""
