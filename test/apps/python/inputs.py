"""Reads `wsgi.input` in the ways PEP 3333 names, one per path."""


def application(environ, start_response):
    body = environ["wsgi.input"]
    way = environ["PATH_INFO"]
    if way == "/read":
        parts = [body.read()]
    elif way == "/sizes":
        parts = [body.read(0), body.read(3), body.read(5), body.read(1000), body.read(1)]
    elif way == "/readline":
        parts = []
        while line := body.readline():
            parts.append(line)
    elif way == "/short-readline":
        parts = [body.readline(4), body.readline(4), body.readline()]
    elif way == "/readlines":
        parts = body.readlines()
    elif way == "/readlines-hint":
        parts = body.readlines(5)
    elif way == "/iterate":
        parts = list(body)
    elif way == "/mixed":
        parts = [body.readline(), body.read(2), next(iter(body)), body.read()]
    elif way == "/ignore":
        parts = []
    elif way == "/catch":
        try:
            parts = [body.read()]
        except OSError as error:
            parts = [f"{type(error).__mro__[-4].__name__}: {error}".encode()]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"|".join(parts)]


kept = None


def keeps_input(environ, start_response):
    """Keeps the input of the first request and reads it during the second."""
    global kept
    start_response("200 OK", [])
    if kept is None:
        kept = environ["wsgi.input"]
        return [b"kept"]
    try:
        return [kept.read()]
    except OSError as error:
        return [str(error).encode()]
