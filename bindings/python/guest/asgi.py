# The server's side of ASGI 3: http and lifespan. One task of the main loop per request.
# Finds in its namespace: use, set_head_of, send_file_of, ClientGone, active_space.
from itertools import chain

exchange_module = use("exchange")
Exchange, start = exchange_module.Exchange, exchange_module.start

# 2.4: send() raises OSError once the client has gone.
VERSION = {"version": "3.0", "spec_version": "2.4"}

# Clients make up header names as they like: so many of them are remembered.
MOST_NAMES = 1000


class HeaderNames(dict):
    """Variables to names of headers; None for a variable that is no header."""

    def __missing__(self, variable):
        name = None
        if variable.startswith("HTTP_"):
            name = variable[5:].replace("_", "-").lower().encode("latin-1")
        if len(self) >= MOST_NAMES:
            self.clear()
            self.update(known_names)
        self[variable] = name
        return name


known_names = {"CONTENT_TYPE": b"content-type", "CONTENT_LENGTH": b"content-length"}
header_names = HeaderNames(known_names)


def text_of(path):
    """A variable holds bytes as Latin-1; paths are UTF-8."""
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


def port_of(text):
    return int(text) if text.isdecimal() else None


def scope_of(environ, state, repeated):
    get = environ.get
    root_path = text_of(get("SCRIPT_NAME", ""))
    path = get("PATH_INFO", "")
    address = get("REMOTE_ADDR")
    names = header_names
    headers = []
    for variable, value in environ.items():
        name = names[variable]
        if name is not None and (value or variable != "CONTENT_TYPE" and variable != "CONTENT_LENGTH"):
            headers.append((name, value.encode("latin-1")))
    if repeated is not None:
        headers = with_repeated(headers, repeated)
    raw_path = get("REQUEST_URI", "").partition("?")[0].encode("latin-1")
    scope = {
        "type": "http",
        "asgi": VERSION.copy(),
        "http_version": get("SERVER_PROTOCOL", "HTTP/1.0").removeprefix("HTTP/"),
        "method": get("REQUEST_METHOD", "GET").upper(),
        "scheme": environ["wsgi.url_scheme"],
        "path": root_path + (path if path.isascii() else text_of(path)),
        "raw_path": raw_path or None,
        "query_string": get("QUERY_STRING", "").encode("latin-1"),
        "root_path": root_path,
        "headers": headers,
        "client": (address, port_of(get("REMOTE_PORT", "")) or 0) if address else None,
        "server": (get("SERVER_NAME", ""), port_of(get("SERVER_PORT", ""))),
        "extensions": {"http.response.pathsend": {}},
    }
    if state is not None:
        scope["state"] = state.copy()
    return scope


def with_repeated(headers, block):
    """The headers of a request in which a variable comes more than once: all of them, in the order of the vars block."""
    pairs = []
    at = 0
    while at < len(block):
        parts = []
        for _ in range(2):
            length = block[at] | block[at + 1] << 8
            parts.append(block[at + 2 : at + 2 + length])
            at += 2 + length
        name = header_names[parts[0].decode("latin-1")]
        if name is not None and parts[0] not in (b"CONTENT_TYPE", b"CONTENT_LENGTH", b"HTTP_CONTENT_TYPE", b"HTTP_CONTENT_LENGTH"):
            pairs.append((name, parts[1]))
    return [pair for pair in headers if pair[0] in (b"content-type", b"content-length")] + pairs


def joined_headers(headers):
    """Names and values in the host's form: joined by NUL."""
    try:
        flat = [*chain.from_iterable(headers)]
        if len(flat) != 2 * len(headers):
            raise TypeError
    except TypeError:
        raise TypeError("'headers' of http.response.start must be an iterable of pairs of a name and a value") from None
    try:
        joined = b"\0".join(flat)
    except TypeError:
        wrong = next(item for item in flat if not isinstance(item, (bytes, bytearray, memoryview)))
        raise TypeError(f"header names and values must be bytes, not {type(wrong).__name__}") from None
    if flat and joined.count(0) != len(flat) - 1:
        raise ValueError("a header name or value holds a NUL character")
    return joined


def body_of(message):
    body = message.get("body", b"")
    if type(body) is bytes:
        return body
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    hint = ": encode it first" if isinstance(body, str) else ""
    raise TypeError(f"'body' of http.response.body must be bytes, not {type(body).__name__}{hint}")


# States of a response.
NOT_STARTED, STARTED, COMPLETE = range(3)


