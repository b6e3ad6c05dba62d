// ASGI applications in one thread: what they send, and how their requests end.
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { PolywsgiError } from '../../../host/errors.ts'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { HarnessClient, type HarnessRequest } from '../../support/plugin-harness.ts'
import { AsgiServer, coreCounts } from './asgi-server.ts'
import type { PythonServer } from './python-harness.ts'

describe.each(coreCounts)('in a worker of %s', (_, cores) => {
  let asgi: AsgiServer
  let server: PythonServer
  beforeAll(async () => {
    asgi = await AsgiServer.boot(cores)
    server = asgi.python
  })
  beforeEach(() => void server.takeLog())
  const run = (code: string, request?: HarnessRequest) => asgi.run(code, request)
  const textOf = (code: string, request?: HarnessRequest) => asgi.text(code, request)
  const until = (expression: string) => asgi.until(expression)

  test('chunks are sent as they come, and an empty one sends the head', async () => {
    const chunk = (body: string, more = true) =>
      `await send({"type": "http.response.body", "body": ${body}, "more_body": ${more ? 'True' : 'False'}})`
    const start = 'await send({"type": "http.response.start", "status": 201, "headers": [(b"x-y", b"z")]})'
    const response = await run(
      [
        start,
        chunk('b""'),
        chunk('b"one"'),
        chunk('bytearray(b"two")'),
        'await asyncio.sleep(0)',
        chunk('memoryview(b"three")', false),
        'return sent',
      ].join('\n'),
    )
    expect(response.status).toBe('201 Created')
    expect(response.headers).toEqual([['x-y', 'z']])
    expect(response.chunks.map((bytes) => Buffer.from(bytes).toString())).toEqual(['one', 'two', 'three'])
    expect(response.result).toBe(0)
  })

  test('send() waits for a client that is slower, and other requests do not', async () => {
    const client = new HarnessClient()
    client.isSlow = true
    await textOf('seen.clear()')
    const code = `await send({"type": "http.response.start", "status": 200})
for number in range(3):
    await send({"type": "http.response.body", "body": b"%d" % number, "more_body": True})
    seen.append(number)
await send({"type": "http.response.body", "body": b"!"})
return sent`
    const response = run(code, { client })
    for (const written of ['[]', '[0]', '[0, 1]', '[0, 1, 2]']) {
      await until(`str(seen) == ${JSON.stringify(written)}`)
      client.catchUp()
    }
    expect((await response).text).toBe('012!')
  })

  test('chunks of several tasks are sent in the order of the calls', async () => {
    const client = new HarnessClient()
    client.isSlow = true
    const code = `await send({"type": "http.response.start", "status": 200})
def part(body, more=True):
    return asyncio.create_task(send({"type": "http.response.body", "body": body, "more_body": more}))
tasks = [part(b"a"), part(b"b"), part(b"c")]
await asyncio.sleep(0)
tasks[0].cancel()
seen[:] = ["begun"]
await asyncio.gather(*tasks, return_exceptions=True)
await part(b"d", False)
return sent`
    const response = run(code, { client })
    await until('seen == ["begun"]')
    client.catchUp(false)
    expect((await response).text).toBe('abcd')
  })

  test.each([
    [
      '{"type": "http.response.body"}',
      "RuntimeError: unexpected ASGI message 'http.response.body': 'http.response.start' is expected",
    ],
    ['{"type": "websocket.send"}', "RuntimeError: unexpected ASGI message 'websocket.send': 'http.response.start' is expected"],
    ['{}', "TypeError: an ASGI message is a dict with a 'type', not {}"],
    ['"text"', "TypeError: an ASGI message is a dict with a 'type', not 'text'"],
    ['{"type": "http.response.start"}', "TypeError: 'status' of http.response.start must be int, not NoneType"],
    ['{"type": "http.response.start", "status": "200"}', "TypeError: 'status' of http.response.start must be int, not str"],
    ['{"type": "http.response.start", "status": 99}', 'ValueError: the status must be a number of three digits, not 99'],
    [
      '{"type": "http.response.start", "status": 200, "headers": [("a", "b")]}',
      'TypeError: header names and values must be bytes, not str',
    ],
    [
      '{"type": "http.response.start", "status": 200, "headers": [(b"a",)]}',
      "TypeError: 'headers' of http.response.start must be an iterable of pairs of a name and a value",
    ],
    [
      '{"type": "http.response.start", "status": 200, "headers": 5}',
      "TypeError: 'headers' of http.response.start must be an iterable of pairs of a name and a value",
    ],
    [
      '{"type": "http.response.start", "status": 200, "headers": [(b"a", b"b\\0")]}',
      'ValueError: a header name or value holds a NUL character',
    ],
  ])('send(%s) is refused', async (message, error) => {
    const code = `try:\n    await send(${message})\nexcept Exception as error:\n    return f"{type(error).__name__}: {error}"`
    expect(await textOf(code)).toBe(error)
  })

  test.each([
    [
      '{"type": "http.response.start", "status": 200}',
      "unexpected ASGI message 'http.response.start': 'http.response.body' is expected",
    ],
    ['{"type": "http.response.body", "body": "text"}', "'body' of http.response.body must be bytes, not str: encode it first"],
  ])('after the start send(%s) is refused', async (message, error) => {
    const code = `await send({"type": "http.response.start", "status": 200})
try:
    await send(${message})
except Exception as error:
    await send({"type": "http.response.body", "body": str(error).encode()})
return sent`
    expect(await textOf(code)).toBe(error)
  })

  test('after the response send() is refused', async () => {
    const message = '{"type": "http.response.body"}'
    await run(
      `await respond(send, b"")\ntry:\n    await send(${message})\nexcept RuntimeError as error:\n    seen[:] = [str(error)]\nreturn sent`,
    )
    expect(await textOf('return seen[0]')).toBe("unexpected ASGI message 'http.response.body': the response is complete already")
  })

  test('an exception is logged with the frames of the application, and answered with 500', async () => {
    const response = await run('await asyncio.sleep(0)\nraise ValueError("boom")')
    expect(response.status).toBe('500 Internal Server Error')
    expect(response.result).toBe(-1)
    const log = server.takeLog().join('\n')
    expect(log).toContain('ValueError: boom')
    expect([...log.matchAll(/in (\w+)/g)].map(([, name]) => name)).toEqual(['application', 'probe'])
    expect(log).not.toContain('<polywsgi>')
  })

  test.each(['SystemExit(3)', 'KeyboardInterrupt()', 'asyncio.exceptions.CancelledError("x")', 'GeneratorExit()'])(
    '%s is an exception like any other',
    async (raised) => {
      expect((await run(`await asyncio.sleep(0)\nraise ${raised}`)).status).toBe('500 Internal Server Error')
      expect(server.takeLog().join('\n')).toContain(raised.split('(')[0])
      expect(await textOf('return 1')).toBe('1')
    },
  )

  test('an exception after the begin of the body cuts the response', async () => {
    const response = await run(
      'await send({"type": "http.response.start", "status": 200})\nawait send({"type": "http.response.body", "body": b"half", "more_body": True})\nraise ValueError("late")',
    )
    expect(response.isCut).toBe(true)
    expect(response.text).toBe('half')
  })

  test('an application that sends nothing, or not all, has failed', async () => {
    expect((await run('return sent')).status).toBe('500 Internal Server Error')
    expect(server.takeLog().join('\n')).toContain("returned without sending 'http.response.start'")
    const started = 'await send({"type": "http.response.start", "status": 200})'
    expect((await run(`${started}\nreturn sent`)).status).toBe('500 Internal Server Error')
    expect(server.takeLog().join('\n')).toContain("returned without completing its response: 'more_body' was true")
    const half = 'await send({"type": "http.response.body", "body": b"half", "more_body": True})'
    expect((await run(`${started}\n${half}\nreturn sent`)).isCut).toBe(true)
  })

  test('send() to a client that has gone raises OSError, which is no failure of the application', async () => {
    const client = new HarnessClient()
    const code = `await send({"type": "http.response.start", "status": 200})
seen[:] = ["started"]
while True:
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
    await asyncio.sleep(0)`
    const response = run(code, { client })
    await until('seen == ["started"]')
    client.leave()
    expect((await response).result).toBe(0)
    expect(server.takeLog()).toContain('python: the client has gone during POST /application/')
    const caught = `client = None
try:
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"x", "more_body": True})
except OSError as error:
    seen[:] = [str(error)]
return sent`
    const gone = new HarnessClient()
    gone.leave()
    await run(caught, { client: gone })
    expect(await textOf('return seen')).toBe("['the client has closed its connection']")
  })

  test('tasks go on after the request that has begun them', async () => {
    const code = `seen.clear()
async def later():
    for number in range(3):
        await asyncio.sleep(0.001)
        seen.append(number)
background = asyncio.create_task(later())
return "done"`
    expect(await textOf(code)).toBe('done')
    await until('seen == [0, 1, 2]')
  })

  test('an exception in a task that nobody awaits is logged without frames of ours', async () => {
    await textOf('async def fails(): raise KeyError("lost")\nasyncio.create_task(fails())\nimport gc')
    await textOf('await asyncio.sleep(0)\nimport gc; gc.collect()\nasyncio.get_running_loop().call_soon(lambda: 1/0)')
    await textOf('await asyncio.sleep(0)')
  })

  test('each request has context variables of its own', async () => {
    const code = (value: string) => `variable.set("${value}")\nawait asyncio.sleep(0.001)\nreturn variable.get()`
    const texts = await Promise.all(['a', 'b', 'c'].map((value) => textOf(code(value))))
    expect(texts).toEqual(['a', 'b', 'c'])
    expect(await textOf('return variable.get()')).toBe('unset')
  })

  test('many requests that sleep do so at the same time', async () => {
    const code = `seen.append(len(seen))
while len(seen) < 200:
    await asyncio.sleep(0.001)
return asyncio.current_task() in asyncio.all_tasks()`
    await textOf('seen.clear()')
    const responses = await Promise.all(Array.from({ length: 200 }, () => textOf(code)))
    expect(new Set(responses)).toEqual(new Set(['True']))
  })

  test('a request that is given up is cancelled, and its promise settles at once', async () => {
    let request: WsgiRequest | undefined
    const code = `seen[:] = ["begun"]
try:
    await asyncio.sleep(3600)
except asyncio.CancelledError as error:
    seen.append(str(error))
    await asyncio.sleep(0)
    try:
        await respond(send, b"late")
    except RuntimeError as error:
        seen.append(str(error))
return sent`
    const response = run(code, { onOpen: (given) => (request = given) })
    await until('seen == ["begun"]')
    request?.timeOut()
    request?.onCancel?.(new PolywsgiError('HARAKIRI', 'it ran longer than 1 second'))
    expect(await response).toMatchObject({ status: '504 Gateway Timeout', result: -1 })
    expect(request?.onCancel).toBeUndefined()
    await until('len(seen) == 3')
    expect(await textOf('return seen[1:]')).toBe(
      `['the request is given up: it took longer, or more CPU time, than it may', "ASGI message 'http.response.start' was sent after the request had ended"]`,
    )
  })

  test('a file of the host is handed over, another is read', async () => {
    const code = (path: string) =>
      `await send({"type": "http.response.start", "status": 200})\nawait send({"type": "http.response.pathsend", "path": ${path}})\nreturn sent`
    const response = await run(code('__file__'))
    expect(response.text).toContain('# Applications of ASGI 3')
    await textOf('open("/tmp/own", "wb").write(b"own")')
    expect((await run(code('"/tmp/own"'))).text).toBe('own')
    expect((await run(code('"/tmp/none"'))).status).toBe('500 Internal Server Error')
  })
})
