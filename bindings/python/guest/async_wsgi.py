# WSGI applications that are coroutine functions, or async generator functions: as WSGI (guest/wsgi.py), but the application
# may await, and its body may be an asynchronous iterable. One task of the main loop per request.
# Finds in its namespace: use, set_head_of, head_of, refuse_chunk, open_body, active_space.
from io import BytesIO

exchange_module = use("exchange")
Exchange, start, ended = exchange_module.Exchange, exchange_module.start, exchange_module.ended
current_request, current_space = exchange_module.current_request, exchange_module.current_space

NOTHING, HEAD_SET, HEAD_SENT, OVER = range(4)


class WsgiExchange(Exchange):
    __slots__ = ("state",)

    def __init__(self, serial, body):
        super().__init__(serial, body)
        self.state = NOTHING

    def start_response(self, status, headers, exc_info=None):
        try:
            if self.state == OVER or self.is_over:
                raise RuntimeError("start_response() was called after the request had ended")
            if self.state and exc_info is None:
                raise AssertionError("start_response() was called a second time without exc_info")
            if self.state == HEAD_SENT:
                raise exc_info[1].with_traceback(exc_info[2])
        finally:
            exc_info = None
        set_head_of(self.serial, status, head_of(status, headers))
        self.state = HEAD_SET
        return refuse_write

    async def chunk(self, chunk):
        if not isinstance(chunk, bytes):
            refuse_chunk(chunk)
        if chunk:
            self.assert_started("sent a body before it called start_response()")
            self.state = HEAD_SENT
            await self.write(chunk)

    async def end(self, chunk=b""):
        if not isinstance(chunk, bytes):
            refuse_chunk(chunk)
        self.assert_started("did not call start_response()")
        self.state = OVER
        await self.finish(chunk)

    def assert_started(self, what):
        if not self.state:
            raise AssertionError(f"the application {what}")


def refuse_write(chunk):
    # It would have to wait for the client, and cannot in an event loop.
    raise RuntimeError("write() is not there for asynchronous applications: return or yield the body's chunks")


class Application:
    """What the host calls for a request: with the environ, the request's number, and its body."""

    lifespan = None

    def __init__(self, application):
        self.application = application
        self.space = active_space()

    def __call__(self, environ, serial, body, shape):
        exchange = WsgiExchange(serial, body)
        return start(exchange, self.serve(exchange, environ))

    async def serve(self, exchange, environ):
        """The task of a request."""
        current_request.set(exchange.serial)
        current_space.set(self.space)
        try:
            await self.respond(exchange, environ)
        except BaseException as error:
            return ended(exchange, error)
        return ended(exchange, None)

    async def respond(self, exchange, environ):
        body = exchange.body
        if body:
            environ["wsgi.input"] = open_body(exchange.serial) if body is True else BytesIO(body)
        exchange.body = None
        result = self.application(environ, exchange.start_response)
        if hasattr(result, "__await__"):
            result = await result
        if isinstance(result, bytes):
            await exchange.end(result)
            return
        try:
            if isinstance(result, (list, tuple)) and len(result) == 1:
                await exchange.end(result[0])
                return
            if hasattr(result, "__aiter__"):
                async for chunk in result:
                    await exchange.chunk(chunk)
            else:
                for chunk in result:
                    await exchange.chunk(chunk)
            await exchange.end()
        finally:
            exchange.state = OVER
            if hasattr(result, "aclose"):
                await result.aclose()
            elif hasattr(result, "close"):
                result.close()
