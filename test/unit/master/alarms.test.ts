// Alarms: each way of delivery with a real receiver, and everything that may go wrong ending as a line in the log.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { logAlarmWatcher } from '../../../host/log/log-alarms.ts'
import { type AlarmDelivery, Alarms, type AlarmsOptions } from '../../../host/master/alarms.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turn()
}
const bytes = (text: string) => Buffer.from(text, 'latin1')

let open: Alarms[]
let directory: string
beforeEach(() => {
  open = []
  directory = mkdtempSync(join(tmpdir(), 'alarms-'))
})
afterEach(async () => {
  for (const alarms of open) await alarms.close()
  rmSync(directory, { recursive: true })
})

const alarmsOf = (
  deliveries: Readonly<Record<string, AlarmDelivery>>,
  options: Partial<AlarmsOptions> & { freqMs?: number; maxBytes?: number } = {},
) => {
  const { freqMs = 3000, maxBytes = 8192, ...rest } = options
  const lines: string[] = []
  const signals: number[] = []
  const messages: [string, number | string][] = []
  const alarms = new Alarms({
    plans: { alarms: Object.entries(deliveries).map(([name, delivery]) => ({ name, delivery })), freqMs, maxBytes },
    log: (line) => void lines.push(line),
    raiseSignal: (signum) => signals.push(signum) > 0,
    sendToMule: (message, target) => messages.push([Buffer.from(message).toString('latin1'), target]) > 0,
    now: () => 0,
    ...rest,
  })
  open.push(alarms)
  return { alarms, lines, signals, messages }
}

