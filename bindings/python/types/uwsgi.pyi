# The `uwsgi` module of Python guests. Generated from the API table by `npm run gen`; do not edit.
from collections.abc import Buffer, Callable
from typing import Any, Literal, TypedDict, type_check_only

@type_check_only
class _WorkerApp(TypedDict):
    id: int
    modifier1: int
    mountpoint: bytes
    startup_time: int
    requests: int
    exceptions: int
    chdir: bytes

@type_check_only
class _Worker(TypedDict):
    id: int
    pid: int
    requests: int
    delta_requests: int
    signals: int
    exceptions: int
    status: bytes
    rss: int
    vsz: int
    running_time: int
    last_spawn: int
    respawn_count: int
    tx: int
    avg_rt: int
    apps: tuple[_WorkerApp, ...]

version: bytes
"""The server's version, for example `0.1.0`. Differs from uWSGI: it is the version of polywsgi."""

version_info: tuple[int, int, int]
"""The version as numbers, to be compared: (0, 1, 0). Differs from uWSGI: there are three."""

hostname: bytes
"""The host name of the machine the server runs on."""

def worker_id() -> int:
    """The number of the worker that runs this code, from 1; 0 outside workers, and in a spare one (`spare`) until it stands for a worker."""
    ...

def masterpid() -> int:
    """The process id of the master. Workers are threads of the master, so it is also the id of this process."""
    ...

def mule_id() -> int:
    """The number of the mule that runs this code, from 1; 0 outside mules."""
    ...

def i_am_the_spooler() -> Literal[True] | None:
    """True in a spooler, not_defined everywhere else."""
    ...

def log(message: str | Buffer) -> Literal[True]:
    """Writes one line to the server's log. Differs from uWSGI: Lua gets true for it, not nothing.

    message: The line to write; a newline is added. Its bytes are written as they are.

    Raises a missing message, or one that is neither text nor bytes"""
    ...

def log_this_request() -> None:
    """Has this request's line logged, `--disable-logging` or not.


    Raises ValueError: no request is being served here"""
    ...

opt: dict[str, bytes | Literal[True] | list[bytes | Literal[True]]]
"""The options as given, unknown ones of a configuration file included. An option given more than once is a list of its values. An option given without a value is true. Differs from uWSGI: repeated options are kept (uWSGI on Python 3 loses all but the last)."""

def cache_get(key: str | Buffer, cache: str | bytes | None = None) -> bytes | None:
    """The value of a key. Not_defined for a missing key, an unknown cache, or a server that does not answer.
    Differs from uWSGI: an item that has expired is never returned, whether it was swept out or not.

    key: The key: up to `keysize` bytes.
    cache: The name of a cache; `name@address` and `@address` for one of another server; not given: the first one."""
    ...

def cache_exists(key: str | Buffer, cache: str | bytes | None = None) -> Literal[True] | None:
    """Whether there is an item of that key: true, or not_defined, as for an unknown cache, or a server that does not answer.

    key: The key: up to `keysize` bytes.
    cache: The name of a cache; `name@address` and `@address` for one of another server; not given: the first one."""
    ...

def cache_set(key: str | Buffer, value: str | Buffer, expires: int = 0, cache: str | bytes | None = None) -> Literal[True] | None:
    """Adds an item. Not_defined, with nothing changed, for a key that exists, an empty or too long key or value, a full cache, an unknown cache, or a server that does not answer.

    key: The key: up to `keysize` bytes.
    value: The value: up to `blocksize` bytes, with `bitmap` of several blocks.
    expires: When the item is over, from now; 0 never.
    cache: The name of a cache; `name@address` and `@address` for one of another server; not given: the first one."""
    ...

def cache_update(key: str | Buffer, value: str | Buffer, expires: int = 0, cache: str | bytes | None = None) -> Literal[True] | None:
    """Adds an item, or gives one that exists another value and another expiry. Not_defined, with nothing changed, for
    an empty or too long key or value, a full cache, an unknown cache, or a server that does not answer.

    key: The key: up to `keysize` bytes.
    value: The value: up to `blocksize` bytes, with `bitmap` of several blocks.
    expires: When the item is over, from now; 0 never.
    cache: The name of a cache; `name@address` and `@address` for one of another server; not given: the first one."""
    ...

def cache_del(key: str | Buffer, cache: str | bytes | None = None) -> Literal[True] | None:
    """Removes an item. Not_defined for a missing key, an unknown cache, or a server that does not answer.

    key: The key: up to `keysize` bytes.
    cache: The name of a cache; `name@address` and `@address` for one of another server; not given: the first one."""
    ...

def cache_inc(key: str | Buffer, n: int = 1, expires: int = 0, cache: str | bytes | None = None) -> Literal[True] | None:
    """Adds to the number that an item is (`cache_num`). A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
    for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
    and a remote cache is refused, where uWSGI overwrites its item.

    key: The key: up to `keysize` bytes.
    n: By how much.
    expires: When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
    cache: The name of a cache; not given: the first one.

    Raises ValueError: the numbers of a remote cache cannot be changed"""
    ...

