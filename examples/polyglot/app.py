"""A WSGI application (PEP 3333): what it says, in Python."""

import sys

import uwsgi

VERSION = "Python " + ".".join(map(str, sys.version_info[:3]))

# Every language of this server may call it: uwsgi.call('python_says', ...)
uwsgi.register_rpc("python_says", lambda who: f"hello {who.decode()}, says {VERSION}", 1)


def hello(environ):
    return f"{VERSION} in worker {uwsgi.worker_id()}: {environ['REQUEST_METHOD']} {environ['PATH_INFO'] or '/'}\n"


def call():
    answer = uwsgi.call("lua_says", "Python") or b"no Lua here"
    # The cache is shared memory: all workers and all languages count together.
    uwsgi.cache_inc("calls")
    return f"{answer.decode()} (call {uwsgi.cache_num('calls')})\n"


def application(environ, start_response):
    body = (call() if environ["PATH_INFO"] == "/call" else hello(environ)).encode()
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
    return [body]
