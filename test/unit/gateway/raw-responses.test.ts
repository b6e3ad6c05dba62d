// Responses without a head, and connections closed from the server's side, through each gateway; the worker is played by the
// test, which answers exchanges itself.
import { Agent, type Server as HttpServer, request as httpRequest } from 'node:http'
import { connect, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFetch } from '../../../host/gateway/fetch.ts'
import { createHttpServer } from '../../../host/gateway/http.ts'
import { createUwsgiServer } from '../../../host/gateway/uwsgi.ts'
import type { Exchange, ExchangeHead, Ticket } from '../../../host/master/exchange.ts'
import { encodeArray, encodePacket, encodeVars } from '../../../protocol/index.ts'

const none = new Uint8Array(0)
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
const head: ExchangeHead = { status: '200 OK', headers: 'Content-Type\0text/plain' }

/** Takes exchanges in the order they come. */
class Worker {
  readonly exchanges: Exchange[] = []
  acknowledged = 0
  abandoned = 0
  #waiting: ((exchange: Exchange) => void) | undefined
  isFull = false

  readonly submit = (exchange: Exchange): Ticket | undefined => {
    if (this.isFull) return undefined
    if (this.#waiting !== undefined) this.#waiting(exchange)
    else this.exchanges.push(exchange)
    this.#waiting = undefined
    return {
      acknowledge: (count) => {
        this.acknowledged += count
      },
      abandon: () => {
        this.abandoned += 1
      },
    }
  }

  async next(): Promise<Exchange> {
    return this.exchanges.shift() ?? (await new Promise((resolve) => (this.#waiting = resolve)))
  }
}

const listen = async (server: Server | HttpServer): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as { port: number }).port
}
const readAll = async (socket: Socket): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('latin1')
}
const limits = { limitPost: 0, postBuffering: 65536, ownsChunks: true }

describe('a uwsgi socket', () => {
  let worker: Worker
  let server: Server
  let port: number
  let log: string[]

  beforeEach(async () => {
    worker = new Worker()
    log = []
    server = createUwsgiServer({
      submit: worker.submit,
      log: (line) => log.push(line),
      limits,
      bufferSize: 4096,
      socketTimeoutSeconds: 4,
    })
    port = await listen(server)
  })
  afterEach(() => server.close())

  const send = (...parts: Uint8Array[]): Socket => {
    const socket = connect(port, '127.0.0.1')
    for (const part of parts) socket.write(part)
    return socket
  }

  it('takes a packet with nothing in it', async () => {
    const socket = send(encodePacket(110, 7, none))
    const exchange = await worker.next()
    expect([...exchange.packet]).toEqual([110, 0, 0, 7])
    exchange.respond(undefined, Uint8Array.of(255, 0, 0, 1), false, true)
    exchange.respond(undefined, none, true, true)
    expect(await readAll(socket)).toBe('\xff\0\0\x01')
  })

  it('writes raw bytes as they are, and closes after the last', async () => {
    const socket = send(encodePacket(0, 0, encodeVars([['SERVER_PROTOCOL', 'HTTP/1.1']])))
    const exchange = await worker.next()
    expect(exchange.respond(undefined, bytes('one '), false, true)).toBe(true)
    exchange.respond(undefined, bytes('two'), true, true)
    expect(await readAll(socket)).toBe('one two')
  })

  it('does not answer in HTTP what fails after raw bytes', async () => {
    const socket = send(encodePacket(0, 0, encodeVars([['SERVER_PROTOCOL', 'HTTP/1.1']])))
    const exchange = await worker.next()
    exchange.respond(undefined, bytes('raw'), false, true)
    exchange.fail(500, 'died')
    expect(await readAll(socket)).toBe('raw')
  })

  it('closes without a byte what a peer asked and nobody can answer, and tells a front end', async () => {
    worker.isFull = true
    expect(await readAll(send(encodePacket(173, 0, encodeArray(['f']))))).toBe('')
    expect(await readAll(send(encodePacket(0, 0, encodeVars([['SERVER_PROTOCOL', 'HTTP/1.1']]))))).toContain('503')
    worker.isFull = false
    const socket = send(encodePacket(110, 1, none))
    ;(await worker.next()).fail(500, 'died')
    expect(await readAll(socket)).toBe('')
  })

  it('takes no array for variables: nothing is waited for that will not come', async () => {
    const socket = send(encodePacket(173, 0, encodeArray(['CONTENT_LENGTH', '100'])))
    const { body } = await worker.next()
    expect(body).toEqual({ mode: 'whole', bytes: undefined })
    socket.destroy()
  })

  it('waits for a cache item of the size it said', async () => {
    const vars = encodeVars([
      ['cmd', 'set'],
      ['key', 'k'],
      ['size', '5'],
    ])
    const socket = send(encodePacket(111, 17, vars), bytes('hel'))
    socket.write('lo')
    const { body } = await worker.next()
    expect(body.mode === 'whole' ? Buffer.from(body.bytes ?? none).toString() : body.mode).toBe('hello')
    socket.destroy()
  })

  it('closes the connection when a handler disconnects after its head', async () => {
    const socket = send(encodePacket(0, 0, encodeVars([['SERVER_PROTOCOL', 'HTTP/1.1']])))
    const exchange = await worker.next()
    exchange.respond(head, bytes('so far'), false, false)
    exchange.respond(undefined, none, true, true)
    expect(await readAll(socket)).toBe('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nso far')
  })
})

describe('an HTTP socket', () => {
  let worker: Worker
  let server: HttpServer
  let port: number

  beforeEach(async () => {
    worker = new Worker()
    server = createHttpServer({
      submit: worker.submit,
      log: () => {},
      limits,
      bufferSize: 4096,
      modifier1: 0,
      modifier2: 0,
      keepAliveSeconds: 5,
      timeoutSeconds: 5,
      isDraining: () => false,
    })
    port = await listen(server)
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  const get = (path = '/', more = ''): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n${more}\r\n`
  const send = (text: string): Socket => {
    const socket = connect(port, '127.0.0.1')
    socket.write(text)
    return socket
  }

  it('writes raw bytes to the bare connection, and closes it after the last', async () => {
    const socket = send(get())
    const exchange = await worker.next()
    exchange.respond(undefined, bytes('HTTP/1.1 200 Fine\r\n\r\n'), false, true)
    exchange.respond(undefined, bytes('\0\xff'), true, true)
    expect(await readAll(socket)).toBe('HTTP/1.1 200 Fine\r\n\r\n\0\xff')
  })

  it('closes without a byte for a raw response that is empty', async () => {
    const socket = send(get())
    ;(await worker.next()).respond(undefined, none, true, true)
    expect(await readAll(socket)).toBe('')
  })

  it('holds a client that reads slowly, and is acknowledged all it has taken', async () => {
    const socket = send(get())
    socket.pause()
    const exchange = await worker.next()
    const chunk = new Uint8Array(64 * 1024).fill(120)
    let sent = 0
    let refused = 0
    while (refused === 0) {
      if (!exchange.respond(undefined, chunk, false, true)) refused += chunk.length
      sent += chunk.length
    }
    const received = readAll(socket)
    while (worker.acknowledged < refused) await new Promise((resolve) => setImmediate(resolve))
    exchange.respond(undefined, none, true, true)
    expect([(await received).length, worker.acknowledged]).toEqual([sent, refused])
  })

  it('writes raw bytes after the responses that were asked for before', async () => {
    const socket = send(get('/first') + get('/second'))
    const first = await worker.next()
    const second = await worker.next()
    expect(second.respond(undefined, bytes('raw '), false, true)).toBe(false)
    second.respond(undefined, bytes('second'), true, true)
    expect(worker.acknowledged).toBe(0)
    first.respond(head, bytes('first'), true, false)
    const answer = await readAll(socket)
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\nfirstraw second$/)
    expect(worker.acknowledged).toBe('raw second'.length)
  })

  it('cuts the connection of a raw response that fails, with nothing more', async () => {
    const socket = send(get())
    const exchange = await worker.next()
    exchange.respond(undefined, bytes('half'), false, true)
    exchange.fail(500, 'died')
    expect(await readAll(socket)).toBe('half')
  })

  it('ends the response and the kept connection when a handler disconnects', async () => {
    const socket = send(get())
    const exchange = await worker.next()
    exchange.respond(head, bytes('so far'), false, false)
    exchange.respond(undefined, none, true, true)
    const answer = await readAll(socket)
    expect(answer.split('\r\n\r\n').slice(1).join('\r\n\r\n')).toBe('6\r\nso far\r\n0\r\n\r\n')
  })

  it('shows as missing what was promised before the disconnect', async () => {
    const agent = new Agent()
    const answered = new Promise<string>((resolve) => {
      httpRequest({ port, host: '127.0.0.1', agent }, (response) => {
        response.resume()
        response.on('error', (error) => resolve(error.message))
        response.on('end', () => resolve('complete'))
      }).end()
    })
    const exchange = await worker.next()
    exchange.respond({ status: '200 OK', headers: 'Content-Length\x0010' }, bytes('half'), false, false)
    exchange.respond(undefined, none, true, true)
    expect(await answered).toBe('aborted')
    agent.destroy()
  })

  describe.each<[string, (exchange: Exchange) => void]>([
    ['fails', (exchange) => exchange.fail(500, 'died')],
    ['is disconnected', (exchange) => exchange.respond(undefined, none, true, true)],
  ])('a pipelined response that %s', (_, end) => {
    it.each(['Content-Length\x0010', ''])('leaves as far as it went, after the one before (%j)', async (headers) => {
      const socket = send(get('/first') + get('/second'))
      const first = await worker.next()
      const second = await worker.next()
      second.respond({ status: '200 OK', headers }, bytes('half'), false, false)
      end(second)
      first.respond(head, bytes('first'), true, false)
      expect(await readAll(socket)).toMatch(/\r\n\r\nfirstHTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\n(4\r\n)?half/)
    })
  })

  it('says the first of several lengths alone, and none where there is no body', async () => {
    const socket = send(get('/first') + get('/second') + get('/third'))
    const lengths = 'Content-Length\0many\0Content-Length\x003\0Connection\0x\0Content-Length\x005'
    ;(await worker.next()).respond({ status: '200 OK', headers: lengths }, bytes('12345'), true, false)
    ;(await worker.next()).respond({ status: '204 No Content', headers: lengths }, bytes('12345'), true, false)
    ;(await worker.next()).respond({ status: '200 OK', headers: 'Connection\0close' }, bytes('end'), true, false)
    const answer = await readAll(socket)
    expect(answer.match(/Content-Length: \d+/g)).toEqual(['Content-Length: 3', 'Content-Length: 3'])
    expect(answer).toMatch(/\r\n\r\n123HTTP\/1.1 204 No Content\r\n(?:[^\r]+\r\n)*\r\nHTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\nend$/)
  })

  it('closes the connection after an answer that no client takes for one', async () => {
    const socket = send(get('/first') + get('/second'))
    const first = await worker.next()
    const second = await worker.next()
    first.respond({ status: '100 Continue', headers: '' }, none, true, false)
    second.respond(head, bytes('second'), true, false)
    const answer = await readAll(socket)
    expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n/)
    expect(answer).not.toContain('second')
  })

  it('says nothing to a connection that is gone', async () => {
    const socket = send(get())
    const exchange = await worker.next()
    socket.destroy()
    while (worker.abandoned === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(exchange.respond(undefined, bytes('x'), false, true)).toBe(true)
    expect(exchange.respond(undefined, none, true, true)).toBe(true)
  })
})

describe('fetch', () => {
  const start = async (): Promise<{ exchange: Exchange; response: Promise<Response> }> => {
    const worker = new Worker()
    const fetch = createFetch({ submit: worker.submit, limits, bufferSize: 4096, modifier1: 0, modifier2: 0 })
    const response = fetch(new Request('http://h/'))
    return { exchange: await worker.next(), response }
  }

  it('refuses raw bytes, and a disconnect before the head, which no Response can be', async () => {
    for (const chunk of [bytes('raw'), none]) {
      const { exchange, response } = await start()
      expect(() => exchange.respond(undefined, chunk, chunk.length === 0, true)).toThrow(
        'the app wrote raw bytes to the client, or disconnected it, and fetch() has none',
      )
      // As the dispatcher does with what a gateway refuses.
      exchange.fail(500, 'the response was refused')
      expect((await response).status).toBe(500)
    }
  })

  it('ends the body when a handler disconnects after its head', async () => {
    const { exchange, response } = await start()
    exchange.respond(head, bytes('so far'), false, false)
    exchange.respond(undefined, none, true, true)
    expect(await (await response).text()).toBe('so far')
  })
})
