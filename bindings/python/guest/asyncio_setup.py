# What is made ready for asyncio at the interpreter's start: next to nothing. Our own files that need asyncio are run when
# they are first wanted, since asyncio takes as long to import as the interpreter to start.
# Finds in its namespace: source_of, and what those files find in theirs; `shared` takes what is made later.
import sys

shared = {name: value for name, value in globals().items() if not name.startswith("__")}
# What an entry returns when a coroutine goes on.
shared["LATER"] = LATER = object()
used = {}


def use(name):
    """One of our own files, as an object with what it defines."""
    module = used.get(name)
    if module is None:
        module = type(sys)(f"polywsgi.{name}")
        module.__dict__.update(shared, use=use)
        exec(compile(source_of(name), f"<polywsgi>/{name}.py", "exec"), module.__dict__)
        used[name] = module
    return module


def install(unix_events):
    """Called at the end of asyncio.unix_events (scripts/build-python-stdlib.ts), with its names."""
    use("event_loop").install(unix_events)


entry = type(sys)("_polywsgi_asyncio", "The server's event loops, for asyncio.")
entry.install = install
sys.modules["_polywsgi_asyncio"] = entry


def run(coroutine):
    """Begins a coroutine in the main loop. Returns its result if it has ended, else the host's mark for "later"."""
    return use("coroutines").run(coroutine)
