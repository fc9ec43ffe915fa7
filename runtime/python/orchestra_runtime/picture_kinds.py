"""What values are, for choosing their plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas

FEW = 20  # distinct values that have a bar each
_CELL_TEXTS = 20  # rows and columns of a matrix of whole numbers whose cells are written out
_FRACTION_TEXTS = 7  # the same for fractions: a small image may have as many


def is_numeric(values: pandas.Series) -> bool:
    from pandas.api import types

    return bool(types.is_numeric_dtype(values) and not types.is_bool_dtype(values) and not types.is_complex_dtype(values))


def is_time(values: pandas.Series | pandas.Index) -> bool:
    from pandas.api.types import is_datetime64_any_dtype

    return bool(is_datetime64_any_dtype(values))


def are_labels(values: pandas.Series) -> bool:
    """Few whole numbers that repeat, as predictions of classes do."""
    from pandas.api.types import is_integer_dtype

    return is_integer_dtype(values) and len(values) > 2 * FEW and values.nunique() <= FEW


def has_names(index: pandas.Index) -> bool:
    """Of things, not numbers of rows."""
    return index.inferred_type in ("string", "categorical", "mixed", "boolean")


def is_matrix(table: pandas.DataFrame) -> bool:
    """Numbers with names on both sides, as corr, crosstab and pivot_table give them."""
    import pandas as pd

    rows, columns = table.shape
    if isinstance(table.index, pd.RangeIndex) or table.columns.nlevels > 1 or min(rows, columns) < 2:
        return False
    is_pivoted = table.columns.name is not None and max(rows, columns) <= 2 * _CELL_TEXTS
    return (rows == columns or is_pivoted) and all(is_numeric(table.iloc[:, place]) for place in range(columns))


def has_texts(values: np.ndarray) -> bool:
    """Of a small matrix: counts, as of a confusion matrix, or shares, as of correlations."""
    largest = max(values.shape)
    if not 2 <= largest <= _CELL_TEXTS or not np.isfinite(values).all():
        return False
    if values.dtype.kind in "iu":
        return values.dtype != np.uint8 and bool(values.min() >= 0)
    return bool(largest <= _FRACTION_TEXTS and np.abs(values).max() <= 1)


def are_parts(value: tuple[Any, ...]) -> bool:
    """As roc_curve and make_blobs give them: numbers first, then as many labels or numbers."""
    if len(value) < 2 or not all(isinstance(each, np.ndarray) for each in value[:2]):
        return False
    first, second = value[:2]
    return first.ndim in (1, 2) and second.ndim == 1 and len(first) == len(second) and first.dtype.kind in "biuf"


def is_column(values: Any) -> bool:
    """Scalars in a row."""
    try:
        found = np.asarray(values)
    except ValueError:
        return False
    return found.ndim == 1 and found.dtype.kind in "biufMUO" and not holds_instances(found)


def holds_instances(values: np.ndarray) -> bool:
    """Of classes that are no scalars."""
    return values.dtype == object and any(hasattr(each, "__dict__") for each in values.ravel()[:100])


def floats(values: pandas.Series) -> np.ndarray:
    found: np.ndarray = values.to_numpy(dtype=float, na_value=np.nan)
    return found


def days(times: pandas.Series | pandas.Index) -> np.ndarray:
    """As matplotlib counts them. Missing times are NaN."""
    from matplotlib.dates import date2num

    counted: np.ndarray = date2num(times.to_numpy(dtype="datetime64[ns]"))
    return counted
