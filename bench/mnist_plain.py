"""The image workflow of examples/mnist as one plain script: what a data scientist would write without this project.

    python bench/mnist_plain.py

Prints one JSON object: loss and accuracy on the test pictures, the history of the training, the digits predicted, the sizes of the two
pictures; the seconds since the start, and those of them that the work took once all was imported.
"""
import os
import time

STARTED = time.perf_counter()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import io
import json
import pathlib
import tempfile

from matplotlib import pyplot, use
from sklearn.metrics import ConfusionMatrixDisplay
from tensorflow import keras

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent / "examples" / "mnist"


def read(part):
    """Images and labels, as the file of the example reads them."""
    with open(EXAMPLE / f"{part}-images-idx3-ubyte.gz", "rb") as images, open(EXAMPLE / f"{part}-labels-idx1-ubyte.gz", "rb") as labels:
        scope = {"images": images, "labels": labels}
        exec(compile((EXAMPLE / "read_idx.py").read_text(), "read_idx.py", "exec"), scope)
    return scope["response"]["images"], scope["response"]["labels"]


def network():
    weights = keras.initializers.GlorotUniform
    model = keras.Sequential([
        keras.Input((28, 28)),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu", kernel_initializer=weights(33)),
        keras.layers.Dense(10, activation="softmax", kernel_initializer=weights(34)),
    ])
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(model, images, labels):
    """With a state that is kept after each epoch, as the workflow keeps it."""
    with tempfile.TemporaryDirectory() as folder:
        keeping = keras.callbacks.BackupAndRestore(folder, double_checkpoint=True, delete_checkpoint=False)
        return model.fit(images, labels, epochs=6, validation_split=0.1, shuffle=False, verbose=2, callbacks=[keeping]).history


def curves(history):
    figure, panels = pyplot.subplots(1, 2)
    for axes, metric in zip(panels, ("loss", "accuracy")):
        axes.plot(history[metric], label="training")
        axes.plot(history[f"val_{metric}"], label="validation")
        axes.set(title=metric, xlabel="epoch")
        axes.legend()
    return figure


def picture(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150)
    return len(buffer.getvalue())


def main():
    use("agg")
    imported = time.perf_counter()
    images, labels = read("train")
    unseen, truth = read("t10k")
    model = network()
    history = train(model, images, labels)
    predicted = model.predict(unseen, verbose=2).argmax(axis=1)
    result = {
        **model.evaluate(unseen, truth, verbose=2, return_dict=True),
        "history": history,
        "predicted": predicted.tolist(),
        "curves": picture(curves(history)),
        "confusion": picture(ConfusionMatrixDisplay.from_predictions(truth, predicted).figure_),
    }
    ended = time.perf_counter()
    print(json.dumps({"seconds": ended - STARTED, "work": ended - imported, **result}))


if __name__ == "__main__":
    main()
