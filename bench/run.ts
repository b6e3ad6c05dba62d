// The benchmark: polywsgi beside real uWSGI on one machine, under the same load. Run by `npm run bench`; a bar that is not
// met is told, not failed on, but a row that breaks, or a peer program missing where a record is made, ends with code 1.
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { readCommandLine, type Settings, UsageError, usage } from './command-line.ts'
import { stopAllChildren } from './processes.ts'
import { describeEnvironment, findMissing, type Missing, repository } from './programs.ts'
import { type Omission, renderResults, renderRow, renderVerdicts } from './report.ts'
import type { Row, RowReport } from './row.ts'
import { apiRows } from './rows/api.ts'
import { cacheRows } from './rows/caches.ts'
import { helloRows } from './rows/hello.ts'
import { manyClientsRows } from './rows/many-clients.ts'
import { payloadRows } from './rows/payloads.ts'
import { pluginHookRows } from './rows/plugin-hooks.ts'
import { proxyRows } from './rows/proxies.ts'
import { residentMemoryRows } from './rows/resident-memory.ts'
import { respawnRows } from './rows/respawn.ts'
import { sandboxRows } from './rows/sandbox.ts'
import { sleeperRows } from './rows/sleepers.ts'
import { tenThousandRows } from './rows/sleepers-10000.ts'
import { slowClientRows } from './rows/slow-clients.ts'
import { startUpRows } from './rows/start-up.ts'
import { staticRows } from './rows/static.ts'
import { streamRows } from './rows/streams.ts'
import { suspensionRows } from './rows/suspensions.ts'

const rows: readonly Row[] = [
  ...helloRows,
  ...payloadRows,
  ...pluginHookRows,
  ...staticRows,
  ...startUpRows,
  ...residentMemoryRows,
  ...streamRows,
  ...manyClientsRows,
  ...apiRows,
  ...cacheRows,
  ...sleeperRows,
  ...tenThousandRows,
  ...proxyRows,
  ...suspensionRows,
  ...slowClientRows,
  ...respawnRows,
  ...sandboxRows,
]

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    const settings = readCommandLine(
      args,
      rows.map((row) => row.name),
    )
    if (settings === 'help' || settings === 'list') {
      console.log(settings === 'help' ? usage : rows.map((row) => `${row.name.padEnd(24)}${row.title}`).join('\n'))
      return 0
    }
    return await benchmark(settings)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n${usage}`)
    return 2
  }
}

async function benchmark(settings: Settings): Promise<number> {
  stopChildrenOnSignals()
  const missing = await findMissing()
  for (const { program, advice } of missing) console.error(`missing: ${program} (${advice})`)
  const mustHaveAll = settings.write || (process.env['CI'] ?? '') !== ''
  if (mustHaveAll && missing.length > 0) return 1

  const before = loadavg()[0]!
  const reports: RowReport[] = []
  const skipped: Omission[] = []
  const failed: Omission[] = []
  for (const row of rows.filter(({ name }) => settings.rows.includes(name))) {
    const reason = whySkipped(row, missing, settings)
    if (reason !== undefined) {
      skipped.push({ name: row.name, reason })
      console.error(`${row.name}: skipped, ${reason}`)
      continue
    }
    console.error(`${row.name}: ${row.title}`)
    try {
      const report = await row.run({ settings, progress: (text) => console.error(`  ${text}`) })
      reports.push(report)
      console.log(`\n${renderRow(report)}\n`)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      failed.push({ name: row.name, reason: text })
      console.error(`${row.name}: failed\n${text}`)
      await stopAllChildren()
    }
  }
  console.log(`\n${renderVerdicts(reports)}\n`)
  if (settings.write) {
    const environment = await describeEnvironment()
    const loadAverages = [before, loadavg()[0]!] as const
    const text = renderResults({ date: new Date(), environment, loadAverages, rows: reports, skipped, failed })
    writeFileSync(join(repository, 'bench/RESULTS.md'), text)
  }
  return failed.length > 0 ? 1 : 0
}

function whySkipped(row: Row, missing: readonly Missing[], settings: Settings): string | undefined {
  const needs = settings.peersOnly ? row.needs : [...row.needs, 'polywsgi']
  const absent = missing.map(({ program }) => program).filter((program) => needs.includes(program))
  return absent.length === 0 ? undefined : `missing: ${absent.join(', ')}`
}

/** Ends what was started before the benchmark itself ends; the second signal does not wait. */
function stopChildrenOnSignals(): void {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }
  for (const [signal, code] of Object.entries(codes)) {
    let isSecond = false
    process.on(signal, () => {
      if (isSecond) process.exit(code)
      isSecond = true
      void stopAllChildren().finally(() => process.exit(code))
    })
  }
}
