# A framework of the kind that ASGI applications are written with: routes, requests, responses, middleware, lifespan.
import asyncio
import contextlib
import inspect
import json
from urllib.parse import parse_qs


class Disconnected(Exception):
    pass


class Request:
    def __init__(self, scope, receive):
        self.scope = scope
        self._receive = receive
        self.method = scope["method"]
        self.path = scope["path"].removeprefix(scope["root_path"])
        self.query = {key: values[-1] for key, values in parse_qs(scope["query_string"].decode()).items()}
        self.headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        self.state = scope.get("state", {})

    async def stream(self):
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            yield message["body"]
            if not message["more_body"]:
                return

    async def body(self):
        return b"".join([piece async for piece in self.stream()])

    async def json(self):
        return json.loads(await self.body())


class Response:
    kind = "text/plain; charset=utf-8"

    def __init__(self, content=b"", status=200, headers=(), background=None):
        self.content = content
        self.status = status
        self.headers = [(b"content-type", self.kind.encode()), *headers]
        self.background = background

    def body(self):
        return self.content.encode() if isinstance(self.content, str) else self.content

    async def __call__(self, scope, receive, send):
        body = self.body()
        headers = [*self.headers, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        if self.background is not None:
            await self.background()


class JSON(Response):
    kind = "application/json"

    def body(self):
        return json.dumps(self.content).encode()


class Stream(Response):
    async def __call__(self, scope, receive, send):
        """Streams until the client goes, as Starlette does it for servers that do not say so in send()."""

        async def watch():
            while (await receive())["type"] != "http.disconnect":
                pass

        async def produce():
            await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
            async with contextlib.aclosing(self.content) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch())
            producing = group.create_task(produce())
            await asyncio.wait([watching, producing], return_when=asyncio.FIRST_COMPLETED)
            watching.cancel()
            producing.cancel()


class App:
    def __init__(self, lifespan):
        self.routes = {}
        self.lifespan = lifespan
        self.handler = self.dispatch

    def route(self, path, *methods):
        def add(function):
            for method in methods or ("GET",):
                self.routes[method, path] = function
            return function

        return add

    def middleware(self, wrap):
        self.handler = wrap(self.handler)
        return wrap

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.live(scope, receive, send)
        else:
            await self.handler(scope, receive, send)

    async def live(self, scope, receive, send):
        await receive()
        try:
            async with contextlib.AsyncExitStack() as stack:
                scope["state"].update(await stack.enter_async_context(self.lifespan(self)))
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except BaseException as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    async def dispatch(self, scope, receive, send):
        request = Request(scope, receive)
        function = self.routes.get((request.method, request.path))
        if function is None:
            response = Response("not found", 404)
        else:
            response = function(request)
            if inspect.isawaitable(response):
                response = await response
        await response(scope, receive, send)
