"""Reports as people and programs read them: text, CSV, and a page of its own."""
