# Fills, reads and waits out a large cache. The answer is nanoseconds: per item, or in all for "expire".
from time import perf_counter_ns, sleep

import uwsgi

VALUE = b"x" * 1024


def fill(count):
    for index in range(count):
        if not uwsgi.cache_update("key%d" % index, VALUE, 2):
            raise ValueError("the cache is full at %d" % index)


def read(count):
    for index in range(count):
        uwsgi.cache_get("key%d" % index)


def expire(count):
    fill(count)
    while any(uwsgi.cache_exists("key%d" % index) for index in range(0, count, 997)):
        sleep(0.01)


def application(environ, start_response):
    name, _, count = environ["QUERY_STRING"].partition("=")
    start_response("200 OK", [("Content-Type", "text/plain")])
    if not count:
        return [b"0"]
    start = perf_counter_ns()
    globals()[name](int(count))
    spent = perf_counter_ns() - start
    return [str(spent if name == "expire" else spent / int(count)).encode()]