describe('an alarm', () => {
  it('becomes a line of the log, one for each line of its message', () => {
    const { alarms, lines } = alarmsOf({ disk: { kind: 'log', label: 'disk' } })
    alarms.raise('disk', bytes('full\nvery\n'))
    expect(lines).toEqual(['[uwsgi-alarm disk] full', '[uwsgi-alarm disk] very'])
  })

  it('raises a signal', () => {
    const { alarms, signals } = alarmsOf({ wake: { kind: 'signal', signum: 17 } })
    alarms.raise('wake', bytes('whatever'))
    expect(signals).toEqual([17])
  })

  it('is sent to a mule or a farm, bytes unchanged', () => {
    const { alarms, messages } = alarmsOf({ a: { kind: 'mule', target: 2 }, b: { kind: 'mule', target: 'thumbs' } })
    alarms.raise('a', bytes('\0\xff'))
    alarms.raise('b', bytes('x'))
    expect(messages).toEqual([
      ['\0\xff', 2],
      ['x', 'thumbs'],
    ])
  })

  it('is given to a shell command on its standard input, bytes unchanged', async () => {
    const file = join(directory, 'got')
    const { alarms, lines } = alarmsOf({ cmd: { kind: 'cmd', command: `cat > ${file}.part && mv ${file}.part ${file}` } })
    alarms.raise('cmd', bytes('\0\xff "quoted" $HOME'))
    await until(() => existsSync(file))
    expect(readFileSync(file, 'latin1')).toBe('\0\xff "quoted" $HOME')
    expect(lines).toEqual([])
  })

  it.each([
    ['exit 3', "[uwsgi-alarm] alarm 'cmd' failed: the command ended with status 3"],
    ['echo no such luck >&2; exit 1', "[uwsgi-alarm] alarm 'cmd' failed: the command ended with status 1: no such luck"],
    ['kill -9 $$', "[uwsgi-alarm] alarm 'cmd' failed: the command ended with SIGKILL"],
    ['exec <&-; exit 4', "[uwsgi-alarm] alarm 'cmd' failed: the command ended with status 4"],
  ])('of a command that fails is a line in the log: %s', async (command, line) => {
    const { alarms, lines } = alarmsOf({ cmd: { kind: 'cmd', command } }, { maxBytes: 1_000_000 })
    alarms.raise('cmd', Buffer.alloc(500_000, 'x'))
    await until(() => lines.length > 0)
    expect(lines).toEqual([line])
  })

  it('ends a command that takes too long, with all it has started', async () => {
    const file = join(directory, 'pid')
    const { alarms, lines } = alarmsOf(
      { cmd: { kind: 'cmd', command: `sleep 600 & echo $! > ${file}; wait` } },
      { timeoutMs: 1000 },
    )
    alarms.raise('cmd', bytes('x'))
    await until(() => lines.length > 0)
    expect(lines).toEqual(["[uwsgi-alarm] alarm 'cmd' failed: the command took longer than 1 seconds and was ended"])
    const pid = Number(readFileSync(file, 'latin1'))
    // Gone, or a zombie that nobody has reaped yet.
    await until(() => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.startsWith('Z') === true
      } catch {
        return true
      }
    })
  })

  it('runs few commands at once, lets some wait, and drops the rest with a line', async () => {
    const { alarms, lines } = alarmsOf({ cmd: { kind: 'cmd', command: `cat >> ${directory}/all; echo >> ${directory}/all` } })
    for (let n = 0; n < 80; n += 1) alarms.raise('cmd', bytes(`message ${n};`))
    const dropped = "[uwsgi-alarm] alarm 'cmd' was dropped: 4 alarms are under way, and 64 wait"
    expect(lines).toEqual(new Array(12).fill(dropped))
    const done = () => (existsSync(`${directory}/all`) ? readFileSync(`${directory}/all`, 'latin1').match(/message \d+;/g) : null)
    await until(() => done()?.length === 68)
    expect(new Set(done()).size).toBe(68)
  })

  it('is not delivered again within its time, unless the message is another one', () => {
    let now = 0
    const { alarms, messages } = alarmsOf({ a: { kind: 'mule', target: 1 } }, { now: () => now })
    const raise = (message: string) => alarms.raise('a', bytes(message))
    raise('full')
    now = 2999
    raise('full')
    raise('fuller')
    raise('full')
    now = 5998
    raise('full')
    now = 5999
    raise('full')
    expect(messages.map(([message]) => message)).toEqual(['full', 'fuller', 'full', 'full'])
  })

  it('is cut when its message is too long, with a line in the log', () => {
    const { alarms, messages, lines } = alarmsOf({ a: { kind: 'mule', target: 1 } }, { maxBytes: 4 })
    alarms.raise('a', bytes('1234'))
    alarms.raise('a', bytes('12345'))
    alarms.raise('a', bytes('abcdefgh'))
    expect(messages.map(([message]) => message)).toEqual(['1234', 'abcd'])
    expect(lines).toEqual(["[uwsgi-alarm] alarm 'a' has a message of 8 bytes: it is cut to 4 (alarm-msg-size)"])
  })

  it.each<[Partial<AlarmsOptions>, string, string]>([
    [{ raiseSignal: () => false }, 'signal', "[uwsgi-alarm] alarm 'signal' failed: signal 5 was dropped"],
    [{ sendToMule: () => false }, 'mule', "[uwsgi-alarm] alarm 'mule' failed: the queue of the mule is full"],
    [
      {
        sendToMule: () => {
          throw new Error('no mule is configured')
        },
      },
      'mule',
      "[uwsgi-alarm] alarm 'mule' failed: no mule is configured",
    ],
    [{}, 'nobody', "[uwsgi-alarm] alarm 'nobody' is unknown: there are signal, mule"],
  ])('that cannot be delivered is a line in the log, and no exception (%#)', (options, name, line) => {
    const { alarms, lines } = alarmsOf({ signal: { kind: 'signal', signum: 5 }, mule: { kind: 'mule', target: 1 } }, options)
    alarms.raise(name, bytes('x'))
    expect(lines).toEqual([line])
  })

  it('is nothing any more after the close, which ends what runs', async () => {
    const file = join(directory, 'begun')
    const { alarms, lines } = alarmsOf({ cmd: { kind: 'cmd', command: `echo > ${file}; sleep 600` } })
    for (let n = 0; n < 6; n += 1) alarms.raise('cmd', bytes(`${n}`))
    await until(() => existsSync(file))
    await alarms.close()
    alarms.raise('cmd', bytes('late'))
    expect(lines).toEqual([])
  })
})

