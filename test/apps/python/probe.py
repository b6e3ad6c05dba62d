"""Runs the request body as Python code in a fresh namespace; answers with what it leaves in `result`, or the exception."""


def application(environ, start_response):
    namespace = {"environ": environ, "result": None}
    try:
        exec(environ["wsgi.input"].read().decode(), namespace)
        text = str(namespace["result"])
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [text.encode()]
