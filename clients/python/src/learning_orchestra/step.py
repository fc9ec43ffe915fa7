"""Handles of steps, for the client that blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from learning_orchestra import _display, _flows, frames, results
from learning_orchestra.errors import OrchestraError
from learning_orchestra.progress import Show, close, shower
from learning_orchestra.references import Reference

if TYPE_CHECKING:
    import pandas

    from learning_orchestra.client import Client


class Step:
    """A step on the server. It holds nothing but the name: every property asks the server."""

    def __init__(self, client: Client, service: str, name: str):
        self._client = client
        self.service = service
        self.name = name

    def __repr__(self) -> str:
        return f"<Step {self.name} of {self.service}>"

    def __str__(self) -> str:
        return f"${self.name}"

    def __getitem__(self, key: str | int) -> Reference:
        """An entry of the stored dict, or a column of the dataset, as a parameter of another step."""
        return Reference(f"${self.name}")[key]

    @property
    def metadata(self) -> dict[str, Any]:
        """All that the server knows: request, parents, revisions, fields, metrics, times."""
        return self._client.run(_flows.metadata(self.name))

    @property
    def status(self) -> str:
        """waiting, scheduled, queued, running, finished, failed or cancelled."""
        return str(self.metadata["status"])

    @property
    def metrics(self) -> dict[str, float]:
        return dict(self.metadata.get("metrics") or {})

    def wait(self, timeout: float | None = None, *, progress: bool | Show | None = None) -> Step:
        """Returns once the step has finished. StepFailed, with the traceback, when it fails; StepCancelled; WaitTimeout after
        `timeout` seconds. `progress`: True or False, or a function that gets each Progress; None is as the client was made."""
        self._wait(timeout, progress)
        return self

    def _wait(self, timeout: float | None, progress: bool | Show | None = None) -> _flows.Metadata:
        show = shower(self._client.progress if progress is None else progress)
        try:
            return self._client.run(_flows.wait(self.service, self.name, timeout, show))
        finally:
            close(show)

    def result(self, timeout: float | None = None, *, unpickle: bool = False) -> Any:
        """Waits, and gives the result: a DataFrame, a numpy array, JSON values, a Picture, the bytes of a generic dataset.
        ResultNotLoadable for models and other objects."""
        return self._client.run(results.load(self._wait(timeout), unpickle))

    def to_pandas(self, timeout: float | None = None) -> pandas.DataFrame:
        """Waits, and gives the rows: of a dataset, of predictions, the trials of a search."""
        self._wait(timeout)
        return frames.frame_of(self._client.run(_flows.content(self.name, "parquet")).content)

    def rows(self, query: Mapping[str, Any] | None = None, limit: int | None = 20, skip: int = 0) -> list[dict[str, Any]]:
        """Rows of a dataset, documents of a histogram, executions of any other step; all of them when limit is None.
        `query` is a MongoDB filter. Does not wait: gives what there is."""
        return self._client.run(_flows.rows(self.service, self.name, query, limit, skip))

    def profile(self, fields: Sequence[str] | None = None, *, revision: int | None = None) -> dict[str, Any]:
        """What the table of the result holds: `rows`, and of each field (or just of `fields`) how many values, nulls and different values, the least
        and the greatest, mean, quantiles, the most frequent ones. Does not wait: NotFound before there is a result."""
        return self._client.run(_flows.profile(self.service, self.name, fields, revision))

    def artifact(self, path: str | Path | None = None, format: str | None = None, *, revision: int | None = None) -> Path:
        """Writes the result into a file and gives its path. A folder (by default the current one) gets the server's name for it.
        `format`: parquet, csv, arrow, json, npy, joblib, skops, keras, zip; None is the natural one."""
        return self._client.download(_flows.artifact_call(self.name, format, revision), path, self.name)

    def picture(self, timeout: float | None = None) -> results.Picture:
        """Waits, and gives what an explore step drew."""
        self._wait(timeout)
        return results.Picture(self._client.run(_flows.content(self.name)).content)

    @overload
    def logs(self, follow: Literal[False] = False) -> str: ...

    @overload
    def logs(self, follow: Literal[True]) -> Iterator[str]: ...

    def logs(self, follow: bool = False) -> str | Iterator[str]:
        """What the step printed. With `follow`, pieces as they are printed, until the step ends."""
        return self._client.follow(self.name) if follow else self._client.run(_flows.log(self.name))

    def cancel(self) -> Step:
        self._client.run(_flows.cancel(self.name))
        return self

    def rerun(self, cascade: bool = False) -> Step:
        """Runs the same request again, as a new revision; with `cascade` what was made from it, too."""
        self._client.run(_flows.rerun(self.name, cascade))
        return self

    def update(self, **changes: Any) -> Step:
        """PATCH: the changed members of the request, named as in the API (methodParameters, function, …); runs it again."""
        self._client.run(_flows.update(self.service, self.name, _flows.changed(changes)))
        return self

    def delete(self, cascade: bool = False) -> int:
        """Deletes the step and its result; with `cascade` what was made from it, too. Gives the bytes freed."""
        return self._client.run(_flows.delete(self.service, self.name, cascade))

    def _repr_html_(self) -> str | None:
        try:
            metadata = self.metadata
            if metadata.get("kind") == "blob" and self.service.startswith("explore/"):
                return None  # the picture says it
            rows = self.rows(limit=5) if "fields" in metadata and metadata["status"] == "finished" else []
            return _display.step_html(metadata, rows)
        except OrchestraError:
            return None

    def _repr_png_(self) -> bytes | None:
        if not self.service.startswith("explore/") or self.service == "explore/histogram":
            return None
        try:
            return self._client.run(_flows.content(self.name)).content
        except OrchestraError:
            return None


class Steps(Sequence[Step]):
    """Several steps, for instance the classifiers of a builder. Taken by position, by name, or by the end of a name: `steps["LR"]`."""

    def __init__(self, steps: Sequence[Step]):
        self._steps = list(steps)

    @overload
    def __getitem__(self, key: int | str) -> Step: ...

    @overload
    def __getitem__(self, key: slice) -> Steps: ...

    def __getitem__(self, key: int | str | slice) -> Step | Steps:
        if isinstance(key, slice):
            return Steps(self._steps[key])
        return self._steps[key] if isinstance(key, int) else by_name(self._steps, key)

    def __len__(self) -> int:
        return len(self._steps)

    def __repr__(self) -> str:
        return f"<Steps {', '.join(step.name for step in self)}>"

    def wait(self, timeout: float | None = None, *, progress: bool | Show | None = None) -> Steps:
        """Returns once all have ended; raises for the first that failed, after the others have ended."""
        failures = []
        remaining = _flows.countdown(timeout)
        for step in self:
            try:
                step.wait(remaining(), progress=progress)
            except OrchestraError as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return self

    def _repr_html_(self) -> str:
        return _display.steps_html([step.metadata for step in self])


def by_name(steps: Sequence[Any], key: str) -> Any:
    exact = [step for step in steps if step.name == key]
    found = exact or [step for step in steps if step.name.endswith(key)]
    if len(found) != 1:
        raise KeyError(f"{key!r} is {'none' if not found else 'more than one'} of {', '.join(step.name for step in steps)}")
    return found[0]
