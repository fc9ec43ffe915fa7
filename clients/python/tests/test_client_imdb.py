"""The reviews, end to end with scikit-learn: with the client that blocks, and the notebook."""

import pytest

import notebooks

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytestmark = pytest.mark.timeout(400)
EXAMPLE = notebooks.EXAMPLES / "imdb"
ACCURACY = 0.835  # what the example says


def test_the_pipeline_gives_the_accuracy_of_the_example(client):
    reviews = client.put(pd.read_csv(EXAMPLE / "reviews.csv", keep_default_na=False), "imdb_reviews")
    clean = client.function.python("imdb_clean", (EXAMPLE / "clean.py").read_text(),
                                   {"texts": reviews["text"], "labels": reviews["label"]})
    split = client.transform.scikitlearn("imdb_split", module_path="sklearn.model_selection", class_name="train_test_split", parameters={
        "arrays": [clean], "test_size": 0.2, "random_state": 33, "stratify": clean["label"]})
    training, testing = split["0"], split["1"]
    tokenizer = client.function.python("imdb_tokenizer", (EXAMPLE / "tokenizer.py").read_text())
    vectorizer = client.transform.scikitlearn(
        "imdb_vectorizer", module_path="sklearn.feature_extraction.text", class_name="TfidfVectorizer",
        class_parameters={"tokenizer": tokenizer, "token_pattern": None, "lowercase": False},
        method="fit", parameters={"raw_documents": training["text"]})

    def vectors(name, part):
        return client.transform.scikitlearn(name, parent=vectorizer, method="transform", parameters={"raw_documents": part["text"]})

    model = client.model.scikitlearn("imdb_model", "sklearn.linear_model", "LogisticRegressionCV", {
        "cv": 6, "max_iter": 500, "random_state": 33, "scoring": "accuracy", "l1_ratios": [0], "use_legacy_attributes": False})
    trained = client.train.scikitlearn("imdb_trained", parent=model, method="fit", parameters={
        "X": vectors("imdb_training", training), "y": training["label"]})
    predicted = client.predict.scikitlearn("imdb_predicted", parent=trained, method="predict",
                                           parameters={"X": vectors("imdb_testing", testing)})
    accuracy = client.evaluate.scikitlearn("imdb_accuracy", module_path="sklearn.metrics", class_name="accuracy_score",
                                           parameters={"y_true": testing["label"], "y_pred": predicted})
    assert accuracy.wait(240).metrics == {"accuracy_score": ACCURACY}
    assert [predicted.result().shape, int((predicted.result() == 1).sum())] == [(200,), 101]


def test_the_notebook_runs(server, monkeypatch):
    shown = notebooks.run("imdb", server, monkeypatch)
    for part in ("<b>notebook_imdb_reviews</b>", f"{{'accuracy_score': {ACCURACY}}}", "kind.recall", "notebook_imdb_reviews: "):
        assert part in shown.text
    assert [picture[:8] for picture in shown.pictures] == [notebooks.PNG]
