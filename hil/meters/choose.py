"""Kinds of meters, one line each, and `open_meter`, which makes the one that a text names.

estimate                          voltage x current of the board's profile x latency
ina226, ina219                    a sensor on the board's I2C bus, read by the firmware
ppk2[:PORT][,source=V|,ampere=V]  Nordic Power Profiler Kit II
joulescope[:SERIAL]               Joulescope JS110 or JS220
emulated                          the modelled supply of an emulated board
"""

from __future__ import annotations

from dataclasses import replace

from hil.board import Board
from hil.errors import BadDevice
from hil.meters.options import read_argument
from hil.meters.types import EnergyMeter, MeterFactory
from hil.nearest import did_you_mean


def _estimate(argument: str) -> EnergyMeter:
    from hil.meters.estimate import Estimate

    read_argument("estimate", argument, ())
    return Estimate()


def _ina226(argument: str) -> EnergyMeter:
    from hil.meters.power_sensor import INA226

    return _power_sensor(INA226.name, argument)


def _ina219(argument: str) -> EnergyMeter:
    from hil.meters.power_sensor import INA219

    return _power_sensor(INA219.name, argument)


def _power_sensor(name: str, argument: str) -> EnergyMeter:
    from hil.meters.power_sensor import INA219, INA226, PowerSensorMeter

    numbers = read_argument(name, argument, ("shunt", "tolerance", "address")).numbers
    return PowerSensorMeter(
        INA226 if name == INA226.name else INA219,
        shunt_ohm=numbers.get("shunt", 0.1),
        tolerance=numbers.get("tolerance", 0.01),
        address=int(numbers.get("address", 0x40)),
    )


def _ppk2(argument: str) -> EnergyMeter:
    from hil.meters.ppk2 import Ppk2Recorder
    from hil.meters.streaming import StreamingMeter

    read = read_argument("ppk2", argument, ("source", "ampere"))
    voltage_v = read.numbers.get("source", read.numbers.get("ampere"))
    return StreamingMeter(Ppk2Recorder(read.place, voltage_v, feeds="ampere" not in read.numbers))


def _joulescope(argument: str) -> EnergyMeter:
    from hil.meters.joulescope import JoulescopeRecorder
    from hil.meters.streaming import StreamingMeter

    return StreamingMeter(JoulescopeRecorder(read_argument("joulescope", argument, ()).place))


def _emulated(argument: str) -> EnergyMeter:
    from hil.meters.emulated import EmulatedRecorder
    from hil.meters.streaming import StreamingMeter

    read_argument("emulated", argument, ())
    return StreamingMeter(EmulatedRecorder())


METERS: dict[str, MeterFactory] = {
    "estimate": _estimate,
    "ina226": _ina226,
    "ina219": _ina219,
    "ppk2": _ppk2,
    "joulescope": _joulescope,
    "emulated": _emulated,
}


def open_meter(text: str) -> EnergyMeter:
    """The meter that `text` names.  Nothing is opened before it is used.

    Example:
        open_meter("ppk2:/dev/ttyACM1"), open_meter("ina226:shunt=0.05")

    Raises:
        BadDevice: there is no such meter, or an option of it cannot be read.
    """
    kind, _, argument = text.partition(":")
    if kind not in METERS:
        raise BadDevice(
            f"unknown meter '{kind}' in '{text}'", remedy=did_you_mean(kind, METERS, all_of_them="meters")
        )
    return METERS[kind](argument)


def with_sensor_driver(board: Board) -> Board:
    """`board`, whose firmware is built with the driver of a power sensor."""
    return replace(board, build=replace(board.build, power_sensor=True))
