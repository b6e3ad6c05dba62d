# ASGI applications that differ in what they do with their lifespan.
import asyncio

log = []


async def answer(send, text):
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": text.encode()})


async def keeps_state(scope, receive, send):
    if scope["type"] == "lifespan":
        assert (await receive()) == {"type": "lifespan.startup"}
        await asyncio.sleep(0.001)
        scope["state"]["shared"] = []
        scope["state"]["number"] = 1
        await send({"type": "lifespan.startup.complete"})
        assert (await receive()) == {"type": "lifespan.shutdown"}
        await asyncio.sleep(0.001)
        print("shut down after", len(scope["state"]["shared"]), "requests")
        await send({"type": "lifespan.shutdown.complete"})
        return
    scope["state"]["shared"].append(1)
    scope["state"]["number"] += 1
    await answer(send, f"{len(scope['state']['shared'])} {scope['state']['number']}")


async def fails(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
    raise OSError("the cause")


async def raises_first(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError("what is a lifespan?")
    await answer(send, str("state" in scope))


async def raises_later(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        raise ValueError("in the lifespan")
    await answer(send, "served")


async def says_nonsense(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        try:
            await send({"type": "lifespan.shutdown.complete"})
        except RuntimeError as error:
            print(error)
        await send({"type": "lifespan.startup.complete"})


async def never_ends(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.sleep(3600)


async def fails_to_end(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.failed", "message": "still busy"})


async def leaves_tasks(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("shutting down")
        await send({"type": "lifespan.shutdown.complete"})
        return

    async def background():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0.001)
            print("cancelled, and ended")

    scope["state"]["task"] = asyncio.create_task(background())
    await asyncio.sleep(0)
    await answer(send, "left")
