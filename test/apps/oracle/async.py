"""Asynchronous cores under real uWSGI (--ugreen) and under polywsgi: each page answers what its calls gave, a line each.

Descriptors are other numbers there and here, so pages tell them by name. The query string says where the servers are that
they talk to. Times are whole seconds: uWSGI knows no others.
"""
import uwsgi


def shown(name, value):
    return f"{name}: {type(value).__name__} {value!r}"


def raised(name, call, *args):
    try:
        return shown(name, call(*args))
    except BaseException as error:
        return f"{name}: raises {type(error).__name__}"


def named(fds, fd):
    """The name of a descriptor, which is -1 or None for none."""
    return next((name for name, one in fds.items() if one == fd), repr(fd))


def connected(address):
    fd = uwsgi.async_connect(address)
    uwsgi.wait_fd_write(fd, 3)
    uwsgi.suspend()
    return fd


def environ_keys(environ, places):
    for key in sorted(environ):
        if key.startswith("x-wsgiorg.") or key.startswith("uwsgi."):
            value = environ[key]
            yield f"{key} {'callable' if callable(value) else type(value).__name__}"


def values(environ, places):
    yield shown("cores", uwsgi.cores)
    # Which core is free is nobody's business.
    yield "core " + type(environ["uwsgi.core"]).__name__
    yield shown("sleep 0", uwsgi.async_sleep(0))
    yield shown("sleep -1", uwsgi.async_sleep(-1))
    yield shown("sleep", uwsgi.async_sleep(1))
    yield shown("suspend", uwsgi.suspend())
    yield shown("ready_fd", uwsgi.ready_fd())


def arguments(environ, places):
    yield raised("sleep of text", uwsgi.async_sleep, "1")
    yield raised("sleep without", uwsgi.async_sleep)
    yield raised("read without", uwsgi.wait_fd_read)
    yield raised("read of text", uwsgi.wait_fd_read, "1")
    yield raised("write of None", uwsgi.wait_fd_write, None)
    yield raised("timeout of text", uwsgi.wait_fd_read, 1, "1")
    yield raised("timeout of a fraction", uwsgi.wait_fd_read, uwsgi.connection_fd(), 0.5)
    yield raised("connect of nothing", uwsgi.async_connect)
    yield raised("connect of number", uwsgi.async_connect, 5)
    yield raised("connect to no path", uwsgi.async_connect, "/nowhere/at-all.sock")
    yield raised("connect to no port", uwsgi.async_connect, "localhost")


def bad_read(environ, places):
    yield raised("read of no descriptor", uwsgi.wait_fd_read, 300)


def bad_write(environ, places):
    yield raised("write of no descriptor", uwsgi.wait_fd_write, 300, 1)


def closed_read(environ, places):
    fd = connected(places["echo"])
    uwsgi.close(fd)
    yield raised("read of a closed descriptor", uwsgi.wait_fd_read, fd)


def ready_at_first(environ, places):
    yield shown("ready_fd", uwsgi.ready_fd())


def good(environ, places):
    fd = uwsgi.async_connect(places["echo"])
    yield shown("wait", uwsgi.wait_fd_write(fd, 3))
    yield shown("suspend", uwsgi.suspend())
    yield "ready " + named({"fd": fd}, uwsgi.ready_fd())
    yield shown("connected", uwsgi.is_connected(fd))
    yield shown("close", uwsgi.close(fd))


def refused(environ, places):
    fd = uwsgi.async_connect(places["refusing"])
    uwsgi.wait_fd_write(fd, 3)
    uwsgi.suspend()
    yield "ready " + named({"fd": fd}, uwsgi.ready_fd())
    yield shown("connected", uwsgi.is_connected(fd))
    uwsgi.close(fd)


def conversation(environ, places):
    fd = connected(places["echo"])
    uwsgi.send(fd, b"hello \x00\xff")
    yield shown("wait", uwsgi.wait_fd_read(fd, 3))
    uwsgi.suspend()
    yield "ready " + named({"fd": fd}, uwsgi.ready_fd())
    yield shown("received", uwsgi.recv(fd, 4096))
    # What was waited for is forgotten, and may be waited for again.
    uwsgi.send(fd, b"again")
    uwsgi.wait_fd_read(fd, 3)
    uwsgi.suspend()
    yield shown("received", uwsgi.recv(fd, 2))
    yield shown("received", uwsgi.recv(fd, 4096))
    uwsgi.close(fd)


def ended(environ, places):
    fd = connected(places["closing"])
    uwsgi.wait_fd_read(fd, 3)
    uwsgi.suspend()
    yield "ready " + named({"fd": fd}, uwsgi.ready_fd())
    yield shown("received", uwsgi.recv(fd, 4096))
    uwsgi.close(fd)


def timeout(environ, places):
    fd = connected(places["silent"])
    uwsgi.wait_fd_read(fd, 1)
    yield shown("suspend", uwsgi.suspend())
    yield shown("ready_fd", uwsgi.ready_fd())
    yield shown("connected", uwsgi.is_connected(fd))
    # One that is ready, after a time that was over.
    uwsgi.wait_fd_write(fd, 3)
    uwsgi.suspend()
    yield "ready " + named({"fd": fd}, uwsgi.ready_fd())
    uwsgi.close(fd)


