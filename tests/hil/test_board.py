"""Reading and finding board profiles; each thing that can be wrong is told by name."""

import pytest

from hil.board import list_boards, load_board, parse_board
from hil.board.checks import CHECKS, failures
from hil.errors import BadBoard, UnknownBoard
from hil.resources import boards_dir

SHIPPED = (boards_dir() / "nrf52840_dk.toml").read_text()


def changed(old: str, new: str) -> str:
    assert old in SHIPPED
    return SHIPPED.replace(old, new, 1)


def refuse(text: str) -> str:
    with pytest.raises(BadBoard) as caught:
        parse_board(text, board_id="my_board", where="my_board.toml")
    assert "my_board.toml" in caught.value.message
    assert "boards/README.md" in caught.value.remedy
    return caught.value.message


def test_reads_the_facts():
    board = load_board("nrf52840_dk")
    assert board.id == "nrf52840_dk"
    assert board.core.clock_hz == 64_000_000
    assert board.instruction_cache is not None
    assert board.instruction_cache.enabled
    assert board.simulator.operators["DEFAULT"].fixed >= 0
    assert isinstance(board.serial.usb_ids, tuple)


def test_digest_follows_the_text():
    board = parse_board(SHIPPED, board_id="x", where="x")
    same = parse_board(SHIPPED, board_id="x", where="elsewhere")
    other = parse_board(SHIPPED + "# a comment\n", board_id="x", where="x")
    assert board.digest == same.digest != other.digest


def test_optional_tables_may_be_absent():
    def without(text: str, table: str) -> str:
        head, _, rest = text.partition(f"\n[{table}]")
        text = head + "\n[" + rest.split("\n[", 1)[1]
        return "\n".join(line for line in text.splitlines() if not line.startswith(f'"{table}.'))

    board = parse_board(without(without(SHIPPED, "power"), "instruction_cache"), board_id="x", where="x")
    assert board.power is None
    assert board.instruction_cache is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("wait_states = 2", "wait_stats = 2", ["flash.wait_stats: unknown key", "did you mean wait_states"]),
        ("wait_states = 2", "", ["flash.wait_states: missing"]),
        ("clock_hz = 64_000_000", 'clock_hz = "64 MHz"', ["core.clock_hz", "integer"]),
        ("clock_hz = 64_000_000", "clock_hz = true", ["core.clock_hz", "integer"]),
        ("fpu = true", "fpu = 1", ["core.fpu", "boolean"]),
        ("voltage_v = 3.0", "volts = 3.0", ["power.volts: unknown key", "power.voltage_v: missing"]),
        ("DEFAULT = { fixed", "DEFAULT = { fixd", ["operators.DEFAULT.fixd: unknown key", "fixed"]),
        ('name = "Nordic', 'id = "x"\nname = "Nordic', ["id: unknown key"]),
        ("[power]", "[power", ["not valid TOML", "line"]),
        ("[power]", "[pwer]", ["pwer: unknown key", "did you mean power"]),
    ],
)
def test_malformed_profile_names_key_and_expectation(old, new, said):
    message = refuse(changed(old, new))
    for text in said:
        assert text in message


