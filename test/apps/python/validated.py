"""Applications inside the validator of the standard library, which raises for any breach of PEP 3333 by either side."""

from wsgiref.validate import validator


@validator
def simple(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"valid"]


@validator
def reads(environ, start_response):
    body = environ["wsgi.input"]
    taken = body.read(2) + body.readline() + b"".join(body.readlines()) + b"".join(iter(body))
    environ["wsgi.errors"].write("a line\n")
    environ["wsgi.errors"].writelines(["two", " pieces\n"])
    environ["wsgi.errors"].flush()
    start_response("201 Created", [("Content-Type", "text/plain"), ("Content-Length", str(len(taken)))])
    return [taken]


@validator
def streams(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"w")
    return (piece for piece in [b"x", b"y"])


@validator
def empty(environ, start_response):
    start_response("204 No Content", [])
    return []
