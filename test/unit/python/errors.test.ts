// Applications with faults: what the client gets, and what the log says, with file and line.
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import plugin, { FatalGuestError } from '../../../bindings/python/index.ts'
import { GuestError } from '../../../host/errors.ts'
import { appPath, PythonServer, probe } from './python-harness.ts'

let server: PythonServer
const file = appPath('failing.py')

beforeAll(async () => {
  server = await PythonServer.boot('failing.py')
})
beforeEach(() => {
  server.takeLog()
})

const plainFailure = {
  status: '500 Internal Server Error',
  headers: [['Content-Type', 'text/plain']],
  text: 'Internal Server Error',
  isCut: false,
  result: -1,
}

test('an exception is 500 for the client and a traceback of the application alone in the log', async () => {
  expect(await server.ask('raises')).toMatchObject(plainFailure)
  expect(server.takeLog()).toEqual([
    'Traceback (most recent call last):',
    `  File "${file}", line 7, in raises`,
    '    return helper(environ)',
    `  File "${file}", line 11, in helper`,
    '    raise ValueError("boom \\N{SNOWMAN}")',
    'ValueError: boom ☃',
  ])
})

test('an exception after start_response still is 500, without the headers of the application', async () => {
  expect(await server.ask('raises_after_start')).toMatchObject(plainFailure)
  expect(server.takeLog().at(-1)).toBe("KeyError: 'after start'")
})

test('the exception that an exception was raised from is shown too', async () => {
  await server.ask('raises_from')
  const log = server.takeLog()
  expect(log).toContain('ValueError: boom ☃')
  expect(log).toContain('The above exception was the direct cause of the following exception:')
  expect(log.at(-1)).toBe('LookupError: outer')
  expect(log.join('\n')).not.toContain('polywsgi>')
})

test('a failure in the middle of the body cuts the response', async () => {
  expect(await server.ask('generator_fails')).toMatchObject({ status: '200 OK', text: 'begun', isCut: true, result: -1 })
  expect(server.takeLog()).toContain(`  File "${file}", line 29, in generator_fails`)
})

describe('a body that is not of bytes', () => {
  test.each([
    ['yields_str', 'TypeError: the response body must be made of bytes, not str: encode it first'],
    ['generates_str', 'TypeError: the response body must be made of bytes, not str: encode it first'],
    ['mixed_list', 'TypeError: the response body must be made of bytes, not bytearray'],
    ['returns_none', "TypeError: 'NoneType' object is not iterable"],
  ])('%s is 500', async (callable, complaint) => {
    expect(await server.ask(callable)).toMatchObject(plainFailure)
    expect(server.takeLog().at(-1)).toBe(complaint)
  })
  test('is cut where it stops being bytes', async () => {
    expect(await server.ask('generates_str_late')).toMatchObject({ text: 'bytes', isCut: true })
    expect(server.takeLog().at(-1)).toBe('TypeError: the response body must be made of bytes, not int')
  })
})

