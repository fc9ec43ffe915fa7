"""function/python, in real steps."""

from __future__ import annotations

import pytest

from conftest import ForkServer


def test_response_is_an_object(bare: ForkServer) -> None:
    result = bare.run("response = {'a': 1}").finished()
    assert result["manifest"] == {"kind": "object", "typeName": "dict", "parts": [{"name": "object.pickle"}]}


def test_the_next_step_gets_what_the_last_one_gave(bare: ForkServer) -> None:
    first = bare.run("response = {'deep': {'list': [10, 20]}}")
    second = bare.run("print(whole, part)\nresponse = None", {"whole": "$first", "part": "$first@1.deep.list.1"},
                      inputs={"first": first.as_input(), "first@1": first.as_input()})
    assert second.output == "{'deep': {'list': [10, 20]}} 20\n"


def test_none_is_a_result(bare: ForkServer) -> None:
    first = bare.run("response = None")
    assert first.finished()["manifest"]["typeName"] == "NoneType"
    assert bare.run("response = 1\nprint(x is None)", {"x": "$f"}, inputs={"f": first.as_input()}).output == "True\n"


def test_never_set_response_fails_naming_it(bare: ForkServer) -> None:
    assert bare.run("x = 1").failed()["exception"].startswith("ResponseMissing: the code of 'f' never set `response`")


def test_nested_functions_see_imports_and_parameters(bare: ForkServer) -> None:
    code = "import math\ndef f():\n  def g():\n    return math.floor(x)\n  return g()\nresponse = f()\nprint(response)"
    assert bare.run(code, {"x": 2.5}).output == "2\n"


def test_traceback_has_the_users_lines_and_no_others(bare: ForkServer) -> None:
    failed = bare.run("def f():\n  raise ValueError('boom')\n\nf()").failed()
    assert failed["exception"] == "ValueError: boom"
    assert failed["traceback"] == (
        "Traceback (most recent call last):\n"
        '  File "<function f>", line 4, in <module>\n    f()\n'
        '  File "<function f>", line 2, in f\n    raise ValueError(\'boom\')\n'
        "ValueError: boom\n"
    )


def test_syntax_error_shows_the_line(bare: ForkServer) -> None:
    failed = bare.run("x = 1\ny = = 2").failed()
    assert failed["exception"].startswith("SyntaxError: invalid syntax")
    assert 'File "<function f>", line 2' in failed["traceback"] and "orchestra_runtime" not in failed["traceback"]


def test_missing_module_is_said_clearly(bare: ForkServer) -> None:
    assert bare.run("import no_such_module").failed()["exception"] == (
        "ModuleNotFoundError: No module named 'no_such_module' (it is not installed in the environment of this step)")


def test_classes_of_the_user_live_on_in_the_next_step(bare: ForkServer) -> None:
    first = bare.run("from dataclasses import dataclass\n@dataclass\nclass Point:\n  x: int\n"
                     "  def twice(self): return 2 * self.x\nresponse = Point(4)")
    assert first.finished()["manifest"]["typeName"] == "Point"
    assert bare.run("print(p.twice())\nresponse = 0", {"p": "$f"}, inputs={"f": first.as_input()}).output == "8\n"


def test_what_does_not_serialise_fails_naming_the_type(bare: ForkServer) -> None:
    failed = bare.run("import threading\nresponse = threading.Lock()").failed()
    assert failed["exception"].startswith("NotStorable: a value of type _thread.lock cannot be stored")


def test_numbers_under_metrics_become_facts(bare: ForkServer) -> None:
    code = "response = {'metrics': {'f1': 0.5, 'n': 3, 'bad': float('nan'), 'text': 'x', 'flag': True}}"
    assert bare.run(code).finished()["facts"] == {"typeName": "dict", "metrics": {"f1": 0.5, "n": 3, "bad": None}}


def test_expressions_import_what_they_name(bare: ForkServer) -> None:
    ended = bare.run("print(x, y, z)\nresponse = 0", {"x": "#fractions.Fraction(1, 2)", "y": "#xml.dom.minidom.Node.TEXT_NODE",
                                                        "z": ["#[len(i) for i in ('a', 'bc')]", {"k": "\\$plain"}]})
    assert ended.output == "1/2 3 [[1, 2], {'k': '$plain'}]\n"


