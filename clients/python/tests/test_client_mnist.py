"""The digits, end to end with TensorFlow: with the client that awaits, and the notebook."""

import asyncio

import pytest

import learning_orchestra as lo
import notebooks

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytestmark = pytest.mark.timeout(400)
EXAMPLE = notebooks.EXAMPLES / "mnist"
EPOCHS = 6


async def arrays(client, part, begin):
    """The step that reads two files, which are uploaded side by side."""
    images, labels = await asyncio.gather(*(
        client.dataset.generic(f"mnist_{part}_{what}", EXAMPLE / f"{begin}-{what}-{kind}-ubyte.gz")
        for what, kind in (("images", "idx3"), ("labels", "idx1"))))
    return await client.function.python(f"mnist_{part}", (EXAMPLE / "read_idx.py").read_text(), {"images": images, "labels": labels})


def dense(units, activation, seed):
    return lo.Expression(f"tensorflow.keras.layers.Dense({units}, activation='{activation}', "
                         f"kernel_initializer=tensorflow.keras.initializers.GlorotUniform({seed}))")


def test_the_pipeline_gives_the_loss_and_the_accuracy_of_the_example(server):
    async def main():
        async with lo.AsyncClient(server.url, progress=False) as client:
            training, testing = await asyncio.gather(arrays(client, "train", "train"), arrays(client, "test", "t10k"))
            model = await client.model.tensorflow("mnist_model", "tensorflow.keras", "Sequential", {"layers": [
                lo.Expression("tensorflow.keras.Input((28, 28))"), lo.Expression("tensorflow.keras.layers.Flatten()"),
                dense(128, "relu", 33), dense(10, "softmax", 34)]})
            compiled = await client.train.tensorflow("mnist_compiled", parent=model, method="compile", parameters={
                "optimizer": lo.Expression("tensorflow.keras.optimizers.Adam(learning_rate=0.001)"),
                "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]})
            trained = await client.train.tensorflow("mnist_trained", parent=compiled, method="fit", parameters={
                "x": training["images"], "y": training["labels"], "epochs": EPOCHS, "validation_split": 0.1, "shuffle": False},
                checkpoint=True)
            evaluated = await client.evaluate.tensorflow("mnist_evaluated", parent=trained, method="evaluate", parameters={
                "x": testing["images"], "y": testing["labels"]})
            history = await client.function.python("mnist_history", (EXAMPLE / "history.py").read_text(), {"model": trained})
            seen = []
            await trained.wait(200, progress=seen.append)
            await evaluated.wait(60)
            return seen, await evaluated.metrics(), await history.to_pandas(60)

    seen, metrics, history = asyncio.run(main())
    assert metrics == {"loss": pytest.approx(0.43134, abs=1e-4), "accuracy": pytest.approx(0.88215, abs=1e-4)}
    ends = {each.data["epoch"]: each for each in seen if "epoch" in each.data and "val_loss" in each.data}
    assert list(ends) == [*range(1, EPOCHS + 1)] and ends[EPOCHS].fraction == 1
    assert [each.data["loss"] for each in ends.values()] == pytest.approx(list(history["loss"]))


def test_the_notebook_runs(server, monkeypatch):
    shown = notebooks.run("mnist", server, monkeypatch)
    for part in ("<b>notebook_mnist_trained</b>", "notebook_mnist_trained: ", f"epoch {EPOCHS}/{EPOCHS}", "<th>val_loss</th>",
                 "'loss': 0.431", "'accuracy': 0.882"):
        assert part in shown.text
    assert [picture[:8] for picture in shown.pictures] == [notebooks.PNG] * 2
