"""What scikit-learn shows only to those who have imported a module that says so."""

from __future__ import annotations

import importlib

_ENABLED_BY = {
    "HalvingGridSearchCV": "sklearn.experimental.enable_halving_search_cv",
    "HalvingRandomSearchCV": "sklearn.experimental.enable_halving_search_cv",
    "IterativeImputer": "sklearn.experimental.enable_iterative_imputer",
}


def enable(name: str) -> None:
    """Before the class of that name is looked up."""
    if name in _ENABLED_BY:
        importlib.import_module(_ENABLED_BY[name])
