// Request bodies: `wsgi.input` over a body that came whole and over one that arrives in pieces.
import { beforeAll, describe, expect, test } from 'vitest'
import { ClientError } from '../../../host/errors.ts'
import { type RequestBody, WholeBody } from '../../../host/request/body.ts'
import { PythonServer } from './python-harness.ts'

let server: PythonServer
let echo: PythonServer

beforeAll(async () => {
  server = await PythonServer.boot('inputs.py')
  echo = await PythonServer.boot('echo.py')
})

/** A body that arrives in the given pieces; a piece that is an error is thrown. */
class PiecewiseBody implements RequestBody {
  readonly whole = undefined
  readonly contentLength: number
  /** How many bytes each read asked for. */
  readonly asked: number[] = []
  readonly #pieces: (Uint8Array | Error)[]

  constructor(pieces: readonly (string | Error)[], contentLength = -1) {
    this.#pieces = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece))
    this.contentLength = contentLength
  }

  read(max: number): Uint8Array {
    this.asked.push(max)
    const piece = this.#pieces.shift()
    if (piece === undefined) return new Uint8Array(0)
    if (piece instanceof Error) throw piece
    if (piece.length > max) this.#pieces.unshift(piece.subarray(max))
    return piece.subarray(0, max)
  }

  async readAsync(max: number): Promise<Uint8Array> {
    return this.read(max)
  }
}

const text = 'line one\nline two\n\nlast'
const expectations: [string, string][] = [
  ['/read', text],
  ['/sizes', '|lin|e one|\nline two\n\nlast|'],
  ['/readline', 'line one\n|line two\n|\n|last'],
  ['/short-readline', 'line| one|\n'],
  ['/readlines', 'line one\n|line two\n|\n|last'],
  ['/readlines-hint', 'line one\n'],
  ['/iterate', 'line one\n|line two\n|\n|last'],
  ['/mixed', 'line one\n|li|ne two\n|\nlast'],
  ['/ignore', ''],
]

describe.each([
  ['whole', () => ({ body: text })],
  ['byte by byte', () => ({ bodySource: new PiecewiseBody(text.split('')) })],
  ['in two pieces', () => ({ bodySource: new PiecewiseBody([text.slice(0, 11), text.slice(11)], text.length) })],
])('a body that comes %s', (_how, source) => {
  test.each(expectations)('is read by %s', async (path, expected) => {
    const response = await server.ask('application', { method: 'POST', path, ...source() })
    expect(response.text).toBe(expected)
  })
})

test('no body is at its end for every way of reading', async () => {
  for (const [path] of expectations) {
    if (path === '/mixed') continue // asks an iterator for one item, which there is not
    const response = await server.ask('application', { path })
    expect(response.text.replaceAll('|', '')).toBe('')
  }
})

test('every byte passes, whole and in pieces', async () => {
  const bytes = Uint8Array.from({ length: 1024 }, (_, index) => index & 0xff)
  expect((await echo.ask('body', { body: bytes })).body).toEqual(bytes)
  const pieces = [...bytes].map((byte) => String.fromCharCode(byte))
  expect((await echo.ask('body', { bodySource: new PiecewiseBody(pieces) })).body).toEqual(bytes)
})

test.each([1, 5])('%i MiB pass in both directions, whole and in pieces', async (mebibytes) => {
  const bytes = new Uint8Array(mebibytes * 1024 * 1024).map((_, index) => index * 31)
  const whole = await echo.ask('body', { body: bytes })
  expect(Buffer.compare(whole.body, bytes)).toBe(0)
  class Streamed extends WholeBody {
    override get whole(): undefined {
      return undefined
    }
  }
  const streamed = await echo.ask('body', { bodySource: new Streamed(bytes) })
  expect(Buffer.compare(streamed.body, bytes)).toBe(0)
})

test('a body that nobody reads is not read', async () => {
  const source = new PiecewiseBody(['unread'])
  await server.ask('application', { method: 'POST', path: '/ignore', bodySource: source })
  expect(source.asked).toEqual([])
})

test('a line is handed over as soon as it is there', async () => {
  const source = new PiecewiseBody(['first one\n', new Error('a second read')])
  const response = await server.ask('application', { method: 'POST', path: '/short-readline', bodySource: source })
  expect(response.text).toBe('firs|t on|e\n')
  expect(source.asked).toHaveLength(1)
})

test.each([
  ['the client left', new ClientError('CLIENT_GONE', 'the client left early')],
  ['the body stalled', new ClientError('BODY_TIMEOUT', 'nothing for 30 s')],
  ['anything else failed on the host', new TypeError('unexpected')],
])('reading raises OSError when %s', async (_what, error) => {
  const response = await server.ask('application', { path: '/catch', bodySource: new PiecewiseBody(['begin', error]) })
  expect(response.text).toBe(`OSError: ${error.message}`)
})

test('a timeout that the application does not catch is its failure: 500 and a traceback', async () => {
  server.takeLog()
  const source = new PiecewiseBody([new ClientError('BODY_TIMEOUT', 'nothing for 30 s')])
  const response = await server.ask('application', { path: '/read', bodySource: source })
  expect(response).toMatchObject({ status: '500 Internal Server Error', text: 'Internal Server Error', result: -1 })
  expect(server.takeLog().at(-1)).toBe('OSError: nothing for 30 s')
})

test('a client that leaves in the middle of its body is noted in one line', async () => {
  server.takeLog()
  const source = new PiecewiseBody([new ClientError('CLIENT_GONE', 'gone')])
  await server.ask('application', { method: 'POST', path: '/read', bodySource: source })
  expect(server.takeLog()).toEqual(['python: the client has gone during POST /application/read'])
})

test('an input that outlives its request cannot read the body of the next', async () => {
  await server.ask('keeps_input', { bodySource: new PiecewiseBody(['first body']) })
  const source = new PiecewiseBody(['second body'])
  const response = await server.ask('keeps_input', { bodySource: source })
  expect(response.text).toBe('the request that this body belongs to has ended')
  expect(source.asked).toEqual([])
})
