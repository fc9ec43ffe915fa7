"""Bayesian searches, in one process, with Optuna.

BayesianSearchCV searches the parameters of a scikit-learn estimator by cross-validation, as GridSearchCV does. BayesianModelSearch
searches models of Keras that a function of the user's builds. Both tell after each trial how it went.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from sklearn.base import BaseEstimator
from sklearn.model_selection._search import BaseSearchCV

from orchestra_runtime import reporting

if TYPE_CHECKING:
    import optuna

Direction = Literal["minimize", "maximize"]


class BayesianSearchCV(BaseSearchCV):  # type: ignore[misc]
    """`space` has for each parameter a list of choices, or {"low": a, "high": b} with "log": true or "step": s where it is
    wanted (whole numbers when all of these are), or a distribution of Optuna. `seed` makes the trials repeatable. All else is as in
    GridSearchCV; with several metrics, `refit` names the one that is maximized."""

    def __init__(self, estimator: Any, space: Mapping[str, Any], *, n_trials: int = 20, seed: int | None = None,
                 scoring: Any = None, cv: Any = None, refit: Any = True, n_jobs: int | None = None, verbose: int = 0,
                 error_score: Any = float("nan"), return_train_score: bool = False) -> None:
        super().__init__(estimator, scoring=scoring, cv=cv, refit=refit, n_jobs=n_jobs, verbose=verbose, error_score=error_score,
                         return_train_score=return_train_score)
        self.space = space
        self.n_trials = n_trials
        self.seed = seed

    def _run_search(self, evaluate_candidates: Callable[..., Mapping[str, Any]]) -> None:
        study = _study("maximize", self.seed)
        space = {name: _Dimension(name, each) for name, each in self.space.items()}
        for number in range(1, self.n_trials + 1):
            trial = study.ask({name: each.distribution for name, each in space.items()})
            results = evaluate_candidates([{name: each.value(trial.params[name]) for name, each in space.items()}])
            metric = self.refit if isinstance(self.refit, str) else "score"
            score = float(results[f"mean_test_{metric}"][-1])
            _tell(study, trial, score, number, self.n_trials)


class BayesianModelSearch(BaseEstimator):  # type: ignore[misc]
    """`build(trial)` gives a compiled model of Keras; it asks `trial` (of Optuna) for what it wants to vary:
    `trial.suggest_int("units", 8, 64)`. A trial's score is the best value of `objective` over its epochs. `direction` is
    "minimize" or "maximize", and need not be given for a loss. What `fit` is given besides, goes to each model's fit.

    After fit: best_model_, best_params_, best_score_, and trials_, a dict of columns."""

    def __init__(self, build: Callable[[Any], Any], *, n_trials: int = 20, seed: int | None = None, objective: str = "val_loss",
                 direction: Direction | None = None) -> None:
        self.build = build
        self.n_trials = n_trials
        self.seed = seed
        self.objective = objective
        self.direction = direction

    def fit(self, x: Any, y: Any = None, **parameters: Any) -> BayesianModelSearch:
        import optuna

        direction = self._direction()
        study = _study(direction, self.seed)
        for number in range(1, self.n_trials + 1):
            trial = study.ask()
            model, score = self._try(trial, x, y, parameters, min if direction == "minimize" else max)
            if _tell(study, trial, score, number, self.n_trials) and study.best_trial.number == trial.number:
                self.best_model_ = model
        complete = study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
        if not complete:
            raise ValueError(f"no trial has a value of '{self.objective}' that is a number")
        self.best_params_, self.best_score_ = study.best_params, study.best_value
        self.trials_ = _columns(study.get_trials(), direction)
        return self

    def predict(self, x: Any, **parameters: Any) -> Any:
        """Of the best model."""
        return self.best_model_.predict(x, **parameters)

    def evaluate(self, x: Any, y: Any = None, **parameters: Any) -> dict[str, float]:
        """Of the best model: a dict of numbers."""
        metrics: dict[str, float] = self.best_model_.evaluate(x, y, **parameters, return_dict=True)
        return metrics

    def _try(self, trial: optuna.Trial, x: Any, y: Any, parameters: Mapping[str, Any],
             best: Callable[[Sequence[float]], float]) -> tuple[Any, float]:
        model = self.build(trial)
        history = model.fit(x, y, **{"verbose": 0} | dict(parameters)).history
        if self.objective not in history:
            raise ValueError(f"objective: the models have no '{self.objective}': there are {', '.join(history)}")
        return model, float(best(history[self.objective]))

    def _direction(self) -> Direction:
        if self.direction is None and not self.objective.endswith("loss"):
            raise ValueError(f"direction: say whether '{self.objective}' shall be 'minimize'd or 'maximize'd")
        return self.direction or "minimize"


class _Dimension:
    """One parameter of a space."""

    def __init__(self, name: str, given: Any) -> None:
        from optuna import distributions

        self._choices = None
        if isinstance(given, distributions.BaseDistribution):
            self.distribution = given
        elif isinstance(given, Mapping) and given.keys() >= {"low", "high"}:
            whole = all(isinstance(given[each], int) for each in given.keys() & {"low", "high", "step"})
            self.distribution = (distributions.IntDistribution if whole else distributions.FloatDistribution)(**given)
        elif isinstance(given, Sequence) and given and not isinstance(given, str):
            self._choices = given  # by their numbers: Optuna would have them be texts or numbers
            self.distribution = distributions.CategoricalDistribution(range(len(given)))
        else:
            raise ValueError(f"space.{name}: a list of choices, or a dict with 'low' and 'high', not {given!r}")

    def value(self, drawn: Any) -> Any:
        return drawn if self._choices is None else self._choices[drawn]


def _study(direction: Direction, seed: int | None) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction=direction, sampler=optuna.samplers.TPESampler(seed=seed))


def _tell(study: optuna.Study, trial: optuna.Trial, score: float, number: int, trials: int) -> bool:
    """Whether the score counts: a trial whose score is no number has failed."""
    from optuna.trial import TrialState

    counts = score == score
    study.tell(trial, score if counts else None, TrialState.COMPLETE if counts else TrialState.FAIL)
    reporting.report({"phase": "tuning", "trial": number, "trials": trials, "score": score})
    return counts


def _columns(trials: Sequence[optuna.trial.FrozenTrial], direction: Direction) -> dict[str, list[Any]]:
    """One row per trial: its parameters, score and rank (1 is the best)."""
    names = dict.fromkeys(name for trial in trials for name in trial.params)
    sign = 1 if direction == "minimize" else -1
    ranked = sorted(sign * trial.value for trial in trials if trial.value is not None)
    return {
        "trial": [trial.number + 1 for trial in trials],
        **{f"param_{name}": [trial.params.get(name) for trial in trials] for name in names},
        "score": [trial.value for trial in trials],
        "rank": [None if trial.value is None else ranked.index(sign * trial.value) + 1 for trial in trials],
        "seconds": [trial.duration.total_seconds() if trial.duration else None for trial in trials],
    }
