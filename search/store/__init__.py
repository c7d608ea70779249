"""The study on disk: SQLite for what is known, files for models.

`Store.read(folder)` is the way in for reports; `Store.open(folder)` for the process that runs the study.
"""

from search.store.store import FILE, Store

__all__ = ["FILE", "Store"]
