"""Conformance suites for spaces and strategies, for those of this package and for a user's own.

    class TestMySpace(SpaceSuite):
        @pytest.fixture
        def space(self) -> Space: ...

pytest then collects every test of the suite.  The suites need pytest; nothing else of the package does.
"""
