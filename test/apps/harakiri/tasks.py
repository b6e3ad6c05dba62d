"""ASGI, as app.js: tasks of one event loop, whose CPU time is told apart by their requests."""

import asyncio

is_released = False


async def stretches():
    while True:
        sum(range(10000))
        await asyncio.sleep(0)


async def loop():
    await asyncio.sleep(0)
    while True:
        pass


async def ticks():
    while not is_released:
        await asyncio.sleep(0.01)
    return "waited"


async def release():
    global is_released
    is_released = True
    return "released"


async def sleep():
    await asyncio.sleep(1.5)
    return "slept"


paths = {"/stretches": stretches, "/loop": loop, "/ticks": ticks, "/release": release, "/sleep": sleep}


async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    run = paths.get(scope["path"])
    text = "served" if run is None else await run()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})
