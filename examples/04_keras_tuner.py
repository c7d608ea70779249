"""A KerasTuner script with hardware in the loop: two lines of it are changed.  No board is needed."""

import keras
from sklearn.datasets import load_digits

from search import keras_tuner as kt  # line 1; before: import keras_tuner as kt

digits = load_digits()
x, y = digits.images[..., None].astype("float32") / 16, digits.target


def build(hp):
    model = keras.Sequential([keras.Input((8, 8, 1))])
    for block in range(hp.Int("blocks", 1, 3)):
        filters = hp.Int(f"filters_{block}", 8, 32, step=8)
        model.add(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
    model.add(keras.layers.GlobalAveragePooling2D())
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


tuner = kt.RandomSearch(
    build,
    objective="val_accuracy",
    max_trials=4,
    seed=7,
    directory="tuned",
    device="simulated:nrf52840_dk", constraints=["latency_us <= 4 ms"],  # line 2; new
)  # fmt: skip
tuner.search(x[:1400], y[:1400], validation_data=(x[1400:], y[1400:]), epochs=5, verbose=0)

for trial in tuner.oracle.trials.values():
    known = {name: trial.metrics.get_best_value(name) for name in trial.metrics.metrics}
    print(
        f"{trial.status:9} {known.get('latency_us', 0):6.0f} us, {known.get('ram_bytes', 0):6.0f} bytes, "
        f"int8 accuracy {known.get('val_int8_accuracy', 0):.3f}: {trial.hyperparameters.values}"
    )
