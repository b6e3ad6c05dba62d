// Requests sent ahead of their answers: all are answered in order, and only so many at once are under way.
import type { Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createHttpServer } from '../../../host/gateway/http.ts'
import { mostBegun } from '../../../host/gateway/pipelining.ts'
import type { Exchange } from '../../../host/master/exchange.ts'
import { findVar } from '../../../protocol/vars.ts'

let server: Server
let exchanges: Exchange[]
let abandoned: number

beforeEach(async () => {
  exchanges = []
  abandoned = 0
  server = createHttpServer({
    submit: (exchange) => {
      exchanges.push(exchange)
      return { acknowledge: () => {}, abandon: () => (abandoned += 1) }
    },
    log: () => {},
    limits: { limitPost: 0, postBuffering: 65_536, ownsChunks: true },
    bufferSize: 4096,
    modifier1: 0,
    modifier2: 0,
    keepAliveSeconds: 60,
    timeoutSeconds: 60,
    isDraining: () => false,
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const open = (): Socket => connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {})
const get = (path: number | string): string => `GET /${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const many = (count: number): string => Array.from({ length: count }, (_, index) => get(index)).join('')
const turns = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
}
/** Answers with its path. */
const answer = (exchange: Exchange): void => {
  const path = findVar(exchange.packet.subarray(4), 'PATH_INFO') ?? ''
  exchange.respond({ status: '200 OK', headers: '' }, Buffer.from(`<${path}>`), true, false)
}

it('begins no more of them than its bound, and answers all in order', async () => {
  const count = 5000
  const socket = open()
  let received = ''
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
  socket.write(many(count))
  socket.write(`POST /last HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n${'b'.repeat(100_000)}`)
  await turns(() => exchanges.length > mostBegun)
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  // One has the connection.
  expect(exchanges.length).toBe(mostBegun + 1)
  let most = 0
  for (let answered = 0; answered <= count; answered += 1) {
    await turns(() => exchanges.length > 0)
    most = Math.max(most, exchanges.length)
    answer(exchanges.shift() as Exchange)
  }
  await new Promise((resolve) => socket.on('close', resolve))
  expect(most).toBe(mostBegun + 1)
  expect(received.match(/<[^>]*>/g)).toEqual([...Array.from({ length: count }, (_, index) => `</${index}>`), '</last>'])
})

it('drops those that have not begun when the client leaves', async () => {
  const socket = open()
  socket.write(many(200))
  await turns(() => exchanges.length > mostBegun)
  socket.destroy()
  await turns(() => abandoned > 0)
  for (const exchange of [...exchanges]) answer(exchange)
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  expect(exchanges.length).toBe(mostBegun + 1)
})
