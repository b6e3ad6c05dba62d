# Callables of every kind that an application may be, and others: what they are taken for is seen when they are loaded.
import functools


async def asgi_function(scope, receive, send): ...
async def asgi_any(*args): ...
async def asgi_defaults(scope, receive, send, more=None): ...
async def async_wsgi(environ, start_response): ...
async def async_wsgi_generator(environ, start_response):
    yield b""
def wsgi_function(environ, start_response): ...
def wsgi_any(*args): ...
def asgi_plain(scope, receive, send): ...
def wsgi_three(environ, start_response, extra): ...
async def one_parameter(request): ...
def asgi2_function(scope): ...


class AsgiObject:
    async def __call__(self, scope, receive, send): ...


class WsgiObject:
    def __call__(self, environ, start_response): ...

    async def method(self, scope, receive, send): ...


class WsgiClass:
    def __init__(self, environ, start_response): ...


class Asgi2Class:
    def __init__(self, scope): ...


def decorated(function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        return await function(*args, **kwargs)

    return wrapper


asgi_object = AsgiObject()
wsgi_object = WsgiObject()
asgi_method = wsgi_object.method
asgi_partial = functools.partial(lambda extra, scope, receive, send: None, 5)
async_wsgi_partial = functools.partial(asgi_defaults, send=1)
async_wsgi_decorated = decorated(decorated(async_wsgi))
built_in = print
ring = decorated(asgi_function)
ring.__wrapped__ = ring
