// ASGI applications in one thread: the scope, and what they receive.
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ClientError } from '../../../host/errors.ts'
import { type RequestBody, WholeBody } from '../../../host/request/body.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { encodeVars } from '../../../protocol/vars.ts'
import { HarnessClient, type HarnessRequest } from '../../support/plugin-harness.ts'
import { AsgiServer, coreCounts, turn } from './asgi-server.ts'
import { appPath, type PythonServer } from './python-harness.ts'

/** A body whose pieces come when the test says so. */
class ArrivingBody implements RequestBody {
  readonly contentLength = -1
  readonly whole = undefined
  readonly #pieces: (Uint8Array | Error)[] = []
  #waiting: (() => void) | undefined

  /** Resolves when the application waits for more. */
  async isAwaited(): Promise<void> {
    while (this.#waiting === undefined) await turn()
  }

  arrive(piece: string | Error): void {
    this.#pieces.push(piece instanceof Error ? piece : Buffer.from(piece))
    this.#waiting?.()
    this.#waiting = undefined
  }

  canReadNow(): boolean {
    return this.#pieces.length > 0
  }

  read(): Uint8Array {
    const piece = this.#pieces.shift()
    if (piece === undefined) throw new Error('the test would wait for ever')
    if (piece instanceof Error) throw piece
    return piece
  }

  async readAsync(): Promise<Uint8Array> {
    while (this.#pieces.length === 0) await new Promise<void>((resolve) => (this.#waiting = resolve))
    return this.read()
  }
}

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

  test('an application that waits for nothing has ended when the request hook returns', async () => {
    const app = await server.harness.mount(appPath('asgi.py'), '/at-once', 'hello')
    let result: unknown
    const { plugin } = server.harness
    const hook = plugin.request?.bind(plugin)
    const response = await server.harness.request({
      mountpoint: app.mountpoint,
      onOpen: (request) => {
        result = hook?.(request)
        expect(request.finished).toBe(true)
      },
    })
    expect(result).toBe(0)
    expect(response.text).toContain('hello')
  })

  test('the scope holds what the specification has, and values of its types', async () => {
    const vars = { HTTP_X_TWO_WORDS: 'v\u00e9', CONTENT_TYPE: 'text/x', HTTP_CONTENT_TYPE: 'text/x', REQUEST_SCHEME: 'https' }
    const response = await server.ask('show_scope', {
      method: 'PUT',
      path: '/a b/\u00c3\u00a9\u00ff',
      query: 'q=%20',
      body: 'four',
      vars,
    })
    expect(JSON.parse(response.text)).toEqual({
      type: 'http',
      asgi: { version: '3.0', spec_version: '2.4' },
      http_version: '1.1',
      method: 'PUT',
      scheme: 'https',
      path: '/show_scope/a b/\u00e9\ufffd',
      raw_path: '/show_scope/a b/\u00c3\u00a9\u00ff',
      query_string: 'q=%20',
      root_path: '/show_scope',
      headers: [
        ['host', 'localhost:8080'],
        ['x-two-words', 'v\u00e9'],
        ['content-type', 'text/x'],
        ['content-length', '4'],
      ],
      client: ['127.0.0.1', 40000],
      server: ['localhost', 8080],
      extensions: { 'http.response.pathsend': {} },
    })
    const types = 'type(scope["path"]), type(scope["raw_path"]), type(scope["query_string"]), type(scope["headers"][0][0])'
    expect(await textOf(`return [t.__name__ for t in (${types})]`)).toBe("['str', 'bytes', 'bytes', 'bytes']")
  })

  test('a header that comes more than once is there as often', async () => {
    const app = server.harness.apps.find(({ mountpoint }) => mountpoint === '/show_scope')
    const pairs: [string, string][] = [
      ['REQUEST_METHOD', 'GET'],
      ['HTTP_ACCEPT', 'a'],
      ['HTTP_X', '1'],
      ['HTTP_ACCEPT', 'b'],
      ['PATH_INFO', '/'],
      ['CONTENT_TYPE', 'c'],
    ]
    const chunks: string[] = []
    const sink = {
      clientGone: false,
      send: (_head: unknown, chunk?: Uint8Array) => void chunks.push(Buffer.from(chunk ?? []).toString()),
      sendAsync: async () => {},
      cut: () => {},
    }
    const fields = { coreId: 0, modifier1: 0, modifier2: 0, body: new WholeBody(new Uint8Array(0)), sink, app }
    expect(await server.harness.plugin.request?.(new WsgiRequest({ ...fields, vars: encodeVars(pairs) }))).toBe(0)
    expect(JSON.parse(chunks.join('')).headers).toEqual([
      ['accept', 'a'],
      ['x', '1'],
      ['accept', 'b'],
      ['content-type', 'c'],
    ])
  })

  test('requests of the same shape have headers of their own', async () => {
    const value = async (x: string) => JSON.parse((await server.ask('show_scope', { vars: { HTTP_X: x } })).text).headers
    expect(await value('1')).toContainEqual(['x', '1'])
    expect(await value('2')).toContainEqual(['x', '2'])
    for (let number = 0; number < 200; number += 1) await server.ask('show_scope', { vars: { [`HTTP_N${number}`]: 'n' } })
    expect(await value('3')).toContainEqual(['x', '3'])
  })

  test('a body that came with the request is one message', async () => {
    expect((await server.ask('echo', { body: 'abc' })).text).toBe('3:abc;')
    expect((await server.ask('echo')).text).toBe('0:;')
  })

  test('a body that arrives piece by piece is waited for while other requests are served', async () => {
    const bodySource = new ArrivingBody()
    const response = server.ask('echo', { bodySource })
    bodySource.arrive('first')
    await bodySource.isAwaited()
    expect(await textOf('return 1')).toBe('1')
    bodySource.arrive('second one that is long')
    await bodySource.isAwaited()
    expect(await textOf('return 1')).toBe('1')
    bodySource.arrive('')
    expect((await response).chunks.map((chunk) => Buffer.from(chunk).toString())).toEqual(['5:first;', '23:second on;', '0:;'])
  })

  test('a client that goes in the middle of its body is a disconnect', async () => {
    const bodySource = new ArrivingBody()
    bodySource.arrive('half')
    bodySource.arrive(new ClientError('CLIENT_GONE', 'gone'))
    await textOf('seen.clear()')
    await server.ask('echo', { bodySource })
    expect(await textOf('return seen')).toBe("['http.request', 'http.disconnect']")
  })

  test('a body that stalls raises OSError in receive()', async () => {
    const bodySource = new ArrivingBody()
    const response = server.ask('echo', { bodySource })
    await bodySource.isAwaited()
    bodySource.arrive(new ClientError('BODY_TIMEOUT', 'the request body did not arrive in time'))
    expect((await response).status).toBe('500 Internal Server Error')
    expect(server.takeLog().join('\n')).toContain('OSError: the request body did not arrive in time')
  })

  test('a receive() that is cancelled loses nothing of the body', async () => {
    const bodySource = new ArrivingBody()
    const { mountpoint } = await server.harness.mount(appPath('asgi.py'), '/patient', 'patient')
    const response = server.harness.request({ mountpoint, bodySource })
    await until('"timed out" in seen')
    bodySource.arrive('late')
    expect((await response).text).toBe('late')
  })

  test('after the body, receive() waits until the client goes', async () => {
    const client = new HarnessClient()
    const response = run('seen[:] = ["waits"]\nseen.append((await receive())["type"])\nreturn sent', { client })
    await until('"waits" in seen')
    client.leave()
    await response
    expect(await textOf('return seen')).toBe("['waits', 'http.disconnect']")
  })

  test('after the response, receive() says so at once, and to those who wait already', async () => {
    const code =
      'waiting = asyncio.create_task(receive())\nawait asyncio.sleep(0)\nawait respond(send, b"x")\nseen[:] = [await waiting, await receive()]\nreturn sent'
    expect(await textOf(code)).toBe('x')
    expect(await textOf('return seen')).toBe("[{'type': 'http.disconnect'}, {'type': 'http.disconnect'}]")
  })
})
