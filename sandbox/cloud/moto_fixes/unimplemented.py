"""What moto does not have, and what it fails on: a refusal at once, as of an operation that AWS lacks.

moto answers HTTP 404 or 500 and a web page: botocore tries again and again, or cannot read it.
"""

import importlib
import json
from xml.sax.saxutils import escape

from flask import Flask, Response, request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.exceptions import HTTPException

from sandbox.cloud.moto_fixes.replacing import Function, corrects

CODE = "UnknownOperationException"
_REST_XML = frozenset({"cloudfront", "route53", "s3"})


@corrects(DomainDispatcherApplication, "__init__")
def dispatcher(original: Function, application: DomainDispatcherApplication, create_app: Function) -> None:
    """Every service that moto serves gets the handler; a service that it lacks has nothing but it."""

    def created(service: str | None) -> Flask:
        if service == "ec2":
            importlib.import_module("sandbox.cloud.moto_fixes.ec2")
        app = Flask("moto") if service is None else create_app(service)
        app.register_error_handler(Exception, refused)
        return app

    original(application, created)


def refused(error: Exception) -> Response | HTTPException:
    """Return the refusal in the protocol of the request, or the error that moto meant to answer."""
    if isinstance(error, HTTPException) and request.routing_exception is None:
        return error
    missing = isinstance(error, NotImplementedError | HTTPException)
    failure = f"moto fails on it with {type(error).__name__}: {str(error)[:200]}"
    reason = "moto does not have it" if missing else failure
    return _answer(f"the sandbox does not emulate {_operation()} of {_service()}: {reason}")


def _answer(message: str) -> Response:
    headers = {"x-amzn-errortype": CODE}
    if "x-www-form-urlencoded" not in (request.content_type or "") and _service() not in _REST_XML:
        body = json.dumps({"__type": CODE, "message": message})
        return Response(body, 400, headers, content_type="application/x-amz-json-1.1")
    error = f"<Error><Code>{CODE}</Code><Message>{escape(message)}</Message></Error>"
    body = (
        f"<Response><Errors>{error}</Errors></Response>"
        if _service() == "ec2"
        else f"<ErrorResponse>{error}</ErrorResponse>"
    )
    return Response(body, 400, headers, content_type="text/xml")


def _operation() -> str:
    """Return the name of the operation; REST protocols know it by method and path only."""
    target = request.headers.get("x-amz-target", "").rsplit(".", 1)[-1]
    return target or request.form.get("Action") or f"{request.method} {request.path}"


def _service() -> str:
    """Return the name that the request was signed for: …Credential=KEY/DATE/REGION/SERVICE/aws4_request."""
    parts = request.headers.get("Authorization", "").split(",")[0].split("/")
    return parts[3] if len(parts) == 5 else "an unsigned request"
