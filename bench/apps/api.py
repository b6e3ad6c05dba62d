# Nanoseconds per call of functions of the uwsgi module, timed inside the handler. The query names the call.
from time import perf_counter_ns

import uwsgi

REMOTE = uwsgi.opt.get("remote", b"").decode()
VALUE = b"x" * 100


def echo(data):
    return data


uwsgi.register_rpc("python_echo", echo)
uwsgi.cache_update("key", VALUE)


def cache_get():
    uwsgi.cache_get("key")


def cache_set():
    uwsgi.cache_update("written", VALUE)


def lock():
    uwsgi.lock()
    uwsgi.unlock()


def call_python():
    uwsgi.call(b"python_echo", b"data")


def call_lua():
    uwsgi.call(b"lua_echo", b"data")


def call_js():
    uwsgi.call(b"js_echo", b"data")


def remote():
    uwsgi.rpc(REMOTE, b"upper", b"data")


def nothing():
    uwsgi.worker_id()


def application(environ, start_response):
    name, _, count = environ["QUERY_STRING"].partition("=")
    function = globals()[name]
    calls = int(count)
    start = perf_counter_ns()
    for _ in range(calls):
        function()
    spent = perf_counter_ns() - start
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(spent / calls).encode()]
