// Plain calls that wait in coroutines, where a worker has many cores: only their own task waits.
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { CoreWaits } from '../../../host/api/context.ts'
import { PolywsgiError } from '../../../host/errors.ts'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { HarnessClient, type HarnessResponse } from '../../support/plugin-harness.ts'
import { AsgiServer, turn } from './asgi-server.ts'

let asgi: AsgiServer
beforeAll(async () => {
  asgi = await AsgiServer.boot(20)
})
beforeEach(() => void asgi.python.takeLog())

const waits = (before: string) => `import threading
event = threading.Event()
${before}
seen[:] = [event]
event.wait()
await asyncio.sleep(0.001)
return "woken"`

test.each([
  ['at the begin of a request', ''],
  ['after an await', 'await asyncio.sleep(0.001)'],
])('a plain wait %s suspends that request, and others are served', async (_, before) => {
  const waiting = asgi.run(waits(before))
  await asgi.until('len(seen) == 1')
  expect(await asgi.text('await asyncio.sleep(0.001)\nreturn "served"')).toBe('served')
  await asgi.text('seen[0].set()')
  expect((await waiting).text).toBe('woken')
})

test('tasks that are ready do not wait for one that waits in a plain call', async () => {
  const code = `import threading
event = threading.Event()
order = []
async def waits():
    order.append("waits")
    event.wait()
    order.append("woken")
async def goes_on(number):
    for step in range(3):
        await asyncio.sleep(0)
    order.append(number)
    if number == 1:
        event.set()
await asyncio.gather(waits(), goes_on(0), goes_on(1))
return order`
  expect(await asgi.text(code)).toBe("['waits', 0, 1, 'woken']")
})

test('the task that waits is the current one when it goes on, in its own context', async () => {
  const code = (name: string) => `import time
variable.set("${name}")
task = asyncio.current_task()
time.sleep(0.002)
await asyncio.sleep(0)
time.sleep(0.002)
return task is asyncio.current_task(), asyncio.get_running_loop() is task.get_loop(), variable.get()`
  const texts = await Promise.all(['a', 'b', 'c'].map((name) => asgi.text(code(name))))
  expect(texts).toEqual(["(True, True, 'a')", "(True, True, 'b')", "(True, True, 'c')"])
})

test.each([
  ['at the begin of a request', ''],
  ['after an await', 'await asyncio.sleep(0)'],
])('a request that is given up in a plain wait %s is ended there', async (_, before) => {
  let request: WsgiRequest | undefined
  const code = `import threading
${before}
seen[:] = ["begun"]
try:
    threading.Event().wait()
except BaseException as error:
    seen.append(type(error).__name__)
    raise`
  const response = asgi.run(code, { onOpen: (given) => (request = given) })
  await asgi.until('seen == ["begun"]')
  request?.timeOut()
  request?.onCancel?.(new PolywsgiError('HARAKIRI', 'the request took longer than it may: harakiri'))
  expect(await response).toMatchObject({ status: '504 Gateway Timeout', result: -1 })
  await asgi.until('seen == ["begun", "Harakiri"]')
  expect(asgi.python.takeLog()).toEqual(['python: POST /application/ is given up: the request took longer than it may: harakiri'])
})

test('an async generator that began before a wait is closed by its loop', async () => {
  const code = `async def generate():
    try:
        yield 1
    finally:
        seen.append("closed")
seen.clear()
generator = generate()
await anext(generator)
del generator
return 1`
  await asgi.text(code)
  await asgi.until('seen == ["closed"]')
})

test('a hundred requests wait in plain calls at the same time', async () => {
  const code = `import time
seen.append(1)
while len(seen) < 100:
    time.sleep(0.001)
return "all"`
  await asgi.text('seen.clear()')
  const texts = await Promise.all(Array.from({ length: 100 }, () => asgi.text(code)))
  expect(new Set(texts)).toEqual(new Set(['all']))
})

test('what a deadline ends is the task whose request it is, not the others of its turn', async () => {
  let request: WsgiRequest | undefined
  await asgi.text('seen.clear()\nreturn 1')
  const code = `import threading
event = threading.Event()
seen[:] = [asyncio.get_running_loop().create_future(), event]
async def waits():
    await asyncio.sleep(0.001)
    try:
        event.wait()
    finally:
        seen[0].set_result(None)
# More for the turn to do once that has ended.
timers = [asyncio.create_task(waits()), *(asyncio.create_task(asyncio.sleep(0.001)) for _ in range(9))]
await asyncio.gather(*timers)`
  const doomed = asgi.run(code, {
    onOpen: (opened) => {
      request = opened
    },
  })
  await asgi.until('len(seen) == 2 and len(seen[1]._cond._waiters) == 1')
  const other = asgi.run('import time\nseen.append(1)\nawait seen[0]\ntime.sleep(0.001)\nreturn "served"')
  await asgi.until('len(seen) == 3')
  request?.onCancel?.(new PolywsgiError('HARAKIRI', 'too long'))
  expect((await other).text).toBe('served')
  await doomed
})

test('a request that begins between a wait of a turn and the next turn leaves the loop awake', async () => {
  const waiting: (() => void)[] = []
  const client = new HarnessClient()
  let told: Promise<HarnessResponse> | undefined
  const commit = (): Promise<void> => {
    const wait = Promise.withResolvers<void>()
    waiting.push(wait.resolve)
    // The turn has been suspended then, and the next one has not begun.
    told ??= Promise.resolve().then(
      async () => await own.run('import uwsgi\nuwsgi.suspend()\nreturn (await receive())["type"]', { client }),
    )
    return wait.promise
  }
  const waits: CoreWaits = {
    ...{ isAsync: true, readyFd: -1, isTimedOut: false, addFd: () => {}, addTimeout: () => {} },
    ...{ commit, settled: commit, park: () => {} },
  }
  const own = await AsgiServer.boot(20, { server: { waits } })
  const first = own.run('import uwsgi\nawait asyncio.sleep(0.001)\nuwsgi.suspend()\nreturn "first"')
  for (const _ of ['first', 'told']) {
    while (waiting.length === 0) await turn()
    waiting.shift()?.()
    for (let n = 0; n < 4; n += 1) await turn()
  }
  expect((await first).text).toBe('first')
  for (let n = 0; n < 4; n += 1) await turn()
  client.leave()
  expect((await told)?.text).toBe('http.disconnect')
})

test('more tasks that wait in plain calls than memory holds wait for one another', async () => {
  const small = await AsgiServer.boot(2, { memoryLimit: 96 * 2 ** 20 })
  const code = `import time
async def waits():
    time.sleep(0.05)
    return 1
tasks = [asyncio.create_task(waits()) for _ in range(1000)]
return sum(await asyncio.gather(*tasks))`
  expect(await small.text(code)).toBe('1000')
  expect(small.python.takeLog()).toEqual([expect.stringContaining('the event loop waits: ')])
})
