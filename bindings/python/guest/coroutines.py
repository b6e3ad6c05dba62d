# Coroutines that the host runs: functions that guests have registered, hooks, the lifespan of applications. And the host's
# answers to what coroutines wait for.
# Invariant: for every coroutine that did not end at once the host gets exactly one of task_done, task_failed
# and task_stopped.
# Finds in its namespace: use, active_space, LATER, new_task, task_done, task_failed, task_stopped, told_stop, describe.
from asyncio import CancelledError, Future, Task, all_tasks, current_task, gather

event_loop = use("event_loop")
get_running_loop, set_running_loop = event_loop.get_running_loop, event_loop.set_running_loop
loop = event_loop.the_main_loop()

# Tasks that the host waits for, by its numbers; asyncio itself holds them by weak references only.
tasks = {}
# Futures that the host is to complete, by its numbers.
operations = {}


def begin(coroutine):
    """Makes a coroutine a task of the main loop, and runs it up to its first wait. For entries from outside of the loop."""
    outer = get_running_loop()
    # Not what is_turning says: that may be of a turn which is suspended, and over when this has waited.
    was_turning = outer is loop
    loop.is_turning = True
    set_running_loop(loop)
    loop.watch_generators()
    try:
        return Task(coroutine, loop=loop, eager_start=True)
    finally:
        set_running_loop(outer)
        loop.is_turning = was_turning
        if not was_turning:
            loop.arrange()


async def in_space(space, coroutine):
    event_loop.current_space.set(space)
    return await coroutine


def run(coroutine):
    task = begin(in_space(active_space(), coroutine))
    if task.done():
        return task.result()
    number = new_task()
    tasks[number] = task
    task.add_done_callback(lambda task: end(number, task))
    return LATER


def end(number, task):
    tasks.pop(number, None)
    try:
        result = task.result()
    except BaseException as error:
        stop = told_stop(error)
        if stop is None:
            task_failed(number, *describe(error))
        else:
            task_stopped(number, str(stop))
    else:
        task_done(number, result)


def cancel(number):
    """Gives up a task that the host does not wait for any more."""
    task = tasks.get(number)
    if task is not None:
        task.cancel()


def drive(number, seconds):
    """Runs a task of the host to its end, at the end of the thread. False when it does not end in time."""
    task = tasks.get(number)
    return True if task is None else loop.drive(task, seconds)


async def finish():
    """The end of the thread: whatever still runs is cancelled, as at the end of asyncio.run()."""
    rest = all_tasks(loop) - {current_task(loop)}
    for task in rest:
        task.cancel()
    for result in await gather(*rest, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, CancelledError):
            loop.call_exception_handler({"message": "a task raised when it was cancelled at the end", "exception": result})
    await loop.shutdown_asyncgens()


def operation(number):
    """A future for something that the host does."""
    operations[number] = future = Future(loop=loop)
    return future


def complete(number, value):
    """The host has done it."""
    future = operations.pop(number, None)
    if future is not None and not future.done():
        future.set_result(value)


def fail(number, error_class, message):
    future = operations.pop(number, None)
    if future is not None and not future.done():
        future.set_exception(error_class(message))
        # Whoever waited may have been cancelled: then nobody looks at it.
        future.exception()
