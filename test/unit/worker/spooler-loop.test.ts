// The spooler's loop on directories of its own, with a clock that only the test moves: which job runs when, what becomes of it
// for each answer, and that none is lost.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Plugin } from '../../../host/plugin/plugin.ts'
import { Doorbell } from '../../../host/state/doorbell.ts'
import { writeSpoolFile } from '../../../host/worker/spool-files.ts'
import { retryDelayMs } from '../../../host/worker/spool-tries.ts'
import { type Clock, SpoolerLoop, type SpoolerLoopOptions } from '../../../host/worker/spooler-loop.ts'
import { encodeVars } from '../../../protocol/vars.ts'

let directory: string
let loops: SpoolerLoop[]
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'spooler-')))
  loops = []
})
afterEach(async () => {
  for (const loop of loops) await loop.stop()
  rmSync(directory, { recursive: true })
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turn()
}

/** Ahead of the real one, so that files made during the test are due. */
const epochMs = Math.ceil(Date.now() / 1000) * 1000 + 86_400_000

class TestClock implements Clock {
  time = epochMs
  timer: { at: number; action: () => void } | undefined

  now(): number {
    return this.time
  }

  after(milliseconds: number, action: () => void): { cancel(): void } {
    const timer = { at: this.time + milliseconds, action }
    this.timer = timer
    return {
      cancel: () => {
        if (this.timer === timer) this.timer = undefined
      },
    }
  }

  /** Until the loop sleeps again. */
  async idle(): Promise<void> {
    await until(() => this.timer !== undefined)
  }

  /** Moves on to the time the loop sleeps until. @returns how long that was */
  async next(): Promise<number> {
    await this.idle()
    const { at, action } = this.timer!
    const slept = at - this.time
    this.time = at
    this.timer = undefined
    action()
    await this.idle()
    return slept
  }
}

let counter = 0
const submit = (task: string, options: { priority?: number; at?: number; body?: string } = {}): string => {
  counter += 1
  const where = options.priority === undefined ? directory : join(directory, String(options.priority))
  const name = `uwsgi_spoolfile_on_node_1_${counter}_7_1700000000_${counter}`
  const body = options.body === undefined ? undefined : Buffer.from(options.body)
  return writeSpoolFile(where, name, encodeVars([['task', task]]), body, options.at)
}

type Handler = (task: string, file: string, body: string) => number | Promise<number>

const noting =
  (list: string[], prefix = '', answer = -2): Handler =>
  (task) => {
    list.push(prefix + task)
    return answer
  }

const plugin = (handler: Handler, name = 'guest'): Plugin => ({
  name,
  spooler: (file, vars, body) => handler(Buffer.from(vars.get('task')!).toString(), file, Buffer.from(body).toString()),
})

const spooler = (plugins: readonly Plugin[], options: Partial<SpoolerLoopOptions> = {}) => {
  const clock = new TestClock()
  const lines: string[] = []
  const fatal: string[] = []
  const ended: boolean[] = []
  const doorbell = new Doorbell(new Int32Array(new SharedArrayBuffer(64)))
  const loop = new SpoolerLoop({
    directory,
    frequencyMs: () => 30_000,
    ordered: false,
    maxTries: 100,
    quiet: true,
    doorbell,
    handleSignals: () => false,
    plugins,
    log: { text: (line) => void lines.push(line.replaceAll(`[spooler ${directory} pid: ${process.pid}] `, '')), bytes: () => {} },
    onFatal: (reason) => void fatal.push(reason),
    onEnded: (isDone) => void ended.push(isDone),
    clock,
    ...options,
  })
  loops.push(loop)
  loop.start()
  return { loop, clock, lines, fatal, ended, doorbell }
}

const names = () => readdirSync(directory).sort()

describe('a spooler', () => {
  it('runs the jobs that wait, in the order of their submission, and removes those that are done', async () => {
    const ran: string[] = []
    for (const task of ['one', 'two', 'three']) submit(task, { body: `body of ${task}` })
    const { clock, ended } = spooler([
      plugin((task, file, body) => {
        ran.push(`${task}: ${body}`)
        expect(names()).toContain(file)
        return -2
      }),
    ])
    await clock.idle()
    expect(ran).toEqual(['one: body of one', 'two: body of two', 'three: body of three'])
    expect(names()).toEqual([])
    expect(ended).toEqual([true, true, true])
  })

  it('runs jobs of the lowest priority number first when ordered, and all of them in any case', async () => {
    for (const ordered of [true, false]) {
      submit('plain')
      submit('ten', { priority: 10 })
      submit('nine', { priority: 9 })
      const ran: string[] = []
      const { clock, loop } = spooler([plugin(noting(ran))], { ordered })
      await clock.idle()
      await loop.stop()
      expect(ran).toEqual(ordered ? ['nine', 'ten', 'plain'] : ['plain', 'ten', 'nine'])
    }
  })

  it('looks when it is woken, and again after each frequency', async () => {
    const ran: string[] = []
    const { clock, doorbell } = spooler([plugin(noting(ran))])
    await clock.idle()
    submit('woken for')
    doorbell.ring()
    await until(() => ran.length === 1)
    submit('found')
    expect(await clock.next()).toBe(30_000)
    expect(ran).toEqual(['woken for', 'found'])
  })

  it('goes by the frequency as it is set meanwhile', async () => {
    let frequencyMs = 30_000
    const { clock, doorbell } = spooler([], { frequencyMs: () => frequencyMs })
    await clock.idle()
    frequencyMs = 5000
    doorbell.ring()
    await until(() => clock.timer?.at === epochMs + 5000)
    expect(await clock.next()).toBe(5000)
  })

  it('leaves a job alone until it is due, and wakes for it', async () => {
    const ran: string[] = []
    submit('later', { at: (epochMs + 12_000) / 1000 })
    submit('now')
    const { clock } = spooler([plugin(noting(ran))])
    await clock.idle()
    expect(ran).toEqual(['now'])
    expect(await clock.next()).toBe(12_000)
    expect(ran).toEqual(['now', 'later'])
  })

  it('asks the plugins in turn, and keeps what none of them knows', async () => {
    const path = submit('unknown')
    const asked: string[] = []
    const { clock, lines } = spooler([
      plugin(noting(asked, 'a ', 0), 'a'),
      { name: 'no hook' },
      plugin(async (task) => noting(asked, 'b ', 0)(task, '', ''), 'b'),
    ])
    await clock.idle()
    expect(asked).toEqual(['a unknown', 'b unknown'])
    expect(lines).toEqual(['unable to find the spooler function, have you loaded it into the spooler process ?'])
    expect(names()).toEqual([basename(path)])
  })

  it.each([-1, 1, 7])(
    'keeps a job whose handler returns %i, and asks again: after 1 second, 2, 4, at most the frequency',
    async (answer) => {
      submit('again')
      let count = 0
      const { clock, lines } = spooler([plugin(() => (++count < 8 ? answer : -2))], { maxTries: 2 })
      await clock.idle()
      const slept: number[] = []
      while (count < 8) slept.push(await clock.next())
      expect(slept).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
      expect([names(), lines]).toEqual([[], []])
    },
  )

  it('keeps a job whose handler raises, waits longer each time, and lets the others run meanwhile', async () => {
    submit('bad')
    submit('good')
    const ran: string[] = []
    const { clock, lines } = spooler([
      plugin((task) => {
        ran.push(task)
        if (task === 'bad') throw new TypeError('boom')
        return -2
      }),
    ])
    await clock.idle()
    expect(ran).toEqual(['bad', 'good'])
    expect(lines[0]).toContain('plugin guest: spooler hook raised: TypeError: boom')
    expect(lines[1]).toMatch(/^uwsgi_spoolfile_on_\S+ has failed \(try 1 of 100\), the next try is in 1 seconds$/)
    expect(await clock.next()).toBe(1000)
    expect(await clock.next()).toBe(2000)
    submit('another')
    expect(await clock.next()).toBe(4000)
    expect(ran).toEqual(['bad', 'good', 'bad', 'bad', 'bad', 'another'])
    expect([1, 2, 9, 10, 100].map(retryDelayMs)).toEqual([1000, 2000, 256_000, 300_000, 300_000])
  })

  it('sets a job aside that has failed too often in a row', async () => {
    const path = submit('poison')
    const { clock, lines } = spooler([plugin(() => Promise.reject(new Error('boom')))], { maxTries: 3 })
    await clock.idle()
    await clock.next()
    await clock.next()
    const aside = join(directory, 'failed', basename(path))
    expect(lines.at(-1)).toBe(`${basename(path)} has failed 3 times: it is set aside as ${aside}`)
    expect([existsSync(aside), names()]).toEqual([true, ['failed']])
    expect(await clock.next()).toBe(30_000)
    expect(lines.filter((line) => line.includes('raised')).length).toBe(3)
  })

  it('forgets the failures of a job once its handler has answered', async () => {
    submit('moody')
    const answers = [-1, undefined, undefined, -1, undefined, undefined, -2]
    const { clock, lines } = spooler(
      [
        plugin(() => {
          const answer = answers.shift()
          if (answer === undefined) throw new Error('boom')
          return answer
        }),
      ],
      { maxTries: 3 },
    )
    await clock.idle()
    while (answers.length > 0) await clock.next()
    expect(names()).toEqual([])
    expect(lines.filter((line) => line.includes('try 2 of 3')).length).toBe(2)
  })

  it.each([
    ['short', Buffer.from('11', 'hex'), 'is no job: a job begins with 4 bytes of header, here are 1'],
    ['of another kind', Buffer.from('00000000', 'hex'), 'is no job: a job has modifier1 17 in its header, this file has 0'],
  ])('sets a file aside that is %s', async (_, content, reason) => {
    writeFileSync(join(directory, 'uwsgi_spoolfile_on_bad'), content)
    const { clock, lines, ended } = spooler([plugin(() => -2)])
    await clock.idle()
    const aside = join(directory, 'failed', 'uwsgi_spoolfile_on_bad')
    expect(lines).toEqual([`uwsgi_spoolfile_on_bad ${reason}: it is set aside as ${aside}`])
    expect(readFileSync(aside)).toEqual(content)
    expect(ended).toEqual([])
  })

  it('passes over what is no job by its name, and removes what a writer has abandoned', async () => {
    writeFileSync(join(directory, 'notes'), 'x')
    mkdirSync(join(directory, 'letters'))
    writeFileSync(join(directory, 'letters', 'uwsgi_spoolfile_on_x'), 'x')
    writeFileSync(join(directory, '.spooling_old'), 'x')
    writeFileSync(join(directory, '.tries_gone'), '3 1700000000000\n')
    const { clock, lines } = spooler([plugin(() => -2)])
    await clock.idle()
    expect([names(), lines]).toEqual([['letters', 'notes'], []])
  })

  it('handles signals before, between and after jobs', async () => {
    const events: string[] = []
    submit('one')
    submit('two')
    const { clock } = spooler([plugin(noting(events))], {
      handleSignals: () => {
        if (events.at(-1) !== 'signals') events.push('signals')
        return false
      },
    })
    await clock.idle()
    expect(events).toEqual(['signals', 'one', 'signals', 'two', 'signals'])
  })

  it('runs one job at a time, and lets timers run while a handler waits', async () => {
    const events: string[] = []
    submit('one')
    submit('two')
    const { clock, doorbell } = spooler([
      plugin(async (task) => {
        events.push(`begin ${task}`)
        doorbell.ring()
        await new Promise((resolve) => setTimeout(resolve))
        events.push(`end ${task}`)
        return -2
      }),
    ])
    await clock.idle()
    expect(events).toEqual(['begin one', 'end one', 'begin two', 'end two'])
  })

  it('stops after the job it is at, and begins no other', async () => {
    let release = (): void => {}
    submit('one')
    submit('two')
    const begun: string[] = []
    const { loop } = spooler([
      plugin((task) => {
        begun.push(task)
        return new Promise((resolve) => (release = () => resolve(-2)))
      }),
    ])
    await until(() => begun.length === 1)
    let stopped = false
    const stop = loop.stop().then(() => (stopped = true))
    await turn()
    expect(stopped).toBe(false)
    release()
    await stop
    expect(begun).toEqual(['one'])
    expect(names().length).toBe(1)
  })

  it('writes a line for each job that begins and ends, unless it is to be quiet', async () => {
    const name = basename(submit('slow'))
    let advance = (): void => {}
    const { clock, lines } = spooler(
      [
        plugin(() => {
          advance()
          return -2
        }),
      ],
      { quiet: false },
    )
    advance = () => (clock.time += 3500)
    await clock.idle()
    expect(lines).toEqual([`managing request ${name} ...`, `done with task ${name} after 3 seconds`])
  })

  it('ends when an interpreter is lost, and the job stays', async () => {
    const name = basename(submit('one'))
    submit('two')
    const { fatal, loop } = spooler([
      plugin(() => {
        throw Object.assign(new Error('out of memory'), { fatal: true })
      }),
    ])
    await until(() => fatal.length === 1)
    await loop.stop()
    expect(fatal).toEqual(['out of memory'])
    expect(names().filter((file) => !file.startsWith('.')).length).toBe(2)
    expect(names()).toContain(name)
  })

  it('goes on when the directory cannot be read for a while, and says so once', async () => {
    const { clock, lines } = spooler([plugin(() => -2)])
    await clock.idle()
    rmSync(directory, { recursive: true })
    await clock.next()
    await clock.next()
    expect(lines).toEqual([expect.stringMatching(/^the directory cannot be read: ENOENT/)])
    mkdirSync(directory)
    submit('back')
    await clock.next()
    expect(names()).toEqual([])
  })
})

describe('a job whose thread is ended in the middle', () => {
  const endedInside = async (): Promise<string> => {
    const thread = new Worker(new URL('fixtures/spooler-thread.ts', import.meta.url), { workerData: { directory } })
    const file = await new Promise<string>((resolve, reject) => thread.on('message', resolve).on('error', reject))
    await thread.terminate()
    return file
  }

  it('is still there, waits a little behind the others, and is run again', async () => {
    const name = basename(submit('cut'))
    expect(await endedInside()).toBe(name)
    expect(names()).toEqual([`.tries_${name}`, name])
    const [count, lastMs] = readFileSync(join(directory, `.tries_${name}`), 'latin1')
      .trim()
      .split(' ')
    expect(count).toBe('1')
    submit('other')
    const ran: string[] = []
    const clock = new TestClock()
    // As a thread that is started at once.
    clock.time = Number(lastMs) + 400
    for (const file of names()) if (!file.startsWith('.')) utimesSync(join(directory, file), 1, 1)
    const { lines } = spooler([plugin(noting(ran))], { clock })
    await clock.idle()
    expect(ran).toEqual(['other'])
    expect(await clock.next()).toBe(600)
    expect(ran).toEqual(['other', 'cut'])
    expect([names(), lines]).toEqual([[], []])
  })

  it('is set aside when that has happened too often', async () => {
    const name = basename(submit('deadly'))
    await endedInside()
    writeFileSync(join(directory, `.tries_${name}`), '3 1700000000000\n')
    const { clock, lines } = spooler([plugin(() => -2)], { maxTries: 3 })
    await clock.idle()
    const aside = join(directory, 'failed', name)
    expect(lines).toEqual([`${name} was begun 3 times and never finished: it is set aside as ${aside}`])
    expect([names(), existsSync(aside)]).toEqual([['failed'], true])
  })
})
