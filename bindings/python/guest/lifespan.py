# The lifespan of an ASGI application: one task from its startup to its shutdown.
# Finds in its namespace: encode, describe, log_text.
from asyncio import Future, create_task

LIFESPAN_VERSION = {"version": "3.0", "spec_version": "2.0"}


class StartupFailed(Exception):
    """The application said so."""


class Lifespan:
    def __init__(self, application):
        self.application = application
        self.state = {}
        self.phase = "startup"
        # What the application has not received yet, and the future it waits for meanwhile.
        self.events = [{"type": "lifespan.startup"}]
        self.arrival = None
        self.has_failed = False
        # Why there is no lifespan.
        self.reason = ""

    async def startup(self):
        """
        True: the application has started; False: it takes no lifespan, and raised for it or returned.
        Raises StartupFailed with what it said.
        """
        self.answer = Future()
        self.task = create_task(self.run(), name="lifespan")
        return await self.answer

    async def shutdown(self):
        """Returns when the application has shut down, or has failed to, which is logged."""
        if self.task.done():
            return
        self.phase = "shutdown"
        self.answer = Future()
        self.events.append({"type": "lifespan.shutdown"})
        if self.arrival is not None and not self.arrival.done():
            self.arrival.set_result(None)
        await self.answer
        await self.task

    async def run(self):
        scope = {"type": "lifespan", "asgi": LIFESPAN_VERSION.copy(), "state": self.state}
        try:
            await self.application(scope, self.receive, self.send)
        except BaseException as error:
            summary, traceback = describe(error)
            if self.phase == "startup" and not self.answer.done():
                # The specification has it so: whoever raises for this scope does without.
                self.reason = f" ({summary.decode()})"
            elif not self.has_failed:
                log_text(b"python: the lifespan of the application failed: " + traceback)
        if not self.answer.done():
            self.answer.set_result(False)

    async def receive(self):
        while not self.events:
            self.arrival = Future()
            await self.arrival
        return self.events.pop(0)

    async def send(self, message):
        try:
            kind = message["type"]
        except (TypeError, KeyError):
            raise TypeError(f"an ASGI message is a dict with a 'type', not {message!r:.200}") from None
        complete, failed = f"lifespan.{self.phase}.complete", f"lifespan.{self.phase}.failed"
        if self.answer.done() or kind not in (complete, failed):
            expected = "" if self.answer.done() else f": {complete!r} is expected"
            raise RuntimeError(f"unexpected ASGI message {kind!r}{expected}")
        if kind == complete:
            self.answer.set_result(True)
            return
        self.has_failed = True
        said = str(message.get("message", "") or "")
        if self.phase == "startup":
            self.answer.set_exception(StartupFailed(said or "the application sent 'lifespan.startup.failed'"))
        else:
            log_text(encode(f"python: the application failed to shut down: {said}"))
            self.answer.set_result(False)
