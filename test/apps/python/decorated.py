"""Uses every decorator of uWSGI's own uwsgidecorators module that has something to do here."""

import uwsgi
import uwsgidecorators as decorators

seen = []


@decorators.timer(3)
def every_three_seconds(signum):
    seen.append(("timer", signum))


@decorators.rbtimer(7, target="mule1")
def every_seven_seconds(signum):
    seen.append(("rbtimer", signum))


@decorators.cron(59, 3, -1, -1, -1)
def at_night(signum):
    seen.append(("cron", signum))


@decorators.filemon("/tmp")
def changed(signum):
    seen.append(("filemon", signum))


@decorators.signal(30, target="workers")
def on_thirty(signum):
    seen.append(("signal", signum))


@decorators.rpc("greet")
def greet(name):
    return b"hello " + name


@decorators.spool
def resize(job):
    seen.append(("resize", {name: job[name] for name in sorted(job)}))


@decorators.spoolraw
def raw(job):
    return uwsgi.SPOOL_RETRY if job["again"] == "yes" else uwsgi.SPOOL_OK


@decorators.spool(pass_arguments=True)
def with_arguments(*args, **kwargs):
    seen.append(("with_arguments", args, kwargs))


@decorators.mulefunc
def in_any_mule(*args, **kwargs):
    seen.append(("in_any_mule", args, kwargs))


@decorators.mulefunc("farm")
def in_farm(*args):
    seen.append(("in_farm", args))


@decorators.postfork
def forked():
    seen.append("forked")


@decorators.postfork(2)
def forked_in_worker_two():
    seen.append("never")


@decorators.mule(1)
def program_of_mule_one():
    seen.append("mule 1")


@decorators.mule(2)
def program_of_mule_two():
    seen.append("never")


@decorators.mulemsg(1)
def on_message(message):
    seen.append(message)


@decorators.lock
def locked():
    return uwsgi.is_locked(0)


@decorators.harakiri(5)
def bounded():
    return "bounded"


@decorators.thread
def in_thread():
    seen.append("thread")


def evaluate(code):
    return repr(eval(code.decode(), globals())).encode()


uwsgi.register_rpc("evaluate", evaluate)


def application(environ, start_response):
    start_response("200 OK", [])
    return []
