// Responses: what is sent when, start_response, write(), close(), clients that leave.
import { beforeEach, describe, expect, test } from 'vitest'
import { ClientError } from '../../../host/errors.ts'
import { PythonServer } from './python-harness.ts'

let booted: Promise<PythonServer> | undefined
let server: PythonServer

beforeEach(async () => {
  booted ??= PythonServer.boot('responses.py')
  server = await booted
  await server.ask('show_events')
  server.takeLog()
})

const chunksOf = async (callable: string): Promise<string[]> =>
  (await server.ask(callable)).chunks.map((chunk) => Buffer.from(chunk).toString('latin1'))

describe('chunks', () => {
  test('a list of one goes out in one piece', async () => {
    expect(await chunksOf('one_chunk')).toEqual(['one'])
  })
  test('a list of small ones is joined', async () => {
    expect(await chunksOf('many_chunks')).toEqual(['abc'])
  })
  test('large ones go out one by one', async () => {
    expect((await chunksOf('large_chunks')).map((chunk) => chunk.length)).toEqual([40_000, 40_000])
  })
  test('an empty list is an empty body', async () => {
    expect(await server.ask('no_chunks')).toMatchObject({ status: '200 OK', text: '', chunks: [], result: 0 })
  })
  test('plain bytes are one chunk, as in uWSGI', async () => {
    expect(await chunksOf('plain_bytes')).toEqual(['plain'])
  })
  test('of a generator go out one by one, empty ones not at all', async () => {
    expect(await chunksOf('generator')).toEqual(['first', 'second'])
  })
  test('of a generator go out before the next is made', async () => {
    const order: string[] = []
    const { logLines } = server.harness
    await server.ask('interleaved', {
      onSend: (chunk) => void order.push(...logLines.splice(0), `sent ${Buffer.from(chunk ?? []).toString()}`),
    })
    expect(order).toEqual(['making 0', 'sent 0', 'making 1', 'sent 1', 'making 2', 'sent 2', 'sent '])
  })
  test('a megabyte arrives as it was', async () => {
    const { body } = await server.ask('megabyte')
    expect(body.length).toBe(1024 * 1024)
    expect(body.every((byte, index) => byte === (index & 0xff))).toBe(true)
  })
  test('written ones go out at once, before the returned ones', async () => {
    expect(await chunksOf('writer')).toEqual(['written', ' twice', ' and returned'])
  })
  test('of a file wrapper are blocks of the size asked for', async () => {
    expect(await chunksOf('file_wrapper')).toEqual(['zz', 'zz', 'z'])
    expect((await server.ask('show_events')).text).toBe('read 2,read 2,read 2,read 2,file closed')
  })
})

describe('the head', () => {
  test('keeps order, repetition, empty values and Latin-1 of headers, and adds none', async () => {
    const { headers } = await server.ask('many_headers')
    expect(headers).toEqual([
      ['Set-Cookie', 'a=1'],
      ['X-Latin', 'café ÿ'],
      ['Set-Cookie', 'b=2'],
      ['X-Empty', ''],
    ])
  })
  test.each([
    ['404', '404 Not Found'],
    ['299', '299 Unknown'],
    ['200 Fine', '200 Fine'],
    ['200 ', '200 '],
  ])('status %j is sent as %j', async (query, status) => {
    expect((await server.ask('status_only', { query })).status).toBe(status)
  })
  test('is replaced by a second start_response with exc_info', async () => {
    const response = await server.ask('replaced_head')
    expect(response).toMatchObject({ status: '500 Oops', headers: [['X-Second', 'yes']], text: 'replaced', result: 0 })
  })
  test('cannot be replaced once sent: the exception of exc_info goes on', async () => {
    const response = await server.ask('late_replacement')
    expect(response).toMatchObject({ status: '200 OK', text: 'sent', isCut: true, result: -1 })
    const log = server.takeLog()
    expect(log.at(-1)).toBe("KeyError: 'too late'")
    expect(log.join('\n')).toMatch(/responses\.py", line \d+, in late_replacement\n {4}raise KeyError\("too late"\)/)
  })
  test('of another request is out of reach of a kept write() and start_response()', async () => {
    await server.ask('keeps_write')
    const { text } = await server.ask('keeps_write')
    expect(text).toBe('write() was called after the request had ended; start_response() was called after the request had ended')
  })
})

describe('close()', () => {
  test('is called after the last chunk', async () => {
    expect(await chunksOf('closing')).toEqual(['a', 'b'])
    expect((await server.ask('show_events')).text).toBe('closed')
  })
  test('is called when the iterable fails, and the response is cut', async () => {
    expect(await server.ask('closing_after_failure')).toMatchObject({ text: 'a', isCut: true, result: -1 })
    expect((await server.ask('show_events')).text).toBe('closed')
    expect(server.takeLog().at(-1)).toBe('ValueError: in the middle')
  })
  test('is called when start_response never was', async () => {
    expect(await server.ask('closing_unstarted')).toMatchObject({ status: '500 Internal Server Error', result: -1 })
    expect((await server.ask('show_events')).text).toBe('closed')
  })
  test('may fail after a whole response: the client has it, the log says so', async () => {
    expect(await server.ask('closing_badly')).toMatchObject({ status: '200 OK', text: 'all', isCut: false })
    expect(server.takeLog().at(-1)).toBe('RuntimeError: close() failed')
  })
  test('of a list with such a method is called', async () => {
    await server.ask('closing_list')
    expect((await server.ask('show_events')).text).toBe('list closed')
  })
  test('is called when the client goes away, and nothing more is asked of the iterable', async () => {
    let sent = 0
    const response = await server.ask('endless', {
      method: 'GET',
      onSend: () => {
        sent += 1
        if (sent === 3) throw new ClientError('CLIENT_GONE', 'gone')
      },
    })
    expect(response.chunks).toHaveLength(2)
    expect((await server.ask('show_events')).text).toBe('generator ended')
    expect(server.takeLog()).toEqual(['python: the client has gone during GET /endless/'])
  })
})

test('a failure of the host while sending is OSError in the application, and the next request is served', async () => {
  let sent = 0
  const response = await server.ask('writer', {
    onSend: () => {
      sent += 1
      if (sent === 2) throw new Error('no room')
    },
  })
  expect(response.result).toBe(-1)
  expect(server.takeLog().at(-1)).toBe('OSError: no room')
  expect(await chunksOf('one_chunk')).toEqual(['one'])
})
