// WSGI applications that are coroutine functions or async generator functions, and the API in them.
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { HarnessClient } from '../../support/plugin-harness.ts'
import { coreCounts } from './asgi-server.ts'
import { PythonServer } from './python-harness.ts'

describe.each(coreCounts)('in a worker of %s', (_, cores) => {
  let server: PythonServer
  beforeAll(async () => {
    server = await PythonServer.boot('async_wsgi.py', { cores })
  })
  beforeEach(() => void server.takeLog())

  test('a coroutine function answers as a function does', async () => {
    expect(await server.ask('hello')).toMatchObject({ status: '200 OK', text: 'hello', result: 0 })
  })

  test('it may wait, and read its body', async () => {
    const body = 'x'.repeat(100_000)
    const [first, second] = await Promise.all([server.ask('waits', { method: 'PUT', body }), server.ask('waits')])
    expect(first).toMatchObject({ status: '201 Created', headers: [['X-Method', 'PUT']], text: body })
    expect(second).toMatchObject({ status: '201 Created', text: '' })
  })

  test('a body that is read while it arrives belongs to the request of the task', async () => {
    const pieces = ['one ', 'two', '']
    const bodySource = {
      contentLength: -1,
      whole: undefined,
      read: () => Buffer.from(pieces.shift() ?? ''),
      readAsync: async () => Buffer.from(''),
    }
    expect((await server.ask('waits', { bodySource })).text).toBe('one two')
  })

  test('an async generator is the body, and is closed', async () => {
    const response = await server.ask('generates')
    expect(response.chunks.map((chunk) => Buffer.from(chunk).toString())).toEqual(['0,', '1,', '2,'])
    await server.ask('returns_generator')
    expect((await server.ask('looks_back')).text).toBe("['closed', 'close()']")
  })

  test('the generator of a client that has gone is closed', async () => {
    const client = new HarnessClient()
    client.leave()
    expect((await server.ask('generates', { client })).result).toBe(0)
    expect(server.takeLog().at(-1)).toBe('python: the client has gone during GET /generates/')
    expect((await server.ask('looks_back')).text).toContain("'closed', 'close()', 'closed'")
  })

  test.each([
    ['raises', 'LookupError: nothing there'],
    ['starts_not', 'AssertionError: the application did not call start_response()'],
    ['sends_text', 'TypeError: the response body must be made of bytes, not str: encode it first'],
    ['writes', "RuntimeError: write() is not there for asynchronous applications: return or yield the body's chunks"],
  ])('%s is answered with 500', async (callable, error) => {
    expect(await server.ask(callable)).toMatchObject({ status: '500 Internal Server Error', result: -1 })
    const log = server.takeLog().join('\n')
    expect(log).toContain(error)
    expect(log).not.toContain('<polywsgi>')
  })

  test('a response that fails on its way is cut', async () => {
    expect(await server.ask('raises_late')).toMatchObject({ text: 'half', isCut: true, result: -1 })
  })
})
