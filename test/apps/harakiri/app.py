"""As app.js."""

import uwsgi

served = 0
released = False


def spin(*_):
    while True:
        pass


def swallow():
    while True:
        try:
            spin()
        except BaseException:
            pass


def user():
    uwsgi.set_user_harakiri(1)
    spin()


def stubborn():
    """Neither a signal nor an exception ends it: built-in functions alone are at work."""
    sum(iter(int, 1))


def stubborn_user():
    uwsgi.set_user_harakiri(1)
    stubborn()


def lock():
    uwsgi.lock()
    spin()


def wait():
    while not released:
        uwsgi.async_sleep(0.01)
        uwsgi.suspend()
    return "waited"


def sleep():
    uwsgi.async_sleep(1.5)
    uwsgi.suspend()
    return "slept"


def stretches():
    while True:
        sum(range(10000))
        uwsgi.async_sleep(0.0001)
        uwsgi.suspend()


def release():
    global released
    released = True
    return "released"


def begun():
    yield b"begun "
    spin()


def mule_message(message):
    if message == b"spin":
        uwsgi.lock()
        spin()
    uwsgi.cache_update("mule", message)


def spool(job):
    if job[b"what"] == b"spin":
        spin()
    uwsgi.cache_update("spooler", job[b"what"])
    return uwsgi.SPOOL_OK


def spool_both():
    uwsgi.spool({b"what": b"spin"})
    return str(uwsgi.spool({b"what": b"next"}) is not None).lower()


uwsgi.register_rpc("spin", spin)
uwsgi.register_rpc("ping", lambda: "pong")
uwsgi.register_signal(5, "worker1", spin)
uwsgi.register_signal(6, "mule1", spin)
uwsgi.mule_msg_hook = mule_message
uwsgi.spooler = spool


def text(value):
    return value.decode() if value is not None else "none"


paths = {
    "/loop": spin,
    "/swallow": swallow,
    "/stubborn": stubborn,
    "/stubborn-user": stubborn_user,
    "/user": user,
    "/begun": begun,
    "/lock": lock,
    "/locked": lambda: str(uwsgi.is_locked()).lower(),
    "/wait": wait,
    "/sleep": sleep,
    "/stretches": stretches,
    "/release": release,
    "/signal": lambda: str(uwsgi.signal(5)).lower(),
    "/mule-signal": lambda: str(uwsgi.signal(6)).lower(),
    "/mule": lambda: str(uwsgi.mule_msg(b"spin") and uwsgi.mule_msg(b"next")).lower(),
    "/spool": spool_both,
    "/seen": lambda: f"{text(uwsgi.cache_get('mule'))} {text(uwsgi.cache_get('spooler'))}",
}


def application(environ, start_response):
    global served
    served += 1
    run = paths.get(environ["PATH_INFO"])
    answer = f"served {served}" if run is None else run()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer.encode()] if isinstance(answer, str) else answer
