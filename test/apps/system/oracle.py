"""Behaviours of a WSGI application that must look the same behind real uWSGI and behind polywsgi.

Not asked, since uWSGI does not do what PEP 3333 says: readline(size), whose size it ignores, and a body after
start_response(..., exc_info), which it drops.
"""


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def chunks(environ, start_response):
    start_response("201 Created", [("Content-Type", "text/plain")])
    return [b"one ", b"", b"two ", b"three"]


def generator(environ, start_response):
    start_response("200 OK", [("X-A", "1"), ("X-A", "2"), ("x-lower", "v")])
    yield b"first "
    yield b"second"


def empty(environ, start_response):
    start_response("204 No Content", [])
    return []


def short_status(environ, start_response):
    start_response("404", [("Content-Type", "text/plain")])
    return [b"not here"]


def own_reason(environ, start_response):
    start_response("299 My Own Reason", [("Content-Type", "text/plain")])
    return [b"x"]


def written(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"written ")
    return [b"returned"]


def one_bytes(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return b"not a list"


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("X-Length", str(len(body)))])
    return [body]


def lines(environ, start_response):
    stream = environ["wsgi.input"]
    parts = [stream.readline(), stream.read(4), stream.readline()]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr(parts).encode(), repr(stream.readlines()).encode()]


def variables(environ, start_response):
    names = [
        "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_NAME",
        "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "HTTP_HOST", "HTTP_X_BYTES", "wsgi.version", "wsgi.url_scheme",
        "wsgi.run_once",
    ]
    values = {name: environ.get(name) for name in names}
    start_response("200 OK", [("Content-Type", "text/plain; charset=latin-1")])
    return [ascii(values).encode()]


pages = {
    "/" + name.replace("_", "-"): page
    for name, page in {
        "hello": hello, "chunks": chunks, "generator": generator, "empty": empty, "short_status": short_status,
        "own_reason": own_reason, "written": written, "one_bytes": one_bytes, "echo": echo, "lines": lines,
        "variables": variables,
    }.items()
}


def application(environ, start_response):
    return pages[environ["PATH_INFO"]](environ, start_response)
