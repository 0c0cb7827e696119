"""What all tests below this folder share."""

import hypothesis_profiles  # noqa: F401 - loading it sets the profile
