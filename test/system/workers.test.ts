// Workers of the running program: how requests are shared out, what happens when a worker dies, when all are busy, at the end.
import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Gate, startProbe } from '../support/probe.ts'
import type { Server } from '../support/server.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

const text = async (url: string): Promise<string> => await (await fetch(url)).text()

describe('workers', () => {
  let server: Server
  beforeAll(async () => {
    server = await startProbe('--workers', '2')
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
  })

  it('serve side by side: a request that blocks its worker holds nobody else up', async () => {
    using gate = new Gate()
    const blocked = text(`${server.http}/block?${gate.query}`)
    await server.logged(`holding ${gate.path}`)
    const others = await Promise.all(Array.from({ length: 20 }, () => text(`${server.http}/worker`)))
    expect(new Set(others).size).toBe(1)
    gate.open()
    expect(await blocked).toBe(`blocked ${others[0] === '1' ? 2 : 1}`)
  })

  it('hold one request each by default, and the next one waits its turn', async () => {
    using gate = new Gate()
    const blocked = [1, 2].map(() => text(`${server.http}/block?${gate.query}`))
    await server.logged(`holding ${gate.path}`, 2)
    const waiting = text(`${server.http}/worker`)
    gate.open()
    expect((await Promise.all(blocked)).sort()).toEqual(['blocked 1', 'blocked 2'])
    expect(await waiting).toMatch(/^[12]$/)
  })

  it('answer the clients of a worker that dies with 500, and serve on', async () => {
    for (let n = 0; n < 5; n += 1) {
      const response = await fetch(`${server.http}/die`)
      expect(response.status).toBe(500)
      await response.text()
      expect(await text(`${server.http}/worker`)).toMatch(/^[12]$/)
    }
    expect(await uwsgiRequest(server.uwsgi, getVars('/die'), undefined, 250)).toMatch(/^HTTP\/1\.1 500 Internal Server Error\r\n/)
    await server.logged(/DAMN ! worker \d died: its thread exited with code 7 \(1 running requests answered 500\)/)
  })

  it('leave requests that a dead worker had not begun to the next one', async () => {
    using gate = new Gate()
    const blocked = text(`${server.http}/block?${gate.query}`)
    await server.logged(`holding ${gate.path}`)
    // One worker is blocked; the other dies again and again under requests that wait for it.
    const answers = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        const response = await fetch(`${server.http}${n % 6 === 0 ? '/die' : '/worker'}`)
        await response.text()
        return `${n % 6 === 0 ? 'die' : 'worker'} ${response.status}`
      }),
    )
    expect(answers.filter((answer) => answer === 'worker 200')).toHaveLength(25)
    expect(answers.filter((answer) => answer === 'die 500')).toHaveLength(5)
    gate.open()
    await blocked
  })
})

describe('a worker with several cores', () => {
  it('holds as many waiting requests at once', async () => {
    await using server = await startProbe('--workers', '1', '--async', '50')
    using gate = new Gate()
    const waiting = Array.from({ length: 49 }, () => text(`${server.http}/wait?${gate.query}`))
    await server.logged(`holding ${gate.path}`, 49)
    expect(await text(`${server.http}/worker`)).toBe('1')
    gate.open()
    expect(await Promise.all(waiting)).toEqual(Array(49).fill('waited in 1'))
  })

  it('takes the next request when one of its cores is free again', async () => {
    await using server = await startProbe('--workers', '1', '--async', '2')
    using gate = new Gate()
    const waiting = Array.from({ length: 7 }, () => text(`${server.http}/wait?${gate.query}`))
    await server.logged(`holding ${gate.path}`, 2)
    gate.open()
    expect(await Promise.all(waiting)).toEqual(Array(7).fill('waited in 1'))
  })

  it('answers all its requests when it dies under one of them', async () => {
    await using server = await startProbe('--workers', '1', '--async', '4')
    using gate = new Gate()
    const waiting = [1, 2].map(() => fetch(`${server.http}/wait?${gate.query}`))
    await server.logged(`holding ${gate.path}`, 2)
    expect((await fetch(`${server.http}/die`)).status).toBe(500)
    expect((await Promise.all(waiting)).map((response) => response.status)).toEqual([500, 500])
    expect(await text(`${server.http}/worker`)).toBe('1')
  })
})

