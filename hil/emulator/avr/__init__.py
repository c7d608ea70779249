"""Boards with an AVR, on simavr."""
