"""What all tests below this folder share."""

import hypothesis_profiles  # noqa: F401 - loading it sets the profile
from leftovers import no_thread_is_left
from postgres import postgres_server, postgres_url

__all__ = ["no_thread_is_left", "postgres_server", "postgres_url"]
