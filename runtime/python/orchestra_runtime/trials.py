"""What a search tried, as rows; what was best, as facts. Searches are known by their attributes, as scikit-learn names them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestra_runtime import plain, tables
from orchestra_runtime.records import Manifest

_SCALARS = (str, bool, int, float)
_TRIALS = ("cv_results_", "trials_")  # dicts of columns


def best(search: Any) -> dict[str, Any]:
    """The facts bestParameters and bestScore, where the search has them."""
    found: dict[str, Any] = {}
    if isinstance(parameters := getattr(search, "best_params_", None), dict):
        found["bestParameters"] = {name: _cell(value) for name, value in parameters.items()}
    if plain.is_number(score := getattr(search, "best_score_", None)):
        found["bestScore"] = plain.number(score)
    return found


def save(search: Any, manifest: Manifest, folder: Path, notes: list[str]) -> Manifest:
    """The manifest of the search with its trials beside it, one row per candidate."""
    columns = next((found for name in _TRIALS if isinstance(found := getattr(search, name, None), dict)), None)
    if not columns or manifest.kind != "object":
        return manifest
    import pandas as pd

    frame = pd.DataFrame({name: [_cell(each) for each in column] for name, column in columns.items() if name != "params"})
    rows = tables.write(tables.to_arrow(frame, notes), folder)
    return replace(manifest, parts=(*manifest.parts, *rows.parts), fields=rows.fields, rows=rows.rows)


def _cell(value: Any) -> Any:
    """Masked: the candidate does not have that parameter. What is no scalar is shown as its text."""
    if hasattr(value, "mask"):
        return None
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    return value if value is None or isinstance(value, _SCALARS) else str(value)
