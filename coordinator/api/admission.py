"""The webhook that puts the sidecar into Velero's mover Pods, as they are made.

The API server shows no token here, so anybody may ask: the answer tells of nothing but the Pod that
was sent, and what strangers send is bounded by itself, apart from what agents need. It never says
no: a Pod that cannot be read is let through as it is, with a warning, and is counted.

Every replica answers, whoever leads. Each answer closes its connection: the API server would else
keep one to a replica that has vanished, and wait there for as long as it waits at all.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

import orjson
import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from coordinator.api.bodies import Intake, parse, read_json
from coordinator.api.exchange import METRICS, json_response
from coordinator.injection import operations

if TYPE_CHECKING:
    from coordinator.injection import Sidecar

LARGEST_REVIEW = 1024 * 1024
"""Bytes. A mover's Pod has some ten thousand, etcd takes 1.5 MiB."""
READ_WITHIN = 3.0
"""Seconds for the body: the API server itself gives up after 5."""
MOST_REVIEWS = 2 * 1024 * 1024
"""Bytes, beyond small bodies, of all reviews that are being read at a time: a hundred movers."""
UNREAD = "node-slots could not read this Pod of Velero's: it runs without a slot"
"""Shown by kubectl; the API server wants less than 120 characters."""

SIDECAR: web.AppKey[Sidecar] = web.AppKey("sidecar")
REVIEWS: web.AppKey[Intake] = web.AppKey("reviews", Intake)
"""How much of reviews is being read."""

log = structlog.get_logger("coordinator.api")


class _Lenient(BaseModel):
    """Kubernetes' own object: what else it has is none of our business."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class AdmissionRequestBody(_Lenient):
    """What is asked about. Only these fields are read."""

    uid: str = Field(min_length=1, max_length=253, description="Comes back in the answer.")
    namespace: str = Field("", max_length=253, description="Where the Pod is being made.")
    operation: str = Field("", max_length=63, description="CREATE; all else is left alone.")
    object: Any = Field(None, description="The Pod.")


class AdmissionReviewBody(_Lenient):
    """Kubernetes' AdmissionReview (admission.k8s.io/v1) with a request."""

    apiVersion: Literal["admission.k8s.io/v1"]  # noqa: N815 - the wire's name
    kind: Literal["AdmissionReview"]
    request: AdmissionRequestBody


class _Metadata(_Lenient):
    labels: dict[str, str] | None = None


class _Spec(_Lenient):
    containers: Annotated[list[dict[str, Any]], Field(min_length=1)]
    initContainers: list[dict[str, Any]] | None = None  # noqa: N815 - the wire's name
    volumes: list[dict[str, Any]] | None = None


class _Pod(_Lenient):
    """As much of a Pod as has to be right for it to be changed."""

    kind: Literal["Pod"]
    metadata: _Metadata
    spec: _Spec


class AdmissionResponseJson(TypedDict):
    """`patch` is an RFC 6902 patch in base64; without one the Pod stays as it is."""

    uid: str
    allowed: Literal[True]
    patchType: NotRequired[Literal["JSONPatch"]]
    patch: NotRequired[str]
    warnings: NotRequired[list[str]]


class AdmissionReviewJson(TypedDict):
    """Kubernetes' AdmissionReview with a response."""

    apiVersion: Literal["admission.k8s.io/v1"]
    kind: Literal["AdmissionReview"]
    response: AdmissionResponseJson


async def admit_mover(request: web.Request) -> web.Response:
    """Put the sidecar into a mover Pod of Velero's; every Pod is allowed."""
    body = await read_json(request, LARGEST_REVIEW, READ_WITHIN, request.app[REVIEWS])
    asked = parse(AdmissionReviewBody, body).request
    response, result = judged(request.app[SIDECAR], asked)
    request.app[METRICS].admitted(result)
    log.debug("admission", namespace=asked.namespace, result=result)
    return json_response(
        AdmissionReviewJson(
            apiVersion="admission.k8s.io/v1", kind="AdmissionReview", response=response
        )
    )


def judged(sidecar: Sidecar, asked: AdmissionRequestBody) -> tuple[AdmissionResponseJson, str]:
    """The answer, and what became of the Pod: injected, left-alone or unreadable."""
    response = AdmissionResponseJson(uid=asked.uid, allowed=True)
    if asked.operation != "CREATE" or asked.namespace != sidecar.pool:
        return response, "left-alone"
    try:
        _Pod.model_validate(asked.object)
        found = operations(sidecar, asked.object)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        log.debug("admission of an unreadable Pod", error=type(error).__name__)
        response["warnings"] = [UNREAD]
        return response, "unreadable"
    if not found:
        return response, "left-alone"
    response["patchType"] = "JSONPatch"
    response["patch"] = base64.b64encode(orjson.dumps(found)).decode()
    return response, "injected"
