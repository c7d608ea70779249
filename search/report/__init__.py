"""Reports of a study: a table for the terminal, a picture of the front, a self-contained HTML page."""