def cache_dec(key: str | Buffer, n: int = 1, expires: int = 0, cache: str | bytes | None = None) -> Literal[True] | None:
    """Subtracts from the number that an item is (`cache_num`). A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
    for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
    and a remote cache is refused, where uWSGI overwrites its item.

    key: The key: up to `keysize` bytes.
    n: By how much.
    expires: When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
    cache: The name of a cache; not given: the first one.

    Raises ValueError: the numbers of a remote cache cannot be changed"""
    ...

def cache_mul(key: str | Buffer, n: int = 2, expires: int = 0, cache: str | bytes | None = None) -> Literal[True] | None:
    """Multiplies the number that an item is (`cache_num`). A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
    for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
    and a remote cache is refused, where uWSGI overwrites its item.

    key: The key: up to `keysize` bytes.
    n: By how much.
    expires: When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
    cache: The name of a cache; not given: the first one.

    Raises ValueError: the numbers of a remote cache cannot be changed"""
    ...

def cache_div(key: str | Buffer, n: int = 2, expires: int = 0, cache: str | bytes | None = None) -> Literal[True] | None:
    """Divides the number that an item is (`cache_num`), towards zero; by zero it becomes 0. A missing item begins as `math_initial`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
    for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
    and a remote cache is refused, where uWSGI overwrites its item.

    key: The key: up to `keysize` bytes.
    n: By how much.
    expires: When an item that the call creates is over, from now; 0 never. One that exists keeps its own.
    cache: The name of a cache; not given: the first one.

    Raises ValueError: the numbers of a remote cache cannot be changed"""
    ...

def cache_num(key: str | Buffer, cache: str | bytes | None = None) -> int:
    """The number that an item is: its value as 8 bytes in the machine's order. 0 for a missing key, for a value of another
    size, for an unknown cache, or a server that does not answer.

    key: The key: up to `keysize` bytes.
    cache: The name of a cache; `name@address` and `@address` for one of another server; not given: the first one."""
    ...

def cache_clear(cache: str | bytes | None = None) -> Literal[True] | None:
    """Removes every item of a cache. Not_defined for an unknown cache, or a server that does not answer.

    cache: The name of a cache; `name@address` and `@address` for one of another server; not given: the first one."""
    ...

def cache_keys(cache: str | bytes | None = None) -> list[bytes]:
    """The keys of all items of a cache of this server, as they are at one moment, in no order.

    cache: The name of a cache; not given: the first one.

    Raises ValueError: no local uWSGI cache available"""
    ...

def lock(num: int = 0, timeout: float | None = None) -> None:
    """Takes a lock, waiting for whoever holds it. It is kept until `unlock`, past the end of the request too, and freed when
    its holder is ended. Differs from uWSGI: taking a lock one holds is an error, and does not hang.

    num: Which lock: 0, and as many more as `--locks` says.
    timeout: How long to wait; not given: for as long as it takes. uWSGI has no such argument.

    Raises ValueError: Invalid lock number
    Raises ValueError: The spooler cannot lock/unlock resources
    Raises ValueError: this worker holds the lock already
    Raises ValueError: the lock did not become free in time"""
    ...

def unlock(num: int = 0) -> None:
    """Gives a lock back. A lock that nobody holds stays free. Differs from uWSGI: a lock that another worker holds is not
    taken from it.

    num: Which lock: 0, and as many more as `--locks` says.

    Raises ValueError: Invalid lock number
    Raises ValueError: The spooler cannot lock/unlock resources
    Raises ValueError: another worker holds the lock"""
    ...

def is_locked(num: int = 0) -> bool:
    """Whether anybody holds a lock. Differs from uWSGI: it never takes the lock of a worker that has died.

    num: Which lock: 0, and as many more as `--locks` says.

    Raises ValueError: Invalid lock number
    Raises ValueError: The spooler cannot lock/unlock resources"""
    ...

def signal(signum: int, node: str | bytes | None = None) -> None:
    """Raises a signal: it goes to the master, which hands it to the receiver it was registered with. Does not wait for the
    handler; a signal for which there is no room is dropped and logged. With `node`, waits until that server has taken it.
    Differs from uWSGI: a signum out of range is refused, not taken modulo 256, and a signal raised while apps load is not lost.

    signum: The signal.
    node: Another server, `host:port` or the path of a UNIX socket.

    Raises ValueError: signum is not from 0 to 255
    Raises OSError: unable to deliver signal N to node X
    Raises ValueError: node X rejected signal N"""
    ...

