"""The services of TensorFlow, in real steps."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from conftest import Ended, ForkServer, _server
from tool_steps import on, run, shown, start

pytest.importorskip("keras")
LAYERS = ["#tensorflow.keras.layers.Input((2,))", "#tensorflow.keras.layers.Dense(4, activation='relu')",
          "#tensorflow.keras.layers.Dense(1)"]
SEQUENTIAL = {"modulePath": "tensorflow.keras.models", "class": "Sequential", "classParameters": {"layers": LAYERS}}
COMPILED = "model.compile(optimizer='adam', loss='mse', metrics=['mae'])\nresponse = model"
DATA = "import numpy\nx = numpy.random.RandomState(0).rand(32, 2)\nresponse = {'x': x, 'y': x.sum(axis=1)}"
FIT = {"x": "$data.x", "y": "$data.y", "shuffle": False}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    yield from _server("tensorflow", tmp_path_factory.mktemp("tensorflow"))


@pytest.fixture(scope="module")
def data(server: ForkServer) -> Ended:
    return server.run(DATA)


@pytest.fixture(scope="module")
def model(server: ForkServer) -> Ended:
    """Compiled."""
    made = run(server, "model/tensorflow", SEQUENTIAL)
    assert made.finished()["facts"] == {"typeName": "keras.src.models.sequential.Sequential", "class": "Sequential"}
    return server.run(COMPILED, {"model": "$m"}, inputs={"m": made.as_input()})


def fit(server: ForkServer, model: Ended, data: Ended, **parameters: object) -> Ended:
    return run(server, "train/tensorflow", on(["model"], "fit", FIT | parameters), {"model": model, "data": data})


def weights(server: ForkServer, model: Ended) -> str:
    return shown(server, "print([round(float(w.sum()), 5) for w in m.get_weights()])", m=model)


def test_training_goes_on_where_the_last_step_stopped(server: ForkServer, model: Ended, data: Ended) -> None:
    twice = fit(server, fit(server, model, data, epochs=2), data, epochs=2)
    assert twice.finished()["facts"]["class"] == "Sequential"
    at_once = fit(server, model, data, epochs=4)
    assert weights(server, twice) == weights(server, at_once) != weights(server, model)
    assert shown(server, "print(int(m.optimizer.iterations))", m=twice) == "4"


def test_epochs_are_told_and_the_callbacks_of_the_user_called(server: ForkServer, model: Ended, data: Ended) -> None:
    callback = "#tensorflow.keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print('own', epoch))"
    parameters = FIT | {"epochs": 2, "validation_split": 0.25, "callbacks": [callback]}
    inputs = {"model": model.as_input(), "data": data.as_input()}
    job = start(server, "train/tensorflow", on(["model"], "fit", parameters), inputs=inputs)
    ended = job.ended()
    ended.finished()
    assert "own 0" in ended.output and "own 1" in ended.output and "\b" not in ended.output and "Warning" not in ended.output
    told = [message["data"] for message in job.messages if message["type"] == "progress"]
    assert [(each["phase"], each["epoch"], each["epochs"]) for each in told] == [("training", 1, 2), ("training", 2, 2)]
    assert told[0].keys() == {"phase", "epoch", "epochs", "loss", "mae", "val_loss", "val_mae"}


@pytest.mark.parametrize("parameters", [{}, {"return_dict": True}])
def test_metrics_have_their_names(server: ForkServer, model: Ended, data: Ended, parameters: dict[str, object]) -> None:
    request = on(["model"], "evaluate", {"x": "$data.x", "y": "$data.y"} | parameters)
    facts = run(server, "evaluate/tensorflow", request, {"model": model, "data": data}).finished()["facts"]
    assert facts["metrics"].keys() == {"loss", "mae"} and facts["metrics"]["loss"] > 0


def test_prediction(server: ForkServer, model: Ended, data: Ended) -> None:
    inputs = {"model": model, "data": data}
    predicted = run(server, "predict/tensorflow", on(["data", "model"], "predict", {"x": "$data.x"}), inputs)
    assert predicted.finished()["manifest"]["typeName"] == "numpy.ndarray"
    assert shown(server, "print(p.shape)", p=predicted) == "(32, 1)"


def test_a_history_is_kept_with_its_model(server: ForkServer, model: Ended, data: Ended) -> None:
    history = run(server, "transform/tensorflow", on(["model"], "fit", FIT | {"epochs": 3}), {"model": model, "data": data})
    assert history.finished()["manifest"]["typeName"] == "keras.src.callbacks.history.History"
    assert shown(server, "print(len(h.history['loss']), type(h.model).__name__)", h=history) == "3 Sequential"


def test_a_trained_model_keeps_its_history_until_it_is_trained_again(server: ForkServer, model: Ended, data: Ended) -> None:
    trained = fit(server, model, data, epochs=3)
    look = "print(len(m.history.history['loss']), m.history.epoch, m.history.params['epochs'], m.history.model is m)"
    assert shown(server, look, m=trained) == "3 [0, 1, 2] 3 True"
    assert shown(server, look, m=fit(server, trained, data, epochs=1)) == "1 [0] 1 True"
    assert shown(server, "print(hasattr(m, 'history'))", m=model) == "False"


def test_modules_that_tensorflow_imports_are_refused(server: ForkServer) -> None:
    failed = run(server, "model/tensorflow", {"modulePath": "tensorflow.os", "class": "system"}).failed()
    assert failed["exception"].startswith("BadRequest: modulePath: there is no module 'tensorflow.os'")


def test_functions_and_parameters_of_layers_are_checked(server: ForkServer) -> None:
    request = {"modulePath": "tensorflow.keras.layers", "class": "Dense", "classParameters": {"unit": 1}}
    assert "'units', which is not given" in run(server, "model/tensorflow", request).failed()["exception"]
    request = {"modulePath": "tensorflow.keras.utils", "class": "to_categorical", "methodParameters": {"x": [0, 2]}}
    result = run(server, "transform/tensorflow", request)
    assert shown(server, "print(r.tolist())", r=result) == "[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]"


OWN = """
import keras, tensorflow as tf
class Scale(keras.layers.Layer):
  def build(self, shape):
    self.factor = self.add_weight(shape=(), initializer='ones')
  def call(self, x):
    return x * self.factor
