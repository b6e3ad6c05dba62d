# Clients of a line protocol, in ASGI's event loop and in loops of WSGI handlers.
import asyncio
from urllib.parse import parse_qs


async def talk(query, lines):
    """Sends lines to a server that answers each in capitals; several connections take part."""
    given = {key: values[-1] for key, values in parse_qs(query).items()}

    async def one(line):
        if "path" in given:
            reader, writer = await asyncio.open_unix_connection(given["path"])
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(given["port"]))
        answers = []
        for count in range(2):
            writer.write(b"%s %d\n" % (line, count))
            await writer.drain()
            answers.append(await asyncio.wait_for(reader.readline(), 10))
        writer.write(b"quit\n")
        answers.append(await reader.read())
        writer.close()
        await writer.wait_closed()
        return b"".join(answers)

    try:
        return b"".join(await asyncio.gather(*map(one, lines)))
    except OSError as error:
        return f"{type(error).__name__}: {error}".encode()


pool = []


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["path"].endswith("/pool"):
        # One connection for all requests, opened by the first.
        if not pool:
            pool.append(await asyncio.open_connection("127.0.0.1", int(parse_qs(scope["query_string"].decode())["port"][0])))
        reader, writer = pool[0]
        writer.write(b"pooled\n")
        answer = await reader.readline()
    else:
        answer = await talk(scope["query_string"].decode(), [b"a", b"b", b"c"])
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": answer})


def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [asyncio.run(talk(environ["QUERY_STRING"], [b"a", b"b", b"c"]))]
