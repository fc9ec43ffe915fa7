"""What is drawn, decoded and looked at."""

from __future__ import annotations

import io
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from PIL import Image

import conftest  # noqa: F401  (finds the runtime)
from orchestra_runtime import picture_style, pictures
from orchestra_runtime.picture_sheet import NotDrawable
from orchestra_runtime.pictures import Options, Picture
from orchestra_runtime.refusals import BadRequest

BLUE, ORANGE, RED = (tuple(bytes.fromhex(colour[1:])) for colour in picture_style.COLOURS[:3])
SMALL = Options(dpi=50)
RANDOM = np.random.default_rng(0)


def drawn(value: Any, options: Options = SMALL, source: str = "") -> Picture:
    pictures.prepare(options)
    return pictures.draw(value, options, source)


def pixels(value: Any, options: Options = SMALL, source: str = "") -> np.ndarray:
    return decoded(drawn(value, options, source).png)


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def share(picture: np.ndarray, colour: tuple[int, ...], tolerance: int = 6) -> float:
    """Of the pixels that have about this colour."""
    return float((np.abs(picture.astype(int) - colour).max(axis=2) <= tolerance).mean())


def places(picture: np.ndarray, colour: tuple[int, ...], tolerance: int = 60) -> np.ndarray:
    """Rows and columns where the colour is."""
    return np.argwhere(np.abs(picture.astype(int) - colour).max(axis=2) <= tolerance)


def points(count: int = 200) -> np.ndarray:
    return RANDOM.normal(size=(count, 2))


DRAWABLE = {
    "points": points(),
    "line": np.sin(np.arange(50)),
    "distribution": RANDOM.normal(size=5_000),
    "labels": np.arange(200) % 5,
    "texts": np.array(["a", "b", "a"]),
    "truths": np.array([True, False, True]),
    "list": [3, 1, 2],
    "column": np.arange(5.0).reshape(5, 1),
    "three columns": RANDOM.normal(size=(40, 3)),
    "matrix": RANDOM.normal(size=(30, 40)),
    "large matrix": np.arange(1e6).reshape(500, 2000),
    "grey image": np.arange(64, dtype=np.uint8).reshape(8, 8),
    "grey image with a channel": np.linspace(0, 1, 64).reshape(8, 8, 1),
    "image of large numbers": np.arange(48.0).reshape(4, 4, 3) * 100 - 50,
    "frame": pd.DataFrame({"n": [1.5, 2.5, np.nan], "s": ["x", "x", None], "t": pd.to_datetime(["2024-01-01", None, "2024-02-01"])}),
    "two columns": pd.DataFrame({"a": [1, 2], "b": [3, 4]}),
    "nullable": pd.DataFrame({"a": pd.array([1, None, 3], "Int64")}),
    "over time": pd.DataFrame({"a": [1.0, 3.0, 2.0]}, index=pd.date_range("2024-01-01", periods=3)),
    "series over time": pd.Series([1.0, 3.0, 2.0], index=pd.date_range("2024-01-01", periods=3)),
    "correlations": pd.DataFrame(points(), columns=["a", "b"]).corr(),
    "cross table": pd.crosstab(pd.Series([1, 1, 2], name="r"), pd.Series(["x", "y", "z"], name="c")),
    "named numbers": pd.Series({"f1": 0.5, "accuracy": 0.9}),
    "dict of numbers": {"f1": 0.5, "accuracy": np.float32(0.9)},
    "dict of columns": {"score": [0.1, 0.2], "time": np.array([1.0, 2.0]), "estimator": [SimpleNamespace(), None]},
    "history": {"loss": [3.0, 2.0, 1.0], "val_loss": [3.5, 2.5, 2.0], "per_class": [np.zeros(2)] * 3},
    "points with labels": (points(), np.arange(200) % 2),
    "curve": (np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.9, 1.0]), np.array([np.inf, 0.5, 0.1])),
    "named rows": pd.DataFrame({"precision": [0.5, 0.7], "recall": [0.1, 0.9], "f1": [0.2, 0.8]}, index=["cat", "dog"]),
    "rising times": pd.DataFrame({"when": pd.date_range("2024-01-01", periods=9), "n": range(9), "m": range(9)}),
    "equal column names": pd.DataFrame([[1, "a"], [2, "b"]], columns=["x", "x"]),
    "levels of columns": pd.DataFrame([[1, 2, 3]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)])),
    "dollars": pd.Series([1.0, 2.0, 2.5], name="price in $ and $x^{$"),
}