def curve(x):
  return tf.nn.relu(x) + bend
def off(y, p):
  return tf.reduce_mean(tf.abs(y - p)) * bend
class Net(keras.Model):
  def __init__(self, **more):
    super().__init__(**more)
    self.scale, self.out = Scale(), keras.layers.Dense(1, activation=curve)
  def call(self, x):
    return self.out(self.scale(x))
bend = 0.5
model = Net()
model.compile(optimizer=keras.optimizers.SGD(0.1), loss=off, metrics=[lambda y, p: tf.reduce_max(p) * bend])
model(tf.zeros((1, 2)))
response = model
"""


def test_layers_losses_and_models_of_the_users_travel(server: ForkServer, data: Ended) -> None:
    model = server.run(OWN)
    once = fit(server, model, data, epochs=1)
    twice = fit(server, once, data, epochs=1)
    assert twice.finished()["facts"]["class"] == "Net"
    assert shown(server, "print(type(m.scale).__name__, m.out.activation.__name__, m.loss.__name__)", m=twice) == "Scale curve off"
    assert shown(server, "print(int(m.optimizer.iterations), round(float(m.optimizer.learning_rate), 3))", m=twice) == "2 0.1"


def test_a_model_leaves_as_a_native_file_and_comes_back(server: ForkServer, model: Ended, data: Ended) -> None:
    exported = run(server, "internal/export", {"name": "model", "format": "keras"}, {"model": model})
    back = run(server, "model/tensorflow", {"format": "keras"}, upload=str(exported.staging() / "content"))
    assert back.finished()["facts"]["class"] == "Sequential"
    assert weights(server, back) == weights(server, model)
    fit(server, back, data, epochs=1).finished()  # it is compiled


def test_an_adapted_layer_travels(server: ForkServer) -> None:
    layer = server.run("import keras\nlayer = keras.layers.TextVectorization()\nlayer.adapt(['a b c', 'a b'])\nresponse = layer")
    result = run(server, "transform/tensorflow", on(["layer"], "__call__", {"inputs": ["b zzz"]}), {"layer": layer})
    assert shown(server, "print(r.numpy().tolist())", r=result) == "[[2, 1]]"


def test_a_model_inside_of_something_else_travels(server: ForkServer, model: Ended) -> None:
    wrapped = server.run("response = {'best': [model]}", {"model": "$m"}, inputs={"m": model.as_input()})
    assert shown(server, "print(w['best'][0].count_params(), w['best'][0].optimizer.name)", w=wrapped) == "17 adam"


def test_a_killed_fit_goes_on_from_its_last_epoch(server: ForkServer, model: Ended, data: Ended) -> None:
    request = on(["model"], "fit", FIT | {"epochs": 4}, checkpoint=True)
    wait = "lambda epoch, logs: epoch < 2 or threading.Event().wait()"
    callbacks = [f"#tensorflow.keras.callbacks.LambdaCallback(on_epoch_begin={wait})"]
    killed_request = request | {"methodParameters": request["methodParameters"] | {"callbacks": callbacks}}
    more = {"inputs": {"model": model.as_input(), "data": data.as_input()}, "checkpoint": str(server.folder / "checkpoint")}
    killed = start(server, "train/tensorflow", killed_request, **more)
    step = killed.until("started")["step"]
    assert [killed.progress()["epoch"] for _ in range(2)] == [1, 2]
    os.kill(step, signal.SIGKILL)
    assert killed.ended().result() is None

    resumed = start(server, "train/tensorflow", request, **more)
    ended = resumed.ended()
    ended.finished()
    assert [each["data"]["epoch"] for each in resumed.messages if each["type"] == "progress"] == [3, 4]
    assert weights(server, ended) == weights(server, fit(server, model, data, epochs=4))


def test_state_that_was_cut_short_does_not_stop_training(server: ForkServer, model: Ended, data: Ended) -> None:
    folder = server.folder / "cut"
    request = on(["model"], "fit", FIT | {"epochs": 2}, checkpoint=True)
    more = {"inputs": {"model": model.as_input(), "data": data.as_input()}, "checkpoint": str(folder)}
    start(server, "train/tensorflow", request, **more).ended().finished()
    (folder / "keras" / "training_metadata.json").write_text("")
    again = start(server, "train/tensorflow", request, **more)
    again.ended().finished()
    assert [each["data"]["epoch"] for each in again.messages if each["type"] == "progress"] == [2]


BUILD = """
import keras
def build(trial):
  model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(trial.suggest_int('units', 1, 8)), keras.layers.Dense(1)])
  model.compile(optimizer=keras.optimizers.Adam(trial.suggest_float('rate', 1e-3, 1e-1, log=True)), loss='mse', metrics=['mae'])
  return model
