# Runs the Python that the option load-python holds while it loads, and then the Python that is posted.
import uwsgi

NAMES = {"uwsgi": uwsgi}


def run(name, code):
    exec(f"def {name}():\n    pass\n" + "\n".join("    " + line for line in code.split("\n")), NAMES)
    return NAMES[name]()


run("load", uwsgi.opt.get("load-python", b"").decode())


def application(environ, start_response):
    code = environ["wsgi.input"].read() or environ.get("HTTP_X_CODE", "").encode("latin-1")
    try:
        status, answer = "200 OK", run("posted", code.decode())
    except BaseException as error:
        status, answer = "500 Raised", f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace")
    start_response(status, [("Content-Type", "text/plain")])
    return [answer if isinstance(answer, bytes) else repr(answer).encode()]
