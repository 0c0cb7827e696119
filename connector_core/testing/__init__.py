"""What plugins and their users test with."""
