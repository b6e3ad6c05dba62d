# Threads' tools between cores: run first of all, where requests run on cores of their own that can be suspended.
# Finds in its namespace: core_ident (0 outside of cores), park, unpark.
# Invariant: whoever waits for a lock is suspended, never the thread; a lock that is released goes straight to the first who waits.
import _thread
import sys
from _collections import deque
from time import monotonic

main_ident = _thread.get_ident()


def get_ident():
    """A number for the core that runs: no other has it at the same time."""
    return core_ident() or main_ident


TIMEOUT_MAX = _thread.TIMEOUT_MAX


def checked_timeout(blocking, timeout):
    if not blocking:
        if timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        return 0
    if timeout != timeout:
        raise ValueError("Invalid value NaN (not a number)")
    if timeout < 0 and timeout != -1:
        raise ValueError("timeout value must be a non-negative number")
    if timeout > TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
    return timeout


def wait_for_turn(held, timeout):
    """Waits until a lock is released to us; False when that took too long."""
    waiters = held._waiters
    # Who waits, and whether it has been released to them.
    ticket = [get_ident(), False]
    deadline = None if timeout == -1 else monotonic() + timeout
    waiters.append(ticket)
    try:
        while not ticket[1]:
            rest = -1 if deadline is None else deadline - monotonic()
            if deadline is not None and rest <= 0:
                break
            park(rest)
    except BaseException:
        if ticket[1]:
            held._pass_on()
        else:
            waiters.remove(ticket)
        raise
    if not ticket[1]:
        waiters.remove(ticket)
    return ticket[1]


def restore(held):
    """
    Takes a lock again that a condition has let go of. Who is given up meanwhile does not get it, but releases it on the way out:
    that is not to take it from whoever has it then.
    """
    try:
        held.acquire()
    except BaseException:
        if held._forgiven is None:
            held._forgiven = set()
        held._forgiven.add(get_ident())
        raise


def is_forgiven(held):
    me = get_ident()
    if me not in held._forgiven:
        return False
    held._forgiven.remove(me)
    if not held._forgiven:
        held._forgiven = None
    return True


class lock:
    """A lock that cores share: `threading.Lock`."""

    __slots__ = ("_locked", "_waiters", "_forgiven", "__weakref__")

    def __init__(self):
        self._locked = False
        self._waiters = None
        # Cores whose next release is none (restore()).
        self._forgiven = None

    def acquire(self, blocking=True, timeout=-1):
        if not self._locked:
            if not blocking or timeout != -1:
                checked_timeout(blocking, timeout)
            self._locked = True
            return True
        timeout = checked_timeout(blocking, timeout)
        if timeout == 0:
            return False
        if self._waiters is None:
            self._waiters = deque()
        return wait_for_turn(self, timeout)

    def release(self):
        if self._forgiven is not None and is_forgiven(self):
            return
        if not self._locked:
            raise RuntimeError("release unlocked lock")
        self._pass_on()

    def _pass_on(self):
        if self._waiters:
            hand_over(self._waiters)
        else:
            self._locked = False

    def locked(self):
        return self._locked

    # What threading.Condition uses where it is there.
    def _release_save(self):
        self.release()

    def _acquire_restore(self, state):
        restore(self)

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *exc_info):
        self.release()

    def _at_fork_reinit(self):
        self._locked = False
        self._waiters = None

    def __repr__(self):
        state = "locked" if self._locked else "unlocked"
        return f"<{state} _thread.lock object at {id(self):#x}>"

    acquire_lock = acquire
    release_lock = release
    locked_lock = locked


def hand_over(waiters):
    ticket = waiters.popleft()
    ticket[1] = True
    unpark(ticket[0])
    return ticket[0]


class RLock:
    """A lock that its owner, a core, may take several times: `threading.RLock`."""

    __slots__ = ("_owner", "_count", "_waiters", "_forgiven", "__weakref__")

    def __init__(self):
        self._owner = 0
        self._count = 0
        self._waiters = None
        self._forgiven = None

    def acquire(self, blocking=True, timeout=-1):
        me = get_ident()
        if not self._count or self._owner == me:
            if not blocking or timeout != -1:
                checked_timeout(blocking, timeout)
            self._owner = me
            self._count += 1
            return True
        timeout = checked_timeout(blocking, timeout)
        if timeout == 0:
            return False
        if self._waiters is None:
            self._waiters = deque()
        # The one that released it has made us the owner.
        return wait_for_turn(self, timeout)

    def release(self):
        if not self._count or self._owner != get_ident():
            if self._forgiven is not None and is_forgiven(self):
                return
            raise RuntimeError("cannot release un-acquired lock")
        if self._count > 1:
            self._count -= 1
        else:
            self._pass_on()

    def _pass_on(self):
        if self._waiters:
            self._owner = hand_over(self._waiters)
            self._count = 1
        else:
            self._owner = 0
            self._count = 0

    def locked(self):
        return self._count > 0

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *exc_info):
        self.release()

    # What threading.Condition asks for.
    def _is_owned(self):
        return self._count > 0 and self._owner == get_ident()

    def _recursion_count(self):
        return self._count if self._is_owned() else 0

    def _release_save(self):
        if not self._is_owned():
            raise RuntimeError("cannot release un-acquired lock")
        state = (self._count, self._owner)
        self._pass_on()
        return state

    def _acquire_restore(self, state):
        restore(self)
        self._count, self._owner = state

    def _at_fork_reinit(self):
        self.__init__()

    def __repr__(self):
        state = "locked" if self._count else "unlocked"
        return f"<{state} _thread.RLock object owner={self._owner} count={self._count} at {id(self):#x}>"


lock.__module__ = RLock.__module__ = "_thread"
_thread.lock = _thread.LockType = _thread.allocate_lock = _thread.allocate = lock
_thread.RLock = RLock
_thread.get_ident = get_ident
# Its queue would park the thread: `queue` has one of its own, made of these locks.
sys.modules["_queue"] = None
