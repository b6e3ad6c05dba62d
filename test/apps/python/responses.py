"""Applications that answer in different styles. `events` says what happened to their iterables."""

import uwsgi

events = []


def start(start_response, *headers):
    return start_response("200 OK", [("Content-Type", "text/plain"), *headers])


def one_chunk(environ, start_response):
    start(start_response)
    return [b"one"]


def many_chunks(environ, start_response):
    start(start_response)
    return [b"a", b"", b"b", b"c"]


def large_chunks(environ, start_response):
    start(start_response)
    return (b"x" * 40_000, b"y" * 40_000)


def no_chunks(environ, start_response):
    start(start_response)
    return []


def plain_bytes(environ, start_response):
    start(start_response)
    return b"plain"


def megabyte(environ, start_response):
    start(start_response)
    return [bytes(range(256)) * 4096]


def generator(environ, start_response):
    """Calls start_response only when it is first iterated."""
    start(start_response)
    yield b""
    yield b"first"
    yield b""
    yield b"second"


def interleaved(environ, start_response):
    start(start_response)
    for number in range(3):
        uwsgi.log(f"making {number}")
        yield b"%d" % number


def writer(environ, start_response):
    write = start(start_response)
    write(b"written")
    write(b"")
    write(b" twice")
    return [b" and returned"]


def status_only(environ, start_response):
    start_response(environ["QUERY_STRING"], [])
    return [b""]


def many_headers(environ, start_response):
    start_response("200 OK", [("Set-Cookie", "a=1"), ("X-Latin", "caf\xe9 \xff"), ("Set-Cookie", "b=2"), ("X-Empty", "")])
    return [b""]


class Closing:
    def __init__(self, chunks, on_close=None):
        self.chunks = chunks
        self.on_close = on_close

    def __iter__(self):
        for chunk in self.chunks:
            if chunk == "fail":
                raise ValueError("in the middle")
            yield chunk

    def close(self):
        events.append("closed")
        if self.on_close:
            raise RuntimeError(self.on_close)


def closing(environ, start_response):
    start(start_response)
    return Closing([b"a", b"b"])


def closing_after_failure(environ, start_response):
    start(start_response)
    return Closing([b"a", "fail", b"never"])


def closing_unstarted(environ, start_response):
    return Closing([b"a"])


def closing_badly(environ, start_response):
    start(start_response)
    return Closing([b"all"], on_close="close() failed")


def closing_list(environ, start_response):
    class ClosingList(list):
        def close(self):
            events.append("list closed")

    start(start_response)
    return ClosingList([b"only"])


def endless(environ, start_response):
    start(start_response)
    try:
        while True:
            yield b"more"
    finally:
        events.append("generator ended")


def show_events(environ, start_response):
    start(start_response)
    shown = ",".join(events)
    events.clear()
    return [shown.encode()]


def file_wrapper(environ, start_response):
    class File:
        def __init__(self):
            self.left = 5

        def read(self, size):
            events.append(f"read {size}")
            taken = min(size, self.left)
            self.left -= taken
            return b"z" * taken

        def close(self):
            events.append("file closed")

    start(start_response)
    return environ["wsgi.file_wrapper"](File(), 2)


def replaced_head(environ, start_response):
    """What error middleware does: a second start_response with exc_info, before anything was sent."""
    import sys

    start(start_response)
    try:
        raise KeyError("lost")
    except KeyError:
        start_response("500 Oops", [("X-Second", "yes")], sys.exc_info())
    return [b"replaced"]


def late_replacement(environ, start_response):
    import sys

    write = start(start_response)
    write(b"sent")
    try:
        raise KeyError("too late")
    except KeyError:
        start_response("500 Oops", [], sys.exc_info())
    return [b"unreachable"]


stale = None


def keeps_write(environ, start_response):
    global stale
    write = start(start_response)
    if stale is not None:
        answers = []
        for call in (lambda: stale[0](b"intruding"), lambda: stale[1]("200 OK", [])):
            try:
                call()
            except RuntimeError as error:
                answers.append(str(error))
        return ["; ".join(answers).encode()]
    stale = (write, start_response)
    return [b"kept"]
