"""Networks over several steps: what they keep, what they tell while they learn, and how they go on after a death."""

import psutil
import pytest

from support import PREFIX, Gate, events, unique

LAYERS = ["#tensorflow.keras.layers.Input((2,))", "#tensorflow.keras.layers.Dense(3, activation='relu')", "#tensorflow.keras.layers.Dense(1)"]
DATA = "import numpy\nx = numpy.random.RandomState(0).rand(32, 2)\nresponse = {'x': x, 'y': x.sum(axis=1)}"


def prepared(server):
    """Names of data and of a compiled network."""
    data, made, compiled = unique("data"), unique("made"), unique("compiled")
    server.function(data, DATA)
    server.post("/model/tensorflow", {"modelName": made, "modulePath": "tensorflow.keras.models", "class": "Sequential",
                                      "classParameters": {"layers": LAYERS}})
    server.post("/train/tensorflow", {"name": compiled, "parentName": made, "method": "compile",
                                      "methodParameters": {"optimizer": "adam", "loss": "mse", "metrics": ["mae"]}})
    server.finished(compiled)
    return data, compiled


@pytest.fixture(scope="module")
def network(shared):
    return prepared(shared)


def hold(gate, when="epoch, logs: epoch == 1"):
    """A callback that tells its process and waits at the gate."""
    stay = f"(print('held', __import__('os').getpid(), flush=True), open({str(gate.path)!r}).read())"
    return f"#tensorflow.keras.callbacks.LambdaCallback(on_epoch_begin=lambda {when} and {stay})"


def fit(data, parent, name, **more):
    parameters = {"x": f"${data}.x", "y": f"${data}.y", "epochs": 2, "shuffle": False}
    return {"name": name, "parentName": parent, "method": "fit", "methodParameters": parameters | more}


def test_compilation_and_optimizer_travel_with_the_network(shared, network):
    data, compiled = network
    first, second, score = unique("first"), unique("second"), unique("score")
    shared.post("/train/tensorflow", fit(data, compiled, first))
    shared.post("/train/tensorflow", fit(data, first, second))
    step = shared.made("/evaluate/tensorflow", {"name": score, "parentName": second, "method": "evaluate",
                                                "methodParameters": {"x": f"${data}.x", "y": f"${data}.y"}})
    assert step["metrics"].keys() == {"loss", "mae"} and step["metrics"]["loss"] > 0
    assert shared.step(first)["fitTime"] > 0
    counted = "[int(m.optimizer.iterations) for m in (a, b, c)] + [c.optimizer.name]"
    assert shared.value(counted, a=f"${compiled}", b=f"${first}", c=f"${second}") == [0, 2, 4, "adam"]


def test_epochs_are_seen_through_the_stream_while_it_fits(shared, network, tmp_path):
    data, compiled = network
    gate, name = Gate(tmp_path), unique("fit")
    with shared.http.stream("GET", f"{PREFIX}/observe/stream", params={"name": name}, timeout=60) as answer:
        stream = events(answer)
        assert next(stream)[1] == "hello"
        assert shared.post("/train/tensorflow", fit(data, compiled, name, callbacks=[hold(gate)], validation_split=0.25)).status_code == 201
        seen = []
        for _, event, told in stream:
            if event == "progress":
                seen.append(told["progress"])
                assert shared.step(name)["status"] == "running"
                if told["progress"]["epoch"] == 1:
                    gate.open()
            if event in ("finished", "failed"):
                break
    assert [(told["phase"], told["epoch"], told["epochs"]) for told in seen] == [("training", 1, 2), ("training", 2, 2)]
    assert {"loss", "mae", "val_loss", "val_mae"} <= seen[0].keys()


def test_a_fit_is_cancelled_with_its_process(shared, network, tmp_path):
    data, compiled = network
    gate, name = Gate(tmp_path), unique("fit")
    shared.post("/train/tensorflow", fit(data, compiled, name, callbacks=[hold(gate)]))
    shared.log_until(name, "held ")
    process = psutil.Process(int(shared.get(f"/step/{name}/log").text.split("held ")[1].split()[0]))
    assert shared.http.post(f"{PREFIX}/step/{name}/cancel").status_code == 200
    psutil.wait_procs([process], timeout=20)
    assert not process.is_running() and shared.step(name)["status"] == "cancelled"


