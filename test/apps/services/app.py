# Registers functions, handlers and hooks while it loads, then runs the Python that is posted.
import sys

import uwsgi

NAME = "python"


def echo(data):
    return b"python:" + data


def fail(data):
    raise ValueError("python says no")


def relay(target, data):
    return uwsgi.call(target.decode(), data)


def on_signal(signum):
    uwsgi.cache_inc(f"python-signal-{signum}")


def on_failing_signal(signum):
    raise ValueError("python signal fails")


def spooler(env):
    body = env.get("body", b"")
    uwsgi.cache_update("python-spool", env[b"what"] + b" " + body)
    return uwsgi.SPOOL_OK


uwsgi.register_rpc("python_echo", echo, 1)
uwsgi.register_rpc("python_fail", fail)
uwsgi.register_rpc("python_relay", relay, 2)
uwsgi.register_signal(10, "worker", on_signal)
uwsgi.register_signal(13, "workers", on_signal)
uwsgi.register_signal(16, "mule1", on_signal)
uwsgi.register_signal(19, "", on_failing_signal)
uwsgi.add_rb_timer(10, 1, 3)
if uwsgi.opt.get("spool-language") == b"python":
    uwsgi.spooler = spooler


def mule_message(message):
    uwsgi.cache_update(f"python-mule-{uwsgi.mule_id()}", message)


if uwsgi.opt.get("mule-language") == b"python":
    uwsgi.mule_msg_hook = mule_message


def application(environ, start_response):
    code = environ["wsgi.input"].read().decode()
    names = {"uwsgi": uwsgi, "sys": sys}
    try:
        exec("def posted():\n" + "\n".join("    " + line for line in code.split("\n")), names)
        status, answer = "200 OK", names["posted"]()
    except BaseException as error:
        status, answer = "500 Raised", f"{type(error).__name__}: {error}".encode()
    start_response(status, [("Content-Type", "text/plain")])
    return [answer if isinstance(answer, bytes) else repr(answer).encode()]
