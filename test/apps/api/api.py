import uwsgi


def show(value):
    return repr(value)


def failure(call):
    try:
        return "returned " + show(call())
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def application(environ, start_response):
    lines = [
        show(uwsgi.version),
        show(uwsgi.hostname),
        show(uwsgi.worker_id()),
        show(uwsgi.masterpid()),
        show(uwsgi.opt["workers"]),
        show(uwsgi.opt["flag"]),
        show(uwsgi.opt["repeated"]),
        show(uwsgi.opt.get("missing")),
        show(uwsgi.log("from Python")),
        show(uwsgi.log(b"bytes \x00\xff")),
        failure(lambda: uwsgi.log()),
        failure(lambda: uwsgi.log(1)),
        failure(lambda: uwsgi.log("a", "b")),
        failure(lambda: uwsgi.worker_id(1)),
    ]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return ["\n".join(lines).encode()]
