"""The text workflow of examples/imdb as one plain script: what a data scientist would write without this project.

    python bench/imdb_plain.py

Prints one JSON object: accuracy, the report, how often each label occurs, the size of the picture; the seconds since the start, and
those of them that the work took once all was imported.
"""
import time

STARTED = time.perf_counter()

import io
import json
import pathlib

import pandas
from matplotlib import use
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, classification_report
from sklearn.model_selection import train_test_split

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent / "examples" / "imdb"
NAMES = ["unkind", "kind"]


def respond(name, **parameters):
    """What a file of the example leaves in `response`."""
    exec(compile((EXAMPLE / name).read_text(), name, "exec"), parameters)
    return parameters["response"]


def vectorize(training, testing):
    vectorizer = TfidfVectorizer(tokenizer=respond("tokenizer.py"), token_pattern=None, lowercase=False).fit(training)
    return vectorizer.transform(training), vectorizer.transform(testing)


def picture(truth, predicted):
    buffer = io.BytesIO()
    display = ConfusionMatrixDisplay.from_predictions(truth, predicted, display_labels=NAMES)
    display.figure_.savefig(buffer, format="png", dpi=150)
    return buffer.getvalue()


def main():
    use("agg")
    imported = time.perf_counter()
    reviews = pandas.read_csv(EXAMPLE / "reviews.csv", dtype={"text": str, "label": float})
    counts = reviews.label.value_counts()
    table = respond("clean.py", texts=reviews.text, labels=reviews.label)
    training, testing = train_test_split(table, test_size=0.2, random_state=33, stratify=table.label)
    features, unseen = vectorize(training.text, testing.text)
    model = LogisticRegressionCV(cv=6, max_iter=500, random_state=33, scoring="accuracy", l1_ratios=[0], use_legacy_attributes=False)
    predicted = model.fit(features, training.label).predict(unseen)
    result = {
        "accuracy": accuracy_score(testing.label, predicted),
        "report": classification_report(testing.label, predicted, target_names=NAMES, output_dict=True),
        "labels": {str(int(label)): int(count) for label, count in counts.items()},
        "picture": len(picture(testing.label, predicted)),
    }
    ended = time.perf_counter()
    print(json.dumps({"seconds": ended - STARTED, "work": ended - imported, **result}))


if __name__ == "__main__":
    main()
