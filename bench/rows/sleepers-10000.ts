// Ten thousand requests that sleep for a second, in one worker: nobody may fail. By unix sockets, as so many connections in a
// row would use up the ports of the machine.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncPeerNeeds, asyncPeerNotes, startAsyncPolywsgi, startAsyncUwsgi } from '../async-servers.ts'
import { judge, type Verdict } from '../bars.ts'
import { failuresOf, httpRequest, openCrowd } from '../crowd.ts'
import { memoryNow, toMb, watchMemory } from '../memory-watch.ts'
import type { Row, ValueReport } from '../row.ts'
import { type Language, languageNames, mountOf, type Server } from '../servers.ts'
import { median } from '../statistics.ts'

const sleepers = 10_000
const cores = sleepers + 100
const patienceMs = 60_000

interface Sample {
  readonly firstSeconds: number
  readonly lastSeconds: number
  readonly grownMb: number
  readonly failed: number
  readonly why: string
}

const languages: readonly Language[] = ['lua', 'js']

export const tenThousandRows: readonly Row[] = languages.map((language) => {
  const name = `sleepers-10000-${language}`
  const title = `${sleepers} requests that sleep for 1 s at once, one worker, ${languageNames[language]}`
  return {
    name,
    title,
    needs: asyncPeerNeeds,
    async run({ settings, progress }): Promise<ValueReport> {
      const directory = mkdtempSync(join(tmpdir(), 'polywsgi-bench-sleepers-'))
      const path = join(directory, 'http.sock')
      const socket = ['--http-socket', path]
      try {
        const sides = [
          { label: 'polywsgi', isOurs: true, mount: mountOf[language], start: () => startAsyncPolywsgi(language, cores, socket) },
          {
            label: 'uWSGI, greenlet',
            isOurs: false,
            mount: mountOf.python,
            start: () => startAsyncUwsgi('uwsgi', cores, socket),
          },
        ].filter(({ isOurs }) => !(isOurs && settings.peersOnly))
        const verdicts: Verdict[] = []
        const lines: string[][] = []
        for (const { label, isOurs, mount, start } of sides) {
          const samples: Sample[] = []
          for (let round = 0; round < settings.rounds; round++) {
            const sample = await measure(await start(), path, mount)
            samples.push(sample)
            progress(`${label}: last answer after ${sample.lastSeconds.toFixed(2)} s, ${sample.failed} failed${sample.why}`)
          }
          const of = (field: Exclude<keyof Sample, 'why'>) => median(samples.map((sample) => sample[field]))
          const failed = samples.reduce((sum, sample) => sum + sample.failed, 0)
          if (isOurs) verdicts.push(judge('noErrors', name, failed))
          lines.push([
            label,
            of('firstSeconds').toFixed(2),
            of('lastSeconds').toFixed(2),
            of('grownMb').toFixed(0),
            String(failed),
          ])
        }
        return {
          kind: 'values',
          name,
          title,
          columns: ['server', 'first answer (s)', 'last answer (s)', 'memory grown (MB)', 'failed'],
          lines,
          verdicts,
          notes: [
            ...asyncPeerNotes(language),
            `Medians of ${settings.rounds} new servers. HTTP over a unix socket; all connections are open before the first request.`,
            'Memory is the highest resident memory of all processes, less that before the first connection.',
          ],
        }
      } finally {
        rmSync(directory, { recursive: true })
      }
    },
  }
})

async function measure(started: Server, address: string, mount: string): Promise<Sample> {
  await using server = started
  const { pid } = server.child
  const before = memoryNow(pid)
  const { result, peakBytes } = await watchMemory(pid, async () => {
    const request = httpRequest(`${mount}?sleep=1`)
    await using crowd = await openCrowd({ address, connections: sleepers, request, answer: 'slept', patienceMs })
    return await crowd.ask()
  })
  const failed = failuresOf(result)
  return {
    firstSeconds: result.firstMs / 1000,
    lastSeconds: result.lastMs / 1000,
    grownMb: toMb(peakBytes - before),
    failed,
    why: failed === 0 ? '' : ` (${JSON.stringify(result.failures)})`,
  }
}
