// The environ of PEP 3333 as applications see it, byte for byte.
import { beforeAll, describe, expect, test } from 'vitest'
import plugin from '../../../bindings/python/index.ts'
import { WholeBody } from '../../../host/request/body.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { encodeVars } from '../../../protocol/vars.ts'
import { appPath, PythonServer } from './python-harness.ts'

let server: PythonServer

beforeAll(async () => {
  server = await PythonServer.boot('echo.py')
})

const environOf = async (request: Parameters<PythonServer['ask']>[1]): Promise<Record<string, unknown>> =>
  JSON.parse((await server.ask('application', request)).text)

/** Sends a block of variables as it is. */
const environOfBlock = (block: Uint8Array, coreId = 0): Record<string, unknown> => {
  const chunks: Uint8Array[] = []
  const sink = {
    clientGone: false,
    send: (_head: unknown, chunk: Uint8Array | undefined) => void (chunk && chunks.push(chunk.slice())),
    sendAsync: async () => {},
    cut: () => {},
  }
  const app = server.harness.apps[0]
  const body = new WholeBody(new Uint8Array(0))
  const result = plugin.request?.(new WsgiRequest({ coreId, modifier1: 0, modifier2: 0, vars: block, body, sink, app }))
  expect(result).toBe(0)
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

test('holds every request variable as str, and what PEP 3333 and uWSGI add', async () => {
  const environ = await environOf({ path: '/some/path', query: 'a=1&b=2', vars: { HTTP_X_CUSTOM: 'value' } })
  expect(environ).toMatchObject({
    REQUEST_METHOD: 'GET',
    SCRIPT_NAME: '/application',
    PATH_INFO: '/some/path',
    QUERY_STRING: 'a=1&b=2',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '8080',
    SERVER_PROTOCOL: 'HTTP/1.1',
    CONTENT_LENGTH: '',
    HTTP_X_CUSTOM: 'value',
    'wsgi.version': 'tuple (1, 0)',
    'wsgi.url_scheme': 'http',
    'wsgi.multithread': false,
    'wsgi.multiprocess': false,
    'wsgi.run_once': false,
    'wsgi.input_terminated': true,
    'uwsgi.version': "bytes b'0.0.0-test'",
    'uwsgi.node': "bytes b'test-host'",
    'uwsgi.core': 0,
  })
  expect(environ['types']).toMatchObject({ 'wsgi.errors': 'TextIOWrapper', 'wsgi.file_wrapper': 'type' })
})

test('keeps NUL and all other bytes of values, one character per byte', async () => {
  const everyByte = String.fromCharCode(...Array(256).keys())
  const environ = await environOf({ vars: { HTTP_X_BYTES: everyByte, HTTP_X_NUL: 'a\0b' } })
  expect(environ['HTTP_X_BYTES']).toBe(everyByte)
  expect(environ['HTTP_X_NUL']).toBe('a\0b')
})

test('gives each request its own values although the names repeat', async () => {
  const paths = ['/a', '/b', '/a', '/longer/path', '', '/a']
  for (const path of paths)
    expect(await environOf({ path })).toMatchObject({ PATH_INFO: path, REQUEST_URI: `/application${path}` })
})

test('tells apart variables of the same lengths with other names', () => {
  const first = environOfBlock(
    encodeVars([
      ['REQUEST_METHOD', 'GET'],
      ['HTTP_X_AAA', '1'],
      ['HTTP_X_BBB', '2'],
    ]),
  )
  const second = environOfBlock(
    encodeVars([
      ['REQUEST_METHOD', 'GET'],
      ['HTTP_X_BBB', '1'],
      ['HTTP_X_CCC', '2'],
    ]),
  )
  expect(first).toMatchObject({ HTTP_X_AAA: '1', HTTP_X_BBB: '2' })
  expect(second).toMatchObject({ HTTP_X_BBB: '1', HTTP_X_CCC: '2' })
  expect(second).not.toHaveProperty('HTTP_X_AAA')
})

test('takes the last of variables of one name, whichever of them changes', () => {
  const ask = (first: string, last: string) =>
    environOfBlock(
      encodeVars([
        ['PATH_INFO', first],
        ['REQUEST_METHOD', 'GET'],
        ['PATH_INFO', last],
      ]),
    )['PATH_INFO']
  expect([ask('/a', '/1'), ask('/b', '/1'), ask('/b', '/2'), ask('/2', '/2')]).toEqual(['/1', '/1', '/2', '/2'])
})

test('does not show one application what another has done to its environ', async () => {
  const ask = async (path: string, vars: Record<string, string>) => (await server.ask('changes_environ', { path, vars })).text
  expect(await ask('/x', { HTTP_X_MARK: 'sent' })).toBe('sent/x False')
  expect(await ask('/x', { HTTP_X_MARK: 'sent' })).toBe('sent/x False')
  expect(await ask('/y', {})).toBe('/y False')
})

test('is collected with the objects that refer to it, and shows no other environ', async () => {
  const { text } = await server.ask('collector')
  expect(text).toBe('tracked, alone')
})

test('serves more kinds of requests than it remembers', () => {
  for (let round = 0; round < 2; round += 1) {
    for (let kind = 0; kind < 100; kind += 1) {
      const name = `HTTP_${'X'.repeat(kind + 1)}`
      expect(
        environOfBlock(
          encodeVars([
            [name, `${kind}`],
            ['REQUEST_METHOD', 'GET'],
          ]),
        )[name],
      ).toBe(`${kind}`)
    }
  }
})

test('takes a block of the greatest size', () => {
  const value = 'v'.repeat(60_000)
  expect(environOfBlock(encodeVars([['HTTP_X_LONG', value]]))['HTTP_X_LONG']).toBe(value)
})

test('names the core that serves the request', () => {
  const block = encodeVars([['REQUEST_METHOD', 'GET']])
  expect([3, 3, 0, 7].map((core) => environOfBlock(block, core)['uwsgi.core'])).toEqual([3, 3, 0, 7])
})

describe('wsgi.url_scheme', () => {
  const cases: [Record<string, string>, string][] = [
    [{ REQUEST_SCHEME: 'https' }, 'https'],
    [{ REQUEST_SCHEME: 'http', HTTPS: 'on' }, 'https'],
    [{ HTTPS: 'off' }, 'http'],
    [{ HTTP_X_FORWARDED_PROTO: 'HTTPS' }, 'https'],
    [{ HTTP_X_FORWARDED_SSL: 'on' }, 'https'],
    [{ UWSGI_SCHEME: 'https', HTTP_X_FORWARDED_PROTO: 'http' }, 'https'],
    [{ UWSGI_SCHEME: 'http', HTTPS: 'on' }, 'http'],
    [{ REQUEST_SCHEME: 'gopher', HTTP_X_FORWARDED_PROTO: 'javascript' }, 'http'],
    [{}, 'http'],
  ]
  test.each(cases)('of %j is %s', async (vars, scheme) => {
    expect((await environOf({ vars }))['wsgi.url_scheme']).toBe(scheme)
  })

  test('follows a variable that changes between requests of the same kind', async () => {
    const schemes = ['http', 'https', 'https', 'http']
    for (const scheme of schemes) expect((await environOf({ vars: { REQUEST_SCHEME: scheme } }))['wsgi.url_scheme']).toBe(scheme)
  })
})

test('refuses a block that is cut off, without harm to the interpreter', () => {
  const whole = encodeVars([
    ['REQUEST_METHOD', 'GET'],
    ['PATH_INFO', '/x'],
  ])
  const app = server.harness.apps[0]
  const sink = { clientGone: false, send: () => {}, sendAsync: async () => {}, cut: () => {} }
  for (let size = 1; size < whole.length; size += 1) {
    if (size === 21) continue // exactly one variable
    const fields = { coreId: 0, modifier1: 0, modifier2: 0, body: new WholeBody(new Uint8Array(0)), sink, app }
    expect(() => plugin.request?.(new WsgiRequest({ ...fields, vars: whole.subarray(0, size) }))).toThrow(
      'the vars block of the request is cut off',
    )
  }
  expect(environOfBlock(whole)['PATH_INFO']).toBe('/x')
})

test('says 500 for a request without an application', async () => {
  const response = await server.harness.request({ mountpoint: '/nowhere' })
  expect(response).toMatchObject({ status: '500 Internal Server Error', text: 'Internal Server Error', result: -1 })
})

test('is found by its name, its packets and its file names', () => {
  expect(plugin).toMatchObject({ name: 'python', modifier1: 0, appExtensions: ['.py', '.wsgi'] })
  expect(appPath('echo.py')).toMatch(/\/test\/apps\/python\/echo\.py$/)
})

test('does not hold the doubles of the content headers that nginx sends, also when only their values change', async () => {
  for (const length of ['5', '6']) {
    const environ = await environOf({ vars: { HTTP_CONTENT_TYPE: 'a/b', HTTP_CONTENT_LENGTH: length, CONTENT_TYPE: 'a/b' } })
    expect(environ).toMatchObject({ CONTENT_TYPE: 'a/b' })
    expect(environ).not.toHaveProperty('HTTP_CONTENT_TYPE')
    expect(environ).not.toHaveProperty('HTTP_CONTENT_LENGTH')
  }
})
