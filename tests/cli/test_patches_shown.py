"""`hilnas plans` and `hilnas measure --arena-limit`: what a user sees of execution in stripes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import assert_clear, hilnas
from tests.support.stripe_cases import Link, chain

DEVICE = ("--device", "simulated:nrf52840_dk")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds m.tflite: two convolutions with wide maps between them."""
    path = tmp_path_factory.mktemp("patches")
    links = [Link("conv", channels=16), Link("conv", channels=4)]
    (path / "m.tflite").write_bytes(chain(1, (32, 8, 4), links).model)
    return path


def plans(folder: Path) -> list[dict[str, int]]:
    done = hilnas("plans", "m.tflite", "--json", folder=folder)
    assert done.code == 0, done.err
    found: list[dict[str, int]] = json.loads(done.out)
    return found


def test_plans_are_listed_without_a_build(folder: Path) -> None:
    found = plans(folder)
    done = hilnas("plans", "m.tflite", folder=folder)
    assert done.code == 0, done.err
    assert "in one piece" in done.out
    for plan in found:
        assert f"{plan['arena_bytes']:,}" in done.out
    assert len(found) >= 3


def test_a_limit_is_kept_and_the_table_says_how(folder: Path) -> None:
    plain, first, *_ = plans(folder)
    limit = str(first["arena_bytes"])
    done = hilnas("measure", "m.tflite", *DEVICE, "--arena-limit", limit, folder=folder)
    assert done.code == 0, done.err
    assert "operators 0-1 in 2 stripes, +" in done.out
    assert f"arena in one piece {plain['arena_bytes']:,} bytes" in done.out
    shown = hilnas("measure", "m.tflite", *DEVICE, "--arena-limit", limit, "--json", folder=folder)
    measured = json.loads(shown.out)
    assert measured["arena_bytes"] == first["arena_bytes"]
    assert measured["macs"] == first["macs"]
    assert measured["origin"]["settings"]["patches_stripes"] == 2


def test_a_wide_limit_changes_nothing(folder: Path) -> None:
    done = hilnas("measure", "m.tflite", *DEVICE, "--arena-limit", "64 kB", folder=folder)
    assert done.code == 0, done.err
    assert "stripes" not in done.out


def test_a_limit_that_nothing_keeps_is_refused_with_the_smallest_plan(folder: Path) -> None:
    smallest = plans(folder)[-1]
    done = hilnas("measure", "m.tflite", *DEVICE, "--arena-limit", "100", folder=folder)
    assert_clear(done, 3, "arena limit of 100 bytes", f"{smallest['arena_bytes']:,}", "hilnas plans")


@pytest.mark.parametrize("size", ["lots", "0", "-4k", "24 gallons"])
def test_a_limit_that_is_no_size_is_refused(folder: Path, size: str) -> None:
    done = hilnas("measure", "m.tflite", *DEVICE, f"--arena-limit={size}", folder=folder)
    assert_clear(done, 2, size, "kB")


def test_plans_of_a_missing_model_or_board_are_refused(folder: Path) -> None:
    assert_clear(hilnas("plans", "nothing.tflite", folder=folder), 2, "nothing.tflite")
    assert_clear(hilnas("plans", "m.tflite", "--board", "nonesuch", folder=folder), 2, "nonesuch")
