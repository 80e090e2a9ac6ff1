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
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from pytest_modelcompare.pricing.price_list import Usage, answer_cost_usd
from tests.llm.loopback import listener, running
from tests.llm.service_batches import Batch
from tests.llm.service_limits import RequestLimit

KEY = "sk-test-0123456789-secret"
LARGEST_GRAMMAR = 100
REFUSED_KEYWORDS = {"minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems"}

Answer = dict[str, Any] | str
"""A label; or {"status": …, "retry_after": …}, {"drop": True}, {"stop_reason": …, "text": …}, {"wait": seconds},
{"page": bytes}; of a request in a batch also {"batch": "errored" | "expired" | "canceled"}."""

KNOWN = set(MessageCreateParamsNonStreaming.__annotations__)
for base in MessageCreateParamsNonStreaming.__orig_bases__:  # type: ignore[attr-defined]
    KNOWN |= set(getattr(base, "__annotations__", {}))
with_config(ConfigDict(extra="forbid"))(MessageCreateParamsNonStreaming)
BODY = TypeAdapter(MessageCreateParamsNonStreaming)
FEWEST_CACHED = 512
"""Tokens below which a prefix is not cached, without a word."""


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


def texts_of(content: Any) -> str:
    """A text, or the texts of blocks: marks for the cache are not read by the model."""
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def whole(body: dict[str, Any]) -> str:
    """Everything that is counted."""
    turns = "\n".join(f"{turn['role']}: {texts_of(turn['content'])}" for turn in body["messages"])
    return turns + texts_of(body.get("system", "")) + json.dumps(body.get("output_config", {}))


def marked_prefix(body: dict[str, Any]) -> str | None:
    """Everything up to the last mark for the cache."""
    parts = [("system", body.get("system", "")), *((turn["role"], turn["content"]) for turn in body["messages"])]
    marks = [
        at for at, (_, content) in enumerate(parts) if isinstance(content, list) and "cache_control" in content[-1]
    ]
    if not marks:
        return None
    shown = [f"{role}: {texts_of(content)}" for role, content in parts[: marks[-1] + 1]]
    return json.dumps(body.get("output_config", {})) + "\n".join(shown)


def usage_of(bill: dict[str, Any]) -> Usage:
    return Usage(
        bill["input_tokens"],
        bill["output_tokens"],
        bill.get("cache_read_input_tokens", 0),
        bill.get("cache_creation_input_tokens", 0),
        batch=bill["service_tier"] == "batch",
    )


