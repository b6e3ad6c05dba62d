// A file of 100 KB over HTTP keep-alive, served without an app on both sides. Real uWSGI is measured both ways in which it
// keeps connections open, with --tcp-nodelay: without it each of its answers waits for the client's delayed acknowledgement.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { notesOn } from '../comparison.ts'
import { describeClient, judgeLoad, measureLoad, type Plan, type Target } from '../load.ts'
import type { LoadReport, Row, RowContext } from '../row.ts'
import { defaultWorkers, startPolywsgi, startUwsgi } from '../servers.ts'
import { defaultConnections } from '../wrk.ts'

const name = 'static-file'
const title = 'file of 100 KB over HTTP keep-alive'
const size = 100_000

const rowOf = (rowName: string, rowTitle: string, connections: number, bar?: 'staticFile'): Row => ({
  name: rowName,
  title: rowTitle,
  needs: ['wrk', 'uwsgi', 'uwsgi-python', 'uwsgi-http'],
  run: (context) => run(context, rowName, rowTitle, connections, bar),
})

async function run(
  context: RowContext,
  rowName: string,
  rowTitle: string,
  connections: number,
  bar: 'staticFile' | undefined,
): Promise<LoadReport> {
  await using servers = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'polywsgi-bench-static-'))
  servers.defer(() => rmSync(folder, { recursive: true, force: true }))
  const answer = randomBytes(size)
  writeFileSync(join(folder, 'file.bin'), answer)
  const options = ['--static-map', `/files=${folder}`]
  const targets: Target[] = []
  const add = (label: string, side: Target['side'], { httpPort, child }: { httpPort: number; child: Target['server'] }): void => {
    targets.push({ label, side, url: `http://127.0.0.1:${httpPort}/files/file.bin`, server: child })
  }
  if (!context.settings.peersOnly)
    add('polywsgi', 'polywsgi', servers.use(await startPolywsgi('hello', ['python'], defaultWorkers, options)))
  for (const front of ['http11', 'http'] as const) {
    const option = front === 'http11' ? '--http11-socket' : '--http --http-keepalive'
    const peer = await startUwsgi('hello', 'python', front, defaultWorkers, [...options, '--tcp-nodelay'])
    add(`uWSGI ${option}`, 'peer', servers.use(peer))
  }
  const plan: Plan = { connections, answer }
  const lines = await measureLoad(targets, plan, context)
  const { seconds, rounds } = context.settings
  return {
    kind: 'load',
    name: rowName,
    title: rowTitle,
    client: describeClient(plan, seconds, rounds),
    lines,
    verdicts: judgeLoad(lines, rowName, bar),
    notes: notesOn('python', lines),
  }
}

export const staticRows: readonly Row[] = [
  rowOf(name, title, defaultConnections, 'staticFile'),
  // As in the rows of hello: with so few clients uWSGI keeps none waiting, and two processes are held against one thread.
  rowOf(`${name}-few`, `${title}, as many clients as workers`, defaultWorkers),
]
