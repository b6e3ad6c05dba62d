# Applications of ASGI 3, each a callable of its own. Most tests give `application` the code that it is to run.
import asyncio
import json

from contextvars import ContextVar

variable = ContextVar("variable", default="unset")
# What tests leave for each other, and for tasks that outlive their request.
seen = []
sent = object()


def plain(value):
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    return [plain(member) for member in value] if isinstance(value, (list, tuple)) else value


async def respond(send, body, status=200, headers=()):
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain"), *headers]})
    await send({"type": "http.response.body", "body": body})


async def read_all(receive):
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            return body
    raise OSError("the client has gone")


async def hello(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await respond(send, b"hello")


async def show_scope(scope, receive, send):
    if scope["type"] == "http":
        await respond(send, json.dumps(plain(scope)).encode())


async def application(scope, receive, send):
    """Runs the code that the request's body is. Answers with what it returns, unless that is `sent`."""
    if scope["type"] == "lifespan":
        return
    code = (await read_all(receive)).decode()
    names = {**globals(), "scope": scope, "receive": receive, "send": send}
    exec("async def probe():\n    " + code.replace("\n", "\n    "), names)
    result = await names["probe"]()
    if result is not sent:
        await respond(send, str(result).encode())


async def patient(scope, receive, send):
    """Waits for its body in short waits."""
    if scope["type"] != "http":
        return
    while True:
        try:
            message = await asyncio.wait_for(receive(), 0.001)
            break
        except TimeoutError:
            seen.append("timed out")
    await respond(send, message["body"])


async def echo(scope, receive, send):
    """Each piece of the body as it comes, its length before it."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200})
    while True:
        message = await receive()
        seen[:] = [*seen, message["type"]][-9:]
        if message["type"] == "http.disconnect":
            return
        await send({"type": "http.response.body", "body": b"%d:%.9s;" % (len(message["body"]), message["body"]), "more_body": True})
        if not message["more_body"]:
            break
    await send({"type": "http.response.body"})


async def leaves(scope, receive, send):
    """Sends until the client goes, and waits for that at the same time."""
    if scope["type"] != "http":
        return
    await receive()
    leaving = asyncio.create_task(receive())
    await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200})
    try:
        while True:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0)
    finally:
        leaving.cancel()


async def fails(scope, receive, send):
    if scope["type"] == "http":
        await asyncio.sleep(0)
        raise ValueError("failed")