@pytest.mark.parametrize("value", DRAWABLE.values(), ids=DRAWABLE.keys())
def test_a_picture_of_the_asked_size_that_is_not_blank(value: Any) -> None:
    picture = pixels(value)
    assert picture.shape == (240, 320, 3)
    assert (picture != 255).any(axis=2).mean() > 0.003


def test_the_same_value_gives_the_same_bytes_and_another_one_others() -> None:
    values = points()
    assert drawn(values).png == drawn(values).png
    assert (pixels(values) != pixels(values * [1, -1])).any()


def test_points_are_where_their_numbers_say() -> None:
    corners = pixels(np.array([[0.0, 0.0]] * 5 + [[1.0, 1.0]] * 5), Options(dpi=100))
    rows, columns = places(corners, BLUE).T
    low, high = columns < corners.shape[1] / 2, columns > corners.shape[1] / 2
    assert low.any() and high.any() and rows[low].min() > rows[high].max()


def test_hue_colours_points() -> None:
    values = np.repeat([[0.0, 0.0], [1.0, 1.0]], 5, axis=0)
    picture = pixels(values, Options(dpi=100, hue=["a"] * 5 + ["b"] * 5))
    left, right = picture[:, :240], picture[:, 240:]
    assert len(places(left, BLUE)) > 20 and not len(places(left, ORANGE))
    assert len(places(right, ORANGE)) > 20
    assert not len(places(pixels(values), ORANGE))


def test_hue_names_a_column() -> None:
    table = pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 1.0], "kind": ["x", "y"]})
    picture = pixels(table, Options(hue="kind"))
    assert len(places(picture, BLUE)) and len(places(picture, ORANGE))


def test_many_numbers_are_a_scale_of_colours() -> None:
    picture = pixels(points(), Options(dpi=50, hue=np.arange(200)))
    assert share(picture, (253, 231, 37), 20) > 0 and share(picture, (68, 1, 84), 20) > 0  # the ends of viridis


def test_rare_groups_share_a_colour() -> None:
    assert pixels(points(), Options(dpi=50, hue=[f"group {place % 30}" for place in range(200)])).shape == (240, 320, 3)


@pytest.mark.parametrize(("hue", "said"), [
    ([1, 2, 3], "hue has 3 values for 200 rows"),
    ("kind", "hue names no column 'kind': there are column 1, column 2"),
])
def test_a_hue_that_does_not_fit(hue: Any, said: str) -> None:
    with pytest.raises(NotDrawable, match=said):
        drawn(points(), Options(hue=hue))


@pytest.mark.parametrize("hue", [
    pd.Series(["a", "b"] * 100, dtype="category"),
    pd.Series(["a", None] * 100),
    pd.Series([True, False] * 100),
    np.linspace(-8e307, 8e307, 200),
    np.where(np.arange(200) % 2, np.nan, np.arange(200)),
])
def test_hues_of_many_kinds(hue: Any) -> None:
    values = points()
    picture, plain = pixels(values, Options(dpi=50, hue=hue)), pixels(values)
    assert (picture != plain).any()
    assert len(places(picture, BLUE)) < len(places(plain, BLUE))


def test_an_unused_hue_is_noted() -> None:
    assert drawn([1, 2, 3], Options(dpi=50, hue=[1, 2, 3])).notes == ["hue is not used: this is no plot of points"]


