"""References, expressions and parameters, without processes."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from orchestra_runtime import expressions, objects, references, storing, values
from orchestra_runtime.channel import Channel
from orchestra_runtime.job import Job
from orchestra_runtime.records import Input, Member, StepFile
from orchestra_runtime.references import Reference


@pytest.mark.parametrize(("text", "name", "path"), [
    ("$titanic", "titanic", ""),
    ("$$titanic", "titanic", ""),
    ("$titanic@2", "titanic@2", ""),
    ("$titanic@2.Age", "titanic@2", "Age"),
    ("$a-b_c.x.y z.$", "a-b_c", "x.y z.$"),
    ("$" + "n" * 128, "n" * 128, ""),
])
def test_references(text: str, name: str, path: str) -> None:
    assert references.parse(text) == Reference(name, path)


@pytest.mark.parametrize("text", ["$", "$$", "$$$x", "$ x", "$a b", "$x.", "$x@", "$x@y", "$ä", "$" + "n" * 129, "$x\n"])
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match="is no reference to a result; to mean the text itself, write"):
        references.parse(text)


@pytest.mark.parametrize(("written", "meant"), [
    (r"\$x", "$x"), (r"\#x", "#x"), (r"\\$x", r"\$x"), (r"\\\#", r"\\#"), (r"\d+", r"\d+"), ("\\", "\\"),
    (r"\\", r"\\"), ("a$b", "a$b"), ("", ""),
])
def test_escapes(written: str, meant: str) -> None:
    assert references.unescaped(written) == meant


@pytest.mark.parametrize(("expression", "value"), [
    ("1 + 1", 2),
    (" len([1, 2])", 2),
    ("fractions.Fraction(1, 2).numerator", 1),
    ("os.path.join('a', 'b')", "a/b"),
    ("xml.etree.ElementTree.Element('x').tag", "x"),
    ("[os for os in (1, 2)]", [1, 2]),
    ("(lambda math: math + 1)(1)", 2),
    ("collections.OrderedDict(a=math.pi)['a'] > 3", True),
    ("(lambda re: re.pattern)(re.compile('a'))", "a"),
    ("[fractions.Fraction(n, d) for n in (1, 2) for d in [math.prod((n, 2))]][1].denominator", 2),
    ("[last for each in (1, 2) if (last := each)]", [1, 2]),
    ("{k: (lambda: k + len(k))() if False else k for k in 'ab'}", {"a": "a", "b": "b"}),
    ("(lambda text: json.loads(text))('[1]')", [1]),
])
def test_expressions(expression: str, value: Any) -> None:
    assert expressions.evaluate(expression) == value


@pytest.mark.parametrize(("expression", "error"), [
    ("no_such_module.x", ModuleNotFoundError), ("os.no_such_thing()", AttributeError), ("x = 1", SyntaxError), ("", SyntaxError),
    ("1/0", ZeroDivisionError),
])
def test_expressions_that_fail(expression: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        expressions.evaluate(expression)


def test_functions_of_expressions_are_stored_by_value_and_show_their_lines(tmp_path: Path) -> None:
    objects.save(expressions.evaluate("lambda: math.sqrt(\n  -1)", "<p.f>"), lambda: tmp_path)
    with pytest.raises(ValueError, match="math domain error") as raised:
        objects.load(tmp_path / objects.PICKLE, None)()
    assert (str(raised.traceback[-1].path), raised.traceback[-1].lineno) == ("<p.f>", 0)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    stored = {"d": {"a": {"b": [10, (20,)]}, "x.y": 1, "x": {"y": 2, "z": 3}, 5: "five", "none": None}, "n": 4}
    inputs = {}
    for name, value in stored.items():
        (tmp_path / name).mkdir()
        inputs[name] = Input("object", {part: tmp_path / name / part for part in objects.save(value, lambda: tmp_path / name)})
    step = StepFile("t", (), inputs | {"nothing": Input("none", {})}, clock="2026-01-31T10:20:30+00:00")
    return Job(step, Channel(socket.socketpair()[0]))


@pytest.mark.parametrize(("value", "resolved"), [
    (1, 1), (None, None), (True, True), ("text", "text"), ("$n", 4), ("$nothing", None),
    ("$d.a.b.0", 10), ("$d.a.b.1.0", 20), ("$d.x.y", 1), ("$d.x.z", 3), ("$d.5", "five"), ("$d.none", None),
    (["$n", {"k": ["#1 + 1", "\\$n"]}], [4, {"k": [2, "$n"]}]),
    ({"$n": 1}, {"$n": 1}),
    (["$clock", "$$clock.date"], ["2026-01-31T10:20:30+00:00", "2026-01-31"]),
])
def test_parameters(job: Job, value: Any, resolved: Any) -> None:
    assert values.resolve(job, value, "p") == resolved


@pytest.mark.parametrize(("value", "said"), [
    ({"a": ["$d.a.c"]}, r"p\.a\[0\]: '\$d\.a\.c': 'd\.a' has no entry 'c': it has b"),
    ("$d.a.b.2", r"'d\.a\.b' has no entry '2': it is a list"),
    ("$d.a.b.-1", r"'d\.a\.b' has no entry '-1'"),
    ("$n.x", "'n' has no entry 'x': it is a int"),
    ("$d@2", r"'d@2' is not among the inputs of this step \(d, n, nothing\)"),
    ("$clock.hour", "'clock' has no entry 'hour': it is a time, and has date"),
    ("#1/0", "p: '#1/0': ZeroDivisionError: division by zero"),
])
def test_parameters_that_fail(job: Job, value: Any, said: str) -> None:
    with pytest.raises(values.BadParameter, match=said):
        values.resolve(job, value, "p")


def test_a_reference_used_twice_is_loaded_once(job: Job) -> None:
    first, second = values.resolve(job, ["$d", "$$d"], "p")
    assert first is second


@pytest.mark.parametrize("asked", [None, False, True])
def test_tables_have_the_types_that_the_request_asks_for(asked: bool | None, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    manifest, _ = storing.save(pyarrow.table({"i": [1, None]}), Member("t", "function/python", {}, tmp_path))
    stored = Input(manifest.kind, {name: tmp_path / name for name in manifest.parts}, fields=manifest.fields)
    member = Member("f", "function/python", {} if asked is None else {"nullable": asked}, tmp_path)
    job = Job(StepFile("t", (member,), {"t": stored}), Channel(socket.socketpair()[0]))
    frame, column = values.resolve(job, ["$t", "$t.i"], "p")
    assert str(frame["i"].dtype) == str(column.dtype) == ("Int64" if asked else "float64")
