"""Measurement <-> plain dict, exactly: `from_dict(json.loads(json.dumps(to_dict(m)))) == m`.

The keys are the names of the fields; Provenance is its value ("emulated"), tuples are lists.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from typing import Any

from hil.measurement import Energy, LayerMeasurement, Measurement, Origin, OutputCheck, Provenance


def to_dict(measurement: Measurement) -> dict[str, Any]:
    """All fields and what follows from them (the sums, `output_checked`), in types that JSON has."""
    plain: dict[str, Any] = _plain(measurement)
    return {
        **plain,
        "general_share": measurement.general_share,
        "ram_bytes": measurement.ram_bytes,
        "flash_bytes": measurement.flash_bytes,
        "output_checked": measurement.output_checked,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def from_dict(data: Mapping[str, Any]) -> Measurement:
    """The Measurement that `to_dict` made `data` of.

    Raises:
        KeyError, TypeError, ValueError: `data` is not of that form.
    """
    # A study begun by an earlier version has measurements without `general_macs` and `energy`.
    values = {field.name: data[field.name] for field in dataclasses.fields(Measurement) if field.name in data}
    energy = values["energy_provenance"]
    metered = values.get("energy")
    origin = dict(values["origin"])
    return Measurement(
        **{
            **values,
            "energy_provenance": None if energy is None else Provenance(energy),
            "energy": None if metered is None else energy_from_dict(metered),
            "check": OutputCheck(**values["check"]),
            "layers": tuple(_layer(layer) for layer in values["layers"]),
            "stages_s": dict(values["stages_s"]),
            "origin": Origin(**{**origin, "provenance": Provenance(origin["provenance"])}),
        }
    )


def energy_to_dict(energy: Energy) -> dict[str, Any]:
    """As within `to_dict`."""
    plain: dict[str, Any] = _plain(energy)
    return plain


def energy_from_dict(data: Mapping[str, Any]) -> Energy:
    """The Energy that `energy_to_dict` made `data` of."""
    return Energy(**{**data, "provenance": Provenance(data["provenance"])})


def _layer(data: Mapping[str, Any]) -> LayerMeasurement:
    return LayerMeasurement(**{**data, "output_shape": tuple(data["output_shape"])})
