"""INA219 and INA226 in the supply of an emulated board, with a shunt of 0.1 ohm.

Registers, conversion and averaging times as TI's datasheets give them: INA226, SBOS547B, "Device Registers";
INA219, SBOS448G, "Register Maps".  Between two accesses the current is taken as even.  Alerts, the current
and power registers and the calibration that they need are not modelled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from hil.emulator.registers import Unmodelled

SHUNT_OHM = 0.1
_CONFIGURATION, _SHUNT, _BUS, _POWER, _MASK, _MANUFACTURER = 0x00, 0x01, 0x02, 0x03, 0x06, 0xFE
_INA226_AVERAGES = (1, 4, 16, 64, 128, 256, 512, 1024)
_INA226_TIMES_S = (140e-6, 204e-6, 332e-6, 588e-6, 1.1e-3, 2.116e-3, 4.156e-3, 8.244e-3)
_INA219_BITS_S = (84e-6, 148e-6, 276e-6, 532e-6)  # of 9, 10, 11 and 12 bits


class Source(Protocol):
    """What the sensor measures."""

    @property
    def voltage_v(self) -> float: ...
    def time_s(self) -> float: ...
    def charge_c(self) -> float: ...


class PowerSensor(ABC):
    """What both sensors do: convert shunt or bus voltage, once or for ever."""

    def __init__(self, source: Source, shunt_lsb_v: float) -> None:
        self._source = source
        self._shunt_lsb_v = shunt_lsb_v
        self._pointer = 0
        self.ready = False
        self.shunt = 0
        self._began_s: float | None = None  # of the conversion under way
        self._last = (0.0, 0.0)  # time and charge at the last access

    # --- as I2C sees it ---

    def write(self, data: bytes) -> None:
        """A register's number, and perhaps its new value."""
        self._catch_up()
        self._pointer = data[0]
        if len(data) == 3:
            self.write_register(self._pointer, int.from_bytes(data[1:], "big"))
        elif len(data) != 1:
            raise Unmodelled(f"{len(data)} bytes are written to a power sensor, expected 1 or 3")

    def read(self, count: int) -> bytes:
        """The register that was pointed at."""
        self._catch_up()
        return self.read_register(self._pointer).to_bytes(2, "big")[:count]

    # --- for each sensor ---

    @abstractmethod
    def write_register(self, number: int, value: int) -> None:
        """A register as the firmware writes it."""

    @abstractmethod
    def read_register(self, number: int) -> int:
        """A register as the firmware reads it."""

    @abstractmethod
    def period_s(self) -> float:
        """Of one result, by the configuration."""

    @abstractmethod
    def mode(self) -> int:
        """Bits: 1 shunt, 2 bus, 4 for ever."""

    # --- conversion ---

    def begin(self) -> None:
        """A new conversion, as writing the configuration does."""
        self.ready = False
        self._began_s = self._source.time_s() if self.mode() & 3 else None

    def _catch_up(self) -> None:
        """Take what was converted since the last access."""
        now, charge = self._source.time_s(), self._source.charge_c()
        then, charge_then = self._last
        self._last = (now, charge)
        if self._began_s is None or now < self._began_s + self.period_s():
            return
        if self.mode() & 1:
            current = (charge - charge_then) / (now - then) if now > then else 0.0
            self.shunt = round(current * SHUNT_OHM / self._shunt_lsb_v) & 0xFFFF
        self.ready = True
        if self.mode() & 4:
            self._began_s += (now - self._began_s) // self.period_s() * self.period_s()
        else:
            self._began_s = None


class Ina226(PowerSensor):
    """Reading MASK clears its ready flag."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, 2.5e-6)
        self._configuration = 0x4127

    def write_register(self, number: int, value: int) -> None:
        if number != _CONFIGURATION:
            raise Unmodelled(f"register 0x{number:02x} of an INA226 is written: not modelled")
        self._configuration = value
        self.begin()

    def read_register(self, number: int) -> int:
        if number == _MASK:
            value = int(self.ready) << 3
            self.ready = False
            return value
        known = {
            _CONFIGURATION: self._configuration,
            _SHUNT: self.shunt,
            _BUS: round(self._source.voltage_v / 1.25e-3),
            _MANUFACTURER: 0x5449,
        }
        if number not in known:
            raise Unmodelled(f"register 0x{number:02x} of an INA226 is read: not modelled")
        return known[number]

    def mode(self) -> int:
        return self._configuration & 7

    def period_s(self) -> float:
        averages = _INA226_AVERAGES[self._configuration >> 9 & 7]
        shunt = _INA226_TIMES_S[self._configuration >> 3 & 7] if self.mode() & 1 else 0.0
        bus = _INA226_TIMES_S[self._configuration >> 6 & 7] if self.mode() & 2 else 0.0
        return averages * (shunt + bus)


class Ina219(PowerSensor):
    """Its ready flag is bit 1 of BUS; reading POWER clears it."""

    def __init__(self, source: Source) -> None:
        super().__init__(source, 10e-6)
        self._configuration = 0x399F

    def write_register(self, number: int, value: int) -> None:
        if number != _CONFIGURATION:
            raise Unmodelled(f"register 0x{number:02x} of an INA219 is written: not modelled")
        self._configuration = value
        self.begin()

    def read_register(self, number: int) -> int:
        if number == _POWER:
            self.ready = False
            return 0
        known = {
            _CONFIGURATION: self._configuration,
            _SHUNT: self.shunt,
            _BUS: round(self._source.voltage_v / 4e-3) << 3 | int(self.ready) << 1,
        }
        if number not in known:
            raise Unmodelled(f"register 0x{number:02x} of an INA219 is read: not modelled")
        return known[number]

    def mode(self) -> int:
        return self._configuration & 7

    def period_s(self) -> float:
        shunt = _ina219_time_s(self._configuration >> 3 & 15) if self.mode() & 1 else 0.0
        bus = _ina219_time_s(self._configuration >> 7 & 15) if self.mode() & 2 else 0.0
        return shunt + bus


def _ina219_time_s(setting: int) -> float:
    return 532e-6 * 2 ** (setting & 7) if setting & 8 else _INA219_BITS_S[setting & 3]
