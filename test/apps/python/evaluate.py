"""Hands a function to the server that evaluates Python: what tests of the binding run their code with."""

import uwsgi

namespace = {"uwsgi": uwsgi}


def evaluate(code):
    """The repr of an expression, or of what statements leave in `result`; or the exception."""
    try:
        try:
            compiled = compile(code, "<test>", "eval")
        except SyntaxError:
            namespace["result"] = None
            exec(compile(code, "<test>", "exec"), namespace)
            answer = namespace["result"]
        else:
            answer = eval(compiled, namespace)
        text = repr(answer)
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"
    return text.encode("utf-8", "backslashreplace")


uwsgi.keep("evaluate", evaluate)


def application(environ, start_response):
    start_response("200 OK", [])
    return [evaluate(environ["wsgi.input"].read())]
