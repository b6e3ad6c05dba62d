// What becomes of clients that take their response slowly, or not at all, while it runs and after its last chunk.
import { once } from 'node:events'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { Flow } from '../../../host/gateway/flow.ts'

const large = Buffer.alloc(32 * 1024 * 1024)
const stalled = '127.0.0.1: the client took nothing of its response in 0.2 s, connection closed'

let server: Server | undefined
afterEach(() => server?.close())

const listen = async (made: Server): Promise<Socket> => {
  server = made.listen(0, '127.0.0.1')
  server.on('connection', (socket: Socket) => socket.on('error', () => {}))
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
  client.on('error', () => {})
  await once(client, 'connect')
  return client
}

/** A flow over a stream, and the first line that it logs. */
const flowOf = (stream: Socket | ServerResponse, socket: () => Socket | null): { flow: Flow; logged: Promise<string> } => {
  const { promise, resolve } = Promise.withResolvers<string>()
  return { flow: new Flow({ stream, socket, acknowledge: () => {}, stallMs: 200, log: resolve }), logged: promise }
}

it('gives up a client that does not take the last chunk', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const client = await listen(
    createServer((socket) => {
      const { flow, logged } = flowOf(socket, () => socket)
      logged.then(resolve)
      socket.end(large)
      flow.ended()
    }),
  )
  expect(await promise).toBe(stalled)
  client.destroy()
})

it('leaves the timer of the socket as it was when the last chunk is taken', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown[]>()
  const client = await listen(
    createServer((socket) => {
      socket.setTimeout(60_000)
      const { flow } = flowOf(socket, () => socket)
      socket.on('finish', () => resolve([socket.timeout, socket.listenerCount('timeout')]))
      flow.wrote(socket.write(large), large.length)
      socket.end(large)
      flow.ended()
      expect([socket.timeout, socket.listenerCount('timeout')]).toEqual([200, 1])
    }),
  )
  client.resume()
  expect(await promise).toEqual([60_000, 0])
  client.destroy()
})

it('leaves an idle HTTP connection the time that the server gives it', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown[]>()
  const http = createHttpServer((_, response) => {
    const { socket } = response
    const { flow } = flowOf(response, () => response.socket)
    flow.wrote(response.write(large), large.length)
    response.end(large)
    flow.ended()
    response.on('finish', () => setImmediate(() => resolve([socket?.timeout, socket?.listenerCount('timeout')])))
  })
  http.keepAliveTimeout = 50_000
  const client = await listen(http)
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  client.resume()
  const [timeout, listeners] = await promise
  // The HTTP server's own listener stays.
  expect(timeout).toBeGreaterThanOrEqual(50_000)
  expect(listeners).toBe(1)
  client.destroy()
})

it.each(['the last chunk', 'more'])('gives up a client whose pipelined response waited for another one: %s', async (what) => {
  const { promise, resolve } = Promise.withResolvers<string>()
  let first: ServerResponse | undefined
  const client = await listen(
    createHttpServer((_, response) => {
      if (first === undefined) {
        first = response
        return
      }
      expect(response.socket).toBe(null)
      const { flow, logged } = flowOf(response, () => response.socket)
      logged.then(resolve)
      if (what === 'more') flow.wrote(response.write(large), large.length)
      else {
        response.end(large)
        flow.ended()
      }
      first.end()
    }),
  )
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2))
  expect(await promise).toBe(stalled)
  client.destroy()
})