def test_many_points_are_thinned_out_and_missing_ones_left_out() -> None:
    values = points(60_000)
    values[0, 0] = np.nan
    assert drawn(values).notes == ["1 of 60000 points are left out: a number is missing",
                                   "50000 of 59999 points are drawn, chosen at random"]


def test_an_image_keeps_its_colours() -> None:
    image = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 0]]], dtype=np.uint8)
    for value in (image, image / 255.0, image.astype(int)):
        picture = pixels(value)
        for colour in image.reshape(4, 3):
            assert share(picture, tuple(colour)) > 0.1
        assert share(picture[:120, :160], (255, 0, 0)) > 0.2 and not len(places(picture[120:], (255, 0, 0)))


def test_a_confusion_matrix_is_darkest_where_counts_are_highest() -> None:
    picture = pixels(np.array([[100, 0], [0, 100]]), source="confusion_matrix").astype(int).sum(axis=2)
    dark = np.argwhere(picture < 250)
    rows, columns = dark.T
    assert np.corrcoef(rows, columns)[0, 1] > 0.5  # along the diagonal that falls
    assert len(dark) > 0.1 * picture.size


def test_histograms_follow_the_data() -> None:
    left = pixels(pd.Series(RANDOM.exponential(size=5_000)))
    columns = places(left, BLUE)[:, 1]
    assert np.median(columns) < left.shape[1] / 2


def test_a_history_has_a_curve_for_training_and_one_for_validation() -> None:
    history = {"loss": [3, 2, 1], "val_loss": [3, 3, 3], "accuracy": [0, 1, 2]}
    picture = pixels(SimpleNamespace(epoch=[0, 1, 2], history=history), Options(dpi=100))
    left, right = picture[:, :320], picture[:, 320:]
    assert len(places(left, BLUE)) and len(places(left, ORANGE)) and len(places(right, BLUE)) and not len(places(right, ORANGE))


def test_frames_of_other_libraries_are_drawn_as_those_of_pandas() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 4.0, 9.0]})
    expected = drawn(frame).png
    assert drawn(pyarrow.Table.from_pandas(frame)).png == expected
    polars = pytest.importorskip("polars")
    assert drawn(polars.DataFrame({"a": [1.0, 2.0, 3.0], "b": [1.0, 4.0, 9.0]})).png == expected


def test_sparse_matrices() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    assert drawn(sparse.csr_array(np.eye(30))).png == drawn(np.eye(30)).png
    diagonal = pixels(sparse.eye_array(5_000, format="csr"), Options(dpi=100))
    assert share(diagonal, (68, 1, 84)) > 0.3


def test_a_table_says_what_it_leaves_out() -> None:
    table = pd.DataFrame({"name": [f"person {n}" for n in range(50)], "group": ["a", "b"] * 25} | {f"n{n}": range(50) for n in range(15)})
    picture = drawn(table)
    assert picture.notes == ["column 'name' is not drawn: it has 50 distinct texts", "the first 12 of 16 columns are drawn"]
    assert decoded(picture.png).shape == (360, 640, 3)  # larger, so that the panels can be read
    assert pixels(table, Options.of({"width": 5, "height": 4, "dpi": 50}, None)).shape == (200, 250, 3)


def test_png_bytes_and_pil_images_stay_as_they_are() -> None:
    image = Image.fromarray(RANDOM.integers(0, 255, (5, 7, 3), dtype=np.uint8))
    png = drawn(image).png
    assert (decoded(png) == np.asarray(image)).all()
    assert drawn(png).png == png
    assert Image.open(io.BytesIO(drawn(image.convert("CMYK")).png)).size == (7, 5)


