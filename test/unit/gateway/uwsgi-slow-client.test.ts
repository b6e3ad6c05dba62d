// A client that takes its response slowly, but takes it: nothing of it may be lost.
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { expect, it } from 'vitest'
import { createUwsgiServer } from '../../../host/gateway/uwsgi.ts'

const large = Buffer.alloc(40 * 1024 * 1024, 'x')

it('has more than socket-timeout for what is left of a response, as long as it takes some of it', async () => {
  const server = createUwsgiServer({
    submit: (exchange) => {
      setImmediate(() => exchange.respond({ status: '200 OK', headers: '' }, large, true, false))
      return { acknowledge: () => {}, abandon: () => {} }
    },
    log: () => {},
    limits: { limitPost: 0, postBuffering: 0, ownsChunks: true },
    bufferSize: 4096,
    socketTimeoutSeconds: 2,
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  let received = 0
  // Some six seconds for all of it; in the last of them most lies in the sockets' own buffers.
  const reading = setInterval(() => {
    received += client.read(Math.min(65_536, client.readableLength))?.length ?? 0
  }, 10)
  client.write(Buffer.from([0, 0, 0, 0]))
  await once(client, 'end')
  clearInterval(reading)
  expect(received).toBeGreaterThanOrEqual(large.length)
  client.destroy()
  server.close()
}, 60_000)
