"""A server on loopback that speaks Anthropic's Messages API, and refuses what the service refuses.

Bodies are checked against the installed SDK's own types. It bills by a tokenizer that the client cannot see.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

KEY = "sk-test-0123456789-secret"
LARGEST_GRAMMAR = 100
REFUSED_KEYWORDS = {"minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems"}

Answer = dict[str, Any] | str
"""A label; or {"status": …, "retry_after": …}, {"drop": True}, {"stop_reason": …, "text": …}, {"wait": seconds}."""

KNOWN = set(MessageCreateParamsNonStreaming.__annotations__)
for base in MessageCreateParamsNonStreaming.__orig_bases__:
    KNOWN |= set(getattr(base, "__annotations__", {}))
with_config(ConfigDict(extra="forbid"))(MessageCreateParamsNonStreaming)
BODY = TypeAdapter(MessageCreateParamsNonStreaming)


def hidden_tokens(text: str) -> int:
    """How the service counts: words, marks, and a tenth more."""
    return int(1.1 * len(re.findall(r"\w{1,6}|[^\w\s]", text))) + 3


def refusal_of(body: dict[str, Any]) -> str | None:
    """Why the service would answer 400."""
    unknown = body.keys() - KNOWN
    if unknown:
        return f"{sorted(unknown)[0]}: Extra inputs are not permitted"
    try:
        BODY.validate_python(body)
    except ValidationError as error:
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    return schema_refusal(schema) if schema else None


def schema_refusal(schema: Any) -> str | None:
    if isinstance(schema, list):
        return next((found for item in schema if (found := schema_refusal(item))), None)
    if not isinstance(schema, dict):
        return None
    if schema.keys() & REFUSED_KEYWORDS:
        return f"output_config.format.schema: {sorted(schema.keys() & REFUSED_KEYWORDS)[0]} is not supported"
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"
    if len(schema.get("enum", [])) > LARGEST_GRAMMAR:
        return "output_config.format.schema: The compiled grammar is too large"
    return next((found for item in schema.values() if (found := schema_refusal(item))), None)


class Listener(ThreadingHTTPServer):
    request_queue_size = 256


class AnthropicServer:
    """Answers by a script: a function from the text of the last message, and how often it was asked, to an answer."""

    def __init__(self, answer: Callable[[str, int], Answer]) -> None:
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []
        self.asked: dict[str, int] = {}
        self.billed = {"input_tokens": 0, "output_tokens": 0}
        self.in_flight = self.most_in_flight = 0
        self.lock = threading.Lock()
        handler = type("Handler", (Handler,), {"service": self})
        self.http = Listener(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"

    @property
    def calls(self) -> int:
        return sum(self.asked.values())


@contextmanager
def serving(answer: Callable[[str, int], Answer]) -> Iterator[AnthropicServer]:
    """The server while a test runs."""
    server = AnthropicServer(answer)
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    service: AnthropicServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        service = self.service
        with service.lock:
            service.in_flight += 1
            service.most_in_flight = max(service.most_in_flight, service.in_flight)
        try:
            self.respond(body)
        finally:
            with service.lock:
                service.in_flight -= 1

    def respond(self, body: dict[str, Any]) -> None:
        service = self.service
        if self.path != "/v1/messages":
            return self.fail(404, "not_found_error", self.path)
        given = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
        if given != KEY or not self.headers.get("anthropic-version"):
            return self.fail(401, "authentication_error", f"invalid key {given}")  # echoes it, to see that we do not
        if refusal := refusal_of(body):
            return self.fail(400, "invalid_request_error", refusal)
        text = re.sub(r"</?text>", "", body["messages"][-1]["content"]).strip()
        with service.lock:
            service.bodies.append(body)
            times = service.asked[text] = service.asked.get(text, 0) + 1
        answer = service.answer(text, times - 1)
        if isinstance(answer, str):
            structured = "format" in (body.get("output_config") or {})
            answer = {"text": json.dumps({"label": answer}) if structured else answer}
        time.sleep(answer.get("wait", 0))
        if answer.get("drop"):
            self.close_connection = True
            self.connection.close()
            return None
        if "status" in answer:
            return self.fail(
                answer["status"], answer.get("type", "error"), answer.get("message", "busy"), answer.get("retry_after")
            )
        return self.succeed(body, answer)

    def succeed(self, body: dict[str, Any], answer: dict[str, Any]) -> None:
        said = answer.get("text", "")
        sent = json.dumps(body["messages"]) + str(body.get("system", "")) + json.dumps(body.get("output_config", {}))
        usage = {"input_tokens": hidden_tokens(sent), "output_tokens": hidden_tokens(said)}
        with self.service.lock:
            for name, count in usage.items():
                self.service.billed[name] += count
        self.send(
            200,
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": body["model"],
                "content": [{"type": "text", "text": said}],
                "stop_reason": answer.get("stop_reason", "end_turn"),
                "stop_sequence": None,
                "usage": usage,
            },
        )

    def fail(self, status: int, kind: str, message: str, retry_after: float | None = None) -> None:
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        self.send(status, {"type": "error", "error": {"type": kind, "message": message}}, headers)

    def send(self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        payload = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        pass
