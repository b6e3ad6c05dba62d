# Evaluates expressions of the uwsgi API, one line each in and out: the same program under both servers.
import uwsgi


def handler(*args):
    return b"handled"


def rpc_upper(text):
    return text.upper()


def rpc_count(*args):
    return str(len(args)).encode()


def rpc_none():
    return None


uwsgi.register_rpc("upper", rpc_upper)
uwsgi.register_rpc("count", rpc_count)
uwsgi.register_rpc("none", rpc_none)
uwsgi.register_signal(17, "worker", handler)


def spooler(env):
    # The name of a job and its variables, sorted, for whoever asks the cache.
    items = sorted((key if isinstance(key, bytes) else key.encode(), value) for key, value in env.items())
    uwsgi.cache_update("spooled", repr([item for item in items if item[0] != b"spooler_task_name"]))
    return uwsgi.SPOOL_OK


uwsgi.spooler = spooler


def show(code):
    kind, _, expression = code.partition(" ")
    try:
        value = eval(expression, {"uwsgi": uwsgi, "handler": handler})
    except BaseException as error:
        return f"raises {type(error).__name__}"
    if kind == "type":
        return type(value).__name__
    if kind == "sorted":
        return repr(sorted(value))
    return f"{type(value).__name__} {value!r}"


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    lines = environ["wsgi.input"].read().decode("utf-8").split("\n")
    return ["\n".join(show(line) for line in lines).encode("utf-8", "backslashreplace")]
