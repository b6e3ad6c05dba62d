# Applications of ASGI 3, each a callable of its own.
import asyncio
import json


def plain(value):
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    return [plain(member) for member in value] if isinstance(value, (list, tuple)) else value


async def respond(send, body, status=200, headers=()):
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain"), *headers]})
    await send({"type": "http.response.body", "body": body})


async def hello(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await respond(send, b"hello")


async def show_scope(scope, receive, send):
    assert scope["type"] == "http"
    await respond(send, json.dumps(plain(scope)).encode())


async def application(scope, receive, send):
    """Runs code that the request brings: coroutines in it may be awaited. Answers with its `result`."""
    if scope["type"] == "lifespan":
        return
    code = b""
    while True:
        message = await receive()
        code += message["body"]
        if not message["more_body"]:
            break
    body = "\n    ".join(code.decode().split("\n"))
    names = {"asyncio": asyncio, "scope": scope, "receive": receive, "send": send}
    exec(f"async def probe():\n    {body}\n", names)
    try:
        result = await names["probe"]()
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    if result is not SENT:
        await respond(send, str(result).encode())


SENT = object()
