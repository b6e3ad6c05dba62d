"""Pages that wait, for test/system/async.test.ts: app.lua and app.mjs have the same ones, and answer the same.

What happens when is noted in the queue. `at` is the address of a server of the test's own, which decides how long a page waits.
"""
import contextlib
import gc

import uwsgi

active = 0


def note(text):
    uwsgi.queue_push(text)


def connected(at):
    fd = uwsgi.async_connect(at)
    uwsgi.wait_fd_write(fd, 60)
    uwsgi.suspend()
    return fd


def readable(fd, timeout=60):
    uwsgi.wait_fd_read(fd, timeout)
    uwsgi.suspend()
    return uwsgi.ready_fd()


def received(fd):
    """What the other side says next."""
    assert readable(fd) == fd
    return (uwsgi.recv(fd, 65536) or b"").decode("latin-1")


def kept_by(at, name):
    """Returns when the test's server says so: it is told the name first."""
    fd = connected(at)
    uwsgi.send(fd, name.encode())
    text = received(fd)
    uwsgi.close(fd)
    return text


def seen(key):
    return bool(uwsgi.cache_exists(key))


def saying(call, *args):
    try:
        return repr(call(*args))
    except Exception as error:
        return str(error)


def do_journal(args):
    texts = []
    while (text := uwsgi.queue_pull()) is not None:
        texts.append(text.decode())
    return "\n".join(texts)


def do_set(args):
    uwsgi.cache_update(args["key"], "1")


def do_cached(args):
    return uwsgi.cache_get(args["key"])


def do_turns(args):
    while "after" in args and not seen(args["after"]):
        uwsgi.suspend()
    for turn in range(1, int(args["times"]) + 1):
        note(f"{args['name']}{turn}")
        uwsgi.cache_update(f"{args['name']}{turn}", "1")
        uwsgi.suspend()


def do_sleep(args):
    uwsgi.async_sleep(float(args["seconds"]))
    uwsgi.suspend()
    return str(uwsgi.ready_fd())


def do_sleep_until(args):
    note("sleeps")
    while not seen(args["key"]):
        uwsgi.async_sleep(0.01)
        uwsgi.suspend()


def do_hold(args):
    if "deadline" in args:
        uwsgi.set_user_harakiri(int(args["deadline"]))
    note(f"{args['name']} begins")
    text = kept_by(args["at"], args["name"])
    note(f"{args['name']} goes on")
    return text


def do_any(args):
    fds = [connected(args["at"]) for _ in range(3)]
    for index, fd in enumerate(fds):
        uwsgi.send(fd, str(index))
    order = []
    left = set(fds)
    while left:
        for fd in left:
            uwsgi.wait_fd_read(fd, 60)
        uwsgi.suspend()
        fd = uwsgi.ready_fd()
        order.append(f"{fds.index(fd)}{uwsgi.recv(fd, 10).decode()}")
        left.remove(fd)
        uwsgi.send(fd, b"got")
    for fd in fds:
        uwsgi.close(fd)
    return " ".join(order)


def do_timeout(args):
    fd = connected(args["at"])
    late = readable(fd, 0.05)
    uwsgi.wait_fd_write(fd, 60)
    uwsgi.suspend()
    answer = f"{late} {uwsgi.ready_fd() == fd}".lower()
    uwsgi.close(fd)
    return answer


def do_refused(args):
    fd = uwsgi.async_connect(args["at"])
    uwsgi.wait_fd_write(fd, 60)
    uwsgi.suspend()
    answer = f"{uwsgi.ready_fd() == fd} {uwsgi.is_connected(fd)}".lower()
    uwsgi.close(fd)
    return answer


def do_errors(args):
    fd = connected(args["at"])
    uwsgi.wait_fd_read(fd, 0.01)
    answers = [saying(uwsgi.wait_fd_read, fd), saying(uwsgi.wait_fd_write, 77)]
    uwsgi.suspend()
    answers += [saying(uwsgi.recv, 78, 10), str(uwsgi.is_connected(79)).lower(), saying(uwsgi.wait_fd_read, fd, -1)]
    uwsgi.close(fd)
    return "\n".join(answer.replace(str(fd), "FD") for answer in answers)


def do_talk(args):
    fd = connected(args["at"])
    wanted = int(args["bytes"])
    uwsgi.send(fd, b"x" * wanted)
    count = 0
    while count < wanted:
        assert readable(fd) == fd
        count += len(uwsgi.recv(fd, 65536))
    uwsgi.close(fd)
    return f"{count} {uwsgi.is_connected(fd)}".lower()


def do_connect(args):
    fd = uwsgi.connect(args["at"], 60)
    uwsgi.send(fd, args["name"])
    text = uwsgi.recv(fd, 4096)
    uwsgi.close(fd)
    return text


def do_client_body(args):
    client = uwsgi.connection_fd()
    length = 0
    while length < int(args["length"]):
        assert readable(client) == client
        length += len(uwsgi.recv(65536))
        note(f"got {length}")
    return str(length)


def do_client_leaves(args):
    client = uwsgi.connection_fd()
    note("waits for the client")
    ready = readable(client)
    note(f"left {ready == client} {uwsgi.is_connected(client)}".lower())


