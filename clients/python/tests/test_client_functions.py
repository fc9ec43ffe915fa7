"""Python functions as the code of steps."""

import math
import textwrap

import pytest

from learning_orchestra.functions import code_of


def run(function, parameters):
    """What the server does with the code."""
    scope = dict(parameters)
    exec(code_of(function, parameters), scope)  # noqa: S102
    return scope["response"]


def test_arguments_are_parameters_and_the_return_value_is_the_response():
    def add(x, y=10):
        return x + y

    assert run(add, {"x": 1}) == 11
    assert run(add, {"x": 1, "y": 2}) == 3
    assert code_of(add, {"x": 1}) == "def add(x, y=10):\n    return x + y\n\nresponse = add(x=x)\n"


def test_other_parameters_are_globals_and_keywords_take_everything():
    def use(x):
        return x + extra  # noqa: F821

    def everything(**all_of_them):
        return sorted(all_of_them)

    assert run(use, {"x": 1, "extra": 5}) == 6
    assert run(everything, {"b": 1, "a": 2}) == ["a", "b"]


def test_inner_functions_classes_and_imports_go_along():
    def outer(n):
        import collections

        class Counter:
            step = 2

            def next(self, value):
                return value + self.step

        def twice(value):
            return twice(value - 1) + 2 if value else 0

        return collections.deque([Counter().next(each) + twice(n) for each in range(n)])

    assert list(run(outer, {"n": 2})) == [6, 7]


def test_what_would_fail_on_the_server_is_refused_here():
    captured = 5

    def closes():
        return captured

    def uses_module():
        return [math.pi for _ in range(2)]

    def needs(x):
        return x

    with pytest.raises(ValueError, match="'captured'"):
        code_of(closes, {})
    with pytest.raises(ValueError, match="'math' from outside"):
        code_of(uses_module, {})
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        code_of(needs, {})
    with pytest.raises(TypeError, match="def"):
        code_of(lambda x: x, {"x": 1})
    with pytest.raises(TypeError, match="def"):
        code_of(print, {})


def test_functions_without_source_are_refused():
    scope = {}
    exec("def made(): return 1", scope)  # noqa: S102
    with pytest.raises(ValueError, match="source"):
        code_of(scope["made"], {})


def test_text_is_sent_as_it_is():
    text = textwrap.dedent("response = 1")
    assert code_of(text, {}) is text
