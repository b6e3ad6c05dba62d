// Large and busy caches: 100,000 items filled, read and expired, beside real uWSGI; and four threads at once, after which the
// counters must add up.
import { Worker } from 'node:worker_threads'
import { Cache } from '../../host/state/cache.ts'
import { cacheShape } from '../../test/unit/state/fixtures/cache-shape.ts'
import { counterKey, counters, type StressReport, type StressStart } from '../../test/unit/state/fixtures/cache-stress.ts'
import { judge } from '../bars.ts'
import { memoryNow, toMb } from '../memory-watch.ts'
import type { Row, ValueReport } from '../row.ts'
import { type Server, startPolywsgi, startUwsgi, urlOf } from '../servers.ts'
import { figure, microseconds } from './api.ts'

const items = 100_000
const threads = [1, 2, 3, 4]
const operations = 1_000_000

export const cacheRows: readonly Row[] = [largeRow(), threadsRow()]

function largeRow(): Row {
  const name = 'cache-large'
  const title = `a cache of ${items} items of 1 KB: filled, read, expired`
  return {
    name,
    title,
    needs: ['uwsgi', 'uwsgi-python'],
    async run(context): Promise<ValueReport> {
      const options = ['--cache2', `name=default,items=${items + 1},blocksize=1024,keysize=32`, '--cache-expire-freq', '1']
      const lines: string[][] = []
      const run = async (label: string, started: Server): Promise<void> => {
        await using server = started
        const before = memoryNow(server.child.pid)
        const url = urlOf(server.httpPort, 'python')
        const [fill, read] = [await figure(`${url}?fill=${items}`), await figure(`${url}?read=${items}`)]
        const grown = toMb(memoryNow(server.child.pid) - before)
        const seconds = await figure(`${url}?expire=${items}`)
        lines.push([label, microseconds(fill), microseconds(read), (seconds / 1e9).toFixed(1), grown.toFixed(0)])
        context.progress(`${label}: fill ${microseconds(fill)} µs, read ${microseconds(read)} µs, ${grown.toFixed(0)} MB`)
      }
      if (!context.settings.peersOnly) await run('polywsgi', await startPolywsgi('cache', ['python'], 1, options))
      await run('uWSGI', await startUwsgi('cache', 'python', 'http11', 1, options))
      const columns = ['server', 'fill (µs each)', 'read (µs each)', 'all expired after (s)', 'memory grown (MB)']
      const notes = [
        'From Python, one worker. The items expire after 2 s; the time is until none can be read any more.',
        `Keys and values alone are ${toMb(items * (1024 + 16)).toFixed(0)} MB.`,
      ]
      return { kind: 'values', name, title, columns, lines, verdicts: [], notes }
    },
  }
}

function threadsRow(): Row {
  const name = 'cache-threads'
  const title = 'four threads in one cache, a million operations each'
  const stress = new URL('../../test/unit/state/fixtures/cache-stress.ts', import.meta.url)
  return {
    name,
    title,
    needs: [],
    async run(context): Promise<ValueReport> {
      const shape = cacheShape({ maxItems: 80, blocks: 400, blocksize: 64, bitmap: true, hashsize: 16 })
      const cache = Cache.create(shape)
      const start = performance.now()
      const reports = await Promise.all(
        threads.map((thread) => {
          const workerData: StressStart = { handle: cache.handle, thread, operations }
          const worker = new Worker(stress, { workerData })
          return new Promise<StressReport>((resolve, reject) => worker.on('message', resolve).on('error', reject))
        }),
      )
      const seconds = (performance.now() - start) / 1000
      const torn = reports.reduce((sum, report) => sum + report.torn, 0)
      let lost = 0
      for (let index = 0; index < counters; index += 1) {
        const counted = reports.reduce((sum, report) => sum + (report.counted[index] ?? 0), 0)
        lost += Math.abs(counted - Number(cache.num(counterKey(index))))
      }
      const perSecond = (operations * threads.length) / seconds
      context.progress(`${Math.round(perSecond)} operations/s, ${lost} lost, ${torn} torn`)
      return {
        kind: 'values',
        name,
        title,
        columns: ['operations/s', 'increments lost', 'values torn'],
        lines: [[perSecond.toFixed(0), String(lost), String(torn)]],
        verdicts: [judge('nothingLost', name, lost + torn)],
        notes: [
          'Increments, updates, deletions, listings and reads of both kinds, mixed; every value carries a sum over itself.',
        ],
      }
    },
  }
}