def register_signal(signum: int, kind: str | bytes, handler: Callable[[int], Any]) -> None:
    """Registers the handler of a signal, and who is to run it. To be done while the app loads, in every thread; the same
    number twice in one load is refused. Later registrations replace.
    Differs from uWSGI: a kind of no known form is refused here, not when the signal comes; mules and
    spoolers may register; a registration made while serving changes the receiver for the whole server.

    signum: The signal.
    kind: Who runs the handler: `""` or `worker` (any worker), `workers`, `active-workers`, `worker2`, `mule` (any mule), `mules`, `mule1`, `farm_NAME`, `farm1`, `spooler`, `subscribed` (nobody).
    handler: Called with the number of the signal.

    Raises ValueError: unable to register signal N
    Raises ValueError: kind has more than 63 bytes
    Raises TypeError: handler is no function"""
    ...

def signal_registered(signum: int) -> Literal[True] | None:
    """Whether this thread has a handler for the signal: true, or nothing.

    signum: The signal.

    Raises ValueError: signum is not from 0 to 255"""
    ...

def signal_wait(signum: int | None = None) -> Literal[b""]:
    """Waits for a signal that this thread receives. Handlers of all signals that come meanwhile run, that of the awaited
    one included. Returns nothing but empty bytes; `signal_received` tells which it was.

    signum: The signal to wait for; not given: any.

    Raises ValueError: signum is not from 0 to 255"""
    ...

def signal_received() -> int:
    """The signal this thread received last; 0 before the first."""
    ...

def add_timer(signum: int, seconds: int) -> None:
    """Raises a signal every so many seconds. Times that were missed are one.
    One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
    Differs from uWSGI: a negative period is refused.

    signum: The signal to raise.
    seconds: The period; the first signal comes after it. 0 never fires.

    Raises ValueError: unable to add timer (there are 64 already)
    Raises ValueError: an argument is out of range"""
    ...

def add_ms_timer(signum: int, milliseconds: int) -> None:
    """As `add_timer`, with a period in milliseconds.
    One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.

    signum: The signal to raise.
    milliseconds: The period; the first signal comes after it. 0 never fires.

    Raises ValueError: unable to add timer (there are 64 already)
    Raises ValueError: an argument is out of range"""
    ...

def add_rb_timer(signum: int, seconds: int, iterations: int = 0) -> None:
    """Raises a signal every so many seconds, so many times.
    One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
    Differs from uWSGI: it is as exact as `add_timer`, not to the second, and gives its place back when it has fired for the
    last time. With neither a period nor an end it fires each second, as in uWSGI.

    signum: The signal to raise.
    seconds: The period; the first signal comes after it. With 0 it comes at once.
    iterations: How many signals there will be; 0 for ever.

    Raises ValueError: unable to add rb_timer (there are 64 already)
    Raises ValueError: an argument is out of range"""
    ...

def add_cron(signum: int, minute: int, hour: int, day: int, month: int, week: int) -> Literal[True]:
    """Raises a signal in each minute of local time that fits; with both a day and a week, when either fits. A minute that
    fits right now counts.
    One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
    Differs from uWSGI: values no calendar has are refused, and signals come at the beginning of their minute.

    signum: The signal to raise.
    minute: 0 to 59; -1 any, -N every minute that N divides.
    hour: 0 to 23; negative as above.
    day: Of the month, 1 to 31; negative as above.
    month: 1 to 12; negative as above.
    week: Day of the week, Sunday 0 or 7; negative as above.

    Raises ValueError: unable to add cron (there are 64 already)
    Raises ValueError: an argument is out of range"""
    ...

def add_file_monitor(signum: int, path: str | bytes) -> None:
    """Raises a signal whenever the file or directory changes.
    One made while apps load counts once, whatever number of threads, respawns and reloads repeat it.
    Differs from uWSGI: a path that is not there is refused, and a file that is replaced, as editors do, is still watched.

    signum: The signal to raise.
    path: A file, or a directory, of which what lies in it counts, but not deeper.

    Raises ValueError: unable to add file monitor (no such path, or there are 64 already)
    Raises ValueError: an argument is out of range"""
    ...

def register_rpc(name: str | bytes, function: Callable[..., Any], argc: int = 0) -> Literal[True]:
    """Makes a function callable by name: from every language and thread of this server, and from other servers.
    A name that is there already is given to the new function. Differs from uWSGI: `argc` is enforced, mules and spoolers may
    register too, and what one thread alone registers is found by the others.

    name: The name under which it is called.
    function: Takes bytes, answers with bytes or text, or nothing.
    argc: How many arguments it takes; 0: any number.

    Raises ValueError: there are `rpc-max` functions already"""
    ...