class AnthropicServer:
    """Answers by a script: a function from the text of the last message, and how often it was asked, to an answer."""

    def __init__(self, answer: Callable[[str, int], Answer]) -> None:
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []
        self.asked: dict[str, int] = {}
        self.billed = {"input_tokens": 0, "output_tokens": 0}
        self.bill: list[dict[str, Any]] = []
        """The usage of every answer that was given."""

        self.limit: RequestLimit | None = None
        self.counts = True
        """Whether it counts tokens for those who ask."""

        self.counted = 0
        self.cached: set[str] = set()
        self.batches: dict[str, Batch] = {}
        self.looks = 2
        """How often a new batch is looked at before it has ended."""

        self.cut_off_batches = 0
        """So many batches are made without the client hearing of it."""

        self.gateway_timeouts = 0
        """So many batches are made, and a gateway says that it gave up."""

        self.in_flight = self.most_in_flight = 0
        self.lock = threading.RLock()
        self.http = listener(self, Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"

    @property
    def calls(self) -> int:
        return sum(self.asked.values())

    def bill_usd(self, model: str) -> float:
        """What all answers cost, each priced by itself."""
        return sum(float(answer_cost_usd(model, usage_of(usage), datetime.now(UTC))) for usage in self.bill)


@contextmanager
def serving(answer: Callable[[str, int], Answer]) -> Iterator[AnthropicServer]:
    """The server while a test runs."""
    with running(AnthropicServer(answer)) as server:
        yield server


class Handler(BaseHTTPRequestHandler):
    """One request."""

    service: AnthropicServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body waits 40 ms for the headers to be acknowledged
    told: dict[str, str] = {}  # noqa: RUF012  # each answer sets its own
    """Headers of the response about limits."""

    def do_POST(self) -> None:
        self.told = {}
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        service = self.service
        with service.lock:
            service.in_flight += 1
            service.most_in_flight = max(service.most_in_flight, service.in_flight)
        try:
            if self.knows_the_key():
                self.respond(body)
        finally:
            with service.lock:
                service.in_flight -= 1

    def do_GET(self) -> None:
        self.told = {}
        if not self.knows_the_key():
            return None
        service = self.service
        found = re.fullmatch(r"/v1/messages/batches(?:/(\w+)(/results)?)?(?:\?.*)?", self.path)
        if found is None or (found[1] and found[1] not in service.batches):
            return self.fail(404, "not_found_error", self.path)
        if not found[1]:
            data = [batch.described(service.url) for batch in reversed(service.batches.values())]
            return self.send(200, {"data": data, "has_more": False, "first_id": None, "last_id": None})
        batch = service.batches[found[1]]
        if found[2]:
            return self.send_bytes(200, batch.lines(), {"content-type": "application/x-jsonl"})
        with service.lock:
            batch.looks_left -= 1
            if batch.looks_left < 0 and batch.results is None:
                batch.results = [self.result(one) for one in batch.requests]
        if service.gateway_timeouts > 0:
            service.gateway_timeouts -= 1
            return self.fail(504, "timeout_error", "gateway timeout")
        return self.send(200, batch.described(service.url))

    def knows_the_key(self) -> bool:
        given = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
        if given == KEY and self.headers.get("anthropic-version"):
            return True
        self.fail(401, "authentication_error", f"invalid key {given}")  # echoes it, to see that we do not
        return False

    def respond(self, body: dict[str, Any]) -> None:
        service = self.service
        if self.path == "/v1/messages/count_tokens" and service.counts:
            service.counted += 1
            return self.send(200, {"input_tokens": hidden_tokens(whole(body))})
        if self.path == "/v1/messages/batches":
            return self.make_batch(body)
        if self.path != "/v1/messages":
            return self.fail(404, "not_found_error", self.path)
        if service.limit is not None:
            let_in, self.told = service.limit.admit()
            if not let_in:
                return self.fail(429, "rate_limit_error", "This request would exceed your rate limit")
        if refusal := refusal_of(body):
            return self.fail(400, "invalid_request_error", refusal)
        answer = self.scripted(body)
        time.sleep(answer.get("wait", 0))
        if answer.get("drop"):
            self.close_connection = True
            self.connection.close()
            return None
        if "page" in answer:
            return self.send_bytes(200, answer["page"], {"content-type": "application/json"})
        if "status" in answer:
            return self.fail(
                answer["status"], answer.get("type", "error"), answer.get("message", "busy"), answer.get("retry_after")
            )
        return self.send(200, self.message(body, answer))

    def scripted(self, body: dict[str, Any]) -> dict[str, Any]:
        """What the script answers, as a mapping."""
        service = self.service
        text = re.sub(r"</?text>", "", body["messages"][-1]["content"]).strip()
        with service.lock:
            service.bodies.append(body)
            times = service.asked[text] = service.asked.get(text, 0) + 1
        answer = service.answer(text, times - 1)
        if isinstance(answer, str):
            structured = "format" in (body.get("output_config") or {})
            return {"text": json.dumps({"label": answer}) if structured else answer}
        return answer

    def make_batch(self, body: dict[str, Any]) -> None:
        service = self.service
        ids = [one["custom_id"] for one in body["requests"]]
        if len(set(ids)) < len(ids) or not all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", one) for one in ids):
            return self.fail(400, "invalid_request_error", "requests: custom_id")
        batch = Batch(f"msgbatch_{len(service.batches):03d}", body["requests"], service.looks)
        service.batches[batch.id] = batch
        if service.cut_off_batches > 0:
            service.cut_off_batches -= 1
            self.close_connection = True
            self.connection.close()
            return None
        return self.send(200, batch.described(service.url))

    def result(self, one: dict[str, Any]) -> dict[str, Any]:
        """What became of a request in a batch."""
        body = one["params"]
        refusal = refusal_of(body)
        answer = {"batch": "errored", "message": refusal} if refusal else self.scripted(body)
        kind = answer.get("batch", "succeeded")
        result: dict[str, Any] = {"type": kind}
        if kind == "succeeded":
            result["message"] = self.message(body, answer, batch=True)
        if kind == "errored":
            error = {"type": "invalid_request_error", "message": answer.get("message", "no")}
            result["error"] = {"type": "error", "error": error, "request_id": None}
        return {"custom_id": one["custom_id"], "result": result}

    def message(self, body: dict[str, Any], answer: dict[str, Any], *, batch: bool = False) -> dict[str, Any]:
        """The answer as a Message, billed."""
        said = answer.get("text", "")
        usage: dict[str, Any] = {"input_tokens": hidden_tokens(whole(body)), "output_tokens": hidden_tokens(said)}
        with self.service.lock:
            usage |= self.from_cache(body, usage["input_tokens"])
            for name in self.service.billed:
                self.service.billed[name] += usage[name]
            usage["service_tier"] = "batch" if batch else "standard"
            self.service.bill.append(usage)
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [{"type": "text", "text": said}],
            "stop_reason": answer.get("stop_reason", "end_turn"),
            "stop_sequence": None,
            "usage": usage,
        }

    def from_cache(self, body: dict[str, Any], tokens: int) -> dict[str, int]:
        """Tokens read from the cache, or written to it, where the request marks a prefix that is long enough."""
        prefix = marked_prefix(body)
        size = 0 if prefix is None else min(tokens, hidden_tokens(prefix))
        if prefix is None or size < FEWEST_CACHED:
            return {}
        kind = "cache_read_input_tokens" if prefix in self.service.cached else "cache_creation_input_tokens"
        self.service.cached.add(prefix)
        return {"input_tokens": tokens - size, kind: size}

    def fail(self, status: int, kind: str, message: str, retry_after: float | None = None) -> None:
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        self.send(status, {"type": "error", "error": {"type": kind, "message": message}}, headers)

    def send(self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self.send_bytes(status, json.dumps(content).encode(), {"content-type": "application/json", **(headers or {})})

    def send_bytes(self, status: int, payload: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(payload)))
        for name, value in {**self.told, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        pass
