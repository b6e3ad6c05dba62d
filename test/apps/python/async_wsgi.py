# WSGI applications that are coroutine functions, or async generator functions.
import asyncio
import uwsgi

seen = []


async def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


async def waits(environ, start_response):
    await asyncio.sleep(0.001)
    body = environ["wsgi.input"].read()
    await asyncio.sleep(0)
    start_response("201 Created", [("X-Method", environ["REQUEST_METHOD"])])
    return body


async def generates(environ, start_response):
    start_response("200 OK", [])
    try:
        for number in range(3):
            yield b"%d," % number
            await asyncio.sleep(0)
    finally:
        seen.append("closed")
        del seen[:-9]


async def returns_generator(environ, start_response):
    start_response("200 OK", [])

    class Body:
        def __iter__(self):
            return iter([b"a", b"", b"b"])

        def close(self):
            seen.append("close()")

    return Body()


async def raises(environ, start_response):
    await asyncio.sleep(0)
    raise LookupError("nothing there")


async def raises_late(environ, start_response):
    start_response("200 OK", [])
    yield b"half"
    raise LookupError("no more")


async def starts_not(environ, start_response):
    return b"x"


async def sends_text(environ, start_response):
    start_response("200 OK", [])
    return ["text"]


async def writes(environ, start_response):
    start_response("200 OK", [])(b"x")


async def asks_the_api(environ, start_response):
    before = uwsgi.connection_fd()
    await asyncio.sleep(0.001)
    start_response("200 OK", [])
    inherited = await asyncio.create_task(asked())
    return f"{before == uwsgi.connection_fd() == inherited}".encode()


async def asked():
    await asyncio.sleep(0)
    return uwsgi.connection_fd()


async def looks_back(environ, start_response):
    start_response("200 OK", [])
    return repr(seen).encode()
