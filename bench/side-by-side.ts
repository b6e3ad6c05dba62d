// What an option costs: hello of polywsgi with and without it, process by process in alternation. Throughput of the same program
// wavers by as much as such bars allow, since what differs is often how one process has happened to be laid out: processor time per
// request stands beside it.
import { type BarName, judge } from './bars.ts'
import { treeCpuSeconds } from './proc-files.ts'
import type { RowContext, ValueReport } from './row.ts'
import { defaultWorkers, type Language, type Server, startPolywsgi, urlOf } from './servers.ts'
import { median } from './statistics.ts'
import { defaultConnections, runWrk } from './wrk.ts'

export interface SideBySide {
  readonly name: string
  readonly title: string
  readonly language: Language
  /** The option's side first. */
  readonly sides: readonly [Side, Side]
  /** Bars on the ratio of the first side to the second. */
  readonly throughput: BarName
  readonly processorTime?: BarName
}

export interface Side {
  readonly label: string
  readonly options: readonly string[]
}

interface Sample {
  readonly requestsPerSecond: number
  readonly cpuUs: number
  readonly failed: number
}

const leastRounds = 7

export async function compareSides(comparison: SideBySide, { settings, progress }: RowContext): Promise<ValueReport> {
  const { name, title, language, throughput, processorTime } = comparison
  const sides = comparison.sides.map((side) => ({ ...side, samples: [] as Sample[] }))
  const rounds = settings.quick ? settings.rounds : Math.max(settings.rounds, leastRounds)
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const sample = await measure(
        await startPolywsgi('hello', [language], defaultWorkers, side.options),
        language,
        settings.seconds,
      )
      side.samples.push(sample)
      progress(`round ${round + 1}/${rounds} ${side.label}: ${sample.cpuUs.toFixed(2)} µs`)
    }
  }
  const middle = (side: { readonly samples: readonly Sample[] }, of: keyof Sample): number =>
    median(side.samples.map((sample) => sample[of]))
  const [first, second] = sides as [(typeof sides)[0], (typeof sides)[0]]
  const ratioOf = (of: keyof Sample): number => middle(first, of) / middle(second, of)
  const failed = sides.flatMap(({ samples }) => samples).reduce((sum, sample) => sum + sample.failed, 0)
  return {
    kind: 'values',
    name,
    title,
    columns: ['server', 'CPU per request (µs)', 'requests/s'],
    lines: sides.map((side) => [side.label, middle(side, 'cpuUs').toFixed(2), middle(side, 'requestsPerSecond').toFixed(0)]),
    verdicts: [
      judge(throughput, name, ratioOf('requestsPerSecond')),
      ...(processorTime === undefined ? [] : [judge(processorTime, name, ratioOf('cpuUs'))]),
      judge('noErrors', name, failed),
    ],
    notes: [`Medians of ${rounds} processes of each, in alternation: wrk -t1 -c${defaultConnections} -d${settings.seconds}s.`],
  }
}

async function measure(started: Server, language: Language, seconds: number): Promise<Sample> {
  await using server = started
  const load = { url: urlOf(server.httpPort, language), connections: defaultConnections }
  await runWrk({ ...load, seconds: 1 })
  const before = treeCpuSeconds(server.child.pid)
  const run = await runWrk({ ...load, seconds })
  const cpuUs = ((treeCpuSeconds(server.child.pid) - before) * 1e6) / run.requests
  return { requestsPerSecond: run.requestsPerSecond, cpuUs, failed: run.socketErrors + run.badStatuses }
}
