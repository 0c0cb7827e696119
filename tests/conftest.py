"""What all tests below this folder share."""

import hypothesis_profiles  # noqa: F401 - loading it sets the profile
from postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]
