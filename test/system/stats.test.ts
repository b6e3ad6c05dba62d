// The stats server beside uWSGI's own, as uwsgitop and Prometheus read it, while requests run.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithPeers, findProgram } from '../support/peers.ts'
import { readPrometheus } from '../support/prometheus-text.ts'
import { RealUwsgi } from '../support/real-uwsgi.ts'
import { Server } from '../support/server.ts'
import { parsedStats, readStats } from '../support/stats-client.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

const apps = fileURLToPath(new URL('../apps/console', import.meta.url))
const mounts = ['/python=console.py', '/lua=console.lua', '/js=console.mjs'].flatMap((mount) => ['--mount', mount])
const languages = ['python', 'lua', 'js'] as const

let server: Server
let stats: string
let metrics: string
beforeAll(async () => {
  server = await Server.start({
    cwd: apps,
    args: [
      ...['--http-socket', '127.0.0.1:0', ...mounts, '--async', '2', '--post-buffering', '0'],
      ...['--stats', '127.0.0.1:0', '--prometheus', '127.0.0.1:0'],
      ...['--cache2', 'name=things,items=10', '--metric', 'mine', '--listen', '200'],
    ],
  })
  stats = /stats server enabled on (\S+)/.exec(server.log)?.[1] as string
  metrics = /metrics for Prometheus at (\S+)/.exec(server.log)?.[1] as string
})
afterAll(async () => {
  expect(await server.stop()).toBe(0)
})

const run = async (language: string, code: string): Promise<void> => {
  const response = await fetch(`${server.http}/${language}`, { method: 'POST', body: code })
  expect(await response.text()).not.toBe('')
}

/** Longer than what is gathered before a worker is asked. */
const longBody = `return 1${' '.repeat(200_000)}`

/** A request whose app waits for the rest of its body. */
const hold = async (path: string) => {
  const { hostname, port } = new URL(server.http)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: held\r\nConnection: close\r\nCookie: a=b; c\r\nContent-Length: ${longBody.length}\r\n\r\n`,
  )
  return {
    release: async (): Promise<string> => {
      socket.write(longBody)
      let text = ''
      for await (const chunk of socket) text += chunk
      return text
    },
  }
}

/** The core that holds a request for the path. */
const coreOf = async (path: string) => {
  for (;;) {
    const { workers } = await parsedStats(stats)
    const cores = workers.flatMap((worker: { cores: unknown[] }) => worker.cores)
    const core = cores.find(({ vars }: { vars: string[] }) => vars.includes(`REQUEST_URI=${path}`))
    if (core !== undefined) return core
  }
}

describe('the stats server', () => {
  it.each(languages)('shows what a core holds of a request for %s, and counts it when it is over', async (language) => {
    const path = `/${language}?held`
    const held = await hold(path)
    const core = await coreOf(path)
    expect(core.in_request).toBe(1)
    expect(core.vars).toEqual(expect.arrayContaining(['REQUEST_METHOD=POST', 'HTTP_COOKIE=a=b; c', 'HTTP_HOST=held']))
    expect(core.req_info.request_start).toBeGreaterThan(1_600_000_000)
    expect((await parsedStats(stats)).workers[0].status).toBe('busy')
    expect(await held.release()).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*1$/)
    for (;;) {
      const [worker] = (await parsedStats(stats)).workers
      const app = worker.apps[languages.indexOf(language)]
      const counted = worker.cores[core.id].requests
      if (counted <= core.requests || app.requests === 0) continue
      expect(app.mountpoint).toBe(`/${language}`)
      expect([worker.cores[core.id].in_request, worker.cores[core.id].vars]).toEqual([0, []])
      break
    }
  })

  it('has everything that uwsgitop reads', async () => {
    const top = await parsedStats(stats)
    for (const name of ['version', 'cwd']) expect(typeof top[name]).toBe('string')
    for (const name of ['pid', 'uid', 'gid', 'listen_queue']) expect(typeof top[name]).toBe('number')
    const numbers = [
      'id',
      'pid',
      'requests',
      'exceptions',
      'harakiri_count',
      'signals',
      'rss',
      'vsz',
      'running_time',
      'last_spawn',
    ]
    for (const worker of top.workers) {
      for (const name of [...numbers, 'respawn_count', 'tx', 'avg_rt'])
        expect([name, typeof worker[name]]).toEqual([name, 'number'])
      expect(['idle', 'busy', 'cheap']).toContain(worker.status)
      for (const core of worker.cores)
        for (const name of ['id', 'requests', 'in_request']) expect([name, typeof core[name]]).toEqual([name, 'number'])
    }
  })

  it('goes on beside clients that take nothing, and ends with the server all the same', async () => {
    const match = /^(.*):(\d+)$/.exec(stats)!
    const stuck = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = connect(Number(match[2]), match[1]).pause()
        await once(socket, 'connect')
        return socket
      }),
    )
    expect((await parsedStats(stats)).pid).toBe(server.pid)
    await run('lua', '1')
    for (const socket of stuck) socket.destroy()
  })

  it('serves pages with stats-http, with metrics among them, and less of it as asked', async () => {
    await using other = await Server.start({
      cwd: apps,
      args: ['--stats', '127.0.0.1:0', '--stats-http', '--stats-minified', '--stats-no-cores', '--mount', '/lua=console.lua'],
    })
    const address = /stats server enabled on (\S+)/.exec(other.log)?.[1]
    const response = await fetch(`http://${address}/anything`)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    const text = await response.text()
    expect(text.trimEnd()).not.toMatch(/[\n\t]/)
    expect(JSON.parse(text).workers[0]).not.toHaveProperty('cores')
    const families = readPrometheus(await (await fetch(`http://${address}/metrics`)).text())
    expect(families.has('uwsgi_worker_core_busy')).toBe(false)
    expect(await other.stop()).toBe(0)
  })

  it('says which address it cannot have', async () => {
    await using other = Server.spawn({ args: ['--stats', stats] })
    expect(await other.exited()).toBe(1)
    expect(other.log).toContain(`polywsgi: cannot listen on ${stats}: the address is in use by another program`)
  })
})

