"""Runs code that the test sends it, and notes what the server calls."""

import uwsgi

calls = []
namespace = {"uwsgi": uwsgi, "calls": calls}


def evaluate(code):
    exec(code.decode(), namespace)
    return repr(namespace.get("result")).encode()


uwsgi.register_rpc("evaluate", evaluate)


def application(environ, start_response):
    calls.append("request")
    start_response("200 OK", [])
    return [b"done"]
