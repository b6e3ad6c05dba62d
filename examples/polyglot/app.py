"""A WSGI application (PEP 3333): what it says, in Python."""

import sys

import uwsgi


def application(environ, start_response):
    version = ".".join(map(str, sys.version_info[:3]))
    text = f"Python {version} in worker {uwsgi.worker_id()}: {environ['REQUEST_METHOD']} {environ['PATH_INFO'] or '/'}\n"
    body = text.encode()
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
