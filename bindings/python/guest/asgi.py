# The server's side of ASGI 3: http and lifespan. One task of the main loop per request.
# Finds in its namespace: use, set_head_of, finish_of, send_file_of, is_client_gone, ClientGone, active_space.
from itertools import chain

exchange_module = use("exchange")
Exchange, start, ended = exchange_module.Exchange, exchange_module.start, exchange_module.ended
current_request, current_space = exchange_module.current_request, exchange_module.current_space

# 2.4: send() raises OSError once the client has gone.
VERSION = {"version": "3.0", "spec_version": "2.4"}

# Clients make up header names as they like: so many sets of them are remembered.
MOST_SHAPES = 100
# What the host numbers environs with the same names by, to the variables that are headers and the headers' names.
header_names = {}
ports = {"": None}
# What variables call otherwise than scopes.
versions = {"HTTP/2.0": "2", "HTTP/3.0": "3"}


def header_name(variable):
    return variable[5:].replace("_", "-").lower().encode("latin-1")


def names_in(environ, shape):
    if len(header_names) >= MOST_SHAPES:
        header_names.clear()
    names = [(variable, header_name(variable)) for variable in environ if variable.startswith("HTTP_")]
    header_names[shape] = names
    return names


def text_of(path):
    """A variable holds bytes as Latin-1; paths are UTF-8."""
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


def port_of(text):
    if len(ports) > 1000:
        ports.clear()
    ports[text] = port = int(text) if text.isdecimal() else None
    return port


def scope_of(environ, state, shape):
    root_path, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")
    whole_path = root_path + path
    if not whole_path.isascii():
        root_path, whole_path = text_of(root_path), text_of(whole_path)
    if type(shape) is int:
        headers = [
            (name, environ[variable].encode("latin-1")) for variable, name in header_names.get(shape) or names_in(environ, shape)
        ]
    else:
        headers = repeated_headers(shape)
    if value := environ.get("CONTENT_TYPE"):
        headers.append((b"content-type", value.encode("latin-1")))
    if value := environ.get("CONTENT_LENGTH"):
        headers.append((b"content-length", value.encode("latin-1")))
    address, protocol = environ.get("REMOTE_ADDR"), environ.get("SERVER_PROTOCOL", "HTTP/1.0")
    client_port, server_port = environ.get("REMOTE_PORT", ""), environ.get("SERVER_PORT", "")
    scope = {
        "type": "http",
        "asgi": VERSION.copy(),
        "http_version": versions.get(protocol) or protocol[5:],
        "method": environ.get("REQUEST_METHOD", "GET").upper(),
        "scheme": environ["wsgi.url_scheme"],
        "path": whole_path,
        "raw_path": environ.get("REQUEST_URI", "").partition("?")[0].encode("latin-1") or None,
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
        "root_path": root_path,
        "headers": headers,
        "client": (address, (ports[client_port] if client_port in ports else port_of(client_port)) or 0) if address else None,
        "server": (environ.get("SERVER_NAME", ""), ports[server_port] if server_port in ports else port_of(server_port)),
        "extensions": {"http.response.pathsend": {}},
    }
    if state is not None:
        scope["state"] = state.copy()
    return scope


def repeated_headers(block):
    """The headers of a vars block in which some come more than once: all of them, in their order."""
    headers = []
    at = 0
    while at < len(block):
        pair = []
        for _ in range(2):
            length = block[at] | block[at + 1] << 8
            pair.append(block[at + 2 : at + 2 + length])
            at += 2 + length
        variable, value = pair
        if variable.startswith(b"HTTP_") and variable not in (b"HTTP_CONTENT_TYPE", b"HTTP_CONTENT_LENGTH"):
            headers.append((header_name(variable.decode("latin-1")), value))
    return headers


def joined_headers(headers):
    """Names and values in the host's form: joined by NUL."""
    try:
        pairs = headers if type(headers) is list else [*headers]
        flat = [*chain.from_iterable(pairs)]
        if len(flat) != 2 * len(pairs):
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
    __slots__ = ("response",)

    def __init__(self, serial, body):
        self.serial = serial
        self.body = body
        self.is_later = self.is_over = self.is_given_up = False
        self.task = self.writing = self.reading = self.leaving = None
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
        # What the lifespan has left for requests; None when there is none.
        self.state = None
        self.lifespan = None

    def __call__(self, environ, serial, body, shape):
        exchange = HttpExchange(serial, body)
        return start(exchange, self.serve(exchange, environ, shape))

    async def serve(self, exchange, environ, shape):
        """The task of a request."""
        current_request.set(exchange.serial)
        current_space.set(self.space)
        try:
            await self.application(scope_of(environ, self.state, shape), exchange.receive, exchange.send)
            if exchange.response != COMPLETE and not exchange.is_over:
                if is_client_gone(exchange.serial):
                    # It has heard of that from receive(), and has stopped.
                    raise ClientGone
                raise RuntimeError(
                    "the ASGI application returned without sending 'http.response.start'"
                    if exchange.response == NOT_STARTED
                    else "the ASGI application returned without completing its response: 'more_body' was true"
                )
        except BaseException as error:
            return ended(exchange, error)
        return ended(exchange, None)

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