def rpc(node: str | bytes | None, name: str | bytes, *args: str | Buffer) -> bytes | None:
    """Calls a function of another server, or of this one, and waits for its answer.
    Not defined when there is no such function, when it answered nothing, and when another server cannot be reached in
    `socket-timeout` seconds or says nothing. Differs from uWSGI: a function of this server that raises makes the call raise,
    and an empty answer is an answer; name and arguments may be text in Python too, and a missing or wrong one is a TypeError.

    node: Another server, as `host:port`, a unix path or `@name`; none: this one.
    name: Which function.
    args: Up to 254 arguments; to another server, 65535 bytes in all.

    Raises ValueError: more than 254 arguments, or more than a packet holds, are given
    Raises ValueError: the function takes another number of arguments, or is asynchronous
    Raises RuntimeError: the function raised, here or in another thread of this server
    Raises OSError: another server's answer is cut off, or no answer to a call"""
    ...

def call(name: str | bytes, *args: str | Buffer) -> bytes | None:
    """Calls a function of this server: in this thread when it is registered here, else of the embedding program, else in
    another thread. Not defined when there is none of that name, or it answered nothing.
    Differs from uWSGI: name and arguments may be text in Python too, and a missing or wrong one is a TypeError.

    name: Which function.
    args: Up to 254 arguments.

    Raises ValueError: the function takes another number of arguments, or is asynchronous
    Raises RuntimeError: the function raised"""
    ...

def rpc_list() -> tuple[bytes, ...]:
    """The names of the functions registered in this thread."""
    ...

def mule_msg(message: str | Buffer, target: int | str | Buffer | None = None) -> bool:
    """Sends a message to a mule, and does not wait for it. True: it is on its way; false: the queue is full.
    Messages wait in memory, and are lost when the server stops.
    Differs from uWSGI: a message of more than 65536 bytes is refused, not cut, and a mule that does not exist is an error.

    message: What to send.
    target: A mule's number, or a farm's name for one mule of it. Not given, or 0: any mule.

    Raises ValueError: no mule is configured, there is no such mule or farm, or the message is too long"""
    ...

def farm_msg(farm: str | bytes, message: str | Buffer) -> None:
    """Sends a message to one mule of a farm. When its queue is full the message is dropped, with a line in the log.
    Differs from uWSGI: an unknown farm is an error, not passed over in silence.

    farm: The farm's name.
    message: What to send.

    Raises ValueError: there is no such farm, or the message is too long"""
    ...

def mule_get_msg(signals: bool = True, farms: bool = True, buffer_size: int = 65536, timeout: float = -1) -> bytes:
    """Waits for a message to this mule, to any mule, or to one of its farms. Empty bytes when the time is up.
    For mules with programs of their own; others have `mule_msg_hook`.
    Differs from uWSGI: `signals` means what it says, there it is the wrong way round; and `timeout` may be a fraction.

    signals: Run the handlers of signals that come meanwhile.
    farms: Also take messages to the mule's farms.
    buffer_size: A longer message is cut.
    timeout: How long to wait; below 0: for ever.

    Raises ValueError: called outside of a mule, or timeout is no number"""
    ...

def farm_get_msg() -> bytes:
    """Waits for a message to one of this mule's farms, for ever. Signals wait until it is back.
    Differs from uWSGI: a mule without a farm gets an error instead of no message ever.


    Raises ValueError: called outside of a mule, or in one that belongs to no farm"""
    ...

def in_farm(farm: str | bytes | None = None) -> Literal[True] | None:
    """Whether this thread is a mule of the farm: true, or nothing.

    farm: The farm's name; not given: any farm."""
    ...

mule_msg_hook: Callable[[bytes], Any]
"""Called in a mule without a program of its own for every message. One at a time: the next message waits.
An exception is logged, and the mule goes on."""

post_fork_hook: Callable[[], Any]
"""Called in each worker, mule and spooler when its apps are loaded, before it begins its work.
In a mule it may never return: it is then the mule's own program.
Differs from uWSGI: apps are loaded by each thread, so it runs after them, not right after a fork."""

after_req_hook: Callable[[], Any]
"""Called in a worker after each request, when its response is on its way. An exception is logged."""

atexit: Callable[[], Any]
"""Called in each thread at its clean end: a stop or a reload, not when it is ended for overrunning."""

SPOOL_OK: Literal[-2]
"""What a `spooler` function returns when a job is done: its file is removed."""

SPOOL_RETRY: Literal[-1]
"""What a `spooler` function returns to be given the job again later."""

SPOOL_IGNORE: Literal[0]
"""What a `spooler` function returns for a job that is not its own: the next language is asked."""

spoolers: tuple[bytes, ...]
"""The spoolers' directories, as absolute paths. The first one takes jobs that name none."""

def spool(job: dict[Any, Any]) -> bytes:
    """Writes a job to disk and wakes the spooler. When this returns the job outlives the server. Returns its path.
    Differs from uWSGI: values that are too long are refused, not cut, and a `priority` must be a number.

    job: Names to values. `body`: bytes of any length. `at`: when to run it, in seconds since 1970. `priority`: a number. `spooler`: a directory.

    Raises ValueError: no spooler is configured, or none of the directory that the job names
    Raises ValueError: a value has more than 65535 bytes, all together have, or `at` or `priority` is no number
    Raises OSError: the job cannot be written"""
    ...

