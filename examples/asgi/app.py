# An ASGI application without a framework: a clock that many clients may watch at the same time, from one worker.
import asyncio
import json
import time


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(scope["state"], receive, send)
    elif scope["path"] == "/":
        await answer(send, "text/plain", b"try /clock?5, /slow and /visitors\n")
    elif scope["path"] == "/clock":
        await clock(scope, receive, send)
    elif scope["path"] == "/slow":
        # Others are served meanwhile.
        await asyncio.sleep(0.5)
        await answer(send, "text/plain", b"that took half a second\n")
    elif scope["path"] == "/visitors":
        await answer(send, "application/json", json.dumps(scope["state"]["visitors"]).encode())
    else:
        await answer(send, "text/plain", b"nothing here\n", 404)


async def lifespan(state, receive, send):
    """Begins with the worker, and ends with it: the place to open what all requests share."""
    await receive()
    state["visitors"] = {"watching": 0, "since": int(time.time())}
    await send({"type": "lifespan.startup.complete"})
    await receive()
    print("the last of the visitors has gone")
    await send({"type": "lifespan.shutdown.complete"})


async def clock(scope, receive, send):
    """Server-sent events, until there were enough of them or the client goes."""
    visitors = scope["state"]["visitors"]
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    visitors["watching"] += 1
    try:
        for number in range(int(scope["query_string"] or b"60")):
            event = f"id: {number}\ndata: {time.strftime('%H:%M:%S')}\n\n"
            await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
            await asyncio.sleep(0.1)
    finally:
        visitors["watching"] -= 1
    await send({"type": "http.response.body"})


async def answer(send, kind, body, status=200):
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind.encode())]})
    await send({"type": "http.response.body", "body": body})
