"""Reads its body and sends its response in between calls of a function of another application."""

import uwsgi


def application(environ, start_response):
    lines = environ["wsgi.input"]
    start_response("200 OK", [])
    yield repr(lines.readline()).encode()
    yield b" " + uwsgi.call("registered by b") + b" "
    yield repr(lines.readline()).encode()
    yield b" " + uwsgi.call("registered by b")