response = build
"""


def test_bayesian_search_over_a_function_that_builds_models(server: ForkServer, data: Ended) -> None:
    pytest.importorskip("optuna")
    request = {"modulePath": "orchestra.tuning", "class": "BayesianModelSearch", "method": "fit",
               "classParameters": {"build": "$build", "n_trials": 3, "seed": 1},
               "methodParameters": {"x": "$data.x", "y": "$data.y", "epochs": 2, "validation_split": 0.25}}
    build = server.run(BUILD)
    job = start(server, "tune/tensorflow", request, inputs={"build": build.as_input(), "data": data.as_input()})
    tuned = job.ended()
    facts, manifest = tuned.finished()["facts"], tuned.finished()["manifest"]
    assert [each["data"]["trial"] for each in job.messages if each["type"] == "progress"] == [1, 2, 3]
    assert facts["bestParameters"].keys() == {"units", "rate"} and facts["bestScore"] > 0
    assert [field["name"] for field in manifest["fields"]] == ["trial", "param_units", "param_rate", "score", "rank", "seconds"]
    inputs = {"tuned": tuned, "data": data}
    scored = run(server, "evaluate/tensorflow", on(["tuned"], "evaluate", {"x": "$data.x", "y": "$data.y"}), inputs)
    assert scored.finished()["facts"]["metrics"].keys() == {"loss", "mae"}
