"""Applications whose requests wait: for bodies, for slow clients, for what they have registered."""

import time

import uwsgi

log = []


def reads(environ, start_response):
    body = environ["wsgi.input"]
    lines = [line.decode().strip() for line in body]
    start_response("200 OK", [])
    return [repr(lines).encode()]


def reads_all(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [])
    return [b"%d" % len(body)]


def writes(environ, start_response):
    write = start_response("200 OK", [])
    for number in range(3):
        write(b"%d" % number)
    return [b"end"]


def streams(environ, start_response):
    start_response("200 OK", [])
    name = environ["QUERY_STRING"]
    try:
        for number in range(3):
            log.append(f"{name}{number}")
            yield b"%d" % number
    finally:
        log.append(f"{name} closed")


def waits(environ, start_response):
    start_response("200 OK", [])
    yield environ["x-wsgiorg.fdevent.readable"](7, 3)
    yield repr((environ["uwsgi.ready_fd"], environ["x-wsgiorg.fdevent.timeout"])).encode()
    yield environ["x-wsgiorg.fdevent.writable"](8)
    yield repr((environ["uwsgi.ready_fd"], environ["x-wsgiorg.fdevent.timeout"])).encode()


def shows(environ, start_response):
    start_response("200 OK", [])
    names = ("uwsgi.core", "wsgi.multithread", "uwsgi.ready_fd", "x-wsgiorg.fdevent.timeout", "x-wsgiorg.fdevent.readable")
    return [repr([environ.get(name, "-") if "readable" not in name else name in environ for name in names]).encode()]


def takes_log(environ, start_response):
    start_response("200 OK", [])
    taken = log[:]
    log.clear()
    return [repr(taken).encode()]


def sleeps(environ, start_response):
    time.sleep(0.01)
    start_response("200 OK", [])
    return [b"slept"]


def suspends(environ, start_response):
    uwsgi.suspend()
    start_response("200 OK", [])
    return [b"went on"]