def do_abandoned(args):
    note("begins")
    kept_by(args["at"], "abandoned")
    note(f"goes on {uwsgi.is_connected(uwsgi.connection_fd())}".lower())


def do_lock(args):
    note(f"{args['name']} wants")
    uwsgi.lock(1)
    note(f"{args['name']} has")
    kept_by(args["at"], args["name"])
    note(f"{args['name']} frees")
    uwsgi.unlock(1)


def do_count(args):
    uwsgi.lock(1)
    count = int(uwsgi.cache_get("count") or b"0")
    uwsgi.suspend()
    uwsgi.cache_update("count", str(count + 1))
    uwsgi.unlock(1)
    return str(uwsgi.worker_id())


def do_signal_wait(args):
    note("waits for the signal")
    uwsgi.signal_wait(20)
    return str(uwsgi.signal_received())


def do_signal(args):
    uwsgi.signal(20)


def do_rpc(args):
    return uwsgi.rpc(args["node"], args["function"], args["text"])


def do_call(args):
    return uwsgi.call(args["function"], args["text"])


def do_remote_cache(args):
    uwsgi.cache_update("far", args["text"], 0, f"@{args['node']}")
    return uwsgi.cache_get("far", f"@{args['node']}")


def do_raise_later(args):
    kept_by(args["at"], "raising")
    raise ValueError("python raises later")


def do_raise_soon(args):
    uwsgi.suspend()
    raise ValueError("python raises soon")


def do_remains(args):
    """How many requests are being served, and what the interpreter holds, in some measure of its own."""
    gc.collect()
    return f"{active} {len(gc.get_objects())}"


def do_nested(args):
    def generated():
        for number in (1, 2):
            uwsgi.suspend()
            yield number

    class Iterable:
        def __iter__(self):
            uwsgi.suspend()
            return iter([3])

        def __getattr__(self, name):
            uwsgi.suspend()
            return 4

    @contextlib.contextmanager
    def managed():
        uwsgi.suspend()
        yield 5
        uwsgi.suspend()

    def slow(value):
        uwsgi.suspend()
        return value

    numbers = [*generated(), *Iterable(), Iterable().four]
    with managed() as five:
        numbers.append(five)
    numbers += sorted([7, 6], key=slow)
    numbers += map(slow, [8])
    names = {"slow": slow}
    exec("nine = slow(9)", names)
    numbers.append(names["nine"])
    try:
        raise ValueError
    except ValueError:
        uwsgi.suspend()
        numbers.append(10)
    return " ".join(map(str, numbers))


def do_leak(args):
    connected(args["at"])
    connected(args["at"])


def do_own(args):
    fd = connected(args["at"])
    uwsgi.send(fd, b"own")
    note(f"fd {fd}")
    text = received(fd)
    uwsgi.close(fd)
    return text


def do_use(args):
    fd = int(args["fd"])
    calls = [(uwsgi.recv, 10), (uwsgi.send, b"stolen"), (uwsgi.wait_fd_read,)]
    answers = [saying(call, fd, *rest) for call, *rest in calls]
    uwsgi.close(fd)
    return "\n".join([*answers, str(uwsgi.is_connected(fd)).lower()])


def do_spin(args):
    note("spins")
    while True:
        pass


def do_worker(args):
    return str(uwsgi.worker_id())


def do_open(args):
    return "\n".join([saying(uwsgi.async_connect, args["at"]), saying(uwsgi.connect, args["at"], 3)])


def slow_echo(text):
    uwsgi.suspend()
    uwsgi.async_sleep(0.01)
    uwsgi.suspend()
    return b"python:" + text


uwsgi.register_rpc("python_slow", slow_echo, 1)
uwsgi.register_signal(20, "worker", lambda signum: None)


def stream(args):
    piece = b"x" * 65536
    for _ in range(int(args["pieces"])):
        yield piece
    note(f"streamed {args['pieces']}")


def steps(args):
    """Each chunk waits for what was registered before it."""
    fd = connected(args["at"])
    for number in (1, 2):
        uwsgi.send(fd, str(number).encode())
        uwsgi.wait_fd_read(fd, 60)
        yield f"{number} ".encode()
        yield f"{uwsgi.ready_fd() == fd} ".lower().encode() + uwsgi.recv(fd, 10) + b" "
    uwsgi.close(fd)


def serve(environ, start_response):
    name = environ["PATH_INFO"].strip("/").replace("-", "_")
    args = dict(pair.split("=", 1) for pair in environ["QUERY_STRING"].split("&") if pair)
    if name in ("stream", "steps"):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return globals()[name](args)
    if name == "body":
        note("reads")
        answer = str(len(environ["wsgi.input"].read()))
    elif name == "large":
        answer = b"x" * (65536 * int(args["pieces"]))
        note(f"made {args['pieces']}")
    else:
        answer = globals()[f"do_{name}"](args)
    start_response("200 OK", [("Content-Type", "text/plain")])
    if answer is None:
        answer = "done"
    return [answer.encode("latin-1") if isinstance(answer, str) else answer]


def application(environ, start_response):
    global active
    active += 1
    try:
        return serve(environ, start_response)
    finally:
        active -= 1