describe('start_response', () => {
  test.each([
    ['never_starts', 'AssertionError: the application did not call start_response()'],
    ['starts_late', 'AssertionError: the application sent a body before it called start_response()'],
    ['starts_twice', 'AssertionError: start_response() was called a second time without exc_info'],
  ])('misused by %s is 500', async (callable, complaint) => {
    expect(await server.ask(callable)).toMatchObject(plainFailure)
    expect(server.takeLog().at(-1)).toBe(complaint)
  })

  test.each([
    ["(b'200 OK', [])", 'TypeError: the status must be str, not bytes'],
    ['(200, [])', 'TypeError: the status must be str, not int'],
    ["('OK', [])", 'ValueError: "OK" is not a status: three digits, a space and a reason'],
    [
      "('200 OK\\r\\nX-Forged: yes', [])",
      'ValueError: "200 OK\\r\\nX-Forged: yes" is not a status: three digits, a space and a reason',
    ],
    ["('200 OK', (('A', 'b'),))", 'TypeError: the headers must be a list, not tuple'],
    ["('200 OK', [('A', 'b', 'c')])", 'TypeError: each header must be a tuple of a name and a value'],
    ["('200 OK', [5])", "TypeError: 'int' object is not iterable"],
    ["('200 OK', [('A', 5)])", 'TypeError: header names and values must be str, not int'],
    ["('200 OK', [(b'A', 'b')])", 'TypeError: header names and values must be str, not bytes'],
    ["('200 OK', [('A', 'x\\0y')])", 'ValueError: a header name or value holds a NUL character'],
    ["('200 OK', [('A', 'x\\r\\nB: y')])", 'ValueError: the value of header A holds a character that HTTP does not allow'],
    ["('200 OK', [('A', '\u2603')])", 'ValueError: the value of header A holds a character that HTTP does not allow'],
    ["('200 OK', [('A B', 'c')])", 'ValueError: "A B" is not a header name'],
    ["('200 OK', [('', 'c')])", 'ValueError: "" is not a header name'],
  ])('refuses %s where it is called', async (head, complaint) => {
    // Request variables are Latin-1: anything beyond is written as Python's escape.
    const query = head.replace(/[\u0100-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    expect(await server.ask('bad_head', { query })).toMatchObject(plainFailure)
    const log = server.takeLog()
    expect(log.at(-1)).toBe(complaint)
    expect(log.join('\n')).toMatch(/failing\.py", line \d+, in bad_head\n {4}start_response\(status, headers\)/)
  })
})

test.each([
  ['exits', 'SystemExit: bye'],
  ['interrupted', 'KeyboardInterrupt'],
])('%s is an error like any other: the interpreter goes on', async (callable, complaint) => {
  expect(await server.ask(callable)).toMatchObject(plainFailure)
  expect(server.takeLog().at(-1)).toBe(complaint)
})

test('endless recursion is RecursionError', async () => {
  expect(await server.ask('recursion')).toMatchObject(plainFailure)
  expect(server.takeLog().at(-1)).toMatch(/^RecursionError: maximum recursion depth exceeded/)
})

test('exceptions that cannot be printed are logged by their class', async () => {
  expect(await server.ask('unprintable')).toMatchObject(plainFailure)
  expect(server.takeLog().at(-1)).toMatch(/Unprintable: <exception str\(\) failed>/)
  expect(await server.ask('lone_surrogate')).toMatchObject(plainFailure)
  expect(server.takeLog().at(-1)).toBe('ValueError: bad \\ud800 text')
})

describe('a dead interpreter', () => {
  test('throws a fatal error, now and ever after, and others live on', async () => {
    const doomed = await PythonServer.boot('probe.py')
    const error = await probe(doomed, 'import os; os._exit(3)').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FatalGuestError)
    expect(error).toMatchObject({ fatal: true, code: 'GUEST_EXCEPTION', language: 'python' })
    expect((error as Error).message).toBe('the Python interpreter died: the application ended the interpreter with status 3')
    await expect(probe(doomed, 'result = 1')).rejects.toThrow('the Python interpreter died')
    await expect(doomed.harness.mount(appPath('echo.py'), '/late')).rejects.toThrow('the Python interpreter died')
    expect(process.exitCode).toBeUndefined()
    expect(await server.ask('exits')).toMatchObject(plainFailure)
  })

  test.each([
    ['os.abort()', 'import os; os.abort()'],
    [
      'a stack that C code has used up',
      'import sys\nsys.setrecursionlimit(10**9)\ndef f(): return [*map(lambda _: f(), [0])]\nf()',
    ],
  ])('is what %s leaves, unless Python raises in time', async (_what, code) => {
    const doomed = await PythonServer.boot('probe.py')
    const outcome = await probe(doomed, code).catch((thrown: unknown) => thrown)
    if (typeof outcome === 'string') expect(outcome).toMatch(/^RecursionError/)
    else expect(outcome).toMatchObject({ fatal: true })
  })

  test('is told to the log as text', async () => {
    const error = new FatalGuestError(new Error('cause'))
    expect(plugin.exceptionLog?.(error)).toBe(error)
    expect(error.traceback).toBe('the Python interpreter died: cause')
    expect(plugin.exceptionLog?.(new GuestError('lua', 'x', ''))).toBeUndefined()
    expect(plugin.exceptionLog?.(new Error('x'))).toBeUndefined()
  })
})
