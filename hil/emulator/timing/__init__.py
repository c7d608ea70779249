"""Timing tables, one module per core.  A table turns decoded instructions into cycles; it runs nothing."""
