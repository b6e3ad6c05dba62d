# A WSGI application that runs code with event loops of its own.
import asyncio

# What requests leave for each other.
shared = []


def application(environ, start_response):
    names = {"asyncio": asyncio, "environ": environ, "shared": shared}
    try:
        exec(environ["wsgi.input"].read().decode(), names)
        result = str(names["result"])
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    start_response("200 OK", [])
    return [result.encode()]
