"""Data and models on a real server."""

import decimal
import warnings

import pytest

import learning_orchestra as lo

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytestmark = pytest.mark.timeout(180)



# --- datasets ---

def test_a_file_is_uploaded_and_its_rows_are_found(client, unique, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("name,age\nAda,36\nAlan,41\nGrace,85\n")
    step = client.dataset.csv(unique("people"), path, types={"age": "integer"}).wait(60)
    assert step.metadata["rows"] == 3 and step.status == "finished"
    assert step.rows({"age": {"$gt": 40}}) == [{"_id": 2, "name": "Alan", "age": 41}, {"_id": 3, "name": "Grace", "age": 85}]
    assert [row["name"] for row in step.rows(limit=1, skip=1)] == ["Alan"]
    assert list(step.to_pandas()["age"]) == [36, 41, 85]
    assert step.name in [each.name for each in client.dataset.csv.list()]


def test_what_a_table_holds(client, unique):
    step = client.dataset.csv(unique(), b"a,b\n1,x\n2,x\n,y\n", types="infer").wait(60)
    profile = step.profile()
    assert profile["rows"] == 3 and [field["name"] for field in profile["fields"]] == ["a", "b"]
    assert (profile["fields"][0]["nulls"], profile["fields"][0]["mean"]) == (1, 1.5)
    assert step.profile(["b"])["fields"] == profile["fields"][1:]
    with pytest.raises(lo.NotAcceptable, match="'b'"):
        step.profile(["bb"])
    with pytest.raises(lo.NotAcceptable, match="not a table"):
        client.function.python(unique(), "response = 1").wait(60).profile()


def test_projection_types_and_histogram(client, unique):
    source = client.dataset.csv(unique(), b"a,b\n1,x\n2,x\n,y\n")
    part = client.transform.projection(unique(), source, ["a"])
    client.transform.data_type(part, {"a": "number"}).wait(60)
    assert [row["a"] for row in part.rows()] == [1, 2, None]
    counts = client.explore.histogram(unique(), source, ["b"]).wait(60)
    assert counts.rows()[0]["b"] == [{"_id": "x", "count": 2}, {"_id": "y", "count": 1}]
    with pytest.raises(lo.StepFailed, match="'x' is not a number"):
        client.transform.data_type(source, {"b": "number"}).wait(60)


def test_a_generic_file_comes_back_byte_for_byte(client, unique, tmp_path):
    content = bytes(range(256)) * 10_000
    step = client.dataset.generic(unique(), content).wait(60)
    assert step.result() == content
    assert step.artifact(tmp_path / "copy").read_bytes() == content
    assert list(tmp_path.iterdir()) == [tmp_path / "copy"]
    assert client.function.python(unique(), "response = len(file.read())", {"file": step}).result() == len(content)


def test_a_frame_goes_there_and_back(client, unique):
    random = np.random.default_rng(1)
    frame = pd.DataFrame({
        "integer": np.array([2**63 - 1, -(2**63), 0, 7]), "number": [0.1, 1e-320, np.inf, np.nan],
        "small": np.array([1, 2, 3, 4], dtype="int8"), "boolean": [True, False, True, False], "text": ["", 'quo"te', "line\r\nbreak", "ä,ö;ü"],
        "maybe": pd.array([1, None, 2**53 + 1, None], dtype="Int64"), "perhaps": pd.array([True, None, False, None], dtype="boolean"),
        "when": pd.to_datetime(["2026-01-31 10:20:30.000001", None, "1900-01-01", "2200-12-31"], utc=True, format="ISO8601"),
        "nothing": [None] * 4,
    })
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step = client.put(frame, unique())
    back = step.to_pandas()
    expected = frame.assign(small=frame["small"].astype("int64"), nothing=[np.nan] * 4)
    expected["when"] = expected["when"].astype(back["when"].dtype)
    pd.testing.assert_frame_equal(back, expected.assign(text=expected["text"].astype(back["text"].dtype)))
    pd.testing.assert_frame_equal(step.result(), back)
    many = pd.DataFrame({"x": random.standard_normal(200_000) * 10.0 ** random.integers(-300, 300, 200_000)})
    assert (client.put(many, unique()).to_pandas()["x"].to_numpy() == many["x"].to_numpy()).all()


def test_what_a_frame_loses_is_told(client, unique):
    frame = pd.DataFrame({"a b": ["x", None], "zone": pd.to_datetime(["2026-01-01", "2026-07-01"]).tz_localize("Europe/Berlin"),
                          "naive": pd.to_datetime(["2026-01-01 00:00:00.000000001", "2026-07-01"], format="ISO8601"),
                          "kind": pd.Categorical(["u", "v"]),
                          "exact": [decimal.Decimal("0.10"), decimal.Decimal("2")]}, index=[5, 6])
    with pytest.warns(lo.LossWarning) as caught:
        step = client.put(frame, unique())
    told = "\n".join(str(each.message) for each in caught)
    for part in ("index", "'a b' is named 'ab'", "'a b': null", "Europe/Berlin", "'naive': times are cut", "'naive': times without a zone",
                 "'kind' is no category", "'exact': decimals"):
        assert part in told
    assert all(each.filename == __file__ for each in caught if each.category is lo.LossWarning)
    row = step.wait(60).rows()[1]
    assert row == {"_id": 2, "ab": "", "zone": "2026-06-30T22:00:00Z", "naive": "2026-07-01T00:00:00Z", "kind": "v", "exact": 2}


def test_an_index_with_a_name_is_a_column_and_a_null_alone_in_its_line_is_a_row(client, unique):
    frame = pd.DataFrame({"v": [1.0, 2.0]}, index=pd.Index(["p", "q"], name="key"))
    assert list(client.put(frame, unique()).to_pandas()["key"]) == ["p", "q"]
    alone = pd.DataFrame({"v": pd.array([None, 3, None], dtype="Int64")})
    assert list(client.put(alone, unique()).to_pandas()["v"].isna()) == [True, False, True]


def test_columns_that_no_dataset_holds_are_refused_before_they_are_sent(client, unique):
    for column in ([[1], [2]], [b"1", b"2"], [1, "x"]):
        name = unique()
        with pytest.raises(TypeError, match="'c'"):
            client.put(pd.DataFrame({"c": column}), name)
        with pytest.raises(lo.NotFound):
            client.step(name)


# --- a line of scikit-learn ---

def test_model_train_predict_evaluate_tune_explore(client, unique, iris, tmp_path):
    model = client.model.scikitlearn(unique("model"), "sklearn.linear_model", "LogisticRegression", {"max_iter": 500})
    data = {"X": iris["x"], "y": iris["y"]}
    trained = client.train.scikitlearn(unique("train"), parent=model, method="fit", parameters=data)
    predicted = client.predict.scikitlearn(unique("predict"), parent=trained, method="predict", parameters={"X": iris["x"]})
    scored = client.evaluate.scikitlearn(unique("score"), parent=trained, method="score", parameters=data)
    f1 = client.evaluate.scikitlearn(unique("f1"), module_path="sklearn.metrics", class_name="f1_score",
                                     parameters={"y_true": iris["y"], "y_pred": predicted, "average": "macro"})
    tuned = client.tune.scikitlearn(unique("tune"), module_path="sklearn.model_selection", class_name="GridSearchCV",
                                    class_parameters={"estimator": model, "param_grid": {"C": [0.1, 1, 10]}}, method="fit", parameters=data)
    drawn = client.explore.scikitlearn(unique("draw"), module_path="sklearn.metrics", class_name="ConfusionMatrixDisplay",
                                       method="from_predictions", parameters={"y_true": iris["y"], "y_pred": predicted})
    prediction = predicted.result(120)
    assert prediction.shape == (150,) and prediction.dtype.kind == "i"
    assert scored.result() == scored.metrics["score"] > 0.95 and f1.wait(60).metrics["f1_score"] > 0.95
    assert tuned.wait(120).metadata["bestParameters"]["C"] in (0.1, 1, 10)
    assert list(tuned.to_pandas()["param_C"]) == [0.1, 1, 10] and tuned.to_pandas()["rank_test_score"].min() == 1
    assert drawn.picture(60).startswith(b"\x89PNG") and drawn.picture()._repr_png_() == drawn._repr_png_() == drawn.result()
    assert drawn._repr_html_() is None and "score" in scored._repr_html_() and scored._repr_png_() is None
    with pytest.raises(lo.ResultNotLoadable, match="LogisticRegression.*artifact"):
        trained.result()
    place = trained.artifact(tmp_path)
    assert place.name == f"{trained.name}.joblib" and place.stat().st_size > 0
    pickled = trained.artifact(tmp_path / "other.pickle", "pickle")
    assert pickled.exists()


def test_results_of_many_kinds(client, unique):
    def make(what):
        import numpy
        import pandas

        return {"none": None, "dict": {"a": [1, 2.5, "x"]}, "array": numpy.arange(6).reshape(2, 3),
                "frame": pandas.DataFrame({"a": [1, 2]})}[what]

    results = {what: client.function.python(unique(), make, {"what": what}) for what in ("none", "dict", "array", "frame")}
    assert results["none"].result(60) is None and results["dict"].result(60) == {"a": [1, 2.5, "x"]}
    assert results["array"].result(60).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert results["frame"].result(60).equals(pd.DataFrame({"a": [1, 2]}))
    assert "<td>2</td>" in results["frame"]._repr_html_()


def test_put_takes_what_every_step_takes(client, unique):
    step = client.put(pd.DataFrame({"x": [1]}), unique(), labels={"made": "here"}, timeout=60)
    assert step.wait(60).metadata["labels"] == {"made": "here"}
