"""A server on loopback that speaks OpenAI's Chat Completions, and refuses what the service refuses.

Bodies are checked against the installed SDK's own types. It bills by a tokenizer that the client cannot see.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from openai.types.responses.input_token_count_params import InputTokenCountParams
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from tests.llm.anthropic_server import hidden_tokens
from tests.llm.loopback import listener, running

KEY = "sk-proj-0123456789-secret"
LIMITS = {"x-ratelimit-limit-requests": "600", "x-ratelimit-remaining-requests": "599"}

Answer = dict[str, Any] | str
"""A label; or {"status": …, "code": …, "retry_after": …}, {"drop": True}, {"text": …, "finish_reason": …}, {"page": …}."""

KNOWN = set(CompletionCreateParamsBase.__annotations__) | {"stream"}
with_config(ConfigDict(extra="forbid"))(CompletionCreateParamsBase)
BODY: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsBase)
COUNTED = set(InputTokenCountParams.__annotations__)


class OpenAIServer:
    """Answers by a script: a function from the text of the last message, and how often it was asked, to an answer."""

    def __init__(self, answer: Callable[[str, int], Answer]) -> None:
        self.answer = answer
        self.key: str | None = KEY
        """None: whoever asks is answered."""

        self.structured = True
        """Whether `response_format` is known."""

        self.limit_names = {"max_completion_tokens", "max_tokens"}
        self.counts_tokens = True
        self.project_tier: str | None = None
        """Which serves who asks for none; None: a server that knows no tiers, and refuses who does."""

        self.counted = 0
        """Requests whose tokens were counted."""

        self.bodies: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.asked: dict[str, int] = {}
        self.refused = 0
        self.used = {"prompt_tokens": 0, "completion_tokens": 0}
        """Of all answers."""

        self.lock = threading.Lock()
        self.http = listener(self, Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/v1"

    @property
    def calls(self) -> int:
        return sum(self.asked.values())

    def refusal_of(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """Why the service would answer 400: the error's message and param."""
        if unknown := body.keys() - KNOWN:
            return {"message": f"Unrecognized request argument supplied: {sorted(unknown)[0]}", "param": None}
        try:
            BODY.validate_python(body)
        except ValidationError as error:
            return {"message": str(error.errors()[0]["msg"]), "param": str(error.errors()[0]["loc"][0])}
        if lost := {"max_completion_tokens", "max_tokens"} & body.keys() - self.limit_names:
            name, other = lost.pop(), next(iter(self.limit_names))
            said = f"Unsupported parameter: '{name}' is not supported with this model. Use '{other}' instead."
            return {"message": said, "param": name, "code": "unsupported_parameter"}
        if "service_tier" in body and self.project_tier is None:
            return {"message": "service_tier: Extra inputs are not permitted", "param": "service_tier"}
        if "response_format" in body and not self.structured:
            return {"message": "This model does not support response_format json_schema", "param": "response_format"}
        schema = ((body.get("response_format") or {}).get("json_schema") or {}).get("schema")
        if schema is not None and not closed(schema):
            return {"message": "Invalid schema for response_format 'answer'", "param": "response_format"}
        return None


def closed(schema: Any) -> bool:
    """Strict mode: every object closed, every property required."""
    if isinstance(schema, list):
        return all(map(closed, schema))
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" and (
        schema.get("additionalProperties") is not False or set(schema["required"]) != set(schema["properties"])
    ):
        return False
    return all(map(closed, schema.values()))


@contextmanager
def serving(answer: Callable[[str, int], Answer]) -> Iterator[OpenAIServer]:
    """The server while a test runs."""
    with running(OpenAIServer(answer)) as server:
        yield server


class Handler(BaseHTTPRequestHandler):
    """One request."""

    service: OpenAIServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        service = self.service
        if self.path == "/v1/responses/input_tokens":
            return self.count(body)
        if self.path != "/v1/chat/completions":
            return self.fail(404, {"message": self.path})
        given = self.headers.get("authorization", "").removeprefix("Bearer ")
        with service.lock:
            service.keys.add(given)
        if service.key is not None and given != service.key:
            return self.fail(401, {"message": f"Incorrect API key provided: {given}", "code": "invalid_api_key"})
        if refusal := service.refusal_of(body):
            service.refused += 1
            return self.fail(400, refusal)
        text = body["messages"][-1]["content"].rpartition("<text>")[2].removesuffix("</text>").strip()
        with service.lock:
            service.bodies.append(body)
            times = service.asked[text] = service.asked.get(text, 0) + 1
        answer = service.answer(text, times - 1)
        if isinstance(answer, str):
            answer = {"text": json.dumps({"label": answer}) if "response_format" in body else answer}
        time.sleep(answer.get("wait", 0))
        if answer.get("drop"):
            self.close_connection = True
            self.connection.close()
            return None
        if "page" in answer:
            return self.send(200, answer["page"].encode(), {"content-type": answer.get("type", "text/html")})
        if "status" in answer:
            error = {"message": answer.get("message", "busy"), "code": answer.get("code"), "param": None}
            return self.fail(answer["status"], error, answer.get("retry_after"))
        return self.succeed(body, answer)

    def count(self, body: dict[str, Any]) -> None:
        """The tokens of the same messages, as a completion of them would be billed."""
        if unknown := body.keys() - COUNTED:
            return self.fail(400, {"message": f"Unknown parameter: '{sorted(unknown)[0]}'.", "param": None})
        with self.service.lock:
            self.service.counted += 1
        tokens = hidden_tokens(json.dumps(body["input"]))
        return self.send(200, json.dumps({"object": "response.input_tokens", "input_tokens": tokens}).encode(), {})

    def succeed(self, body: dict[str, Any], answer: dict[str, Any]) -> None:
        said = answer.get("text", "")
        cached = answer.get("cached_tokens", 0)
        prompt = hidden_tokens(json.dumps(body["messages"])) + cached
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": hidden_tokens(said),
            "total_tokens": prompt + hidden_tokens(said),
            "prompt_tokens_details": {"cached_tokens": cached},
        }
        with self.service.lock:
            for name in self.service.used:
                self.service.used[name] += usage[name]
        message = {"role": "assistant", "content": said, "refusal": answer.get("refusal")}
        content = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": answer.get("finish_reason", "stop")}],
            "usage": usage if self.service.counts_tokens else None,
            "service_tier": body.get("service_tier") or self.service.project_tier,
        }
        self.send(200, json.dumps(content).encode(), LIMITS)

    def fail(self, status: int, error: dict[str, Any], retry_after: float | None = None) -> None:
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        self.send(status, json.dumps({"error": {"type": "error", **error}}).encode(), headers)

    def send(self, status: int, payload: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        pass