send_to_spooler = spool

def set_spooler_frequency(seconds: int) -> Literal[True]:
    """How often spoolers look into their directories without being woken (`spooler-frequency`).

    seconds: From now on, of all spoolers.

    Raises ValueError: argument out of range"""
    ...

def spooler_jobs() -> list[bytes]:
    """The paths of all jobs that are on disk, due or not, in the order of their priorities and their submission.
    Differs from uWSGI: those with a priority are listed too.


    Raises OSError: a directory cannot be read"""
    ...

def spooler_get_task(path: str | bytes) -> dict[Any, Any] | None:
    """A job as the `spooler` function gets it: its variables, `spooler_task_name`, and `body` when it has one.
    Nothing when there is no such job.
    Differs from uWSGI: only files in the spoolers' directories are read.

    path: As `spool` or `spooler_jobs` gave it."""
    ...

def spooler_pid() -> int:
    """The process id of the first spooler; 0 without one. Spoolers are threads of the master, so it is the id of this process."""
    ...

def spooler_pids() -> list[int]:
    """The process id of each spooler: the same number, once per spooler."""
    ...

spooler: Callable[[dict[Any, Any]], int]
"""Called in the spooler with each job; returns SPOOL_OK, SPOOL_RETRY or SPOOL_IGNORE. Anything else keeps the job.
A job that is kept is run again after 1 second, then 2, 4... at most `spooler-frequency`, or 5 minutes after an exception.
The function may be ended in the middle, and the job is then run again: it must bear to be run twice.
Differs from uWSGI: after `spooler-max-tries` exceptions in a row the job is moved to `failed/` in its directory.
A file that is no job is moved there too, not deleted."""

def alarm(name: str | bytes, message: str | Buffer) -> None:
    """Raises an alarm and does not wait for it: the master delivers it, and what goes wrong then is a line in the log.
    The same message again within `alarm-freq` seconds is dropped.
    Differs from uWSGI: an unknown alarm is an error, and a message that is too long is cut; it drops both in silence.

    name: As the option `alarm` defines it.
    message: What to say; at most `alarm-msg-size` bytes of it are delivered.

    Raises ValueError: there is no such alarm"""
    ...

def suspend() -> Literal[True]:
    """Waits for what the request has registered by `async_sleep`, `wait_fd_read` and `wait_fd_write`: the first of it ends the
    wait, and all of it is forgotten. With nothing registered each other core gets a turn. With one core, and outside of requests,
    the thread waits. Differs from uWSGI: without anything registered it hangs there, and does not wait with one core."""
    ...

green_schedule = suspend

def async_sleep(seconds: float) -> Literal[b""]:
    """Has the next `suspend`, or the next chunk of the body that is yielded, wait so long at most. Of several times the
    earliest counts. Differs from uWSGI: fractions of a second count, and it works with one core too.

    seconds: How long; nothing is registered for 0 and less.

    Raises ValueError: the time is longer than a day"""
    ...

def async_connect(address: str | bytes) -> int:
    """Begins a connection and gives its descriptor at once. It can be written to when it is there, or has failed:
    `is_connected` tells which. `socket-timeout` ends the attempt. Differs from uWSGI: what fails at once raises, where it returns
    -1; host names and IPv6 addresses work too.

    address: `host:port`, the path of a unix socket, or `@name`.

    Raises OSError: the address is none, or not allowed
    Raises ValueError: too many connections of this thread are open already"""
    ...

def wait_fd_read(fd: int, timeout: float = 0) -> Literal[b""]:
    """Has the next `suspend`, or the next chunk of the body that is yielded, wait until something can be read, or the other side
    has closed. Several descriptors may be waited for; `ready_fd` then says which it is. Differs from uWSGI: fractions of a second
    count, and one descriptor may be waited for in both directions.

    fd: A connection, or the client's.
    timeout: How long to wait; 0: for as long as it takes.

    Raises OSError: unable to fd N to the event queue: it is none of the caller's, or waited for already
    Raises ValueError: the timeout is below 0, or longer than a day"""
    ...

def wait_fd_write(fd: int, timeout: float = 0) -> Literal[b""]:
    """Has the next `suspend`, or the next chunk of the body that is yielded, wait until something can be written, or the
    connection has failed. See `wait_fd_read`.

    fd: A connection, or the client's.
    timeout: How long to wait; 0: for as long as it takes.

    Raises OSError: unable to fd N to the event queue: it is none of the caller's, or waited for already
    Raises ValueError: the timeout is below 0, or longer than a day"""
    ...

def ready_fd() -> int:
    """The descriptor that has ended the request's last wait; -1 when its time did, and before the first. Differs from uWSGI:
    it tells the descriptor in every style of app."""
    ...

