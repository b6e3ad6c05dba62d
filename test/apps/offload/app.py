# Gives files away in each way that Python has; the query string is the path.
import io

import uwsgi


def application(environ, start_response):
    path = environ["QUERY_STRING"]
    action = environ["PATH_INFO"]
    if action == "/wrapper":
        start_response("200 OK", [("X-Own", "yes")])
        return environ["wsgi.file_wrapper"](open(path, "rb"))
    if action == "/wrapper-rest":
        start_response("200 OK", [("X-Own", "yes")])
        file = open(path, "rb")
        file.seek(6)
        return environ["wsgi.file_wrapper"](file)
    if action == "/wrapper-memory":
        start_response("200 OK", [("X-Own", "yes")])
        return environ["wsgi.file_wrapper"](io.BytesIO(b"in memory"))
    if action == "/wrapper-guest":
        with open("/tmp/own.txt", "wb") as file:
            file.write(b"the guest's own")
        start_response("200 OK", [("X-Own", "yes")])
        return environ["wsgi.file_wrapper"](open("/tmp/own.txt", "rb"))
    if action == "/raises":
        uwsgi.sendfile(path)
        raise RuntimeError("after all")
    try:
        said = repr(uwsgi.sendfile(path))
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    start_response("200 OK", [("X-Own", "yes"), ("X-Said", said)])
    return [b"dropped ", b"if it was sent"]
