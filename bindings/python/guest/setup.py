# Run once, before any application: what differs from a Python on a real operating system.
# Finds in its namespace: host_sleep, derive_pbkdf2, derive_scrypt.
import _thread
import sys
import time

# The streams lead to the log line by line, so text goes out at each line's end.
sys.stdout.reconfigure(line_buffering=True)

# The platform's own sleep keeps the processor busy for all that time.
time.sleep = host_sleep



def no_thread(*args, **kwargs):
    raise RuntimeError(
        "can't start new thread: hand the work to a mule (uwsgi.mule_msg) or to the spooler (uwsgi.spool) instead"
    )


# Python code cannot start threads. Differs from uWSGI: that can with `enable-threads`, and its decorator `thread` works then.
#
# CPython's own refusal in WebAssembly does not say what to do instead. `threading` takes these functions from here.
_thread.start_new_thread = _thread.start_new = _thread.start_joinable_thread = no_thread

# hashlib takes these two from here (scripts/build-python-stdlib.ts): CPython has them from OpenSSL, which is not there.
module = type(sys)("_polywsgi_digests", "Key derivation for hashlib, done by the host.")


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """PKCS #5 v2.0: derives a key of `dklen` bytes (default: the digest's size) from a password."""
    if not isinstance(hash_name, str):
        raise TypeError("expected 'str' for name, but got %s" % type(hash_name))
    return derive_pbkdf2(hash_name, bytes(memoryview(password)), bytes(memoryview(salt)), iterations, dklen)


def scrypt(password, *, salt, n, r, p, maxmem=0, dklen=64):
    """RFC 7914: derives a key of `dklen` bytes from a password. `maxmem` 0 means 32 MiB."""
    return derive_scrypt(bytes(memoryview(password)), bytes(memoryview(salt)), n, r, p, maxmem, dklen)


module.pbkdf2_hmac = pbkdf2_hmac
module.scrypt = scrypt
pbkdf2_hmac.__module__ = scrypt.__module__ = "hashlib"
sys.modules["_polywsgi_digests"] = module


def at_exit():
    """What a Python process does at its end."""
    import atexit

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, ValueError):
            pass  # replaced or closed by the application