def test_layers_and_losses_of_the_users_travel(shared, network):
    data, _ = network
    made, trained = unique("own"), unique("trained")
    shared.function(made, """
import keras, tensorflow as tf
class Scale(keras.layers.Layer):
  def build(self, shape):
    self.factor = self.add_weight(shape=(), initializer='ones')
  def call(self, x):
    return x * self.factor + offset
def off(y, p):
  return tf.reduce_mean(tf.abs(y - p)) * offset
offset = 0.5
response = keras.Sequential([keras.layers.Input((2,)), Scale(), keras.layers.Dense(1, activation=lambda x: tf.nn.relu(x) + offset)])
response.compile(loss=off)
""")
    shared.made("/train/tensorflow", fit(data, made, trained))
    assert shared.value("[type(m.layers[0]).__name__, m.loss.__name__]", m=f"${trained}") == ["Scale", "off"]


def test_a_fit_goes_on_from_its_last_epoch_after_the_server_was_killed(fresh, tmp_path):
    data, compiled = prepared(fresh)
    gate = Gate(tmp_path)
    body = fit(data, compiled, "killed", epochs=4, callbacks=[hold(gate, "epoch, logs: epoch == 2")])
    assert fresh.post("/train/tensorflow", body | {"checkpoint": True}).status_code == 201
    fresh.progress_until("killed", lambda told: told["epoch"] == 2)
    fresh.kill()
    fresh.start()
    fresh.log_until("killed", "held")
    gate.open()
    assert fresh.finished("killed")["attempts"] == 2
    log = fresh.get("/step/killed/log", attempt=2).text
    assert [f"Epoch {epoch}/4" in log for epoch in range(1, 5)] == [False, False, True, True]
    fresh.made("/train/tensorflow", fit(data, compiled, "whole", epochs=4))
    assert fresh.value("max(float(abs(p - q).max()) for p, q in zip(a.get_weights(), b.get_weights()))", a="$killed", b="$whole") < 1e-6
    assert list((fresh.data / "checkpoints").iterdir()) == []


def test_other_code_finds_a_folder_that_outlives_attempts(shared):
    made, name = unique("own"), unique("kept")
    shared.function(made, """
import os, pathlib
from sklearn.linear_model import LinearRegression
class Patient(LinearRegression):
  def fit(self, X, y):
    place = pathlib.Path(os.environ['ORCHESTRA_CHECKPOINT']) / 'half'
    if not place.exists():
      place.write_text('half')
      raise RuntimeError('again')
    return super().fit(X, y)
response = Patient()
""")
    body = {"name": name, "parentName": made, "method": "fit", "methodParameters": {"X": [[0], [1]], "y": [0, 1]}, "checkpoint": True,
            "retry": {"maxAttempts": 2, "delay": 0.01}}
    assert shared.made("/train/scikitlearn", body)["attempts"] == 2


def test_a_function_finds_one_too_even_when_the_server_was_killed(fresh, tmp_path):
    gate = Gate(tmp_path)
    code = f"""
import os, pathlib
place = pathlib.Path(os.environ['ORCHESTRA_CHECKPOINT']) / 'half'
if not place.exists():
  place.write_text('half')
  {gate.code}
response = place.read_text()
"""
    assert fresh.function("kept", code, checkpoint=True).status_code == 201
    fresh.log_until("kept", "at the gate")
    fresh.running("kept")
    fresh.kill()
    fresh.start()
    assert fresh.finished("kept")["attempts"] == 2
    assert fresh.value("x", x="$kept") == "half"
    assert list((fresh.data / "checkpoints").iterdir()) == []
    answer = fresh.function("odd", "response = 1", checkpoint="yes")
    assert answer.json()["errors"] == [{"pointer": "/checkpoint", "detail": 'checkpoint must be true or false, not "yes"'}]
