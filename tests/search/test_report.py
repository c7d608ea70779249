"""What the reports show, and that they show it safely."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from rich.console import Console

from hil.measurement import Provenance
from search.report.page import page
from search.report.plot import front_picture
from search.report.table import front_table
from tests.search.sample_report import sample_report


def terminal(width: int) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115  # closed with the process
    console.print(front_table(sample_report(), width))
    return console.export_text()


def test_table_shows_the_front_and_only_the_front() -> None:
    text = terminal(140)
    assert re.search(r"^\s+0 .*91\.0%.*2\.10 ms", text, re.M)
    assert re.search(r"^\s+1\* .*95\.5%", text, re.M), "the best network is marked"
    assert "94.0%" not in text, "a dominated network is not on the front"


def test_table_names_the_origin_of_each_column_and_what_became_of_the_rest() -> None:
    text = terminal(140)
    assert "emulated" in text
    assert "trained" in text
    assert "6 trials; 4 complete; 1 beyond a limit (never trained); 1 failed" in text


def test_table_shows_both_latencies_and_the_general_path() -> None:
    text = terminal(140)
    # trial 1: 4300 us with its trained weights, 0.9 times that with those that the search had.
    assert re.search(r"^\s+1\* .*4\.30 ms +3\.87 ms .*25\.0%", text, re.M)
    assert "untrained: the latency that the search saw" in text
    narrow = terminal(60)
    assert re.search(r"4\.30 ms +3\.87 ms", narrow)
    assert "general path: 25.0% of the MACs" in narrow


def test_network_that_was_not_deployed_has_one_latency() -> None:
    network = sample_report().networks[0]
    assert network.values["untrained_latency_us"] == 1890.0
    assert replace(network, deployed=None).values == network.trial.values


def test_page_shows_both_latencies_and_the_general_path() -> None:
    text = page(sample_report())
    assert 'title="latency_us = 4300"' in text
    assert 'title="untrained_latency_us = 3870"' in text
    assert 'title="general_share = 0.25"' in text
    assert "2,304 of 9,216 MACs" in text


def test_table_fits_a_narrow_terminal() -> None:
    assert max(len(line) for line in terminal(80).splitlines()) <= 80
    narrow = terminal(60)
    assert max(len(line) for line in narrow.splitlines()) <= 60
    assert "95.5%" in narrow
    assert "…" not in narrow, "a column goes before a figure is cut"


class Reader(HTMLParser):
    """Collects what a page would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []
        self.open_tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe"):
            self.foreign.append(tag)
        self.foreign += [
            v
            for k, v in attrs
            if k in ("src", "href", "xlink:href") and v and not v.startswith(("#", "data:"))
        ]


def test_page_is_self_contained_and_escapes_what_it_shows() -> None:
    text = page(sample_report())
    reader = Reader()
    reader.feed(text)
    assert reader.foreign == []
    assert "conv3-8 &lt;script&gt;" in text
    assert "<script>" not in text


def test_page_shows_layers_origin_and_what_did_not_fit() -> None:
    text = page(sample_report())
    for expected in (
        "conv &lt;1&gt;",
        "1.88 ms",
        "arm-none-eabi-gcc 12.2.1",
        "cd" * 32,
        "87.9 KiB",
        "64.0 KiB",
        "no answer",
        "estimated",
    ):
        assert expected in text


def test_picture_is_drawn_as_png_and_as_the_same_svg_twice() -> None:
    assert front_picture(sample_report(), "png").startswith(b"\x89PNG")
    assert front_picture(sample_report(), "svg") == front_picture(sample_report(), "svg")


def test_page_does_not_claim_that_a_simulated_output_was_checked() -> None:
    report = sample_report()
    assert "tolerance 0" in page(report)
    simulated = []
    for network in report.networks:
        measurement = network.deployed
        if measurement is not None:
            origin = replace(measurement.origin, provenance=Provenance.SIMULATED)
            network = replace(network, deployed=replace(measurement, origin=origin))
        simulated.append(network)
    text = page(replace(report, networks=tuple(simulated)))
    assert "not run" in text
    assert "tolerance 0" not in text
