"""Applications with faults, one per callable. Line numbers are part of the tests."""

import sys


def raises(environ, start_response):
    return helper(environ)


def helper(environ):
    raise ValueError("boom \N{SNOWMAN}")


def raises_after_start(environ, start_response):
    start_response("200 OK", [("X-Lost", "yes")])
    raise KeyError("after start")


def raises_from(environ, start_response):
    try:
        helper(environ)
    except ValueError as error:
        raise LookupError("outer") from error


def generator_fails(environ, start_response):
    start_response("200 OK", [])
    yield b"begun"
    raise ValueError("in the generator")


def yields_str(environ, start_response):
    start_response("200 OK", [])
    return ["text"]


def generates_str(environ, start_response):
    start_response("200 OK", [])
    yield "text"


def generates_str_late(environ, start_response):
    start_response("200 OK", [])
    yield b"bytes"
    yield 5


def mixed_list(environ, start_response):
    start_response("200 OK", [])
    return [b"bytes", bytearray(b"no bytes")]


def returns_none(environ, start_response):
    start_response("200 OK", [])


def never_starts(environ, start_response):
    return [b"body"]


def starts_late(environ, start_response):
    yield b"body"
    start_response("200 OK", [])


def starts_twice(environ, start_response):
    start_response("200 OK", [])
    start_response("200 OK", [])
    return []


def exits(environ, start_response):
    sys.exit("bye")


def interrupted(environ, start_response):
    raise KeyboardInterrupt


def recursion(environ, start_response):
    return recursion(environ, start_response)


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def unprintable(environ, start_response):
    raise Unprintable


def lone_surrogate(environ, start_response):
    raise ValueError("bad \ud800 text")


def bad_head(environ, start_response):
    status, headers = eval(environ["QUERY_STRING"])
    start_response(status, headers)
    return [b"never"]