def async_id() -> int:
    """The number of the core that serves the request, from 0.


    Raises ValueError: there is no request"""
    ...

def connection_fd() -> int:
    """The number of the client's connection, for `send`, `recv`, `close` and `is_connected`. It stays the same after a
    disconnect. Differs from uWSGI: it is a number of this server's own, no descriptor of the system.


    Raises ValueError: there is no request"""
    ...

def send(fd_or_data: int | str | Buffer, data: str | Buffer | None = None) -> Literal[True] | None:
    """Sends bytes as they are: `send(data)` to the client, `send(fd, data)` to a connection. Not defined when the
    other side is gone. To a client that has not got its headers yet, the bytes are the response: none are sent, what is returned
    or written later follows as it is, and the connection closes at the end. Differs from uWSGI: all bytes are sent, not as many
    as fit, and a descriptor that is none of the caller's raises.

    fd_or_data: A descriptor; or the bytes, for the client.
    data: The bytes, after a descriptor.

    Raises ValueError: there is no request
    Raises TypeError: the data is missing, or what stands before it is no descriptor
    Raises OSError: the descriptor is none of the caller's, or its other side takes nothing for `socket-timeout` seconds"""
    ...

def recv(fd_or_max: int, max: int | None = None) -> bytes | None:
    """Reads at least one byte: `recv(max)` of the body that the client sends, `recv(fd, max)` of a connection. Not
    defined at the end. Differs from uWSGI: one number is a length (there it is a descriptor), and a silence raises.

    fd_or_max: A descriptor, before `max`; or the most bytes to be read from the client.
    max: The most bytes, after a descriptor.

    Raises ValueError: there is no request
    Raises ValueError: the most bytes are not 1 to 1048576
    Raises OSError: the descriptor is none of the caller's, nothing comes for `socket-timeout` seconds, or the client has gone"""
    ...

def close(fd: int) -> None:
    """Closes a connection; with the number of the client's, disconnects it. A number that is not the
    caller's is ignored.

    fd: The descriptor."""
    ...

def connect(address: str | bytes, timeout: float = 3) -> int:
    """Opens a connection and gives its descriptor. It belongs to the request, and is closed with it, which is logged; one that
    is opened outside of requests belongs to the thread. `--allow-connect` says where to. Differs from uWSGI: a failure raises,
    where it returns -1, and host names and IPv6 addresses work too; there descriptors stay open, and serve every request.

    address: `host:port`, the path of a unix socket, or `@name`.
    timeout: How long to wait for the connection.

    Raises OSError: there is no connection, or the address is not allowed
    Raises ValueError: the timeout is not above 0, or too many connections of this thread are open already"""
    ...

def is_connected(fd: int) -> bool:
    """Whether a connection, or the client's, can still be used. False for a number that is none of the caller's. A connection
    under way counts until it has failed.

    fd: The descriptor."""
    ...

def disconnect() -> None:
    """Closes the client's connection now, after what was written; headers that were not sent never are. The code goes on, what
    it writes fails, and what it returns is dropped. The request's body can no longer be read.


    Raises ValueError: there is no request"""
    ...

def request_id() -> int:
    """How many requests this worker has served so far: 0 during the first, one more in `after_req_hook`. 0 outside
    workers."""
    ...

def cl() -> int:
    """Bytes of the body of the request that is being served, as its head announces them; 0 for none.


    Raises ValueError: no request is being served here"""
    ...

def sendfile(filename: str | bytes, chunk: int = 0, pos: int = 0, size: int = 0) -> Literal[True] | None:
    """Makes a file the response's body, under the status and headers that the app gives; what the app writes is dropped. It
    is sent without the worker once the handler is done. With status 200, type, length, date and ranges are seen to. Allowed are the
    directories of the app, `--pythonpath`, `--static-safe` and static files. Not_defined: there is no such file to be read.
    Differs from uWSGI: it takes no descriptor, and sends nothing before the handler has returned.

    filename: The file: absolute, or from the server's working directory.
    chunk: Has no effect.
    pos: Where to begin.
    size: How much to send; 0: all there is.

    Raises ValueError: no request is being served here
    Raises ValueError: the file lies outside of the directories from which files may be sent"""
    ...

def set_logvar(name: str | bytes, value: str | Buffer) -> None:
    """Sets a variable for this request's log line, where `--log-format` has %(name). Differs from uWSGI: what is longer than
    255 bytes is an error, and not dropped silently.

    name: The name of the variable.
    value: What the log line is to show.

    Raises ValueError: no request is being served here"""
    ...

def get_logvar(name: str | bytes) -> bytes | None:
    """A variable that `set_logvar` has set for this request; not_defined for any other.

    name: The name of the variable.

    Raises ValueError: no request is being served here"""
    ...

numproc: int
"""How many workers there are (`--workers`)."""

cores: int
"""How many requests one worker may hold at once (`--async`)."""

