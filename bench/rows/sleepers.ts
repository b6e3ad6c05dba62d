// A thousand requests that sleep for a second each, in one worker: all at once, and what a suspended core costs in memory.
// Each round is a new server, as memory that was used once is seldom given back.
import { setTimeout as delay } from 'node:timers/promises'
import { asyncLanguages, asyncPeerNeeds, asyncPeerNotes, startAsyncPolywsgi, startAsyncUwsgi } from '../async-servers.ts'
import { type BarName, judge, type Verdict } from '../bars.ts'
import { failuresOf, httpRequest, openCrowd, uwsgiRequest } from '../crowd.ts'
import type { CrowdPlan } from '../crowd-client.ts'
import { memoryNow, settledMemory } from '../memory-watch.ts'
import { wasmResidentBytes } from '../proc-files.ts'
import type { Row, RowContext, ValueReport } from '../row.ts'
import { type Language, languageNames, modifier1Of, mountOf, type Server, urlOf } from '../servers.ts'
import { median } from '../statistics.ts'
import { runWrk } from '../wrk.ts'

const sleepers = 1000
const patienceMs = 30_000
/** Long enough to look at the memory while all sleep. */
const longSleepSeconds = 3
/** From asking to looking at the memory: all have been suspended, and none goes on. */
const lookAfterMs = 2000

const barOf = (language: Language): BarName => (language === 'python' ? 'suspendedCorePython' : 'suspendedCore')

interface Sample {
  readonly httpSeconds: number
  readonly uwsgiSeconds: number
  readonly coreBytes: number
  readonly connectionBytes: number
  readonly guestBytes: number
  readonly failed: number
}

interface Side {
  readonly label: string
  readonly language: Language
  readonly isOurs: boolean
  start(): Promise<Server>
}

export const sleeperRows: readonly Row[] = asyncLanguages.map((language) => {
  const name = `sleepers-${language}`
  const title = `${sleepers} requests that sleep for 1 s at once, one worker, ${languageNames[language]}`
  const cores = sleepers + 100
  const ours: Side = { label: 'polywsgi', language, isOurs: true, start: () => startAsyncPolywsgi(language, cores) }
  const peer: Side = {
    label: 'uWSGI --http-socket, greenlet',
    language: 'python',
    isOurs: false,
    start: () => startAsyncUwsgi('http10', cores),
  }
  return {
    name,
    title,
    needs: ['wrk', ...asyncPeerNeeds],
    async run(context): Promise<ValueReport> {
      const sides = (context.settings.peersOnly ? [peer] : [ours, peer]).map((side) => ({ side, samples: [] as Sample[] }))
      for (let round = 0; round < context.settings.rounds; round++) {
        for (const { side, samples } of round % 2 === 0 ? sides : sides.toReversed()) samples.push(await measure(side, context))
      }
      const verdicts: Verdict[] = []
      const lines = sides.map(({ side, samples }) => {
        const of = (field: keyof Sample) => median(samples.map((sample) => sample[field]))
        const failed = samples.reduce((sum, sample) => sum + sample.failed, 0)
        if (side.isOurs) {
          verdicts.push(
            judge('noErrors', name, failed),
            judge('sleepersAnswered', `${name}, HTTP`, of('httpSeconds')),
            judge('sleepersAnswered', `${name}, uwsgi`, of('uwsgiSeconds')),
            judge(barOf(language), name, of('coreBytes') / 1024),
          )
        }
        const uwsgiSeconds = side.isOurs ? of('uwsgiSeconds').toFixed(2) : ''
        const memory = (['coreBytes', 'connectionBytes', 'guestBytes'] as const).map((field) => (of(field) / 1024).toFixed(1))
        return [side.label, of('httpSeconds').toFixed(2), uwsgiSeconds, ...memory, String(failed)]
      })
      return {
        kind: 'values',
        name,
        title,
        columns: [
          'server',
          'last answer, HTTP (s)',
          'uwsgi (s)',
          'memory per core (KB)',
          'of it idle connection',
          "interpreter's",
          'failed',
        ],
        lines,
        verdicts,
        notes: [
          ...asyncPeerNotes(language),
          `Medians of ${context.settings.rounds} new servers. All connections are open before the first request; times count from it.`,
          `Memory is the resident memory of all processes while ${sleepers} sleep, less that before they connected: the master's
  connections are in it. The interpreter's part is what its own memory has grown by.`.replaceAll(/\n\s+/g, ' '),
        ],
      }
    },
  }
})

async function measure(side: Side, context: RowContext): Promise<Sample> {
  await using server = await side.start()
  const { pid } = server.child
  const mount = mountOf[side.language]
  const plan = (sleep: number, isHttp: boolean): CrowdPlan => {
    const path = `${mount}?sleep=${sleep}`
    const address = isHttp ? server.httpPort : server.uwsgiPort
    const request = isHttp ? httpRequest(path) : uwsgiRequest(path, modifier1Of[side.language])
    return { address, connections: sleepers, request, answer: 'slept', patienceMs }
  }
  // The paths of a request and of a suspension are compiled, and few sleep at once. uWSGI counts in whole seconds.
  await runWrk({
    url: `${urlOf(server.httpPort, side.language)}${side.isOurs ? '?sleep=0.001' : ''}`,
    connections: 16,
    seconds: 1,
  })

  const { memory, failed } = await measureMemory(pid, plan(longSleepSeconds, true))
  const http = await measureTime(plan(1, true))
  const uwsgi = side.isOurs ? await measureTime(plan(1, false)) : undefined
  const sample = {
    ...memory,
    httpSeconds: http.seconds,
    uwsgiSeconds: uwsgi?.seconds ?? Number.NaN,
    failed: failed + http.failed + (uwsgi?.failed ?? 0),
  }
  context.progress(
    `${side.label}: ${sample.httpSeconds.toFixed(2)} s, ${(sample.coreBytes / 1024).toFixed(1)} KB per core, ${sample.failed} failed`,
  )
  return sample
}

async function measureTime(plan: CrowdPlan): Promise<{ seconds: number; failed: number }> {
  await using crowd = await openCrowd(plan)
  const report = await crowd.ask()
  return { seconds: report.lastMs / 1000, failed: failuresOf(report) }
}

async function measureMemory(pid: number, plan: CrowdPlan) {
  await settledMemory(pid)
  const [before, guestBefore] = [memoryNow(pid), wasmResidentBytes(pid)]
  await using crowd = await openCrowd(plan)
  await settledMemory(pid)
  const open = memoryNow(pid)
  const asked = crowd.ask()
  await delay(lookAfterMs)
  const lookedAt = performance.timeOrigin + performance.now()
  const [during, guestDuring] = [memoryNow(pid), wasmResidentBytes(pid)]
  const report = await asked
  const since = lookedAt - report.askedAt
  if (since > report.firstMs || report.lastMs - longSleepSeconds * 1000 > since) {
    throw new Error(`not all slept ${since.toFixed(0)} ms after they asked: ${JSON.stringify(report)}`)
  }
  const memory = {
    coreBytes: (during - before) / plan.connections,
    connectionBytes: (open - before) / plan.connections,
    guestBytes: (guestDuring - guestBefore) / plan.connections,
  }
  return { memory, failed: failuresOf(report) }
}
