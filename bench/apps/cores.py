"""What the rows of async cores ask for, named by the query: a sleep, a number of waits, a conversation with a server behind, a
body up or down; "hello" without one."""
from time import perf_counter_ns

import uwsgi

PIECE = b'0123456789abcdef' * 4096
PIECES = 3200
# By HTTP/0.9, whose answers are a body alone.
QUESTION = b'GET /\r\n'


def sleep(seconds):
    uwsgi.async_sleep(float(seconds))
    uwsgi.suspend()
    return b'slept'


def suspend(count):
    """Nanoseconds for each turn given to the other cores."""
    start = perf_counter_ns()
    for _ in range(int(count)):
        uwsgi.suspend()
    return str((perf_counter_ns() - start) / int(count)).encode()


def writable(argument):
    """Nanoseconds for each wait for a connection that can be written to: the client's, or one to an address after an "@"."""
    count, _, address = argument.partition('@')
    fd = uwsgi.async_connect(address) if address else uwsgi.connection_fd()
    start = perf_counter_ns()
    for _ in range(int(count)):
        uwsgi.wait_fd_write(fd, 3)
        uwsgi.suspend()
    spent = perf_counter_ns() - start
    if address:
        uwsgi.close(fd)
    return str(spent / int(count)).encode()


def proxy(address):
    fd = uwsgi.async_connect(address)
    uwsgi.wait_fd_write(fd, 3)
    uwsgi.suspend()
    uwsgi.send(fd, QUESTION)
    pieces = []
    while True:
        uwsgi.wait_fd_read(fd, 3)
        uwsgi.suspend()
        piece = uwsgi.recv(fd, 4096)
        if not piece:
            break
        pieces.append(piece)
    uwsgi.close(fd)
    return b''.join(pieces)


def upload(environ):
    stream = environ['wsgi.input']
    length = 0
    while chunk := stream.read(65536):
        length += len(chunk)
    return str(length).encode()


ACTIONS = {'sleep': sleep, 'suspend': suspend, 'writable': writable, 'proxy': proxy}


def application(environ, start_response):
    name, _, argument = environ['QUERY_STRING'].partition('=')
    headers = [('Content-Type', 'text/plain')]
    if name == 'download':
        start_response('200 OK', [*headers, ('Content-Length', str(len(PIECE) * PIECES))])
        return (PIECE for _ in range(PIECES))
    if name == 'primed':
        start_response('200 OK', headers)
        return primed(int(argument))
    if name == 'upload':
        answer = upload(environ)
    else:
        answer = ACTIONS[name](argument) if name else b'hello'
    start_response('200 OK', [*headers, ('Content-Length', str(len(answer)))])
    return [answer]


def primed(count):
    """Like suspend, in a body that has been begun: real uWSGI resumes no other request that waits for nothing."""
    yield b''
    yield suspend(count)