describe('metrics for Prometheus', () => {
  it('are in its format, under the names of uwsgi_exporter', async () => {
    await run('python', 'uwsgi.metric_set("mine", 7)')
    const response = await fetch(metrics)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const families = readPrometheus(await response.text())
    const names = [
      ...['listen_queue_length', 'listen_queue_errors', 'signal_queue_length', 'workers'],
      ...['queue_length', 'max_queue_length', 'shared', 'can_offload'].map((name) => `socket_${name}`),
      ...['accepting', 'delta_requests', 'signal_queue_length', 'rss_bytes', 'vsz_bytes', 'running_time_seconds'].map(
        (name) => `worker_${name}`,
      ),
      ...['last_spawn_time_seconds', 'average_response_time_seconds', 'apps', 'cores', 'busy', 'idle', 'cheap'].map(
        (name) => `worker_${name}`,
      ),
      ...['requests', 'exceptions', 'harakiri_count', 'signals', 'respawn_count', 'transmitted_bytes'].map(
        (name) => `worker_${name}_total`,
      ),
      ...['startup_time_seconds', 'requests_total', 'exceptions_total'].map((name) => `worker_app_${name}`),
      ...['requests', 'static_requests', 'routed_requests', 'offloaded_requests', 'write_errors', 'read_errors'].map(
        (name) => `worker_core_${name}_total`,
      ),
      ...['hits', 'misses', 'full', 'items', 'max_items'].map((name) => `cache_${name}`),
    ]
    for (const name of names) expect([...families.keys()]).toContain(`uwsgi_${name}`)
    expect(families.get('uwsgi_socket_max_queue_length')?.samples[0]?.value).toBe(200)
    expect(families.get('polywsgi_metric')?.samples).toEqual([{ labels: { name: 'mine' }, value: 7 }])
    expect(families.get('polywsgi_respawns_total')?.samples).toEqual([{ labels: {}, value: 0 }])
  })

  it('tell the memory of each interpreter, and when it has grown', async () => {
    const heap = async (lang: string): Promise<number> => {
      const families = readPrometheus(await (await fetch(metrics)).text())
      const samples = families.get('polywsgi_vm_heap_bytes')?.samples ?? []
      return samples.find(({ labels }) => labels['lang'] === lang)?.value ?? 0
    }
    const before = { python: await heap('python'), lua: await heap('lua'), js: await heap('js') }
    for (const language of languages) expect(before[language]).toBeGreaterThan(65_536)
    const grow = {
      python: 'x = bytearray(60 * 1024 * 1024); return len(x)',
      lua: 'return #("x"):rep(60 * 1024 * 1024)',
      js: 'return new Uint8Array(60 * 1024 * 1024).length',
    }
    for (const language of languages) await run(language, grow[language])
    // It is read now and then, after requests.
    while ((await heap('js')) < 60 * 1024 * 1024) await run('js', 'return 1')
    for (const language of languages) expect(await heap(language)).toBeGreaterThan(60 * 1024 * 1024)
  })

  it('are nowhere but at /metrics', async () => {
    expect((await fetch(metrics.replace(/metrics$/, ''))).status).toBe(404)
  })
})