@pytest.mark.parametrize(("parameter", "said"), [
    ("#no_such_module.X()", "functionParameters.p: '#no_such_module.X()': ModuleNotFoundError: No module named 'no_such_module'"),
    ("$unknown", "functionParameters.p: '$unknown': 'unknown' is not among the inputs of this step (none)"),
    ("$ 5", "functionParameters.p: '$ 5': '$ 5' is no reference to a result; to mean the text itself, write '\\$ 5'"),
    ("#1 +", "functionParameters.p: '#1 +': SyntaxError"),
])
def test_bad_parameters_name_themselves(bare: ForkServer, parameter: str, said: str) -> None:
    assert said in bare.run("response = 0", {"p": parameter}).failed()["exception"]


@pytest.mark.parametrize(("code", "said"), [
    ("import sys; sys.exit(3)", "SystemExit: 3"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", "KeyboardInterrupt"),
    ("raise MemoryError('much')", "MemoryError: much"),
    ("class E(Exception):\n  def __str__(self): raise ValueError\nraise E", "E: (its message cannot be shown)"),
    ("raise ValueError('\\udc80')", "ValueError: ?"),
    ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
])
def test_every_exception_fails_the_step(bare: ForkServer, code: str, said: str) -> None:
    ended = bare.run(code)
    assert ended.failed()["exception"].startswith(said)
    assert ended.failed().get("reason") == ("out_of_memory" if "MemoryError" in code else None)
    assert ended.exited["status"] == 0


def test_random_numbers_differ_between_steps(scientific: ForkServer) -> None:
    code = "import random, numpy\nprint(random.random(), numpy.random.rand())\nresponse = 0"
    assert len({number for _ in range(3) for number in scientific.run(code).output.split()}) == 6


def test_a_frame_is_a_table(scientific: ForkServer) -> None:
    first = scientific.run("import pandas as pd\nresponse = pd.DataFrame({'n': [1, 2], 's': ['x', None]})")
    manifest = first.finished()["manifest"]
    assert manifest == {"kind": "table", "typeName": "pandas.core.frame.DataFrame", "parts": [{"name": "rows.parquet"}],
                        "rows": 2, "fields": [{"name": "n", "type": "integer"}, {"name": "s", "type": "string"}]}
    second = scientific.run("print(type(d).__name__, d.s.tolist(), n.tolist())\nresponse = 0", {"d": "$f", "n": "$f.n"},
                            inputs={"f": first.as_input()})
    assert second.output == "DataFrame ['x', None] [1, 2]\n"


def test_an_unknown_column_names_those_there_are(scientific: ForkServer) -> None:
    first = scientific.run("import pandas as pd\nresponse = pd.DataFrame({'n': [1]})")
    failed = scientific.run("response = 0", {"p": "$f.m"}, inputs={"f": first.as_input()}).failed()
    assert failed["exception"] == "BadParameter: functionParameters.p: '$f.m': 'f' has no column 'm': it has n"


def test_given_arrays_can_be_written_and_stay_as_stored(scientific: ForkServer) -> None:
    first = scientific.run("import numpy\nresponse = numpy.zeros(100_000)")
    assert [part["name"] for part in first.finished()["manifest"]["parts"]] == ["object.pickle", "buffers.bin"]
    inputs = {"f": first.as_input()}
    assert scientific.run("a[:] = 7\nprint(a.sum())\nresponse = 0", {"a": "$f"}, inputs=inputs).output == "700000.0\n"
    assert scientific.run("print(a.sum())\nresponse = 0", {"a": "$f"}, inputs=inputs).output == "0.0\n"


def test_a_stored_file_comes_as_an_open_binary_file(bare: ForkServer) -> None:
    path = bare.folder / "content"
    path.write_bytes(b"abc")
    blob = {"kind": "blob", "parts": {"content": str(path)}}
    assert bare.run("print(file.read())\nresponse = 0", {"file": "$b"}, inputs={"b": blob}).output == "b'abc'\n"


def test_a_broken_artifact_is_named(bare: ForkServer) -> None:
    path = bare.folder / "object.pickle"
    path.write_bytes(b"\x80")
    broken = {"kind": "object", "parts": {"object.pickle": str(path)}}
    failed = bare.run("response = 0", {"x": "$b"}, inputs={"b": broken}).failed()
    assert failed["exception"].startswith("BadParameter: functionParameters.x: '$b': 'b' (object) cannot be loaded")


def test_threads_follow_the_limit(scientific: ForkServer) -> None:
    code = ("import os, pyarrow, threadpoolctl\n"
            "pools = {each['num_threads'] for each in threadpoolctl.threadpool_info()}\n"
            "print(pools, pyarrow.cpu_count(), os.environ['OMP_NUM_THREADS'])\nresponse = 0")
    assert scientific.run(code, limits={"memory": None, "cpu": 1.0}).output == "{1} 1 1\n"
    assert scientific.run(code, limits={"memory": None, "cpu": 2.0}).output == "{2} 2 2\n"
