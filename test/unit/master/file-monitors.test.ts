// File monitors on real files: every kind of change, files that are replaced or come back, what is refused.
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ApiError, ConfigError } from '../../../host/errors.ts'
import { FileMonitors } from '../../../host/master/file-monitors.ts'

const serving = { whileLoading: false, ordinal: 0 }
const loading = { whileLoading: true, ordinal: 0 }
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

let directory = ''
let monitors: FileMonitors
let raised: number[] = []
let wake = (): void => {}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polywsgi-monitors-'))
  raised = []
  monitors = new FileMonitors({
    cwd: directory,
    raise: (signum) => {
      raised.push(signum)
      wake()
    },
  })
  monitors.start()
})

afterEach(() => {
  monitors.close()
  rmSync(directory, { recursive: true })
})

/** Changes something and waits for the signal of it; what it caused beside that is passed over. */
const expectSignal = async (signum: number, change: () => void): Promise<void> => {
  raised = []
  change()
  while (!raised.includes(signum)) await new Promise<void>((resolve) => (wake = resolve))
  // Events of one change may come in several turns: a marker file tells when all of them have.
  await settle()
}

/** Events are told in order: when the marker's has come, those before it have come. */
const settle = async (): Promise<void> => {
  const marker = join(directory, 'marker')
  writeFileSync(marker, '')
  const own = new FileMonitors({ cwd: directory, raise: () => seen.resolve() })
  const seen = Promise.withResolvers<void>()
  own.start()
  own.addFileMonitor({ signum: 0, path: marker, registration: serving })
  appendFileSync(marker, 'x')
  await seen.promise
  own.close()
  unlinkSync(marker)
  await turn()
}

const file = (name = 'app.conf', text = 'one'): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

describe('the monitor of a file', () => {
  it('signals when it is written, replaced, deleted, and there again, each time', async () => {
    const path = file()
    monitors.addFileMonitor({ signum: 7, path, registration: serving })
    await expectSignal(7, () => appendFileSync(path, 'two'))
    // As editors save: a new file takes its place.
    await expectSignal(7, () => renameSync(file('app.conf.new'), path))
    await expectSignal(7, () => appendFileSync(path, 'three'))
    await expectSignal(7, () => unlinkSync(path))
    await expectSignal(7, () => writeFileSync(path, 'four'))
    await expectSignal(7, () => appendFileSync(path, 'five'))
    await expectSignal(7, () => renameSync(path, `${path}.old`))
    await expectSignal(7, () => renameSync(`${path}.old`, path))
    await expectSignal(7, () => appendFileSync(path, 'six'))
  })

  it('follows a link to what it points at', async () => {
    const target = file('target.conf')
    const path = join(directory, 'link.conf')
    symlinkSync(target, path)
    monitors.addFileMonitor({ signum: 7, path, registration: serving })
    await expectSignal(7, () => appendFileSync(target, 'two'))
  })

  it('says nothing about its neighbours', async () => {
    monitors.addFileMonitor({ signum: 7, path: file(), registration: serving })
    const neighbour = file('neighbour')
    monitors.addFileMonitor({ signum: 8, path: neighbour, registration: serving })
    await expectSignal(8, () => appendFileSync(neighbour, 'x'))
    expect(raised).not.toContain(7)
  })

  it('takes a relative path from the directory of the server', async () => {
    const path = file()
    monitors.addFileMonitor({ signum: 7, path: 'app.conf', registration: serving })
    await expectSignal(7, () => appendFileSync(path, 'x'))
  })
})

describe('the monitor of a directory', () => {
  it('signals what happens to files in it, not deeper', async () => {
    const path = join(directory, 'conf')
    mkdirSync(join(path, 'deep'), { recursive: true })
    monitors.addFileMonitor({ signum: 7, path, registration: serving })
    monitors.addFileMonitor({ signum: 8, path: join(path, 'deep'), registration: serving })
    await expectSignal(7, () => writeFileSync(join(path, 'a'), '1'))
    await expectSignal(7, () => appendFileSync(join(path, 'a'), '2'))
    await expectSignal(7, () => unlinkSync(join(path, 'a')))
    await expectSignal(8, () => writeFileSync(join(path, 'deep', 'b'), '1'))
    expect(raised).not.toContain(7)
  })

  it('survives that the directory goes and comes back', async () => {
    const path = join(directory, 'conf')
    mkdirSync(path)
    monitors.addFileMonitor({ signum: 7, path, registration: serving })
    await expectSignal(7, () => rmSync(path, { recursive: true }))
    await expectSignal(7, () => mkdirSync(path))
    await expectSignal(7, () => writeFileSync(join(path, 'a'), '1'))
  })
})

describe('monitors', () => {
  it('make one signal of the events of one turn', async () => {
    const path = file()
    monitors.addFileMonitor({ signum: 7, path, registration: serving })
    await expectSignal(7, () => {
      for (let time = 0; time < 20; time += 1) appendFileSync(path, 'x')
    })
    // Every append is an event, and two watches see it; they are read together.
    expect(raised).toEqual([7])
  })

  it('tell at the start what changed before it', async () => {
    const early = new FileMonitors({ cwd: directory, raise: (signum) => void told.push(signum) })
    const told: number[] = []
    const path = file()
    early.addFileMonitor({ signum: 7, path, registration: loading })
    appendFileSync(path, 'x')
    await settle()
    expect(told).toEqual([])
    early.start()
    expect(told).toEqual([7])
    early.close()
  })

  it('made while loading count once, whatever number of threads repeat them', async () => {
    const path = file()
    for (let thread = 0; thread < 100; thread += 1) monitors.addFileMonitor({ signum: 7, path, registration: loading })
    await expectSignal(7, () => appendFileSync(path, 'x'))
    for (let number = 1; number < 64; number += 1) monitors.addFileMonitor({ signum: 7, path, registration: serving })
    expect(() => monitors.addFileMonitor({ signum: 7, path, registration: serving })).toThrow(
      'uwsgi.add_file_monitor(): unable to add file monitor: there are 64 already',
    )
  })

  it('end with a reload that does not make them again', async () => {
    const gone = file('gone')
    const kept = file('kept')
    monitors.addFileMonitor({ signum: 7, path: gone, registration: loading })
    monitors.addFileMonitor({ signum: 8, path: kept, registration: loading })
    monitors.reloadStarted()
    monitors.addFileMonitor({ signum: 8, path: kept, registration: loading })
    monitors.reloadFinished()
    await expectSignal(8, () => {
      appendFileSync(gone, 'x')
      appendFileSync(kept, 'x')
    })
    expect(raised).not.toContain(7)
  })

  it.each(['missing', 'missing/deeper', 'app.conf/below'])('refuse %j, naming it', (name) => {
    file()
    const add = (): void => monitors.addFileMonitor({ signum: 7, path: name, registration: serving })
    expect(add).toThrow(ApiError)
    expect(add).toThrow(`unable to add file monitor: ${join(directory, name)}: there is no such file or directory`)
  })

  it('refuse a path of the configuration as a fault of the configuration', () => {
    const plan = (): void => monitors.plan([{ path: 'missing', signum: 7 }])
    expect(plan).toThrow(ConfigError)
    expect(plan).toThrow(`fs-signal = missing 7: ${join(directory, 'missing')}: there is no such file or directory`)
  })

  it('of the configuration work as those of the API', async () => {
    const path = file()
    monitors.plan([{ path, signum: 12 }])
    await expectSignal(12, () => appendFileSync(path, 'x'))
  })
})