def test_figures_and_what_belongs_to_them() -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 2))
    axes = figure.subplots(1, 2)
    (line,) = axes[0].plot([1, 2], color="red", linewidth=10)
    expected = drawn(figure).png
    assert decoded(expected).shape == (100, 200, 3) and share(decoded(expected), (255, 0, 0)) > 0.02
    for value in (axes, axes[0], line, [line], (figure, axes), SimpleNamespace(figure_=figure), {"lines": [line]}):
        assert drawn(value).png == expected
    assert pixels(figure, Options.of({"width": 3, "dpi": 100}, None)).shape == (480, 300, 3)


def test_a_figure_that_is_too_large_gets_fewer_dots() -> None:
    from matplotlib.figure import Figure

    picture = drawn(Figure(figsize=(200, 100)), Options())
    assert picture.notes == ["drawn with 35 dpi: more would be over 25000000 pixels"]
    assert math.prod(decoded(picture.png).shape[:2]) <= pictures.MAX_PIXELS


def test_displays_of_scikit_learn_plot_themselves() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    picture = pixels(metrics.ConfusionMatrixDisplay(np.array([[5, 1], [2, 9]])))
    assert picture.shape == (240, 320, 3) and share(picture, (253, 231, 37)) > 0.05
    done = metrics.RocCurveDisplay.from_predictions([0, 1, 0, 1], [0.1, 0.4, 0.35, 0.8])
    assert len(places(pixels(done), BLUE)) > 50


@pytest.mark.parametrize(("value", "said"), [
    (None, "a value of type NoneType cannot be drawn: it is no picture, table or array. What can: figures"),
    (3, "type int"),
    ("text", "type str"),
    (object(), "type object"),
    (b"GIF89a", "these bytes are no PNG"),
    (np.zeros((4, 28, 28)), r"an array of shape \(4, 28, 28\) is neither"),
    (np.zeros((2, 3, 4, 5)), r"an array of shape \(2, 3, 4, 5\)"),
    (np.zeros((0, 2)), r"an array of shape \(0, 2\) has nothing to show"),
    (np.zeros(3, dtype=complex)[:, None] * np.ones(3), "an array of complex128"),
    (np.full((5, 2), np.nan), "no row has a finite number"),
    (pd.DataFrame(), "without rows or columns"),
    (pd.DataFrame({"name": [f"n{n}" for n in range(30)]}), "none of its columns"),
    ([[1, 2], [3]], "differ in length"),
    ([SimpleNamespace()], "it holds a SimpleNamespace"),
    ({}, "of dicts"),
    ({"a": [1], "b": [1, 2]}, "of dicts"),
])
def test_what_cannot_be_drawn_is_said(value: Any, said: str) -> None:
    with pytest.raises(NotDrawable, match=said):
        drawn(value)


@pytest.mark.parametrize(("figure", "said"), [
    ({"width": 41}, "figure.width: 41 is not a number from 1 to 40"),
    ({"dpi": "high"}, "figure.dpi: 'high' is not a number from 30 to 600"),
    ({"height": True}, "figure.height: True is not"),
    ({"width": float("nan")}, "figure.width: nan is not"),
    ({"hight": 3}, "figure.hight: a picture has no hight: did you mean 'height'"),
    ({"width": 40, "height": 40}, "are over 25000000 pixels"),
    ([1], "figure: not an object"),
])
def test_sizes_have_limits(figure: Any, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        Options.of(figure, None)


_SHAPES = st.one_of(st.tuples(st.integers(1, 30)), st.tuples(st.integers(1, 12), st.integers(1, 6)))
_NUMBERS = st.one_of(st.floats(width=64), st.sampled_from([0.0, 1e308, -1e308, 5e-324, 2.0**60]))


@settings(max_examples=25, deadline=None)
@given(arrays_of.arrays(float, _SHAPES, elements=_NUMBERS))
def test_any_numbers_are_drawn_or_refused(values: np.ndarray) -> None:
    try:
        assert pixels(values, Options(dpi=30)).shape[2] == 3
    except NotDrawable as why:
        assert "no row has a finite number" in str(why)
