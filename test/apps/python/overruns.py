"""Code that goes on for longer than it may. `uwsgi.set_user_harakiri` is where the tests say that it does."""

import re
import signal
import time

import uwsgi

log = []


def overrun():
    uwsgi.set_user_harakiri(1)


def takes_log(environ, start_response):
    taken = log[:]
    log.clear()
    start_response("200 OK", [])
    return [repr(taken).encode()]


def loops(environ, start_response):
    overrun()
    while True:
        pass


def loops_below(environ, start_response):
    def deeper(left):
        if left:
            deeper(left - 1)
        loops(environ, start_response)

    deeper(3)


def comprehends(environ, start_response):
    overrun()
    return [[None for _ in iter(int, 1) if False] for _ in iter(int, 1)]


def matches(environ, start_response):
    overrun()
    re.match(r"(a+)+$", "a" * 60 + "b")


def multiplies(environ, start_response):
    overrun()
    3 ** 10 ** 9


def sleeps(environ, start_response):
    overrun()
    time.sleep(100_000)


def generates(environ, start_response):
    start_response("200 OK", [])
    yield b"begun"
    overrun()
    try:
        while True:
            pass
    finally:
        log.append("generator closed")


def recovers(environ, start_response):
    overrun()
    try:
        try:
            while True:
                pass
        except Exception:
            log.append("exception")
        finally:
            log.append("finally")
    except BaseException as error:
        log.append(f"{type(error).__module__}.{type(error).__name__}: {error}")
    start_response("200 OK", [])
    return [b"recovered"]


def resets_handlers(environ, start_response):
    for number in signal.valid_signals():
        try:
            signal.signal(number, signal.SIG_DFL)
        except (OSError, ValueError):
            pass
    loops(environ, start_response)


def goes_on(environ, start_response):
    overrun()
    total = 0
    for number in range(100_000):
        total += number
    start_response("200 OK", [])
    return [b"%d" % total]


def imports(environ, start_response):
    overrun()
    import colorsys

    # Long enough for CPython to look for signals.
    for _ in range(1_000_000):
        pass
    start_response("200 OK", [])
    return [colorsys.__name__.encode()]


def waits_then_loops(environ, start_response):
    log.append("waits")
    uwsgi.suspend()
    loops(environ, start_response)


def waits(environ, start_response):
    uwsgi.suspend()
    start_response("200 OK", [])
    return [b"waited"]


async def loops_async(environ, start_response):
    overrun()
    while True:
        pass


async def loops_later(environ, start_response):
    from asyncio import sleep

    await sleep(0)
    overrun()
    while True:
        pass


async def cleans_up(environ, start_response):
    from asyncio import sleep

    if environ["QUERY_STRING"] == "later":
        await sleep(0)
    overrun()
    try:
        while True:
            pass
    finally:
        log.append("waits on")
        await sleep(100_000)


def waits_in_the_end(environ, start_response):
    overrun()
    try:
        while True:
            pass
    finally:
        try:
            uwsgi.suspend()
        finally:
            log.append("did not wait")


async def loops_in_a_group(environ, start_response):
    from asyncio import TaskGroup, sleep

    async def loop():
        await sleep(0)
        overrun()
        while True:
            pass

    async with TaskGroup() as group:
        group.create_task(loop())
        group.create_task(sleep(0))


async def answers_async(environ, start_response):
    from asyncio import sleep

    await sleep(0)
    start_response("200 OK", [])
    return [b"answered"]


async def loops_asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    overrun()
    while True:
        pass