describe('an alarm that is posted', () => {
  let server: Server
  let url: string
  let status: number
  const requests: { request: IncomingMessage; body: string }[] = []
  beforeEach(async () => {
    requests.length = 0
    status = 204
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      requests.push({ request, body: Buffer.concat(chunks).toString('latin1') })
      response.writeHead(status, status === 302 ? { Location: '/elsewhere' } : {}).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  it('arrives as text, with its name in a header, bytes unchanged', async () => {
    const { alarms, lines } = alarmsOf({ admin: { kind: 'http', url } })
    alarms.raise('admin', bytes('full\0\xff'))
    await until(() => requests.length === 1)
    const [{ request, body } = {} as never] = requests
    expect([request.method, request.url, request.headers['x-alarm'], request.headers['content-type'], body]).toEqual([
      'POST',
      '/hook',
      'admin',
      'text/plain; charset=utf-8',
      'full\0\xff',
    ])
    expect(lines).toEqual([])
  })

  it('and is refused, or sent elsewhere, is a line in the log', async () => {
    const { alarms, lines } = alarmsOf({ admin: { kind: 'http', url } })
    status = 500
    alarms.raise('admin', bytes('one'))
    await until(() => lines.length === 1)
    status = 302
    alarms.raise('admin', bytes('two'))
    await until(() => lines.length === 2)
    expect(lines).toEqual([
      `[uwsgi-alarm] alarm 'admin' failed: ${url} answered 500`,
      expect.stringMatching(/^\[uwsgi-alarm\] alarm 'admin' failed: http:\S+: fetch failed: /),
    ])
    expect(requests.length).toBe(2)
  })

  it('to nobody is a line in the log', async () => {
    const closed = url
    await new Promise((resolve) => server.close(resolve))
    const { alarms, lines } = alarmsOf({ admin: { kind: 'http', url: closed } })
    alarms.raise('admin', bytes('x'))
    await until(() => lines.length === 1)
    expect(lines[0]).toMatch(/^\[uwsgi-alarm\] alarm 'admin' failed: http:\S+: fetch failed: .*ECONNREFUSED/)
  })

  it('to one who does not answer is given up', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const { alarms, lines } = alarmsOf({ admin: { kind: 'http', url: `http://127.0.0.1:${port}/` } }, { timeoutMs: 100 })
    alarms.raise('admin', bytes('x'))
    await until(() => lines.length === 1)
    expect(lines[0]).toContain('timeout')
    silent.closeAllConnections()
    silent.close()
  })
})

describe('a line of the log', () => {
  const plan = (alarms: string[], pattern: RegExp, isExclusion = false) => ({ alarms, pattern, isExclusion })
  const watch = logAlarmWatcher([
    plan(['quiet'], /ignored/, true),
    plan(['admin', 'disk'], /no space/),
    plan(['admin', 'quiet'], /^error/),
  ])

  it.each([
    ['all is well', []],
    ['write failed: no space left', ['admin', 'disk']],
    ['error: no space left', ['admin', 'disk', 'quiet']],
    ['error, to be ignored', ['admin']],
    ['[uwsgi-alarm disk] no space left', []],
    ["[uwsgi-alarm] alarm 'disk' failed: no space", []],
  ])('raises the alarms whose patterns it matches, each once: %s', (line, expected) => {
    expect([...watch(line)].sort()).toEqual(expected)
  })

  it('raises none where none is asked for', () => {
    expect(logAlarmWatcher([])('error: no space')).toEqual([])
    expect(logAlarmWatcher([plan(['a'], /x/, true)])('x')).toEqual([])
  })

  it('is looked at only as far as a line may be long', () => {
    expect(watch(`${' '.repeat(20_000)}no space`)).toEqual([])
  })
})
