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
    reason = "moto does not have it"
    if not isinstance(error, NotImplementedError | HTTPException):
        reason = f"moto fails on it with {type(error).__name__}: {str(error)[:200]}"
    # What the request was signed for: …Credential=KEY/DATE/REGION/SERVICE/aws4_request
    signed = request.headers.get("Authorization", "").split(",")[0].split("/")
    service = signed[3] if len(signed) == 5 else "an unsigned request"
    # REST protocols know the operation by method and path only.
    target = request.headers.get("x-amz-target", "").rsplit(".", 1)[-1]
    operation = target or request.form.get("Action") or f"{request.method} {request.path}"
    message = f"the sandbox does not emulate {operation} of {service}: {reason}"
    headers = {"x-amzn-errortype": CODE}
    if "x-www-form-urlencoded" not in (request.content_type or "") and service not in _REST_XML:
        body = json.dumps({"__type": CODE, "message": message})
        return Response(body, 400, headers, content_type="application/x-amz-json-1.1")
    answer = f"<Error><Code>{CODE}</Code><Message>{escape(message)}</Message></Error>"
    wrapped = f"<Errors>{answer}</Errors>" if service == "ec2" else answer
    element = "Response" if service == "ec2" else "ErrorResponse"
    return Response(f"<{element}>{wrapped}</{element}>", 400, headers, content_type="text/xml")
