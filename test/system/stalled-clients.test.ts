// A client that stops reading its response: its connection is cut in time, and the worker serves the next request.
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { Server } from '../support/server.ts'
import { getVars, openUwsgi, uwsgiPacket, uwsgiRequest } from '../support/uwsgi-client.ts'

const app = fileURLToPath(new URL('../apps/console/console.lua', import.meta.url))
const large = "return ('x'):rep(50000000)"

it('over HTTP is given up after http-timeout', async () => {
  await using server = await Server.start({
    args: ['--http-socket', '127.0.0.1:0', '--workers', '1', '--http-timeout', '1', '--mount', `/=${app}`],
  })
  const { port, hostname } = new URL(server.http)
  const stalled = connect(Number(port), hostname)
  stalled.pause()
  stalled.on('error', () => {})
  stalled.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${large.length}\r\n\r\n${large}`)
  // The worker has begun the stalled one when this is asked, or it would be answered at once: either way it must be.
  await server.logged('the client took nothing of its response in 1 s, connection closed')
  const response = await fetch(server.http, { method: 'POST', body: "return 'next'" })
  expect(await response.text()).toBe('"next"')
  stalled.destroy()
})

it('over the uwsgi protocol is given up after socket-timeout', async () => {
  await using server = await Server.start({
    args: ['--socket', '127.0.0.1:0', '--workers', '1', '--socket-timeout', '1', '--mount', `/=${app}`],
  })
  const stalled = await openUwsgi(server.uwsgi)
  stalled.pause()
  stalled.on('error', () => {})
  stalled.write(uwsgiPacket(getVars('/', { REQUEST_METHOD: 'POST', CONTENT_LENGTH: String(large.length) })))
  stalled.write(large)
  await server.logged('the client took nothing of its response in 1 s, connection closed')
  const answer = await uwsgiRequest(server.uwsgi, getVars('/', { REQUEST_METHOD: 'POST' }), Buffer.from("return 'next'"))
  expect(answer).toContain('"next"')
  stalled.destroy()
})
