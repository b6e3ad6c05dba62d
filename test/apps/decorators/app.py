# Every decorator of uWSGI's uwsgidecorators module that needs no plugin of its own.
import uwsgi
from uwsgidecorators import (
    cron,
    filemon,
    harakiri,
    lock,
    mulefunc,
    mulemsg,
    postfork,
    rbtimer,
    rpc,
    signal,
    spool,
    spoolraw,
    timer,
)


@postfork
def after_fork():
    uwsgi.cache_inc("postfork")


@timer(1)
def on_timer(signum):
    uwsgi.cache_inc("timer")


@rbtimer(1)
def on_rbtimer(signum):
    uwsgi.cache_inc("rbtimer")


@cron(-1, -1, -1, -1, -1)
def on_cron(signum):
    uwsgi.cache_inc("cron")


@signal(99)
def on_signal(signum):
    uwsgi.cache_inc("signal")


@filemon(uwsgi.opt["watched"].decode())
def on_change(signum):
    uwsgi.cache_inc("filemon")


@spool
def spooled(arguments):
    uwsgi.cache_update("spool", arguments["name"])


@spoolraw
def spooled_raw(arguments):
    uwsgi.cache_update("spoolraw", arguments["name"])
    return uwsgi.SPOOL_OK


@spool(pass_arguments=True)
def spooled_arguments(*args, **kwargs):
    uwsgi.cache_update("spoolargs", repr(args) + " " + repr(sorted(kwargs.items())))


@mulefunc(1)
def in_mule(text, n):
    uwsgi.cache_update("mulefunc", f"{text} {n}")


@rpc("decorated")
def decorated(text):
    return b"decorated " + text


@lock
def locked():
    return uwsgi.is_locked()


@harakiri(30)
def hurried():
    return "in time"


@mulemsg(2)
def take(message):
    uwsgi.cache_update("mulemsg", message)


def application(environ, start_response):
    code = environ["wsgi.input"].read().decode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        return [repr(eval(code, globals())).encode()]
    except BaseException as error:
        return [f"{type(error).__name__}: {error}".encode()]
