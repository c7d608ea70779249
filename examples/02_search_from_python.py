"""The search of example 01 from Python, in ten lines.  No board is needed."""

import search

config = search.StudyConfig(
    name="digits_from_python",
    objectives=["maximize accuracy", "minimize latency_us"],
    constraints=["latency_us <= 20 ms", "ram_bytes <= 64 kB"],
    device="emulated:nrf52840_dk",
    budget=search.Budget(trials=4),
)
with search.run(config, folder="studies/digits_from_python") as study:
    for trial in study.front():
        print(trial.architecture, trial.values["accuracy"], trial.values["latency_us"])
