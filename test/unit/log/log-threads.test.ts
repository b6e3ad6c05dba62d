// Threads that write to a log while it is opened anew under them, again and again.
import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LogWriter } from '../../../host/log/log-writer.ts'
import { LogFile } from '../../../host/log-file.ts'
import { planLog } from '../../../host/log-plan.ts'
import { LogDescriptor } from '../../../host/state/log-descriptor.ts'
import type { LogThreadStart } from './fixtures/log-thread.ts'

const threads = 3
const times = 30

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-log-threads-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const start = (descriptor: LogDescriptor, seat: number, end: SharedArrayBuffer): Worker => {
  const workerData: LogThreadStart = { log: descriptor.handle, seat, end }
  return new Worker(new URL('./fixtures/log-thread.ts', import.meta.url), { workerData, execArgv: [] })
}

it('each line is in one file, whole and once, and none in a file that has got the number of one that was closed', async () => {
  const descriptor = LogDescriptor.create(1 + threads + 1)
  const settings = { logto: 'log', logMaxsize: 0, logBackupname: undefined, touchLogreopen: [], touchLogrotate: [] }
  const file = new LogFile({ plan: planLog(settings, folder), descriptor })
  const master = new LogWriter(descriptor.of(0))
  file.begin(master, '1')
  const end = new SharedArrayBuffer(4)
  const writers = Array.from({ length: threads }, (_, index) => start(descriptor, index + 1, end))
  const counts = Promise.all(
    writers.map((writer) => new Promise<number>((resolve, reject) => writer.on('message', resolve).on('error', reject))),
  )
  // One is ended wherever it is, in the middle of a write too.
  const doomed = start(descriptor, threads + 1, end)
  const size = (): number => fstatSync(descriptor.current).size
  const decoys: number[] = []
  for (let round = 0; round < times; round += 1) {
    const before = size()
    while (size() === before) await new Promise((resolve) => setImmediate(resolve))
    if (round === times / 2) {
      await doomed.terminate()
      descriptor.threadEnded(threads + 1)
    }
    renameSync(join(folder, 'log'), join(folder, `log.${round}`))
    await file.reopen()
    // It takes the number that was closed.
    decoys.push(openSync(join(folder, `decoy.${round}`), 'a'))
    if (decoys.length > 3) closeSync(decoys.shift() as number)
  }
  Atomics.store(new Int32Array(end), 0, 1)
  const written = await counts
  for (const decoy of decoys) closeSync(decoy)
  file.close()
  const names = readdirSync(folder)
  for (const name of names) if (name.startsWith('decoy')) expect(readFileSync(join(folder, name), 'utf8')).toBe('')
  const numbers = Array.from({ length: threads + 2 }, () => [] as number[])
  const strange: string[] = []
  for (const name of names.filter((one) => one.startsWith('log'))) {
    for (const line of readFileSync(join(folder, name), 'latin1').split('\n')) {
      const match = /^(\d) (\d+) x{100}$/.exec(line)
      if (match !== null) numbers[Number(match[1])]?.push(Number(match[2]))
      else if (line !== '' && !line.startsWith('*** ')) strange.push(line)
    }
  }
  expect(strange).toEqual([])
  for (const [index, count] of written.entries()) {
    const own = (numbers[index + 1] as number[]).sort((one, other) => one - other)
    expect(own.length).toBe(count)
    expect(own.findIndex((number, at) => number !== at)).toBe(-1)
  }
})
