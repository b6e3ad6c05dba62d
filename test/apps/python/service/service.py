# What the system test of ASGI asks for, written with the framework beside it.
import asyncio
import contextlib
import hashlib
import time

import uwsgi
from mini import JSON, App, Disconnected, Response, Stream


@contextlib.asynccontextmanager
async def lifespan(app):
    jobs = asyncio.Queue()
    done = []

    async def work():
        while True:
            done.append(await jobs.get())

    async with asyncio.TaskGroup() as group:
        worker = group.create_task(work())
        print("started in worker", uwsgi.worker_id())
        yield {"jobs": jobs, "done": done, "sleeping": [], "gone": []}
        worker.cancel()
    await asyncio.sleep(0.01)
    print("stopped in worker", uwsgi.worker_id(), "with", len(done), "jobs done")


app = App(lifespan)


@app.middleware
def timing(handler):
    async def wrapped(scope, receive, send):
        begin = time.monotonic()

        async def sending(message):
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-seconds", b"%.6f" % (time.monotonic() - begin)))
            await send(message)

        await handler(scope, receive, sending)

    return wrapped


@app.route("/")
def index(request):
    return Response("index")


@app.route("/echo", "POST")
async def echo(request):
    return JSON(await request.json())


@app.route("/digest", "POST")
async def digest(request):
    size, sha = 0, hashlib.sha256()
    async for piece in request.stream():
        size += len(piece)
        sha.update(piece)
    return JSON({"size": size, "sha": sha.hexdigest()})


@app.route("/upper", "POST")
def upper(request):
    async def body():
        async for piece in request.stream():
            yield piece.upper()

    # Streams both ways, so the request's end is the stream's: nobody may wait for a disconnect meanwhile.
    class Both(Response):
        async def __call__(self, scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            async for chunk in body():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body"})

    return Both()


@app.route("/large")
def large(request):
    async def body():
        for number in range(int(request.query["chunks"])):
            yield bytes([number % 256]) * 65536

    return Stream(body())


@app.route("/sleep")
async def sleep(request):
    """Ends when so many others sleep too."""
    sleeping = request.state["sleeping"]
    sleeping.append(request)
    while len(sleeping) < int(request.query["together"]):
        await asyncio.sleep(0.01)
    return Response(f"one of {len(sleeping)}")


@app.route("/ticks")
def ticks(request):
    async def body():
        try:
            while True:
                yield b"tick\n"
                await asyncio.sleep(0.01)
        finally:
            request.state["gone"].append("ticks")
            print("the ticks have ended")

    return Stream(body())


@app.route("/waits", "POST")
async def waits(request):
    print("waits for a body")
    try:
        await request.body()
    except Disconnected:
        print("the client has gone while it sent")
        raise
    return Response("all")


@app.route("/job", "POST")
async def job(request):
    body = await request.body()

    async def background():
        await asyncio.sleep(0.01)
        await request.state["jobs"].put(body.decode())

    return Response("accepted", 202, background=background)


@app.route("/jobs")
async def jobs(request):
    return JSON(request.state["done"])


@app.route("/fails")
async def fails(request):
    await asyncio.sleep(0)
    raise LookupError("asked to fail")


@app.route("/rpc")
async def rpc(request):
    return Response(uwsgi.call("answers", b"plain") or b"nothing")


async def answers(argument):
    return b"answer to " + argument


async def answers_later(argument):
    await asyncio.sleep(0.01)
    return b"later: " + argument


uwsgi.register_rpc("answers", answers)
uwsgi.register_rpc("answers_later", answers_later)


@app.route("/overruns")
async def overruns(request):
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError as error:
        print("cancelled:", error)
        raise
