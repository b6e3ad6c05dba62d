# Which interface an application is written for, by what can be seen of it without calling it.
# Finds in its namespace: use, make_handler.
from types import FunctionType, MethodType

COROUTINE = 0x80
ASYNC_GENERATOR = 0x200
VARARGS = 0x04

ASGI, ASYNC_WSGI, WSGI = "ASGI", "async WSGI", "WSGI"
ASGI_NAMES = ("scope", "receive", "send")


class NotAnApplication(Exception):
    pass


def look(application):
    """(is it a coroutine function or an async generator function, the names of its required parameters; None: any)"""
    given, named = 0, set()
    is_async = False
    function = application
    # Bounded: a chain of wrappers may be a ring.
    for _ in range(100):
        if isinstance(function, FunctionType):
            code = function.__code__
            is_async = is_async or bool(code.co_flags & (COROUTINE | ASYNC_GENERATOR)) or hasattr(function, "_is_coroutine_mark")
            wrapped = function.__dict__.get("__wrapped__")
            if wrapped is not None and code.co_flags & VARARGS:
                function = wrapped
                continue
            if code.co_flags & VARARGS:
                return is_async, None
            names = code.co_varnames[: code.co_argcount]
            required = names[: len(names) - len(function.__defaults__ or ())]
            return is_async, [name for name in required[given:] if name not in named]
        if isinstance(function, MethodType):
            given += 1
            function = function.__func__
        elif type(function).__name__ == "partial" and type(function).__module__ == "functools":
            given += len(function.args)
            named.update(function.keywords)
            function = function.func
        elif isinstance(function, type):
            # Calling a class makes an object, whatever that is able to do.
            function = function.__init__
            if not isinstance(function, FunctionType):
                return False, None
            given += 1
        else:
            function = getattr(type(function), "__call__", None)
            if isinstance(function, (staticmethod, classmethod)) or not isinstance(function, FunctionType):
                return is_async, None
            given += 1
    return is_async, None


def kind_of(application, name):
    is_async, parameters = look(application)
    if is_async:
        if parameters is None or len(parameters) == 3:
            return ASGI
        if len(parameters) == 2:
            return ASYNC_WSGI
        raise NotAnApplication(
            f"'{name}' is a coroutine function of {len(parameters)} parameters: an ASGI application takes"
            " (scope, receive, send), an asynchronous WSGI application (environ, start_response)"
        )
    if parameters is None:
        return WSGI
    if len(parameters) == 3 and tuple(parameters) == ASGI_NAMES:
        return ASGI
    if parameters == ["scope"]:
        raise NotAnApplication(
            f"'{name}' takes a scope alone, as applications of ASGI 2 do: only ASGI 3 is served, an application that takes"
            " (scope, receive, send); asgiref.compatibility.guarantee_single_callable() makes one of it"
        )
    return WSGI


def handler_of(application, name):
    """(interface, handler) of an application; handlers of asynchronous ones are called otherwise (asgi.ts)."""
    kind = kind_of(application, name)
    if kind is WSGI:
        return kind, make_handler(application)
    if kind is ASGI:
        return kind, use("asgi").Application(application)
    return kind, use("async_wsgi").Application(application)
