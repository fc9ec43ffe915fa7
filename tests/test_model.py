"""Models that come from elsewhere: uploads, URLs, functions that build them. They are loaded in steps only."""

import os
import pickle

import pytest

from support import PREFIX, FileServer, serving, unique


def upload(server, tool, content, verb="POST", **query):
    rest = f"/{query.pop('name')}" if verb == "PATCH" else ""
    return server.http.request(verb, f"{PREFIX}/model/{tool}{rest}", params=query, content=content,
                               headers={"Content-Type": "application/octet-stream"})


@pytest.fixture(scope="module")
def files(shared):
    """A trained model, by format."""
    made, trained = unique(), unique()
    shared.post("/model/scikitlearn", {"modelName": made, "modulePath": "sklearn.linear_model", "class": "LinearRegression"})
    shared.made("/train/scikitlearn", {"name": trained, "parentName": made, "method": "fit",
                                       "methodParameters": {"X": [[0], [1]], "y": [0, 3]}})
    return {kind: shared.get(f"/step/{trained}/artifact", format=kind).content for kind in ("joblib", "skops")}


@pytest.fixture(scope="module")
def network(shared):
    """A compiled network as a .keras file."""
    made, compiled = unique(), unique()
    layers = ["#tensorflow.keras.layers.Input((2,))", "#tensorflow.keras.layers.Dense(1)"]
    shared.made("/model/tensorflow", {"modelName": made, "modulePath": "tensorflow.keras", "class": "Sequential",
                                      "classParameters": {"layers": layers}})
    shared.made("/train/tensorflow", {"name": compiled, "parentName": made, "method": "compile",
                                      "methodParameters": {"optimizer": "adam", "loss": "mse"}})
    answer = shared.get(f"/step/{compiled}/artifact")
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.mark.parametrize("kind", ["joblib", "skops"])
def test_an_uploaded_model_predicts(shared, files, kind):
    name, predicted = unique(), unique()
    answer = upload(shared, "scikitlearn", files[kind], modelName=name, format=kind, description="trained elsewhere")
    assert answer.status_code == 201, answer.text
    assert answer.json()["result"] == f"{PREFIX}/model/scikitlearn/{name}?query={{}}&limit=20&skip=0"
    step = shared.finished(name)
    assert (step["class"], step["description"]) == ("LinearRegression", "trained elsewhere")
    shared.made("/predict/scikitlearn", {"name": predicted, "parentName": name, "method": "predict", "methodParameters": {"X": [[2]]}})
    assert shared.value("[round(each, 6) for each in p.tolist()]", p=f"${predicted}") == [6.0]


@pytest.mark.parametrize("kind", ["joblib", "skops"])
def test_a_model_is_read_from_a_url(shared, files, kind):
    name = unique()
    with FileServer(serving({f"/m.{kind}": files[kind]})) as served:
        step = shared.made("/model/scikitlearn", {"modelName": name, "modelURI": f"{served.url}/m.{kind}"})
    assert step["class"] == "LinearRegression" and step["url"] == f"{served.url}/m.{kind}"


def test_a_network_goes_out_and_comes_back_compiled(shared, network):
    sent, fetched, trained = unique(), unique(), unique()
    assert upload(shared, "tensorflow", network, modelName=sent, format="keras").status_code == 201
    with FileServer(serving({"/net.keras": network})) as served:
        shared.made("/model/tensorflow", {"modelName": fetched, "modelURI": served.url + "/net.keras"})
    assert shared.finished(sent)["class"] == shared.step(fetched)["class"] == "Sequential"
    x, y = "#numpy.zeros((4, 2))", "#numpy.ones(4)"
    shared.made("/train/tensorflow", {"name": trained, "parentName": sent, "method": "fit", "methodParameters": {"x": x, "y": y}})


