"""Steps as notebooks show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_SHOWN = ("type", "status", "reason", "exception", "lastError", "rows", "class", "metrics", "bestParameters", "bestScore",
          "F1", "accuracy", "seconds", "stale")
_ROWS = 5


def step_html(metadata: Mapping[str, Any], rows: Sequence[Mapping[str, Any]] = ()) -> str:
    facts = [(key, metadata[key]) for key in _SHOWN if metadata.get(key) not in (None, "", False)]
    lines = "".join(f"<tr><th>{escape(key)}</th><td>{escape(_text(value))}</td></tr>" for key, value in facts)
    return f"<b>{escape(str(metadata['name']))}</b><table>{lines}</table>{table_html(rows[:_ROWS])}"


def steps_html(all_metadata: Sequence[Mapping[str, Any]]) -> str:
    keys = [key for key in ("name", *_SHOWN) if any(each.get(key) not in (None, "", False) for each in all_metadata)]
    return table_html([{key: each.get(key) for key in keys} for each in all_metadata])


def table_html(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(str(key))}</th>" for key in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(_text(row.get(key)))}</td>" for key in rows[0]) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(each)}" for key, each in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