# One profile per named check that this check, and no other, refuses.
VIOLATIONS = {
    "every_number_names_its_source": ('"core.clock_hz" =', '"core.fpu" ='),
    "every_source_belongs_to_a_key": ('"core.architecture" =', '"core.arhitecture" ='),
    "chip_is_an_identifier": ('chip = "nrf52840"', 'chip = "nRF52840"'),
    "clock_in_range": ("clock_hz = 64_000_000", "clock_hz = 64"),
    "clocks_need_no_more_wait_states_than_faster_ones": (
        "[sources]\n",
        '[[clocks]]\nhz = 32_000_000\nwait_states = 5\n\n[sources]\nclocks = "invented"\n',
    ),
    "clocks_draw_what_is_plausible": (
        "[sources]\n",
        "[[clocks]]\nhz = 32_000_000\nwait_states = 1\nactive_current_a = 0.5\n\n"
        '[sources]\nclocks = "invented"\n',
    ),
    "memories_are_32_bit": ("base = 0x2000_0000", "base = 0xffff_0000"),
    "flash_and_ram_do_not_overlap": ("base = 0x2000_0000", "base = 0x000f_f000"),
    "flash_line_is_a_power_of_two": ("wait_states = 2\nline_bytes = 16", "wait_states = 2\nline_bytes = 12"),
    "wait_states_in_range": ("wait_states = 2", "wait_states = -1"),
    "caches_hold_whole_sets": ("size_bytes = 2048", "size_bytes = 2000"),
    "data_goes_through_one_cache": (
        "[sources]\n",
        "[data_cache]\nsize_bytes = 128\nline_bytes = 16\nways = 8\nenabled = true\nunified = true\n\n"
        '[sources]\ndata_cache = "invented"\n',
    ),
    "power_is_plausible": ("active_current_a = 0.0033", "active_current_a = 3.3"),
    "idle_draws_less_than_active": ("idle_current_a = 0.0007", "idle_current_a = 0.7"),
    "endurance_in_range": ("endurance_cycles = 10_000", "endurance_cycles = 10"),
    "baud_in_range": ("baud = 1_000_000", "baud = 1"),
    "usb_ids_are_well_formed": ("1366:1015", "0x1366:0x1015"),
    "bootloader_can_be_told_from_the_firmware": (
        "[serial]\n",
        '[serial]\ntouch_1200 = true\nbootloader_usb_ids = ["1366:1015"]\n',
    ),
    "stack_fits": ("stack_bytes = 4096", "stack_bytes = 4097"),
    "simulator_has_a_default": ("\nDEFAULT =", "\nOTHER ="),
    "simulator_costs_are_not_negative": ("DEFAULT = { fixed = ", "DEFAULT = { fixed = -"),
    "simulator_firmware_leaves_room": (
        "[simulator]\ncode_bytes = ",
        "[simulator]\ncode_bytes = 1_000_000_000 #",
    ),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_each_check_refuses_what_it_is_for(check):
    if check.__name__ == "id_is_an_identifier":
        with pytest.raises(BadBoard, match="id is an identifier"):
            parse_board(SHIPPED, board_id="My Board", where="My Board.toml")
        return
    message = refuse(changed(*VIOLATIONS[check.__name__]))
    reported = {line.removeprefix("  - ").split(":")[0] for line in message.splitlines()[1:]}
    assert reported == {check.__name__.replace("_", " ")}


def test_all_failures_are_told_at_once():
    text = changed("clock_hz = 64_000_000", "clock_hz = 64").replace("wait_states = 2", "wait_states = -1")
    message = refuse(text)
    assert "clock in range" in message
    assert "wait states in range" in message


def test_valid_board_has_no_failures():
    assert failures(load_board("nrf52840_dk")) == []


def test_unknown_board_names_the_nearest():
    with pytest.raises(UnknownBoard) as caught:
        load_board("nrf52840dk")
    assert "did you mean nrf52840_dk" in caught.value.remedy


def test_board_like_no_other_lists_all():
    with pytest.raises(UnknownBoard) as caught:
        load_board("zzz")
    assert "nano33ble" in caught.value.remedy
    assert "nrf52840_dk" in caught.value.remedy


def test_missing_path_is_told(tmp_path):
    with pytest.raises(UnknownBoard, match=r"absent\.toml"):
        load_board(tmp_path / "absent.toml")


def test_own_profile_by_path(tmp_path):
    (tmp_path / "mine.toml").write_text(SHIPPED)
    assert load_board(tmp_path / "mine.toml").id == "mine"
    assert load_board(str(tmp_path / "mine.toml")).id == "mine"


def test_own_folder_of_profiles(tmp_path, monkeypatch):
    folder = tmp_path / "boards"
    folder.mkdir()
    (folder / "mine.toml").write_text(SHIPPED)
    (folder / "nrf52840_dk.toml").write_text(SHIPPED + "# mine\n")
    shipped = load_board("nrf52840_dk")
    monkeypatch.setenv("HILNAS_BOARDS", str(folder))
    assert "mine" in list_boards()
    assert load_board("mine").id == "mine"
    assert load_board("nrf52840_dk").digest != shipped.digest


def test_folder_that_is_none_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("HILNAS_BOARDS", str(tmp_path / "absent"))
    with pytest.raises(BadBoard, match="HILNAS_BOARDS"):
        list_boards()


def test_unreadable_profile_is_told(tmp_path):
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadBoard, match=r"bytes\.toml"):
        load_board(tmp_path / "bytes.toml")


def test_a_touched_board_says_how_its_bootloader_appears():
    assert "does not say how it appears" in refuse(changed("[serial]\n", "[serial]\ntouch_1200 = true\n"))


def test_caches_are_told_apart_by_name():
    data_cache = "[data_cache]\nsize_bytes = 128\nline_bytes = 16\nways = 5\nenabled = true\n\n"
    message = refuse(changed("[sources]\n", f'{data_cache}[sources]\ndata_cache = "invented"\n'))
    assert "data_cache: 128 bytes are not whole sets of 5 ways" in message
