// Requests, messages, jobs and handlers that take too long, in the real program and in each language: the client is answered, the log
// says what ran and where, and no more is lost than must be.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

interface Language {
  readonly file: string
  /** Where its loop stands, in its own words. */
  readonly place: RegExp
  /** What a guest catches in vain. Absent: what is stopped can be caught. */
  readonly swallows?: true
}

const languages: Record<string, Language> = {
  javascript: { file: 'app.js', place: /at spin \(\S*app\.js:[56]:\d+\)/, swallows: true },
  lua: { file: 'app.lua', place: /app\.lua:4: in /, swallows: true },
  python: { file: 'app.py', place: /app\.py", line 1[0-2], in spin/ },
}

const uuid = /[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}/

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-harakiri-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe.each(Object.entries(languages))('in %s', (_name, { file, place, swallows }) => {
  const start = (...more: readonly string[]): Promise<Server> => {
    const app = fileURLToPath(new URL(`../apps/harakiri/${file}`, import.meta.url))
    const sockets = ['--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', '--cache2', 'name=default,items=10']
    return Server.start({ args: [...sockets, '--mount', `/=${app}`, ...more] })
  }
  const get = async (server: Server, path: string, headers: Record<string, string> = {}): Promise<[number, string]> => {
    const response = await fetch(server.http + path, { headers })
    return [response.status, await response.text()]
  }

  it('a loop without an end is answered 504, told with its place, and its worker goes on with all it has', async () => {
    await using server = await start('--harakiri', '1')
    expect(await get(server, '/')).toEqual([200, 'served 1'])
    const response = await fetch(`${server.http}/loop?token=hidden1&b=c`, {
      headers: {
        'X-Request-Id': 'mine-7',
        Cookie: 'session=hidden2',
        Authorization: 'Basic hidden3',
        'User-Agent': 'a "tester"',
      },
    })
    expect([response.status, response.headers.get('x-request-id')]).toEqual([504, 'mine-7'])
    expect(await response.text()).toBe('Gateway Timeout\nrequest id: mine-7\n')
    expect(await get(server, '/')).toEqual([200, 'served 3'])
    await server.logged('GET / => generated', 2)
    expect(server.log).toContain('*** HARAKIRI ON WORKER 1 CORE 0 ***')
    expect(server.log).toMatch(/HARAKIRI \[core 0\] 127\.0\.0\.1 - GET \/loop\?token=\[redacted\]&b=c since \d{10}\n/)
    expect(server.log).toContain('HARAKIRI [core 0] request id: mine-7\n')
    expect(server.log).toMatch(/HARAKIRI \[core 0\] vars: \{.*"HTTP_USER_AGENT":"a \\"tester\\"".*\}\n/)
    expect(server.log).toMatch(place)
    // The line of a request shows its URI as it came.
    expect(server.log.replaceAll(/^\[pid: .*/gm, '')).not.toContain('hidden')
    expect(server.log).not.toContain('DAMN')
  })

  it('all variables are told with harakiri-verbose, without those that are secret', async () => {
    await using server = await start('--harakiri', '1', '--harakiri-verbose')
    expect((await get(server, '/loop', { 'X-Color': 'green', 'X-Api-Key': 'hidden', Cookie: 'hidden' }))[0]).toBe(504)
    await server.logged('"HTTP_X_COLOR":"green"')
    expect(server.log).toContain('"HTTP_X_API_KEY":"[redacted]"')
    expect(server.log).toContain('"HTTP_COOKIE":"[redacted]"')
    expect(server.log).not.toContain('hidden')
  })

  it('a client without an id of its own is given one, on uwsgi sockets too; one that is no id is not taken', async () => {
    await using server = await start('--harakiri', '1')
    const id = 'HTTP_X_REQUEST_ID'
    const answers = await Promise.all([
      uwsgiRequest(server.uwsgi, getVars('/loop')),
      uwsgiRequest(server.uwsgi, getVars('/loop', { [id]: 'two\r\nwords' })),
      uwsgiRequest(server.uwsgi, getVars('/loop', { [id]: 'front:end/1' })),
    ])
    const ids = answers.map((answer) => {
      expect(answer).toMatch(/^HTTP\/1\.1 504 Gateway Timeout\r\n/)
      const [, named] = /\r\nX-Request-Id: (.*)\r\n/.exec(answer) as unknown as [string, string]
      expect(answer.endsWith(`\r\n\r\nGateway Timeout\nrequest id: ${named}\n`)).toBe(true)
      expect(server.log).toContain(`request id: ${named}\n`)
      return named
    })
    expect(ids).toEqual([expect.stringMatching(uuid), expect.stringMatching(uuid), 'front:end/1'])
    expect(ids[0]).not.toBe(ids[1])
    expect(await get(server, '/')).toEqual([200, 'served 4'])
  })

  it('a response that has begun is cut', async () => {
    await using server = await start('--harakiri', '1')
    await expect(get(server, '/begun')).rejects.toThrow()
    expect(await get(server, '/')).toEqual([200, 'served 2'])
  })

  if (swallows)
    it('code that catches everything ends all the same', async () => {
      await using server = await start('--harakiri', '1')
      expect((await get(server, '/swallow'))[0]).toBe(504)
      expect(await get(server, '/')).toEqual([200, 'served 2'])
    })

  it('what cannot be stopped costs its worker: the client is answered 504, others of that worker 503, and the next is served', async () => {
    await using server = await start('--async', '2', '--harakiri-grace', '0.5')
    const waiting = fetch(`${server.http}/wait`, { headers: { 'X-Request-Id': 'waiter' } })
    await expect.poll(() => get(server, '/')).toEqual([200, expect.stringMatching(/^served [2-9]/)])
    const user = getVars('/stubborn-user', { HTTP_X_REQUEST_ID: 'stubborn-1', HTTP_COOKIE: 'hidden' })
    expect(await uwsgiRequest(server.uwsgi, user)).toMatch(
      /^HTTP\/1\.1 504 [\s\S]*\r\nX-Request-Id: stubborn-1\r\n[\s\S]*request id: stubborn-1\n$/,
    )
    const other = await waiting
    expect([other.status, other.headers.get('x-request-id')]).toEqual([503, 'waiter'])
    expect(await get(server, '/')).toEqual([200, 'served 1'])
    expect(server.log).toContain('*** HARAKIRI ON WORKER 1 ***')
    expect(server.log).toMatch(/HARAKIRI \[core \d\] 127\.0\.0\.1 - GET \/stubborn-user since \d{10}\n/)
    expect(server.log).toMatch(
      /\/wait since \d+: its worker was ended for the deadline of another request: answered 503, request id: waiter/,
    )
    // Where the code was stopped before, in vain, its client is answered already.
    expect(server.log).toMatch(/\(1 running requests answered 503[,)]/)
    expect(server.log).not.toContain('hidden')
  })

  it('the other cores of a worker go on, and what the stopped one held is free', async () => {
    await using server = await start('--async', '2')
    const waiting = get(server, '/wait')
    await expect.poll(() => get(server, '/')).toEqual([200, expect.stringMatching(/^served [2-9]/)])
    expect((await get(server, '/user'))[0]).toBe(504)
    expect(await get(server, '/release')).toEqual([200, 'released'])
    expect(await waiting).toEqual([200, 'waited'])
    expect(server.log).not.toContain('DAMN')
  })

  it('locks of a request that was stopped are free', async () => {
    await using server = await start('--harakiri', '1')
    expect((await get(server, '/lock'))[0]).toBe(504)
    await server.logged('lock 0 was held by core 0, which was given up: it is free again')
    expect((await get(server, '/locked'))[1].toLowerCase()).toBe('false')
  })

  it('a signal handler, in a worker or a mule, and a message to a mule are stopped, and the thread goes on', async () => {
    await using server = await start('--harakiri', '1', '--mule', '--mule-harakiri', '1')
    await get(server, '/signal')
    await server.logged('*** HARAKIRI ON WORKER 1 HANDLING SIGNAL 5 ***')
    await server.logged('error managing signal 5 on worker 1')
    expect(await get(server, '/')).toEqual([200, 'served 2'])
    await get(server, '/mule-signal')
    await server.logged('*** HARAKIRI ON MULE 1 HANDLING SIGNAL 6 ***')
    await get(server, '/mule')
    await server.logged('*** HARAKIRI ON MULE 1 ***')
    await server.logged('lock 0 was held by code that was stopped: it is free again')
    await expect.poll(() => get(server, '/seen')).toEqual([200, expect.stringMatching(/^next /)])
    expect(server.log.match(new RegExp(place, 'g'))?.length).toBe(3)
    expect(server.log).not.toContain('DAMN')
  })

  it('a job of a spooler is stopped, has failed by that, and the next one runs', async () => {
    await using server = await start('--spooler', folder, '--spooler-harakiri', '1')
    expect(await get(server, '/spool')).toEqual([200, 'true'])
    await server.logged('*** HARAKIRI ON SPOOLER 1 ***')
    await server.logged('has failed (try 1 of')
    await expect.poll(() => get(server, '/seen')).toEqual([200, expect.stringMatching(/ next$/)])
    expect(server.log).toMatch(place)
    expect(server.log).not.toContain('DAMN')
  })

  it('plugins of the master learn of it: of a worker that goes on, and of one that is ended', async () => {
    const plugin = join(folder, 'watch.mjs')
    writeFileSync(plugin, "export default { name: 'watch', harakiri(id, isAlive) { console.error('seen', id, isAlive) } }")
    // On a busy machine too the first request ends within the grace.
    await using server = await start('--harakiri', '1', '--harakiri-grace', '4', '--plugin', plugin)
    expect((await get(server, '/loop'))[0]).toBe(504)
    await server.logged('seen 1 true')
    expect((await get(server, '/stubborn'))[0]).toBe(504)
    await server.logged('seen 1 false')
    expect(server.log.match(/seen /g)?.length).toBe(2)
  })
})