describe('a request that is over', () => {
  it('gives its plugin nothing of the requests that come after it', async () => {
    await using server = await startProbe()
    using gate = new Gate()
    const kept = await fetch(`${server.http}/keep?${gate.query}`, { method: 'POST', body: 'the body of the first' })
    expect(await kept.text()).toBe('kept')
    for (let n = 0; n < 100; n += 1) await (await fetch(`${server.http}/count`, { method: 'POST', body: 'another body' })).text()
    gate.open()
    await server.logged('read after the end: CLIENT_GONE the request is over, and its body with it')
    await server.logged('write after the end: HEADERS_SENT the response is over')
    await server.logged('vars after the end: /keep')
  })
})

describe('a server that is full', () => {
  it('answers 503 with Retry-After past listen, on both protocols, and serves what waits', async () => {
    await using server = await startProbe('--workers', '1', '--listen', '3')
    using gate = new Gate()
    const held = fetch(`${server.http}/block?${gate.query}`)
    await server.logged(`holding ${gate.path}`)
    // Sent on one connection each, and known to be in when the server has said 100 Continue to all three.
    const waiting = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const client = request(`${server.http}/worker`, {
          method: 'POST',
          headers: { Expect: '100-continue', 'Content-Length': 0 },
        })
        client.flushHeaders()
        await once(client, 'continue')
        client.end()
        return client
      }),
    )
    const refused = await fetch(`${server.http}/worker`)
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await uwsgiRequest(server.uwsgi, getVars('/worker'), undefined, 250)).toMatch(
      /^HTTP\/1\.1 503 Service Unavailable\r\n.*Retry-After: 1\r\n/s,
    )
    const answers = waiting.map(async (client) => (await once(client, 'response'))[0].statusCode)
    gate.open()
    expect((await held).status).toBe(200)
    expect(await Promise.all(answers)).toEqual([200, 200, 200])
  })
})

describe('a stop', () => {
  it('lets running requests end, then exits 0', async () => {
    await using server = await startProbe()
    using gate = new Gate()
    const response = await fetch(`${server.http}/two-chunks?${gate.query}`)
    server.kill('SIGTERM')
    await server.logged('SIGTERM: stopping gracefully')
    gate.open()
    expect(await response.text()).toBe('first\nsecond\n')
    expect(await server.exited()).toBe(0)
    expect(server.log).toContain('goodbye to polywsgi.')
  })

  it('says of the answers that it still gives that they are the last ones of their connections', async () => {
    await using server = await startProbe()
    using gate = new Gate()
    expect((await fetch(`${server.http}/`)).headers.get('connection')).toBe('keep-alive')
    const held = fetch(`${server.http}/block?${gate.query}`)
    await server.logged(`holding ${gate.path}`)
    server.kill('SIGTERM')
    await server.logged('SIGTERM: stopping gracefully')
    gate.open()
    expect((await held).headers.get('connection')).toBe('close')
    expect(await server.exited()).toBe(0)
  })

  it('cuts off what runs longer than reload-mercy, and says so', async () => {
    await using server = await startProbe('--reload-mercy', '0.2')
    using gate = new Gate()
    const held = fetch(`${server.http}/block?${gate.query}`)
    await server.logged(`holding ${gate.path}`)
    server.kill('SIGINT')
    expect((await held).status).toBe(503)
    expect(await server.exited()).toBe(0)
    expect(server.log).toMatch(/goodbye to polywsgi \(1 running request was cut off\)\./)
  })

  it('stops at once at a second signal', async () => {
    await using server = await startProbe()
    using gate = new Gate()
    const held = fetch(`${server.http}/block?${gate.query}`).catch(() => 'closed')
    await server.logged(`holding ${gate.path}`)
    server.kill('SIGTERM')
    await server.logged('stopping gracefully')
    server.kill('SIGTERM')
    expect(await server.exited()).toBe(0)
    expect(await held).toBe('closed')
  })
})
