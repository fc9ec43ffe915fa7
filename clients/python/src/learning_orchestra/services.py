"""The services of the API, named as there. Each call posts one step and gives its handle at once; the step runs on the server.

Written once for both clients: `One` is what a call gives (`Step`, or an awaitable of `AsyncStep`), `Many` the same for several.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Literal, Protocol, TypeVar

from typing_extensions import TypedDict, Unpack

from learning_orchestra import _flows
from learning_orchestra._calls import Call, Flow, ask
from learning_orchestra._uploads import Source, is_url, upload_of
from learning_orchestra.functions import Code, code_of
from learning_orchestra.references import Named, encode, name_of

One = TypeVar("One", covariant=True)
Many = TypeVar("Many", covariant=True)
Types = Literal["string", "infer"] | Mapping[str, str]


class Retry(TypedDict, total=False):
    maxAttempts: int
    delay: float
    backoff: float


class Resources(TypedDict, total=False):
    cpu: float
    memory: int | str
    gpu: int


class Schedule(TypedDict, total=False):
    """`at`: a time by RFC 3339; or `cron`, with `timezone` ("Europe/Lisbon") and `misfire`."""

    at: str
    cron: str
    timezone: str
    misfire: Literal["once", "skip"]


class Options(TypedDict, total=False):
    """What every step takes besides. `timeout`: seconds that an attempt may take."""

    retry: Retry
    timeout: float
    resources: Resources
    isolation: Literal["process", "shared"]
    schedule: Schedule
    autoUpdate: bool
    cache: Literal["off", "use"]
    environment: str
    labels: Mapping[str, str]


class ToolOptions(Options, total=False):
    """`checkpoint` is for train and tune, `figure` and `hue` are for explore. `nullable`: integers and booleans of datasets come as pandas'
    Int64 and boolean, in which nulls are pandas.NA."""

    checkpoint: bool
    nullable: bool
    figure: Mapping[str, float]
    hue: Any


class Runner(Protocol[One, Many]):
    """Runs flows, and makes handles of the steps they made."""

    def one(self, service: str, name: str, flow: Flow[Any]) -> One: ...

    def many(self, flow: Flow[_flows.Made]) -> Many: ...


class Service(Generic[One, Many]):
    """One route of the API."""

    def __init__(self, runner: Runner[One, Many], path: str):
        self._runner = runner
        self._path = path

    def __repr__(self) -> str:
        return f"<service {self._path}>"

    def _listed(self, limit: int | None) -> Flow[_flows.Made]:
        found = yield from _flows.listed(self._path, limit)
        return [(self._path, each["name"]) for each in found]

    def list(self, limit: int | None = None) -> Many:
        """The steps of this service, oldest first."""
        return self._runner.many(self._listed(limit))

    def _post(self, name: str, body: Mapping[str, Any], options: Mapping[str, Any], method: str = "POST") -> One:
        body = {key: value for key, value in {**body, **options}.items() if value is not None}
        return self._runner.one(self._path, name, ask(Call(method, self._path, body=body)))

    def _upload(self, source: Source, media: str, params: Mapping[str, Any], name: str) -> One:
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in params.items() if value is not None}
        call = Call("POST", self._path, texts, upload=upload_of(source), headers={"Content-Type": media})
        return self._runner.one(self._path, name, ask(call))


class DatasetCsv(Service[One, Many]):
    def __call__(self, name: str, source: Source, *, types: Types | None = None, delimiter: str | None = None,
                 encoding: str | None = None, headers: Sequence[str] | None = None, **options: Unpack[Options]) -> One:
        """A table from CSV, plain or compressed. `source`: a URL that the server reads, or a path, bytes or an open binary file
        that is uploaded. Values stay text unless `types` says otherwise."""
        facts = {"types": types, "delimiter": delimiter, "encoding": encoding, "headers": list(headers) if headers else None}
        if is_url(source):
            return self._post(name, {"datasetName": name, "datasetURI": source, **facts}, options)
        return self._upload(source, "text/csv", {"datasetName": name, **facts, **options}, name)


class DatasetJson(Service[One, Many]):
    def __call__(self, name: str, source: Source, *, types: Mapping[str, str] | None = None, encoding: str | None = None,
                 **options: Unpack[Options]) -> One:
        """A table from a file with one JSON object a line, or one array of objects. `source`: as for csv. Values keep their types
        unless `types` says otherwise."""
        facts = {"types": types, "encoding": encoding}
        if is_url(source):
            return self._post(name, {"datasetName": name, "datasetURI": source, **facts}, options)
        return self._upload(source, "application/x-ndjson", {"datasetName": name, **facts, **options}, name)


class DatasetParquet(Service[One, Many]):
    def __call__(self, name: str, source: Source, **options: Unpack[Options]) -> One:
        """A table from a Parquet file, with its own types. `source`: as for csv."""
        if is_url(source):
            return self._post(name, {"datasetName": name, "datasetURI": source}, options)
        return self._upload(source, "application/vnd.apache.parquet", {"datasetName": name, **options}, name)


class DatasetSql(Service[One, Many]):
    def __call__(self, name: str, connection: str, query: str, **options: Unpack[Options]) -> One:
        """A table from a query of a database. `connection`: the name by which the server knows it."""
        return self._post(name, {"datasetName": name, "connection": connection, "query": query}, options)


class DatasetGeneric(Service[One, Many]):
    def __call__(self, name: str, source: Source, *, description: str | None = None, **options: Unpack[Options]) -> One:
        """Any file; functions get it as an open binary file. `source`: as for csv."""
        if is_url(source):
            return self._post(name, {"datasetName": name, "datasetURI": source, "description": description}, options)
        params = {"datasetName": name, "description": description, **options}
        return self._upload(source, "application/octet-stream", params, name)


class Projection(Service[One, Many]):
    def __call__(self, name: str, dataset: str | Named, fields: Sequence[str], **options: Unpack[Options]) -> One:
        """A dataset with only the named fields."""
        body = {"inputDatasetName": name_of(dataset), "outputDatasetName": name, "names": list(fields)}
        return self._post(name, body, options)


class DataType(Service[One, Many]):
    def __call__(self, dataset: str | Named, types: Mapping[str, str]) -> One:
        """Changes the types of fields in place: number, string, integer, boolean, timestamp."""
        body = {"inputDatasetName": name_of(dataset), "types": dict(types)}
        return self._post(name_of(dataset), body, {}, "PATCH")


class Histogram(Service[One, Many]):
    def __call__(self, name: str, dataset: str | Named, fields: Sequence[str], *, bins: int | None = None,
                 **options: Unpack[Options]) -> One:
        """How often each value of each field occurs; with `bins`, numbers in so many ranges."""
        body = {"inputDatasetName": name_of(dataset), "outputDatasetName": name, "names": list(fields), "bins": bins}
        return self._post(name, body, options)


class Function(Service[One, Many]):
    def __call__(self, name: str, function: Code, parameters: Mapping[str, Any] | None = None, *,
                 description: str | None = None, nullable: bool | None = None, **options: Unpack[Options]) -> One:
        """Runs Python: a function (its source is sent, its arguments are the parameters, what it returns is the result), or text
        that sets `response`, or the URL of such text. `nullable`: as for tools."""
        given = parameters or {}
        body = {"name": name, "function": code_of(function, given), "functionParameters": encode(given), "description": description,
                "nullable": nullable}
        return self._post(name, body, options)


class Model(Service[One, Many]):
    def __call__(self, name: str, module_path: str | None = None, class_name: str | None = None,
                 class_parameters: Mapping[str, Any] | None = None, *, description: str | None = None,
                 **options: Unpack[Options]) -> One:
        """An instance of a class of the tool, or what a function of it gives."""
        body = {"modelName": name, "modulePath": module_path, "class": class_name,
                "classParameters": encode(class_parameters or {}), "description": description}
        return self._post(name, body, options)

    def load(self, name: str, source: Source, *, format: Literal["keras", "joblib", "skops"] | None = None,
             description: str | None = None, **options: Unpack[Options]) -> One:
        """A model that was trained elsewhere. `source`: as for datasets."""
        if is_url(source):
            return self._post(name, {"modelName": name, "modelURI": source, "format": format, "description": description}, options)
        params = {"modelName": name, "format": format or _ending(source), "description": description, **options}
        return self._upload(source, "application/octet-stream", params, name)


def _ending(source: Source) -> str | None:
    end = str(source).rpartition(".")[2] if not isinstance(source, (bytes, bytearray)) else ""
    return end if end in ("keras", "joblib", "skops") else None


class Execution(Service[One, Many]):
    """transform, explore, tune, train, predict, evaluate."""

    def __call__(self, name: str, *, parent: str | Named | None = None, method: str | None = None,
                 parameters: Mapping[str, Any] | None = None, model: str | Named | None = None, module_path: str | None = None,
                 class_name: str | None = None, class_parameters: Mapping[str, Any] | None = None,
                 description: str | None = None, **options: Unpack[ToolOptions]) -> One:
        """A method of a stored instance (`parent`, `method`, `parameters`), or of a new one (`module_path`, `class_name`,
        `class_parameters`, `method`, `parameters`), or a function of the tool (`module_path`, `class_name`, `parameters`)."""
        body = {"name": name, "parentName": None if parent is None else name_of(parent),
                "modelName": None if model is None else name_of(model), "modulePath": module_path, "class": class_name,
                "classParameters": None if class_parameters is None else encode(class_parameters),
                "method": method, "methodParameters": encode(parameters or {}), "description": description}
        return self._post(name, body, {**options, "hue": encode(options.get("hue"))})


class Builder(Service[One, Many]):
    def __call__(self, train: str | Named, test: str | Named, modeling_code: str, classifiers: Sequence[str], *,
                 name: str | None = None, **options: Unpack[Options]) -> Many:
        """Spark ML classifiers (LR, DT, GB, RF, NB) side by side: a step for each, named `<name or test><classifier>`."""
        body = {"trainDatasetName": name_of(train), "testDatasetName": name_of(test), "modelingCode": modeling_code,
                "classifiersList": list(classifiers), "name": name, **options}
        call = Call("POST", self._path, body={key: value for key, value in body.items() if value is not None})
        return self._runner.many(_flows.built(call))


class Tools(Generic[One, Many]):
    """The two tools of a service."""

    def __init__(self, runner: Runner[One, Many], service: str):
        self.scikitlearn = Execution(runner, f"{service}/scikitlearn")
        self.tensorflow = Execution(runner, f"{service}/tensorflow")


class Datasets(Generic[One, Many]):
    def __init__(self, runner: Runner[One, Many]):
        self.csv = DatasetCsv(runner, "dataset/csv")
        self.json = DatasetJson(runner, "dataset/json")
        self.parquet = DatasetParquet(runner, "dataset/parquet")
        self.sql = DatasetSql(runner, "dataset/sql")
        self.generic = DatasetGeneric(runner, "dataset/generic")


class Transforms(Tools[One, Many]):
    def __init__(self, runner: Runner[One, Many]):
        super().__init__(runner, "transform")
        self.projection = Projection(runner, "transform/projection")
        self.data_type = DataType(runner, "transform/dataType")


class Explorations(Tools[One, Many]):
    def __init__(self, runner: Runner[One, Many]):
        super().__init__(runner, "explore")
        self.histogram = Histogram(runner, "explore/histogram")


class Functions(Generic[One, Many]):
    def __init__(self, runner: Runner[One, Many]):
        self.python = Function(runner, "function/python")


class Models(Generic[One, Many]):
    def __init__(self, runner: Runner[One, Many]):
        self.scikitlearn = Model(runner, "model/scikitlearn")
        self.tensorflow = Model(runner, "model/tensorflow")


class Builders(Generic[One, Many]):
    def __init__(self, runner: Runner[One, Many]):
        self.sparkml = Builder(runner, "builder/sparkml")


class Services(Generic[One, Many]):
    """All of them, as attributes of a client."""

    def __init__(self, runner: Runner[One, Many]):
        self.dataset = Datasets(runner)
        self.transform = Transforms(runner)
        self.explore = Explorations(runner)
        self.function = Functions(runner)
        self.model = Models(runner)
        self.tune = Tools(runner, "tune")
        self.train = Tools(runner, "train")
        self.predict = Tools(runner, "predict")
        self.evaluate = Tools(runner, "evaluate")
        self.builder = Builders(runner)
