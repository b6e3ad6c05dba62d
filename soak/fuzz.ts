// The part that sends bad input: no input may end, hang or fill the server, be answered by an error of its own, or have a
// request served that hides in another.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { modifiers } from '../protocol/modifiers.ts'
import { RpcMode } from '../protocol/rpc-packets.ts'
import { Server } from '../test/support/server.ts'
import { FuzzClient } from './fuzz-client.ts'
import { httpInput } from './http-inputs.ts'
import { type Outcome, type Part, type Plan, Violations } from './part.ts'
import { Probe } from './probe.ts'
import { factsOf, isAlive, mebibytes, settledFacts } from './process-facts.ts'
import { Random } from './random.ts'
import { uwsgiInput } from './uwsgi-inputs.ts'

const apps = fileURLToPath(new URL('apps', import.meta.url))
const connections = 24
const probePatienceMs = 10_000
/** Memory may grow by this much between the warm server and the end: heaps breathe. */
const growthBytes = 64 * 2 ** 20

/** An RPC call in HTTP's form whose path names no function: 500, as uWSGI answers it. */
const isNamelessCall = (packet: Buffer): boolean => packet[0] === modifiers.rpc.modifier1 && packet[3] === RpcMode.http

const run = async (plan: Plan): Promise<Outcome> => {
  const count = plan.count ?? 1_000_000
  const folder = mkdtempSync(join(tmpdir(), 'polywsgi-fuzz-'))
  const [http, uwsgi, log] = ['http.sock', 'uwsgi.sock', 'log'].map((name) => join(folder, name)) as [string, string, string]
  const violations = new Violations()
  try {
    await using server = await Server.start({
      cwd: apps,
      args: [
        ...['--http-socket', http, '--socket', uwsgi, '--workers', '2', '--listen', '1000', '--buffer-size', '8192'],
        ...[
          '--mount',
          '/=answer.lua',
          '--mount',
          '/js=answer.mjs',
          '--mount',
          '/py=answer.py',
          '--cache2',
          'name=default,items=50',
        ],
        ...['--logto', log, '--disable-logging'],
      ],
    })
    const random = new Random(plan.seed)
    const clients = [
      new FuzzClient({ path: http, make: httpInput, answers: /^HTTP\/1\.1 \d{3} / }, random, violations),
      new FuzzClient(
        { path: uwsgi, make: uwsgiInput, answers: /^/, isRefused: isNamelessCall },
        new Random(plan.seed + 1),
        violations,
      ),
    ]
    await using probe = new Probe({ socketPath: http, path: '/probe' }, probePatienceMs)
    const sent = (): number => clients.reduce((sum, client) => sum + client.sent, 0)
    const started = performance.now()
    const sendUpTo = (limit: number): Promise<unknown> =>
      Promise.all(clients.map((client) => client.run(connections, () => sent() >= limit || !isAlive(server.pid))))
    await sendUpTo(Math.round(count / 2))
    const warm = await settledFacts(server.pid, factsOf(server.pid), 1)
    plan.say(`${sent()} inputs sent, ${mebibytes(warm.rssBytes)} resident`)
    for (let quarter = 3; quarter <= 4; quarter += 1) {
      await sendUpTo(Math.round((count * quarter) / 4))
      plan.say(`${sent()} inputs sent, ${mebibytes(factsOf(server.pid).rssBytes)} resident`)
    }
    const seconds = (performance.now() - started) / 1000
    await probe.stop()
    const end = await settledFacts(server.pid, warm)
    for (const failure of probe.failures) violations.add('a probe beside the inputs was not answered', failure)
    if (end.rssBytes > warm.rssBytes + growthBytes)
      violations.add('memory grew', `${mebibytes(warm.rssBytes)} to ${mebibytes(end.rssBytes)}`)
    if (end.descriptors > warm.descriptors || end.threads > warm.threads)
      violations.add('something was left open', `${JSON.stringify(warm)} to ${JSON.stringify(end)}`)
    const code = await server.stop()
    if (code !== 0) violations.add('the server did not stop with exit code 0', String(code))
    const text = readFileSync(log, 'latin1')
    for (const line of text.match(/^.*(?:has ended|it died|starting it again|is started again|respawn).*$/gm)?.slice(0, 5) ?? [])
      violations.add('a thread ended', line)
    if (/^ {4}at .*(?:node:|dist\/)/m.test(server.log + text))
      violations.add('a stack of the host was logged', server.log.slice(-500))
    const statuses = clients.map(({ statuses }) =>
      [...statuses]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([status, times]) => `${status}: ${times}`)
        .join(', '),
    )
    return {
      facts: [
        ['inputs', sent()],
        ['inputs per second', Math.round(sent() / seconds)],
        ['answers over HTTP', statuses[0] as string],
        ['answers over uwsgi', statuses[1] as string],
        ['probes answered meanwhile', `${probe.answers}, the slowest in ${Math.round(probe.slowestMs)} ms`],
        ['resident memory, warm and at the end', `${mebibytes(warm.rssBytes)}, ${mebibytes(end.rssBytes)}`],
        ['descriptors, warm and at the end', `${warm.descriptors}, ${end.descriptors}`],
      ],
      violations: violations.list(),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const fuzz: Part = {
  name: 'fuzz',
  purpose: 'mutated HTTP and uwsgi inputs, slow, cut, oversized and smuggling: no crash, no hang, memory flat, nothing smuggled',
  run,
}
