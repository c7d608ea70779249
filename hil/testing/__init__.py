"""Conformance suites for implementations of hil's interfaces; shipped, so that yours can be held to them."""
