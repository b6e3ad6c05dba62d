# Runs the Python that is posted, as the body of a function, and answers what it returned.
import uwsgi


def application(environ, start_response):
    code = environ["wsgi.input"].read().decode()
    body = "\n".join("    " + line for line in code.split("\n"))
    names = {"uwsgi": uwsgi}
    try:
        exec(f"def posted():\n{body}\n    return None", names)
        status, answer = "200 OK", repr(names["posted"]())
    except BaseException as error:
        status, answer = "500 Raised", f"{type(error).__name__}: {error}"
    start_response(status, [("Content-Type", "text/plain")])
    return [answer.encode("utf-8", "backslashreplace")]
