"""A Measurement survives the way through JSON unchanged."""

import json

from hypothesis import given
from hypothesis import strategies as st

from hil.measurement import Energy, LayerMeasurement, Measurement, Origin, OutputCheck, Provenance
from hil.measurement_json import from_dict, to_dict

text = st.text(max_size=20)
figure = st.floats(0, 1e12, allow_nan=False)
count = st.integers(0, 2**40)
settings = st.dictionaries(text, figure, max_size=3)

measurements = st.builds(
    Measurement,
    latency_us=figure,
    latency_min_us=figure,
    latency_max_us=figure,
    runs=count,
    cycles=count,
    instructions=st.none() | count,
    macs=count,
    general_macs=count,
    arena_bytes=count,
    static_bytes=count,
    stack_bytes=count,
    code_bytes=count,
    weight_bytes=count,
    energy_uj=st.none() | figure,
    energy_provenance=st.none() | st.sampled_from(Provenance),
    energy=st.none()
    | st.builds(
        Energy,
        meter=text,
        provenance=st.sampled_from(Provenance),
        energy_uj=figure,
        uncertainty_uj=st.none() | figure,
        voltage_v=figure,
        current_a=figure,
        window_s=figure,
        inferences=count,
        samples=count,
        lost_samples=count,
        idle_current_a=st.none() | figure,
        idle_subtracted=st.booleans(),
        input_restored=st.booleans(),
    ),
    check=st.builds(OutputCheck, text, st.booleans(), count, count, count),
    layers=st.lists(
        st.builds(
            LayerMeasurement,
            index=count,
            operator=text,
            layer=text,
            variant=text,
            output_shape=st.tuples(count, count),
            macs=count,
            cycles=count,
            latency_us=figure,
            live_bytes=count,
            weight_bytes=count,
        ),
        max_size=3,
    ).map(tuple),
    stages_s=settings,
    origin=st.builds(
        Origin,
        provenance=st.sampled_from(Provenance),
        device=text,
        board_id=text,
        clock_hz=count,
        runtime=text,
        firmware_version=text,
        instruction_cache=st.none() | st.booleans(),
        model_digest=text,
        image_digest=text,
        profile_digest=text,
        tools=st.dictionaries(text, text, max_size=3),
        settings=settings,
        measured_at=text,
    ),
)


@given(measurements)
def test_round_trip_is_exact(measurement):
    assert from_dict(json.loads(json.dumps(to_dict(measurement)))) == measurement


@given(measurements)
def test_sums_are_there_for_readers(measurement):
    data = to_dict(measurement)
    assert data["ram_bytes"] == measurement.ram_bytes
    assert data["flash_bytes"] == measurement.flash_bytes
    assert data["origin"]["provenance"] in {p.value for p in Provenance}