has_threads: int
"""Whether applications can start threads: 0, since no interpreter here has any. As in uWSGI it is a number."""

buffer_size: int
"""Bytes a request's variables may have together (`--buffer-size`)."""

started_on: int
"""When the server started, in seconds since the epoch."""

is_a_reload: bool
"""Whether this code was loaded by a reload of the server, and not by its start."""

def workers() -> tuple[_Worker, ...]:
    """What every worker is doing and has done. `status` is idle, busy, or sig17 in the handler of signal 17; times are in
    microseconds, `tx` and memory in bytes. Differs from uWSGI: workers are threads, so `pid`, `rss` and `vsz` are those of
    their one process (pid is 0 for a worker that does not run), and `chdir` is empty."""
    ...

def total_requests() -> int:
    """How many requests all workers have served since the server started."""
    ...

def mem() -> tuple[int, int]:
    """Bytes of memory: what lies in RAM, and the address space. Differs from uWSGI: both are of the whole server, whose
    threads the workers are."""
    ...

def micros() -> int:
    """The time, in microseconds since the epoch."""
    ...

def reload() -> Literal[True]:
    """Asks the master for a graceful reload: apps are loaded anew, requests that run are finished first. Returns at once."""
    ...

def stop() -> Literal[True]:
    """Asks the master to stop the server; requests that run are finished first. Returns at once."""
    ...

def setprocname(name: str | Buffer) -> None:
    """Names this worker's thread for `top -H` and `ps -L` (/proc/PID/task/TID/comm). Differs from uWSGI: it is the name of
    the thread, not the command line of a process. Nothing happens where the system has no such names.

    name: The name; the kernel keeps 15 bytes of it."""
    ...

def set_user_harakiri(seconds: int) -> None:
    """Gives what runs here a deadline of its own, beside `--harakiri`: when it is still at work then, it is stopped where its
    language can do that, else its worker is ended and started anew. A deadline set while a request is served ends with the request; of several requests at work in one worker each has its own,
    and the earliest counts.

    seconds: From now on; 0: no deadline any more."""
    ...

def metric_get(name: str | bytes) -> int:
    """The value of a metric; 0 for one that is not there, and for all of them without `--enable-metrics` or `--metric`.
    Those that the server keeps are brought up to date every second.

    name: The metric's name, `worker.1.requests`, or its OID, `3.1.1`."""
    ...

def metric_set(name: str | bytes, value: int = 1) -> Literal[True] | None:
    """Gives a metric of `--metric` a value. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.

    name: The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
    value: The new value."""
    ...

def metric_inc(name: str | bytes, value: int = 1) -> Literal[True] | None:
    """Adds to a metric of `--metric`; no increment is lost, whoever else counts at the same time. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.

    name: The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
    value: How much more."""
    ...

def metric_dec(name: str | bytes, value: int = 1) -> Literal[True] | None:
    """Takes from a metric of `--metric`. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.

    name: The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
    value: How much less."""
    ...

def metric_mul(name: str | bytes, value: int = 1) -> Literal[True] | None:
    """Multiplies a metric of `--metric`. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.

    name: The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
    value: The factor."""
    ...

def metric_div(name: str | bytes, value: int = 1) -> Literal[True] | None:
    """Divides a metric of `--metric`, rounding toward zero. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself. So too for a divisor of 0.

    name: The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
    value: The divisor."""
    ...

def metric_set_max(name: str | bytes, value: int = 1) -> Literal[True] | None:
    """Raises a metric of `--metric` to a value that it is below. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.

    name: The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
    value: The least the metric is to be."""
    ...

def metric_set_min(name: str | bytes, value: int = 1) -> Literal[True] | None:
    """Lowers a metric of `--metric` to a value that it is above. Not_defined, with nothing changed, for a metric that is not there or that the server keeps itself.

    name: The metric's name, `worker.1.requests`, or its OID, `3.1.1`.
    value: The most the metric is to be."""
    ...

queue_size: int
"""How many slots the queue has (`--queue`); 0 without a queue."""

def queue_push(message: str | Buffer) -> Literal[True] | None:
    """Puts a message into the next slot. The queue is never full: a message that nobody has taken is overwritten in its turn.
    Returns not_defined for a message that is empty or too long.

    message: The message: at least one byte, at most `--queue-blocksize` less 16.

    Raises ValueError: no queue is configured"""
    ...

def queue_pop() -> bytes | None:
    """Takes the message pushed last: the queue as a stack. Not_defined when there is none. Differs from uWSGI: an empty queue
    stays as it is.


    Raises ValueError: no queue is configured"""
    ...

def queue_pull() -> bytes | None:
    """Takes the message at the pull slot and moves that on, so messages come in the order they were pushed. Not_defined when
    there is none. As in uWSGI, a push that overwrites does not move the pull slot.


    Raises ValueError: no queue is configured"""
    ...

