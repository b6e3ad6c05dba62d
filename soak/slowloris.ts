// The part of clients that take their time: a thousand connections, each of which sends a byte now and then. Others are
// served meanwhile; heads that do not come to an end are given up by the timeouts, bodies are waited for without a worker.
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Server } from '../test/support/server.ts'
import { uwsgiPacket } from '../test/support/uwsgi-client.ts'
import { type Outcome, type Part, type Plan, Violations } from './part.ts'
import { Probe } from './probe.ts'
import { factsOf, mebibytes, settledFacts } from './process-facts.ts'

const apps = fileURLToPath(new URL('apps', import.meta.url))
const timeoutSeconds = 5
const probePatienceMs = 3000
const byteEveryMs = 1000
/** Past the timeout a late head may go unnoticed for so long: the gateways look each second, and the machine is busy. */
const lateMs = 10_000

type Kind = 'HTTP head' | 'uwsgi head' | 'HTTP body' | 'uwsgi body'

/** What such a client sends at once, and what it sends byte by byte without end. */
const manners: Readonly<Record<Kind, readonly [first: Uint8Array, dripped: string]>> = {
  'HTTP head': [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: '), 'x'],
  'uwsgi head': [Uint8Array.of(0, 0xff, 0x0f, 0), '\0'],
  'HTTP body': [Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n'), 'x'],
  'uwsgi body': [uwsgiPacket({ REQUEST_METHOD: 'POST', PATH_INFO: '/', CONTENT_LENGTH: '100000' }), 'x'],
}

class SlowClient {
  readonly kind: Kind
  readonly socket: Socket
  readonly #startedAt = performance.now()
  /** How long it was borne; undefined while it is. */
  endedAfterMs: number | undefined

  constructor(kind: Kind, port: number) {
    this.kind = kind
    this.socket = connect(port, '127.0.0.1', () => this.socket.write(manners[kind][0]))
    this.socket.on('error', () => {})
    this.socket.resume()
    this.socket.on('end', () => this.socket.end())
    this.socket.on('close', () => {
      this.endedAfterMs = performance.now() - this.#startedAt
    })
  }

  drip(): void {
    if (this.socket.writable && !this.socket.connecting) this.socket.write(manners[this.kind][1])
  }
}

const run = async (plan: Plan): Promise<Outcome> => {
  const count = plan.count ?? 1000
  const seconds = plan.seconds ?? 30
  const violations = new Violations()
  await using server = await Server.start({
    cwd: apps,
    args: [
      ...['--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', '--workers', '2', '--mount', '/=answer.lua'],
      ...['--http-timeout', String(timeoutSeconds), '--socket-timeout', String(timeoutSeconds), '--disable-logging'],
    ],
  })
  const httpPort = Number(new URL(server.http).port)
  const uwsgiPort = Number(server.uwsgi.split(':')[1])
  const before = factsOf(server.pid)
  await using probe = new Probe({ host: '127.0.0.1', port: httpPort, path: '/' }, probePatienceMs)
  const clients = Array.from({ length: count }, (_, index) => {
    const isHttp = index % 2 === 0
    const kind: Kind = `${isHttp ? 'HTTP' : 'uwsgi'} ${index % 10 < 8 ? 'head' : 'body'}`
    return new SlowClient(kind, isHttp ? httpPort : uwsgiPort)
  })
  let most = 0
  for (let elapsed = 0; elapsed < seconds; elapsed += byteEveryMs / 1000) {
    await delay(byteEveryMs)
    most = Math.max(most, factsOf(server.pid).descriptors - before.descriptors)
    for (const client of clients) client.drip()
  }
  const heads = clients.filter(({ kind }) => kind.endsWith('head'))
  const borneMs = Math.max(...heads.map(({ endedAfterMs }) => endedAfterMs ?? Number.POSITIVE_INFINITY))
  const openBodies = clients.filter(({ kind, endedAfterMs }) => kind.endsWith('body') && endedAfterMs === undefined).length
  for (const { kind, endedAfterMs } of heads) {
    if (endedAfterMs === undefined || endedAfterMs > timeoutSeconds * 1000 + lateMs)
      violations.add(`a ${kind} that never ends was not given up`, `${endedAfterMs} ms`)
  }
  await probe.stop()
  for (const failure of probe.failures) violations.add('a probe beside slow clients was not answered', failure)
  for (const { socket } of clients) socket.destroy()
  const end = await settledFacts(server.pid, before)
  if (end.descriptors > before.descriptors)
    violations.add('connections were left open', `${before.descriptors} to ${end.descriptors}`)
  return {
    facts: [
      ['slow clients', `${count}, ${most} at once`],
      ['the longest time a head was borne', `${(borneMs / 1000).toFixed(1)} s with a timeout of ${timeoutSeconds} s`],
      ['slow bodies still waited for', openBodies],
      ['probes answered meanwhile', `${probe.answers}, the slowest in ${Math.round(probe.slowestMs)} ms`],
      ['resident memory, before and at the end', `${mebibytes(before.rssBytes)}, ${mebibytes(end.rssBytes)}`],
      ['descriptors, before and at the end', `${before.descriptors}, ${end.descriptors}`],
    ],
    violations: violations.list(),
  }
}

export const slowloris: Part = {
  name: 'slowloris',
  purpose: 'clients that send a byte now and then do not stop service, and heads that never end are given up in time',
  run,
}