def earliest(environ, places):
    """Of two times the first one counts: the silent server never says anything."""
    fd = connected(places["silent"])
    uwsgi.wait_fd_read(fd, 1)
    uwsgi.async_sleep(60)
    uwsgi.suspend()
    yield shown("ready_fd", uwsgi.ready_fd())
    uwsgi.close(fd)


def several(environ, places):
    fds = {name: connected(places[name]) for name in ("silent", "echo", "other")}
    uwsgi.send(fds["other"], b"x")
    for fd in fds.values():
        uwsgi.wait_fd_read(fd, 3)
    uwsgi.suspend()
    yield "ready " + named(fds, uwsgi.ready_fd())
    uwsgi.send(fds["echo"], b"x")
    uwsgi.wait_fd_read(fds["silent"], 3)
    uwsgi.wait_fd_read(fds["echo"], 3)
    uwsgi.suspend()
    yield "ready " + named(fds, uwsgi.ready_fd())
    for fd in fds.values():
        uwsgi.close(fd)


def duplicate(environ, places):
    fd = connected(places["silent"])
    yield raised("first", uwsgi.wait_fd_read, fd, 1)
    yield raised("second", uwsgi.wait_fd_read, fd, 1)
    yield shown("suspend", uwsgi.suspend())
    uwsgi.close(fd)


def both_ways(environ, places):
    fd = connected(places["silent"])
    yield raised("read", uwsgi.wait_fd_read, fd, 1)
    yield raised("write", uwsgi.wait_fd_write, fd, 1)
    uwsgi.suspend()
    uwsgi.close(fd)


def closed(environ, places):
    fd = connected(places["echo"])
    uwsgi.close(fd)
    yield shown("connected", uwsgi.is_connected(fd))
    yield shown("close", uwsgi.close(fd))
    yield raised("send", uwsgi.send, fd, b"x")


def client(environ, places):
    """The client's own connection can be written to, and brings nothing more."""
    fd = uwsgi.connection_fd()
    uwsgi.wait_fd_write(fd, 1)
    uwsgi.suspend()
    yield "ready " + named({"client": fd}, uwsgi.ready_fd())
    uwsgi.wait_fd_read(fd, 1)
    uwsgi.suspend()
    yield "ready " + named({"client": fd}, uwsgi.ready_fd())


def idle(environ, places):
    """Nothing is registered."""
    yield shown("suspend", uwsgi.suspend())


def idle_green(environ, places):
    yield shown("green_schedule", uwsgi.green_schedule())


def body(environ, places):
    """Reading what the client sends suspends by itself."""
    yield shown("body", environ["wsgi.input"].read())


def by_environ(environ, places):
    """The extension x-wsgiorg.fdevent: a chunk of nothing waits for what was registered."""
    readable, writable = environ["x-wsgiorg.fdevent.readable"], environ["x-wsgiorg.fdevent.writable"]

    def state():
        return " ".join([
            named(fds, environ.get("uwsgi.ready_fd")),
            shown("timeout", environ["x-wsgiorg.fdevent.timeout"]),
        ])

    fds = {}
    yield "begin " + state()
    fds["fd"] = fd = uwsgi.async_connect(places["echo"])
    yield shown("writable", writable(fd, 3))
    yield None
    yield "connected " + state()
    yield "ready_fd() " + named(fds, uwsgi.ready_fd())
    uwsgi.send(fd, b"hello")
    yield shown("readable", readable(fd, 3))
    yield None
    yield "said " + state()
    yield shown("received", uwsgi.recv(fd, 4096))
    readable(fd, 1)
    yield None
    yield "too late " + state()
    uwsgi.async_sleep(1)
    yield None
    yield "slept " + state()
    uwsgi.close(fd)


def suspends_between(environ, places):
    """A generator that has begun its body, and then suspends with nothing registered."""
    yield "first"
    yield None
    yield shown("suspend", uwsgi.suspend())
    yield shown("ready_fd", uwsgi.ready_fd())


pages = {
    "/" + page.__name__.replace("_", "-"): page
    for page in (
        environ_keys, values, arguments, bad_read, bad_write, closed_read, ready_at_first, good, refused, conversation, ended, timeout, earliest, several,
        duplicate, both_ways, closed, client, idle, idle_green, body, by_environ, suspends_between,
    )
}

# These are generators: None is a chunk of nothing, and lines are kept until the end, or each would be a turn for others.
chunked = ("/by-environ", "/suspends-between")


def in_chunks(lines):
    kept = []
    for line in lines:
        if line is None:
            yield b""
        else:
            kept.append(line)
    yield "\n".join(kept).encode()


def guarded(lines):
    """An exception ends a page with a line that names it: what came before is told all the same."""
    try:
        yield from lines
    except Exception as error:
        yield f"raises {type(error).__name__}: {error}"


def application(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/kept":
        return [uwsgi.cache_get(environ["QUERY_STRING"]) or b""]
    places = dict(pair.split("=") for pair in environ["QUERY_STRING"].split("&") if pair)
    lines = guarded(pages[path](environ, places))
    if path in chunked:
        return in_chunks(lines)
    answer = "\n".join(lines).encode()
    # For those who get no answer: uWSGI forgets a request for which a descriptor could not be registered.
    uwsgi.cache_update(path, answer)
    return [answer]
