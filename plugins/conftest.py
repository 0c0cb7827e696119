"""What all tests below this folder share."""

import hypothesis_profiles  # noqa: F401 - loading it sets the profile
from leftovers import no_thread_is_left

__all__ = ["no_thread_is_left"]