describeWithPeers('the stats server beside that of uWSGI', ['uwsgi'], () => {
  let folder: string
  let real: RealUwsgi
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'polywsgi-stats-'))
    const app = join(apps, 'console.py')
    const more = ['--cache2', 'name=things,items=10', '--enable-metrics', '--http-socket', '127.0.0.1:0']
    real = await RealUwsgi.start('--plugin', 'python3,http', '--wsgi-file', app, '--stats', join(folder, 'stats'), ...more)
    await uwsgiRequest(real.address, getVars('/'))
  })
  afterAll(async () => {
    await real[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  /** What the one has and the other has not, or has as something else. */
  const missing = (theirs: Record<string, unknown>, ours: Record<string, unknown>): string[] =>
    Object.entries(theirs).flatMap(([key, value]) => {
      const kind = (it: unknown): string => (Array.isArray(it) ? 'array' : typeof it)
      return kind(value) === kind(ours[key]) ? [] : [`${key}: ${kind(value)}, not ${kind(ours[key])}`]
    })

  it('has every member that its has, of the same type', async () => {
    const theirs = await parsedStats(join(folder, 'stats'))
    const ours = await parsedStats(stats)
    expect(missing(theirs, ours)).toEqual([])
    const first = (it: { workers: { apps: unknown[]; cores: unknown[] }[]; sockets: unknown[]; caches: unknown[] }) => {
      const [worker] = it.workers
      return [worker, worker?.apps[0], worker?.cores[0], it.sockets[0], it.caches[0]] as Record<string, unknown>[]
    }
    for (const [index, part] of first(theirs).entries()) {
      expect(Object.keys(part).length).toBeGreaterThan(4)
      expect(missing(part, first(ours)[index] as Record<string, unknown>)).toEqual([])
    }
    const ownName = 'core.overloaded'
    expect(missing(theirs.metrics[ownName], ours.metrics[ownName])).toEqual([])
  })

  it('is JSON in the same hand', async () => {
    const [theirs, ours] = [await readStats(join(folder, 'stats')), await readStats(stats)]
    expect(theirs).toMatch(/^\{\n\t"version":/)
    expect(ours).toMatch(/^\{\n\t"version":/)
  })
})

// It comes from PyPI only: where it is not installed, the list of what it reads is held by the test above.
describe.skipIf(findProgram('uwsgitop') === undefined)('uwsgitop', () => {
  it('shows the workers, in each of its modes', async () => {
    const program = findProgram('uwsgitop') as string
    const inTerminal = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)'
    const top = spawn('python3', ['-c', inTerminal, program, '--frequency', '1', stats], {
      env: { ...process.env, TERM: 'xterm', COLUMNS: '200', LINES: '40' },
    })
    let shown = ''
    const shows = async (text: string): Promise<void> => {
      while (!shown.includes(text)) shown += await once(top.stdout, 'data')
    }
    await shows('WID')
    await shows('idle')
    top.stdin.write('a')
    await shows('1:0')
    top.stdin.write('aq')
    const [code] = await once(top, 'exit')
    expect(shown).not.toContain('Traceback')
    expect(code).toBe(0)
  })
})