def queue_get(index: int) -> bytes | None:
    """What is in a slot, which keeps it. Not_defined for an empty slot, or one that is not there.

    index: Which slot, from 0.

    Raises ValueError: no queue is configured"""
    ...

def queue_set(index: int, message: str | Buffer) -> Literal[True] | None:
    """Puts a message into a slot of one's choice; pushes and pulls go on where they were. Not_defined for a slot that is not
    there and for a message that is empty or too long. Differs from uWSGI: too long is the same as for `queue_push`.

    index: Which slot, from 0.
    message: The message: at least one byte, at most `--queue-blocksize` less 16.

    Raises ValueError: no queue is configured"""
    ...

def queue_last(count: int = 1) -> list[bytes]:
    """The messages pushed last, the newest first; they stay. Differs from uWSGI: it is a list for one message too, and slots
    whose message was taken are passed over.

    count: How many slots to look at.

    Raises ValueError: no queue is configured"""
    ...

def queue_slot() -> int:
    """The slot that the next push fills.


    Raises ValueError: no queue is configured"""
    ...

def queue_pull_slot() -> int:
    """The slot that the next pull empties.


    Raises ValueError: no queue is configured"""
    ...

def sharedarea_read(id: int, position: int, length: int = 0) -> bytes:
    """Reads bytes of an area.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.
    length: How many bytes; 0: to the end.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

def sharedarea_write(id: int, position: int, data: str | Buffer) -> None:
    """Writes bytes into an area: all of them, or none when they do not fit.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.
    data: The bytes.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

def sharedarea_read8(id: int, position: int) -> int:
    """Reads a signed number of 8 bits, in the machine's byte order.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

sharedarea_readbyte = sharedarea_read8

def sharedarea_read16(id: int, position: int) -> int:
    """Reads a signed number of 16 bits, in the machine's byte order.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

def sharedarea_read32(id: int, position: int) -> int:
    """Reads a signed number of 32 bits, in the machine's byte order.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

def sharedarea_read64(id: int, position: int) -> int:
    """Reads a signed number of 64 bits, in the machine's byte order.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

sharedarea_readlong = sharedarea_read64

def sharedarea_write8(id: int, position: int, value: int) -> None:
    """Writes a number of 8 bits, in the machine's byte order.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.
    value: A number of 8 bits.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

sharedarea_writebyte = sharedarea_write8

def sharedarea_write16(id: int, position: int, value: int) -> None:
    """Writes a number of 16 bits, in the machine's byte order.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.
    value: A number of 16 bits.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

def sharedarea_write32(id: int, position: int, value: int) -> None:
    """Writes a number of 32 bits, in the machine's byte order.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.
    value: A number of 32 bits.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

def sharedarea_write64(id: int, position: int, value: int) -> None:
    """Writes a number of 64 bits, in the machine's byte order.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.
    value: A signed number of 64 bits.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

sharedarea_writelong = sharedarea_write64

def sharedarea_inc32(id: int, position: int, value: int = 1) -> None:
    """Adds to a number of 32 bits; whatever others do at the same time, no step is lost.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.
    value: By how much.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

def sharedarea_inc64(id: int, position: int, value: int = 1) -> None:
    """Adds to a number of 64 bits; whatever others do at the same time, no step is lost.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.
    value: By how much.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

sharedarea_inclong = sharedarea_inc64

def sharedarea_dec32(id: int, position: int, value: int = 1) -> None:
    """Subtracts from a number of 32 bits; whatever others do at the same time, no step is lost.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.
    value: By how much.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

def sharedarea_dec64(id: int, position: int, value: int = 1) -> None:
    """Subtracts from a number of 64 bits; whatever others do at the same time, no step is lost.

    id: Which area, from 0 in the order of the `--sharedarea` options.
    position: Byte of the area, from 0.
    value: By how much.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

def sharedarea_rlock(id: int) -> None:
    """Locks an area to read: nobody changes it until `sharedarea_unlock`, and others may read it. May be taken several
    times, to be unlocked as often. It is freed when its holder is ended.

    id: Which area, from 0 in the order of the `--sharedarea` options.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
    Raises ValueError: this worker has the area locked to write"""
    ...

def sharedarea_wlock(id: int) -> None:
    """Locks an area to write: until `sharedarea_unlock` nobody else reads or changes it. Differs from uWSGI: the holder's
    own functions go on working, and locking twice is an error; there both hang. It is freed when its holder is ended.

    id: Which area, from 0 in the order of the `--sharedarea` options.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it
    Raises ValueError: this worker has the area locked already"""
    ...

def sharedarea_unlock(id: int) -> None:
    """Gives back what this worker has locked of an area. Nothing happens when that is nothing.

    id: Which area, from 0 in the order of the `--sharedarea` options.

    Raises ValueError: error calling uwsgi_sharedarea_...(): no such area, or a place outside of it"""
    ...