class HttpExchange(Exchange):
    __slots__ = ("environ", "repeated", "response")

    def __init__(self, serial, body, environ, repeated):
        super().__init__(serial, body)
        self.environ = environ
        self.repeated = repeated
        self.response = NOT_STARTED

    async def receive(self):
        body = self.body
        if body is not None:
            if body is not True:
                self.body = None
                return {"type": "http.request", "body": body, "more_body": False}
            try:
                piece = await self.read()
            except ClientGone:
                self.body = None
                return {"type": "http.disconnect"}
            if piece:
                return {"type": "http.request", "body": piece, "more_body": True}
            if self.body is not None:
                self.body = None
                return {"type": "http.request", "body": b"", "more_body": False}
        if self.response != COMPLETE:
            await self.client_leaves()
        return {"type": "http.disconnect"}

    async def send(self, message):
        try:
            kind = message["type"]
        except (TypeError, KeyError):
            raise TypeError(f"an ASGI message is a dict with a 'type', not {message!r:.200}") from None
        if kind == "http.response.body":
            body = body_of(message)
            if self.response != STARTED:
                self.refuse(kind)
            if message.get("more_body", False):
                await self.write(body)
                return
            self.response = COMPLETE
            if self.writing is None:
                # What most responses are: one chunk, for which there is room.
                number = finish_of(self.serial, body) if not self.is_over else self.refuse(kind)
                if number:
                    self.writing = exchange_module.operation(number)
                    await self.written()
            else:
                await self.finish(body)
            self.over()
        elif kind == "http.response.start":
            if self.response != NOT_STARTED or self.is_over:
                self.refuse(kind)
            status = message.get("status")
            if type(status) is not int:
                status = int_of(status)
            headers = message.get("headers", ())
            set_head_of(self.serial, status, joined_headers(headers) if headers else b"")
            self.response = STARTED
        elif kind == "http.response.pathsend":
            if self.response != STARTED:
                self.refuse(kind)
            await self.send_path(message.get("path"))
        else:
            self.refuse(kind)

    def refuse(self, kind):
        if self.is_over and self.response != COMPLETE:
            raise RuntimeError(f"ASGI message {kind!r} was sent after the request had ended")
        expected = {
            NOT_STARTED: "'http.response.start' is expected",
            STARTED: "'http.response.body' is expected",
            COMPLETE: "the response is complete already",
        }[self.response]
        raise RuntimeError(f"unexpected ASGI message {kind!r}: {expected}")

    async def send_path(self, path):
        if not isinstance(path, str):
            raise TypeError(f"'path' of http.response.pathsend must be str, not {type(path).__name__}")
        with open(path, "rb") as file:
            self.response = COMPLETE
            if send_file_of(self.serial, file.fileno()):
                await self.finish(b"")
            else:
                while block := file.read(65536):
                    await self.write(block)
                await self.finish(b"")
        self.over()


def int_of(status):
    if isinstance(status, int) and not isinstance(status, bool):
        return int(status)
    raise TypeError(f"'status' of http.response.start must be int, not {type(status).__name__}")


class Application:
    """What the host calls for a request: with the environ, the request's number, its body, and the vars if some come twice."""

    def __init__(self, application):
        self.application = application
        self.space = active_space()
        # What lifespan has left for requests; None when the application does not support lifespan.
        self.state = None
        self.lifespan = None

    def __call__(self, environ, serial, body, repeated):
        return start(HttpExchange(serial, body, environ, repeated), self.space, self)

    async def serve(self, exchange):
        # Bound here, so that the request's own task has the cost.
        scope = scope_of(exchange.environ, self.state, exchange.repeated)
        exchange.environ = exchange.repeated = None
        await self.application(scope, exchange.receive, exchange.send)
        if exchange.response != COMPLETE and not exchange.is_over:
            if exchange.response == NOT_STARTED:
                raise RuntimeError("the ASGI application returned without sending 'http.response.start'")
            raise RuntimeError("the ASGI application returned without completing its response: 'more_body' was true")

    async def startup(self):
        """Runs the application's startup. Returns what there is to be said of it. Raises what a failed startup says."""
        lifespan = use("lifespan").Lifespan(self.application)
        if not await lifespan.startup():
            return f", without lifespan{lifespan.reason}"
        self.lifespan = lifespan
        self.state = lifespan.state
        return " with lifespan"

    async def shutdown(self):
        if self.lifespan is not None:
            await self.lifespan.shutdown()
