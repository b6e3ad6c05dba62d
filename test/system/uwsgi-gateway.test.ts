// uwsgi sockets of the running program: what a front end sends, and the bytes that must come back.
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Gate, startProbe } from '../support/probe.ts'
import type { Server } from '../support/server.ts'
import { getVars, openUwsgi, readToEnd, uwsgiPacket, uwsgiRequest } from '../support/uwsgi-client.ts'

describe('a uwsgi socket', () => {
  let server: Server
  const folder = mkdtempSync(join(tmpdir(), 'polywsgi-uwsgi-'))
  const path = join(folder, 'app.sock')
  beforeAll(async () => {
    server = await startProbe(
      '--socket',
      path,
      '--chmod-socket',
      '600',
      '--buffer-size',
      '8192',
      '--limit-post',
      '1000000',
      '--socket-timeout',
      '1',
    )
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
    expect(existsSync(path)).toBe(false)
    rmSync(folder, { recursive: true })
  })

  const ask = (vars: Record<string, string>, body?: Uint8Array): Promise<string> => uwsgiRequest(server.uwsgi, vars, body, 250)

  it('answers with plain HTTP text and nothing that the app did not say', async () => {
    expect(await ask(getVars('/worker'))).toBe('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n1')
    expect(await ask(getVars('/worker', { SERVER_PROTOCOL: 'HTTP/1.0' }))).toMatch(/^HTTP\/1\.0 200 OK\r\n/)
  })

  it('passes the variables on as they came, NULs and bytes above 0x7f included', async () => {
    const answer = await ask(getVars('/vars', { HTTP_X_BYTES: '\x00\xff\x80', DOCUMENT_ROOT: '/srv' }))
    expect(answer).toContain('HTTP_X_BYTES=\x00\xff\x80\n')
    expect(answer).toContain('DOCUMENT_ROOT=/srv\n')
  })

  it('serves a unix socket with the mode that was asked for', async () => {
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await uwsgiRequest(path, getVars('/worker'), undefined, 250)).toMatch(/\r\n\r\n1$/)
  })

  it.each([1, 5000, 40_000, 300_000])('takes a body of %i bytes, however it is cut', async (length) => {
    const body = Uint8Array.from({ length }, (_, index) => (index * 11) & 255)
    const answer = await ask(getVars('/echo', { REQUEST_METHOD: 'POST' }), body)
    expect(answer.endsWith(Buffer.from(body).toString('latin1'))).toBe(true)
    const socket = await openUwsgi(server.uwsgi)
    const bytes = Buffer.concat([uwsgiPacket(getVars('/count', { CONTENT_LENGTH: String(length) }), 250), body])
    for (const at of [1, 3, 4, 5, 60, bytes.length]) {
      socket.write(bytes.subarray(bytes.length === at ? 60 : [0, 1, 3, 4, 5][[1, 3, 4, 5, 60].indexOf(at)], at))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await readToEnd(socket)).toMatch(new RegExp(`\r\n\r\n${length} of ${length}$`))
  })

  it('streams a response chunk by chunk', async () => {
    using gate = new Gate()
    const socket = await openUwsgi(server.uwsgi)
    socket.write(uwsgiPacket(getVars(`/two-chunks?${gate.query}`), 250))
    const [first] = await once(socket, 'data')
    expect(String(first)).toMatch(/first\n$/)
    gate.open()
    expect(await readToEnd(socket)).toBe('second\n')
  })

  it('answers a client that has closed its sending side', async () => {
    const socket = await openUwsgi(server.uwsgi)
    socket.end(uwsgiPacket(getVars('/worker'), 250))
    expect(await readToEnd(socket)).toMatch(/\r\n\r\n1$/)
  })

  it('refuses a block larger than buffer-size by its size, before it came', async () => {
    const socket = await openUwsgi(server.uwsgi)
    socket.write(Buffer.of(250, 0x01, 0x20, 0))
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 431 /)
    await server.logged('invalid request block size: 8193 (max 8192)')
  })

  it('says what is wrong to somebody who speaks HTTP to it', async () => {
    const socket = await openUwsgi(server.uwsgi)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 4\d\d /)
    await server.logged(/HTTP request on a uwsgi socket/)
  })

  it.each([
    ['a variable without a name', Buffer.from([250, 6, 0, 0, 0, 0, 2, 0, 97, 97])],
    ['a value that goes on behind the end', Buffer.from([250, 6, 0, 0, 1, 0, 97, 9, 0, 98])],
    ['a name that is cut', Buffer.from([250, 3, 0, 0, 9, 0, 97])],
  ])('answers 400 to a packet with %s', async (_, packet) => {
    const socket = await openUwsgi(server.uwsgi)
    socket.write(packet)
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.[01] 400 Bad Request\r\n/)
  })

  it.each(['-1', '1x', '0x10', '99999999999999999999'])('answers 400 to a CONTENT_LENGTH of %s', async (length) => {
    const socket = await openUwsgi(server.uwsgi)
    socket.write(uwsgiPacket(getVars('/count', { CONTENT_LENGTH: length }), 250))
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('answers 413 to a body past limit-post without waiting for it', async () => {
    const socket = await openUwsgi(server.uwsgi)
    socket.write(uwsgiPacket(getVars('/count', { CONTENT_LENGTH: '1000001' }), 250))
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 413 /)
    await server.logged('invalid (too big) CONTENT_LENGTH 1000001 (limit-post is 1000000)')
  })

  it('answers 501 to a modifier1 that nobody claimed, and names it in the log', async () => {
    expect(await uwsgiRequest(server.uwsgi, getVars('/'), undefined, 77)).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n/)
    await server.logged('-- unavailable modifier requested: 77 --')
  })

  it('gives up a request whose bytes do not come, after socket-timeout', async () => {
    const half = await openUwsgi(server.uwsgi)
    half.write(Buffer.of(250, 10))
    const bodiless = await openUwsgi(server.uwsgi)
    bodiless.write(uwsgiPacket(getVars('/count', { CONTENT_LENGTH: '10' }), 250))
    expect(await readToEnd(half)).toBe('')
    expect(await readToEnd(bodiless)).toBe('')
    await server.logged('the request did not arrive in 1 s, connection closed')
  })
})
