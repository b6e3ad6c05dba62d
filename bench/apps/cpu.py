"""About 5 ms of arithmetic in CPython; the same loop as cpu.lua and cpu.mjs, whose answers must be equal."""

ROUNDS = 140000


def application(environ, start_response):
    value = 1
    for i in range(ROUNDS):
        value = (value * 31 + i) % 1000003
    answer = str(value).encode()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(answer)))])
    return [answer]
