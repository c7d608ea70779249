"""Any Keras model on an emulated board: figures with their origin, layer by layer.  No board is needed."""

import keras

import hil

model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Conv2D(8, 3, strides=2, activation="relu", name="stem"),
        keras.layers.DepthwiseConv2D(3, activation="relu", name="depthwise"),
        keras.layers.GlobalAveragePooling2D(name="pool"),
        keras.layers.Dense(10, activation="softmax", name="classes"),
    ]
)
measurement = hil.measure(model, device="emulated:nrf52840_dk", per_layer=True)
origin = measurement.origin.provenance.value
print(f"{measurement.latency_us:.0f} us, {measurement.ram_bytes} bytes of RAM ({origin})")
for layer in measurement.layers:
    print(f"{layer.layer:12} {layer.operator:18} {layer.latency_us:8.0f} us")
