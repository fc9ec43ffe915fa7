"""What parameters may say: references to stored results, expressions, escapes; and what user code may do to what it is given."""

import pytest

from support import unique


@pytest.fixture(scope="module")
def stored(shared):
    name = unique("stored")
    shared.function(name, "import numpy\nresponse = {'a': {'b': [10, {'c': 42}]}, 'x.y': 7, 'array': numpy.arange(5)}")
    shared.finished(name)
    return name


@pytest.mark.parametrize("text, expected", [
    ("$STORED.a.b.1.c", 42),
    ("$$STORED.a.b.0", 10),
    ("$STORED.x.y", 7),
    ("$STORED@1.a.b.0", 10),
    ("#[1, 2][0] + 40", 41),
    ("#numpy.arange(3).sum()", 3),
    ("#(lambda x: x * 2)(4)", 8),
    ("\\$STORED", "$STORED"),
    ("\\#1 + 1", "#1 + 1"),
    ("\\\\$x", "\\$x"),
    ("a $STORED b # c", "a $STORED b # c"),
])
def test_a_text_stands_for_a_value_at_any_depth(shared, stored, text, expected):
    text = text.replace("STORED", stored)
    if isinstance(expected, str):
        expected = expected.replace("STORED", stored)
    values = shared.value("[int(v) if hasattr(v, 'item') else v for v in (flat, deep['list'][1][0]['key'])]",
                          flat=text, deep={"list": [0, [{"key": text}]]})
    assert values == [expected, expected]


def test_expressions_and_references_reach_classes_at_any_depth(shared, stored):
    name = unique()
    steps = [["scale", "#sklearn.preprocessing.StandardScaler()"], ["svc", "#sklearn.svm.SVC(C=3)"]]
    shared.made("/model/scikitlearn", {"modelName": name, "modulePath": "sklearn.pipeline", "class": "Pipeline",
                                       "classParameters": {"steps": steps, "verbose": "#1 > 2"}})
    assert shared.value("[m.steps[1][1].C, m.verbose]", m=f"${name}") == [3, False]


@pytest.mark.parametrize("text, why", [
    ("$STORED.a.z", "'z'"),
    ("$STORED.a.b.9", "9"),
    ("#1 +", "SyntaxError"),
    ("#no_such_module_at_all.x", "no_such_module_at_all"),
    ("#sklearn.svm.SVC(1, 2, 3)", "TypeError"),
])
def test_a_value_that_cannot_be_made_fails_the_step_naming_it(shared, stored, text, why):
    name = unique()
    text = text.replace("STORED", stored)
    assert shared.function(name, "response = 1", functionParameters={"deep": [text]}).status_code == 201
    step = shared.ended(name)
    assert step["status"] == "failed"
    assert "functionParameters.deep[0]" in step["exception"] and why in step["exception"], step["exception"]


@pytest.mark.parametrize("text", ["$", "$ x", "$STORED@", "$STORED@0", "$STORED@2", "$STORED@x", "$nobody.key", "$a/b"])
def test_a_reference_to_nothing_is_refused(shared, stored, text):
    answer = shared.function(unique(), "response = 1", functionParameters={"deep": [{"x": text.replace("STORED", stored)}]})
    assert answer.status_code == 406
    assert answer.json()["errors"][0]["pointer"] == "/functionParameters/deep/0/x"


def test_a_column_of_a_dataset_by_its_name(shared):
    name = unique()
    shared.upload(name, b"n,t\n1,a\n2,b\n", types='{"n": "integer"}')
    assert shared.value("[n.tolist(), list(frame.columns), type(frame).__name__]", n=f"${name}.n", frame=f"${name}") == [
        [1, 2], ["n", "t"], "DataFrame"]


def test_an_old_revision_by_its_number(shared):
    name = unique()
    shared.function(name, "response = {'x': x}", functionParameters={"x": 1})
    shared.finished(name)
    shared.patch(f"/function/python/{name}", {"functionParameters": {"x": 2}})
    shared.finished(name)
    assert shared.value("[old, new]", old=f"${name}@1.x", new=f"${name}.x") == [1, 2]


@pytest.mark.parametrize("make, spoil, look", [
    ("{'list': [1, 2]}", "given['list'].append(3)", "given['list']"),
    ("numpy.arange(100_000)", "given[:] = 0", "int(given.sum())"),
    ("pandas.DataFrame({'a': [1.5] * 10_000})", "given.iloc[:, 0] = 0", "float(given['a'].sum())"),
    ("sklearn.linear_model.LinearRegression()", "given.fit([[0], [1]], [0, 1])", "hasattr(given, 'coef_')"),
    ("scipy.sparse.eye(10_000, format='csr')", "given.data[:] = 0", "float(given.sum())"),
])
def test_what_a_step_does_to_its_input_changes_nothing_stored(shared, make, spoil, look):
    name, spoiler = unique(), unique()
    shared.function(name, f"import numpy, pandas, scipy.sparse, sklearn.linear_model\nresponse = {make}")
    before, digest = shared.value(look, given=f"${name}"), shared.step(name)["digest"]
    shared.function(spoiler, f"{spoil}\nresponse = {look}", functionParameters={"given": f"${name}"})
    shared.finished(spoiler)
    assert shared.value("given", given=f"${spoiler}") != before
    assert shared.value(look, given=f"${name}") == before and shared.step(name)["digest"] == digest


