// Measures several targets under the same load, in alternation: one run each, round after round, so that what else happens
// on the machine falls on all of them. Every target must first prove that it gives the right answer.
import { type BarName, judge, type Verdict } from './bars.ts'
import { ask, keepsAlive, servedClients } from './client.ts'
import { clientPorts } from './proc-files.ts'
import type { Child } from './processes.ts'
import type { LoadLine, RowContext } from './row.ts'
import { median, ratio } from './statistics.ts'
import { defaultConnections, runWrk, type WrkLoad, type WrkRun } from './wrk.ts'

export interface Target {
  readonly label: string
  readonly side: 'polywsgi' | 'peer'
  readonly url: string
  /** The server that answers in the end, for its last words when it answers wrongly. */
  readonly server: Child
}

export interface Plan {
  readonly connections: number
  /** wrk script that makes the requests. */
  readonly script?: string
  /** Body of the probe, where requests have one; the wrk script sends the like. */
  readonly probeBody?: Buffer
  /** The body every target has to answer the probe with. */
  readonly answer: string | Buffer
}

export const helloPlan: Plan = { connections: defaultConnections, answer: 'hello' }

const servedPatienceMs = 1000
/** Long enough for the interpreters' own compilers to have seen the hot paths. */
const warmUpSeconds = 1

/** One sentence on what wrk does to every target. */
export function describeClient(plan: Plan, seconds: number, rounds: number): string {
  const request = plan.script === undefined ? 'GET' : `POST of ${plan.probeBody?.length ?? 0} bytes`
  const runs = rounds === 1 ? 'one run' : `median of ${rounds} runs in alternation`
  return `wrk -t1 -c${plan.connections} -d${seconds}s, ${request}, keep-alive; ${runs}.`
}

/** Runs the plan; the lines come in the order of the targets. Rejects when a target answers wrongly. */
export async function measureLoad(targets: readonly Target[], plan: Plan, context: RowContext): Promise<LoadLine[]> {
  const { rounds, seconds } = context.settings
  const lines = []
  for (const target of targets) {
    await proveAnswer(target, plan)
    const runs: WrkRun[] = []
    const connections: number[] = []
    const keeps = await keepsAlive(target.url)
    const served = await servedClients(target.url, plan.connections, servedPatienceMs)
    lines.push({ ...target, target: target.label, runs, clients: plan.connections, served, keepsAlive: keeps, connections })
    await runWrk(loadOf(target, plan, warmUpSeconds))
  }
  for (let round = 0; round < rounds; round++) {
    // Every other round goes backwards, so that no target always follows the same neighbour.
    for (const line of round % 2 === 0 ? lines : lines.toReversed()) {
      const { run, connections } = await countConnections(Number(new URL(line.url).port), seconds, () =>
        runWrk(loadOf(line, plan, seconds)),
      )
      line.connections.push(connections)
      line.runs.push(run)
      context.progress(`round ${round + 1}/${rounds} ${line.target}: ${run.requestsPerSecond.toFixed(0)} requests/s`)
    }
  }
  return lines
}

/**
 * How many connections a run opens: as many as wrk has clients, and the one it tries the address with, when they are kept open;
 * thousands otherwise. Looked at while the run lasts, since wrk resets its connections at the end, which leaves no trace;
 * those closed in order can be seen for a minute.
 */
async function countConnections(port: number, seconds: number, start: () => Promise<WrkRun>) {
  const before = clientPorts(port)
  const opened = new Set<number>()
  const looks = [0.3, 0.7].map((part) =>
    setTimeout(
      () => {
        for (const each of clientPorts(port)) if (!before.has(each)) opened.add(each)
      },
      part * seconds * 1000,
    ),
  )
  try {
    return { run: await start(), connections: opened.size }
  } finally {
    for (const look of looks) clearTimeout(look)
  }
}

function loadOf({ url }: { url: string }, plan: Plan, seconds: number): WrkLoad {
  const load = { url, connections: plan.connections, seconds }
  return plan.script === undefined ? load : { ...load, script: plan.script }
}

async function proveAnswer(target: Target, plan: Plan): Promise<void> {
  const answer = await ask(target.url, plan.probeBody)
  if (answer.status === 200 && answer.body.equals(Buffer.from(plan.answer))) return
  const start = answer.body.subarray(0, 200).toString()
  const lastWords = target.server.output().trim().split('\n').slice(-5).join('\n')
  throw new Error(`${target.label} gives a wrong answer: ${answer.status}, ${answer.body.length} bytes: ${start}\n${lastWords}`)
}

export function medianRate(line: LoadLine): number {
  return median(line.runs.map((run) => run.requestsPerSecond))
}

export function failures(line: LoadLine): number {
  return line.runs.reduce((sum, run) => sum + run.socketErrors + run.badStatuses, 0)
}

/**
 * The bars of a load row: throughput against the best peer, and no failed request. Where the best peer leaves clients waiting,
 * throughput is also held against the best one that serves them all.
 */
export function judgeLoad(lines: readonly LoadLine[], subject: string, bar?: BarName): Verdict[] {
  const verdicts: Verdict[] = []
  const peers = lines.filter((line) => line.side === 'peer')
  const best = bestOf(peers)
  const fairest = bestOf(peers.filter((line) => line.served === line.clients))
  for (const line of lines.filter((each) => each.side === 'polywsgi')) {
    const against = (peer: LoadLine) => ratio(medianRate(line), medianRate(peer)) ?? Number.NaN
    if (bar !== undefined && best !== undefined) {
      verdicts.push(judge(bar, `${subject}, ${best.target}`, against(best)))
      if (fairest !== undefined && fairest !== best) verdicts.push(judge(bar, `${subject}, ${fairest.target}`, against(fairest)))
    }
    verdicts.push(judge('noErrors', subject, failures(line)))
  }
  return verdicts
}

function bestOf(lines: readonly LoadLine[]): LoadLine | undefined {
  return lines.toSorted((a, b) => medianRate(b) - medianRate(a))[0]
}
