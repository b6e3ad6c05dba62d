// uWSGI's own uwsgidecorators module, the file that Debian installs, imported as it is.
import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import type { BytesMap } from '../../../host/api/kinds.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { plugin } from './guest.ts'
import { appPath } from './python-harness.ts'
import { Services } from './services.ts'

const directory = '/usr/lib/python3/dist-packages'
const title = 'uwsgidecorators'
const isInstalled = existsSync(`${directory}/${title}.py`)

const suite = (): void => {
  const services = new Services()
  let harness: PluginHarness

  beforeAll(async () => {
    harness = await PluginHarness.boot(plugin, {
      opt: new Map([['spooler', ['/spool']]]),
      pythonPath: [directory],
      server: services.context({ kind: 'mule', workerId: 0, muleId: 1 }),
    })
    await harness.mount(appPath('decorated.py'))
  })

  const evaluate = (code: string) => Buffer.from(services.call('evaluate', Buffer.from(code)) ?? []).toString()
  /** What was noted since the last call. */
  const takeSeen = () => evaluate('[seen.pop(0) for _ in seen[:]]')

  it('registers timers, cron jobs and file monitors on free signals', () => {
    expect(services.masterCalls.map(([name, args]) => [name, { ...(args as object), registration: undefined }])).toEqual([
      ['addTimer', { signum: 0, seconds: 3 }],
      ['addRbTimer', { signum: 1, milliseconds: 7000, iterations: 0 }],
      ['addCron', { signum: 2, fields: [59, 3, -1, -1, -1] }],
      ['addFileMonitor', { signum: 3, path: '/tmp' }],
    ])
    expect([...services.handlers].map(([signum, { kind }]) => [signum, kind])).toEqual([
      [0, ''],
      [1, 'mule1'],
      [2, ''],
      [3, ''],
      [30, 'workers'],
    ])
    for (const signum of [0, 1, 2, 3, 30]) services.signal(signum)
    expect(takeSeen()).toBe("[('timer', 0), ('rbtimer', 1), ('cron', 2), ('filemon', 3), ('signal', 30)]")
  })

  it('registers functions for RPC', () => {
    expect(Buffer.from(services.call('greet', Buffer.from('you')) ?? []).toString()).toBe('hello you')
  })

  const runJob = () => {
    const vars = new Map(services.jobs.pop() as BytesMap)
    const body = vars.get('body') ?? new Uint8Array(0)
    vars.delete('body')
    return plugin.spooler?.('/spool/job', vars, body)
  }

  it('spools jobs and runs them', () => {
    expect(evaluate("resize.spool(picture='caf\\xe9', body=b'pixels')")).toBe("b'/spool/job1'")
    expect(runJob()).toBe(-2)
    expect(takeSeen()).toBe(
      "[('resize', {'body': 'pixels', 'picture': 'caf\u00e9', 'spooler_task_name': '/spool/job', 'ud_spool_func': 'resize', 'ud_spool_ret': '-2'})]",
    )
    for (const [again, expected] of [
      ['yes', -1],
      ['no', -2],
    ] as const) {
      evaluate(`raw(again='${again}')`)
      expect(runJob()).toBe(expected)
    }
  })

  it('spools jobs with arguments of any kind', () => {
    evaluate('with_arguments(1, [2.5, None], key=(True, {"a": b"\\xff"}))')
    expect(runJob()).toBe(-2)
    expect(takeSeen()).toBe("[('with_arguments', (1, [2.5, None]), {'key': (True, {'a': b'\\xff'})})]")
  })

  it('sends function calls to mules and runs them there', () => {
    evaluate("(in_any_mule(1, b=[2]), in_farm('x'))")
    expect(services.messages.map(({ target }) => target)).toEqual([0, 'farm'])
    for (const { message } of services.messages) expect(plugin.muleMsg?.(message)).toBe(true)
    expect(takeSeen()).toBe("[('in_any_mule', (1,), {'b': [2]}), ('in_farm', ('x',))]")
  })

  it('runs what is to run after the fork, and the programs of this mule', async () => {
    services.arriving.push(Buffer.from('first'), Buffer.from([0, 255]))
    await plugin.fixup?.(harness.context)
    expect(takeSeen()).toBe("['forked', 'mule 1', b'first', b'\\x00\\xff']")
    // The loop on messages has no end but the test's.
    expect(harness.logLines.at(-1)).toBe('OSError: the test has no more messages')
  })

  it('locks around a function, and bounds its time', () => {
    expect(evaluate('uwsgi.is_locked(0), locked(), uwsgi.is_locked(0)')).toBe('(False, True, False)')
    expect(evaluate('bounded()')).toBe("'bounded'")
    expect(services.harakiri).toEqual([5, 0])
  })

  it('refuses to start a thread, with advice', () => {
    expect(() => evaluate('in_thread()')).toThrow("can't start new thread: hand the work to a mule")
  })
}

if (isInstalled) describe(title, suite)
else if (process.env['CI'] === 'true') {
  it(`needs ${directory}/${title}.py`, () => {
    throw new Error('not installed: python3-uwsgidecorators')
  })
} else describe.skip(`${title} (not installed: python3-uwsgidecorators)`, suite)
