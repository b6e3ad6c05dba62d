// What plugins cost that have nothing to do with a request: hello with and without ten of them, whose hooks around requests are
// empty. Both sides are polywsgi. Throughput of the same program wavers by as much as its bar allows, so there is one on
// processor time per request beside it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { judge } from '../bars.ts'
import { treeCpuSeconds } from '../proc-files.ts'
import type { Row } from '../row.ts'
import { defaultWorkers, type Language, type Server, startPolywsgi, urlOf } from '../servers.ts'
import { median } from '../statistics.ts'
import { defaultConnections, runWrk } from '../wrk.ts'

const count = 10
const language: Language = 'lua'
/** Each a new process: what differs is often how one process has happened to be laid out. */
const leastRounds = 7

/** Every hook that the path of a request may call, so that the host has all of them to look at. */
const emptyPlugin = (number: number): string => `export default {
  name: 'empty-${number}',
  modifier1: ${200 + number},
  request: () => 0,
  currentRequest: () => undefined,
  suspend() {},
  resume() {},
  afterRequest() {},
}
`

interface Sample {
  readonly requestsPerSecond: number
  readonly cpuUs: number
  readonly failed: number
}

const measure = async (started: Server, seconds: number): Promise<Sample> => {
  await using server = started
  const load = { url: urlOf(server.httpPort, language), connections: defaultConnections }
  await runWrk({ ...load, seconds: 1 })
  const before = treeCpuSeconds(server.child.pid)
  const run = await runWrk({ ...load, seconds })
  const cpuUs = ((treeCpuSeconds(server.child.pid) - before) * 1e6) / run.requests
  return { requestsPerSecond: run.requestsPerSecond, cpuUs, failed: run.socketErrors + run.badStatuses }
}

export const pluginHookRows: readonly Row[] = [
  {
    name: 'plugin-hooks',
    title: `hello with ${count} plugins whose hooks are empty, Lua`,
    needs: ['wrk'],
    async run({ settings, progress }) {
      const directory = mkdtempSync(join(tmpdir(), 'polywsgi-bench-plugins-'))
      try {
        const options = Array.from({ length: count }, (_, number) => {
          const file = join(directory, `empty${number}_plugin.mjs`)
          writeFileSync(file, emptyPlugin(number))
          return ['--plugin', file]
        }).flat()
        const sides = [
          { label: `polywsgi, ${count} plugins`, options, samples: [] as Sample[] },
          { label: 'polywsgi, no plugins', options: [], samples: [] as Sample[] },
        ] as const
        const rounds = Math.max(settings.rounds, leastRounds)
        for (let round = 0; round < rounds; round++) {
          for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
            const server = await startPolywsgi('hello', [language], defaultWorkers, side.options)
            const sample = await measure(server, settings.seconds)
            side.samples.push(sample)
            progress(`round ${round + 1}/${rounds} ${side.label}: ${sample.cpuUs.toFixed(2)} µs`)
          }
        }
        const middle = ({ samples }: { readonly samples: readonly Sample[] }, of: (sample: Sample) => number): number =>
          median(samples.map(of))
        const lines = sides.map((side) => [
          side.label,
          middle(side, ({ cpuUs }) => cpuUs).toFixed(2),
          middle(side, ({ requestsPerSecond }) => requestsPerSecond).toFixed(0),
        ])
        const [laden, plain] = sides
        const ratioOf = (of: (sample: Sample) => number): number => middle(laden, of) / middle(plain, of)
        const failed = sides.flatMap(({ samples }) => samples).reduce((sum, sample) => sum + sample.failed, 0)
        return {
          kind: 'values',
          name: this.name,
          title: this.title,
          columns: ['server', 'CPU per request (µs)', 'requests/s'],
          lines,
          verdicts: [
            judge(
              'pluginHooks',
              this.name,
              ratioOf(({ requestsPerSecond }) => requestsPerSecond),
            ),
            judge(
              'pluginCpu',
              this.name,
              ratioOf(({ cpuUs }) => cpuUs),
            ),
            judge('noErrors', this.name, failed),
          ],
          notes: [
            `Medians of ${rounds} processes of each, in alternation: wrk -t1 -c${defaultConnections} -d${settings.seconds}s.`,
          ],
        }
      } finally {
        rmSync(directory, { recursive: true })
      }
    },
  },
]