def test_a_method_that_changes_its_instance_changes_nothing_stored(shared):
    model, trained = unique(), unique()
    shared.made("/model/scikitlearn", {"modelName": model, "modulePath": "sklearn.linear_model", "class": "LinearRegression"})
    shared.made("/train/scikitlearn", {"name": trained, "parentName": model, "method": "fit",
                                       "methodParameters": {"X": [[0], [1]], "y": [0, 1]}})
    assert shared.value("[hasattr(each, 'coef_') for each in (m, t)]", m=f"${model}", t=f"${trained}") == [False, True]


def test_classes_closures_and_lambdas_of_the_users_travel(shared):
    name = unique()
    shared.function(name, """
class Counter:
  step = 2
  def __init__(self): self.n = 0
  def up(self): self.n += self.step; return self
def adder(n):
  return lambda x: x + n + len(offsets)
offsets = [1, 2]
response = {'counter': Counter().up(), 'add': adder(10), 'class': Counter}
""")
    assert shared.value("[c.up().n, add(1), Class().up().n]", c=f"${name}.counter", add=f"${name}.add", Class=f"${name}.class") == [4, 13, 2]


def test_a_vectorizer_with_the_tokenizer_of_the_user_travels(shared):
    made, fitted, words = unique(), unique(), unique()
    shared.function(made, """
from sklearn.feature_extraction.text import TfidfVectorizer
suffixes = ('ing', 's')
def stem(word):
  return next((word[:-len(each)] for each in suffixes if word.endswith(each)), word)
response = TfidfVectorizer(tokenizer=lambda text: [stem(word) for word in text.split()], token_pattern=None)
""")
    texts = {"raw_documents": ["cats jumping", "a cat jumps"]}
    shared.made("/train/scikitlearn", {"name": fitted, "parentName": made, "method": "fit", "methodParameters": texts})
    step = shared.made("/transform/scikitlearn", {"name": words, "parentName": fitted, "method": "transform",
                                                  "methodParameters": {"raw_documents": ["jump cats"]}})
    assert step["typeName"].startswith("scipy.sparse")
    assert shared.value("[sorted(v.vocabulary_), list(w.shape), w.nnz]", v=f"${fitted}", w=f"${words}") == [["a", "cat", "jump"], [1, 3], 2]


@pytest.fixture(scope="module")
def line(shared):
    """model → train → predict → a function of its own line; the model's name first."""
    model, trained, predicted = unique("model"), unique("trained"), unique("predicted")
    shared.made("/model/scikitlearn", {"modelName": model, "modulePath": "sklearn.linear_model", "class": "LinearRegression"})
    shared.made("/train/scikitlearn", {"name": trained, "parentName": model, "method": "fit",
                                       "methodParameters": {"X": [[0], [1]], "y": [0, 1]}})
    shared.made("/predict/scikitlearn", {"name": predicted, "parentName": trained, "method": "predict",
                                         "methodParameters": {"X": [[0], [1]]}})
    return model, trained, predicted


@pytest.mark.parametrize("parent", [1, 2])
@pytest.mark.parametrize("named", [False, True])
def test_any_step_of_the_line_leads_to_the_model(shared, line, parent, named):
    name = unique()
    body = {"name": name, "parentName": line[parent], "method": "score", "methodParameters": {"X": [[0], [1]], "y": [0, 1]}}
    step = shared.made("/evaluate/scikitlearn", body | ({"modelName": line[1]} if named else {}))
    assert step["metrics"] == {"score": 1.0} and step["class"] == "LinearRegression"


def test_a_line_without_such_a_method_is_told(shared, line):
    name = unique()
    answer = shared.post("/predict/scikitlearn", {"name": name, "parentName": line[2], "method": "transform"})
    text = answer.json()["detail"] if answer.status_code == 406 else shared.ended(name)["exception"]
    assert "transform" in text and "LinearRegression" in text


def test_modules_that_code_does_not_name_itself_are_imported_for_expressions(shared):
    assert shared.value("[a, b]", a="#xml.dom.minidom.parseString('<a/>').documentElement.tagName",
                        b="#collections.OrderedDict(a=1)['a']") == ["a", 1]
