"""What steps of the tools cost beside their work: a chain of them, a table handed on, TensorFlow."""

import tempfile
import time

from support import Server

RUNS = 15
TENSORFLOW_RUNS = 5
TENSORFLOW_REST = 6  # seconds in which the next process is made ready, as it is between the steps of somebody who reads results
DATA = """
from sklearn.datasets import make_classification
rows, labels = make_classification(200, 5, random_state=33)
response = {"rows": rows, "labels": labels}
"""
FRAME = """
import numpy, pandas
response = pandas.DataFrame(numpy.random.default_rng(33).random((1_250_000, 10)))
"""
LOGISTIC = {"modulePath": "sklearn.linear_model", "class": "LogisticRegression"}
ACCURACY = {"modulePath": "sklearn.metrics", "class": "accuracy_score"}


def ended(server, names):
    for name in names:
        step = server.ended(name)
        assert step["status"] == "finished", f"{name}: {step['exception']}"


def post(server, route, **body):
    answer = server.post(route, body)
    assert answer.status_code == 201, answer.text


def function(server, name, code, **parameters):
    """Milliseconds from the call to the end of its step."""
    start = time.perf_counter()
    post(server, "/function/python", name=name, function=code, functionParameters=parameters)
    ended(server, [name])
    return (time.perf_counter() - start) * 1000


def chain(server, tag):
    """Milliseconds of model → train → predict → evaluate, called one after another without waiting."""
    data = {"X": "$data.rows", "y": "$data.labels"}
    model, trained, predicted, score = names = [f"{part}{tag}" for part in ("model", "trained", "predicted", "score")]
    start = time.perf_counter()
    post(server, "/model/scikitlearn", modelName=model, **LOGISTIC)
    post(server, "/train/scikitlearn", name=trained, parentName=model, method="fit", methodParameters=data)
    post(server, "/predict/scikitlearn", name=predicted, parentName=trained, method="predict", methodParameters={"X": "$data.rows"})
    post(server, "/evaluate/scikitlearn", name=score, **ACCURACY, methodParameters={"y_true": "$data.labels", "y_pred": f"${predicted}"})
    ended(server, names[::-1])
    return (time.perf_counter() - start) * 1000


def handed_on(server):
    """Milliseconds of steps that do nothing, that are given a table of 100 MB, and that give it to whoever comes next as well."""
    server.function("frame", FRAME)
    ended(server, ["frame"])
    nothing, given, passed = [], [], []
    for i in range(RUNS):
        nothing.append(function(server, f"nothing{i}", "import pandas\nresponse = None"))
        given.append(function(server, f"given{i}", "response = frame.shape", frame="$frame"))
        passed.append(function(server, f"passed{i}", "response = frame", frame="$frame"))
    return nothing, given, passed


def tensorflow(server):
    """Milliseconds of a step that does nothing where TensorFlow is loaded."""
    code = "import tensorflow\nresponse = None"
    function(server, "cold", code)
    found = []
    for i in range(TENSORFLOW_RUNS):
        time.sleep(TENSORFLOW_REST)
        found.append(function(server, f"tensorflow{i}", code))
    return found


def run():
    """steps of the tools, warm: a chain on a tiny model, 100 MB of float64 as a DataFrame given to a step, TensorFlow"""
    with tempfile.TemporaryDirectory() as folder, Server(f"{folder}/data") as server:
        server.function("data", DATA)
        for i in range(3):
            chain(server, f"_warm{i}")
        chains = [chain(server, i) for i in range(RUNS)]
        nothing, given, passed = handed_on(server)
        idle = tensorflow(server)
    more = [[one - base for one, base in zip(each, nothing)] for each in (given, passed)]
    return [
        ("model → train → predict → evaluate", chains, "ms", "at most 150"),
        ("no-op step beside libraries", nothing, "ms", ""),
        ("step that is given 100 MB, more than a no-op", more[0], "ms", ""),
        ("step that is given 100 MB and hands them on, more", more[1], "ms", "at most 120"),
        ("TensorFlow no-op step", idle, "ms", "at most 100"),
    ]
