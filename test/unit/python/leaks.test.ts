// Nothing that a request uses stays: counted in the bytes that Python has allocated after many requests of each kind.
import { beforeAll, expect, test } from 'vitest'
import { ClientError } from '../../../host/errors.ts'
import { WholeBody } from '../../../host/request/body.ts'
import type { HarnessRequest } from '../../support/plugin-harness.ts'
import { appPath, PythonServer, probe } from './python-harness.ts'

let server: PythonServer

beforeAll(async () => {
  server = await PythonServer.boot('probe.py')
  // This build of Python counts no blocks (sys.getallocatedblocks() is 0).
  await probe(server, 'import tracemalloc; tracemalloc.start(); result = 0')
})

const bytesInUse = async (): Promise<number> =>
  Number(await probe(server, 'import gc, tracemalloc; gc.collect(); gc.collect(); result = tracemalloc.get_traced_memory()[0]'))

const rounds = 400
/** Caches and free lists of CPython itself waver by so much; an object that each request leaves is above it: the smallest has 8 bytes. */
const waver = 3000

class PulledBody extends WholeBody {
  override get whole(): undefined {
    return undefined
  }
}

/** The client takes the first chunk and is gone at the second. */
const leavingClient = (): HarnessRequest => {
  let sent = 0
  return {
    onSend: () => {
      sent += 1
      if (sent === 2) throw new ClientError('CLIENT_GONE', 'gone')
    },
  }
}

const kinds: [string, string, string, (round: number) => HarnessRequest][] = [
  ['plain requests', 'responses.py', 'one_chunk', () => ({})],
  ['ASGI requests', 'asgi.py', 'hello', () => ({})],
  ['ASGI requests of ever new names', 'asgi.py', 'hello', (round) => ({ vars: { [`HTTP_NEW_${round}`]: 'v' } })],
  ['ASGI requests with a body that is read', 'asgi.py', 'echo', () => ({ bodySource: new PulledBody(Buffer.alloc(100_000)) })],
  ['ASGI requests whose client leaves', 'asgi.py', 'leaves', leavingClient],
  ['asynchronous WSGI requests', 'async_wsgi.py', 'generates', () => ({})],
  ['ASGI requests that fail', 'asgi.py', 'fails', () => ({})],
  [
    'requests of ever new values',
    'responses.py',
    'one_chunk',
    (round) => ({ path: `/${round}`, vars: { HTTP_X: 'v'.repeat(round) } }),
  ],
  [
    'requests of ever new names',
    'responses.py',
    'one_chunk',
    (round) => ({ vars: { [`HTTP_${'X'.repeat((round % 90) + 1)}`]: 'v' } }),
  ],
  ['streamed responses', 'responses.py', 'generator', () => ({})],
  ['responses by write()', 'responses.py', 'writer', () => ({})],
  ['whole bodies', 'inputs.py', 'application', () => ({ path: '/read', body: 'some body' })],
  [
    'bodies in pieces',
    'inputs.py',
    'application',
    () => ({ path: '/iterate', bodySource: new PulledBody(Buffer.from('a\nb\nc')) }),
  ],
  [
    'bodies that nobody reads',
    'inputs.py',
    'application',
    () => ({ path: '/ignore', bodySource: new PulledBody(Buffer.from('a')) }),
  ],
  ['exceptions', 'failing.py', 'raises_from', () => ({})],
  ['refused heads', 'failing.py', 'bad_head', () => ({ query: "('200 OK', [('A B', 'c')])" })],
  ['clients that leave', 'responses.py', 'generator', leavingClient],
  [
    'API calls',
    'probe.py',
    'application',
    () => ({ method: 'POST', body: "import uwsgi; uwsgi.log(message=b'x' * 300); uwsgi.worker_id()" }),
  ],
  ['refused API calls', 'probe.py', 'application', () => ({ method: 'POST', body: 'import uwsgi; uwsgi.log(wrong=[])' })],
]

test.each(kinds)('%s leave nothing behind', async (_kind, file, callable, request) => {
  const mountpoint = `/${file}/${callable}`
  if (!server.harness.apps.some((app) => app.mountpoint === mountpoint)) {
    await server.harness.mount(appPath(file), mountpoint, callable)
  }
  const run = async () => {
    for (let round = 0; round < rounds; round += 1) await server.harness.request({ ...request(round), mountpoint })
    server.takeLog()
  }
  await run()
  const before = await bytesInUse()
  await run()
  expect((await bytesInUse()) - before).toBeLessThan(waver)
})

test('what does stay is seen', async () => {
  const mountpoint = '/keeps'
  await server.harness.mount(appPath('probe.py'), mountpoint)
  const before = await bytesInUse()
  const body =
    'import builtins; builtins.kept = getattr(builtins, "kept", None) or []; builtins.kept.append(object()); result = 0'
  for (let round = 0; round < rounds; round += 1) await server.harness.request({ method: 'POST', body, mountpoint })
  expect((await bytesInUse()) - before).toBeGreaterThan(waver)
})
