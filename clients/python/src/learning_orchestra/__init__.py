"""Python client of Learning Orchestra."""

from learning_orchestra._sse import Event
from learning_orchestra.async_client import AsyncClient
from learning_orchestra.async_step import AsyncStep, AsyncSteps
from learning_orchestra.client import Client
from learning_orchestra.errors import (
    ApiError,
    BadRequest,
    Conflict,
    FieldError,
    LossWarning,
    NotAcceptable,
    NotFound,
    OrchestraError,
    OutOfSpace,
    ResultNotLoadable,
    ServerUnreachable,
    StepCancelled,
    StepFailed,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMedia,
    WaitTimeout,
)
from learning_orchestra.progress import Progress
from learning_orchestra.references import Expression, Literal, Reference
from learning_orchestra.results import Picture
from learning_orchestra.step import Step, Steps

__all__ = [
    "ApiError", "AsyncClient", "AsyncStep", "AsyncSteps", "BadRequest", "Client", "Conflict", "Event", "Expression", "FieldError",
    "Literal", "LossWarning", "NotAcceptable", "NotFound", "OrchestraError", "OutOfSpace", "Picture", "Progress", "Reference",
    "ResultNotLoadable", "ServerUnreachable", "Step", "StepCancelled", "StepFailed", "Steps", "TooLarge", "Unauthorized", "Unavailable",
    "UnsupportedMedia", "WaitTimeout",
]