def test_a_change_replaces_upload_url_and_class(shared, files):
    name = unique()
    upload(shared, "scikitlearn", files["joblib"], modelName=name, format="joblib")
    shared.finished(name)
    body = {"modulePath": "sklearn.svm", "class": "SVC", "classParameters": {"C": 2}}
    assert shared.patch(f"/model/scikitlearn/{name}", body | {"format": None}).status_code == 201
    assert shared.finished(name)["class"] == "SVC"
    with FileServer(serving({"/m.skops": files["skops"]})) as served:
        assert shared.patch(f"/model/scikitlearn/{name}", {"modelURI": served.url + "/m.skops"}).status_code == 201
        assert shared.finished(name)["class"] == "LinearRegression"
    answer = upload(shared, "scikitlearn", files["joblib"], "PATCH", name=name, format="joblib")
    assert answer.status_code == 201, answer.text
    assert shared.finished(name)["revision"] == 4


def test_a_function_may_build_the_model(shared):
    name = unique()
    body = {"modelName": name, "modulePath": "tensorflow.keras.applications", "class": "MobileNet",
            "classParameters": {"weights": None, "input_shape": [32, 32, 3], "alpha": 0.25, "classes": 2}}
    step = shared.made("/model/tensorflow", body)
    assert (step["class"], step["typeName"].rpartition(".")[2]) == ("MobileNet", "Functional")
    assert shared.value("list(m.output_shape)", m=f"${name}") == [None, 2]


def test_both_names_of_the_name_are_taken(shared):
    first, second = unique(), unique()
    body = {"modulePath": "sklearn.svm", "class": "SVC"}
    assert shared.post("/model/scikitlearn", body | {"name": first}).status_code == 201
    assert shared.post("/model/scikitlearn", body | {"modelName": second}).status_code == 201
    assert shared.finished(first)["modelName"] == first and shared.finished(second)["modelName"] == second


@pytest.mark.parametrize("content, query, text", [
    (b"no model", {"format": "joblib"}, "joblib"),
    (b"no model", {"format": "skops"}, "skops"),
    (b"no model", {"format": "onnx"}, "onnx"),
    (b"no model", {}, "format"),
    (pickle.dumps({"a": 1}), {"format": "joblib"}, "dict"),
])
def test_a_file_that_is_no_model_is_refused_or_fails(shared, content, query, text):
    name = unique()
    answer = upload(shared, "scikitlearn", content, modelName=name, **query)
    if answer.status_code == 201:
        step = shared.ended(name)
        assert (step["status"], step["reason"]) == ("failed", "error") and text in step["exception"], step["exception"]
    else:
        assert answer.status_code == 406 and text in answer.json()["detail"]


def test_an_upload_of_a_taken_name_is_a_conflict(shared, files):
    name = unique()
    shared.function(name, "response = 1")
    assert upload(shared, "scikitlearn", files["joblib"], modelName=name, format="joblib").status_code == 409


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://169.254.169.254/m.joblib", "no url"])
def test_urls_of_models_that_are_refused(shared, url):
    answer = shared.post("/model/scikitlearn", {"modelName": unique(), "modelURI": url})
    assert answer.status_code == 406 and answer.json()["errors"][0]["pointer"] == "/modelURI"


def test_a_url_that_redirects_to_a_refused_address_fails_the_step(shared):
    def redirect(request):
        request.send_response(302)
        request.send_header("Location", "http://169.254.169.254/m.joblib")
        request.send_header("Content-Length", "0")
        request.end_headers()

    name = unique()
    with FileServer(redirect) as served:
        shared.post("/model/scikitlearn", {"modelName": name, "modelURI": served.url + "/m.joblib"})
        step = shared.ended(name)
    assert step["status"] == "failed" and "169.254.169.254" in step["exception"]


def test_deleting_gives_back_upload_and_model(shared, files):
    name = unique()
    padded = files["joblib"] + os.urandom(100_000)  # which joblib does not read
    upload(shared, "scikitlearn", padded, modelName=name, format="joblib")
    shared.ended(name)
    assert shared.delete(f"/model/scikitlearn/{name}").json()["bytesFreed"] >= 100_000
