import { describe, expect, it } from 'vitest'
import { type Controlled, type ControlledCache, runCommand } from '../../../host/control/commands.ts'
import { runCtl } from '../../../host/control/ctl.ts'
import { type Answer, bytesFromJson, bytesToJson, LineSplitter, longestLine, parseQuestion } from '../../../host/control/lines.ts'
import { table } from '../../../host/control/tables.ts'

const createServer = () => {
  const items = new Map<string, string>()
  const said: string[] = []
  const cache: ControlledCache = {
    row: { name: 'first', items: 0, maxItems: 10, hits: 1, misses: 2, full: 3 },
    get: (key) => (items.has(String(Buffer.from(key))) ? Buffer.from(items.get(String(Buffer.from(key)))!) : undefined),
    set: (key, value, expires) => {
      said.push(`expires ${expires}`)
      if (value.length === 0) return false
      items.set(String(Buffer.from(key)), String(Buffer.from(value)))
      return true
    },
    delete: (key) => items.delete(String(Buffer.from(key))),
    keys: () => [...items.keys()].map((key) => Buffer.from(key)),
    clear: () => items.clear(),
  }
  const server: Controlled = {
    workers: () => [
      {
        ...{ id: 1, status: 'busy', accepting: true, requests: 1200, running: 1, exceptions: 0, harakiris: 0, respawns: 0 },
        ...{ lastSpawn: 1_700_000_000, heapBytes: { lua: 1, js: 2 ** 21 } },
      },
    ],
    stats: () => ({ version: '1' }),
    reload: async (kind) => void said.push(`reload ${kind}`),
    reopenLog: async () => void said.push('log reopen'),
    rotateLog: async () => (said.push('log rotate') > 4 ? undefined : '/var/log/app.log.5'),
    caches: () => new Map([['first', cache]]),
    rpcNames: () => ['hello'],
    callRpc: async (name, args) => {
      if (name !== 'hello') throw new Error(`there is no rpc function '${name}'`)
      return args.length === 0 ? undefined : Buffer.concat([Buffer.from([255]), ...args])
    },
    signals: () => [{ signum: 17, receiver: '', handlers: 2 }],
    signal: (signum) => signum === 17,
    stop: () => void said.push('stop'),
  }
  return { server, said, items }
}

const ctl = async (args: readonly string[], { server } = createServer()) => {
  let printed = Buffer.alloc(0)
  const complaints: string[] = []
  let asked = ''
  const code = await runCtl(args, {
    env: { POLYWSGI_CTL: '/from/environment' },
    ask: async (socket, question): Promise<Answer> => {
      asked = socket
      if (socket === '/nowhere') throw new Error('no server at /nowhere: nobody listens there')
      try {
        return JSON.parse(JSON.stringify({ ok: true, result: (await runCommand(server, question)) ?? null })) as Answer
      } catch (error) {
        return { ok: false, error: (error as Error).message }
      }
    },
    out: (bytes) => {
      printed = Buffer.concat([printed, bytes])
    },
    complain: (line) => complaints.push(line),
  })
  return { code, text: printed.toString('latin1'), complaints: complaints.join('\n'), asked }
}

describe('polywsgi ctl', () => {
  it('prints tables for people, and the answer itself with --json', async () => {
    expect((await ctl(['workers'])).text).toBe(
      'WORKER  STATUS  RUNNING  REQUESTS  EXCEPTIONS  HARAKIRIS  RESPAWNS  STARTED                   HEAP\n' +
        '     1  busy          1      1200           0          0         0  2023-11-14T22:13:20.000Z  lua 1M, js 2M\n',
    )
    expect(JSON.parse((await ctl(['--json', 'workers'])).text)[0]).toMatchObject({ id: 1, heapBytes: { lua: 1 } })
    expect((await ctl(['signals'])).text).toBe('SIGNAL  RECEIVER  HANDLERS\n    17  worker           2\n')
    expect((await ctl(['cache', 'ls'])).text).toMatch(/^CACHE {2}ITEMS {2}MOST/)
    expect((await ctl(['stats'])).text).toBe('{\n  "version": "1"\n}\n')
    expect((await ctl(['rpc', 'ls'])).text).toBe('hello\n')
  })

  it('works on caches by key, the first one unless another is named', async () => {
    const world = createServer()
    expect(await ctl(['cache', 'set', 'k', 'v w', '--expires', '30'], world)).toMatchObject({ code: 0, text: 'set\n' })
    expect(world.said).toEqual(['expires 30'])
    expect((await ctl(['cache', 'get', 'k', '--cache', 'first'], world)).text).toBe('v w\n')
    expect((await ctl(['cache', 'ls', 'first'], world)).text).toBe('k\n')
    expect((await ctl(['cache', 'del', 'k'], world)).code).toBe(0)
    expect(await ctl(['cache', 'get', 'k'], world)).toMatchObject({ code: 1, complaints: "polywsgi ctl: there is no item 'k'" })
    expect((await ctl(['cache', 'clear'], world)).text).toBe('cleared\n')
  })

  it('prints what an rpc function answers byte by byte', async () => {
    expect((await ctl(['rpc', 'call', 'hello', 'a', 'b'])).text).toBe('\xffab\n')
    expect((await ctl(['rpc', 'call', 'hello'])).text).toBe('\n')
    expect(JSON.parse((await ctl(['rpc', 'call', 'hello', 'x', '--json'])).text)).toEqual({ value: { base64: '/3g=' } })
  })

  it('commands: a reload of a kind, a signal, a change of the log, a stop', async () => {
    const world = createServer()
    expect((await ctl(['reload'], world)).text).toBe('reloaded (graceful)\n')
    expect((await ctl(['signal', '17'], world)).text).toBe('signal 17 raised\n')
    expect((await ctl(['log', 'reopen'], world)).text).toBe('opened anew\n')
    expect((await ctl(['log', 'rotate'], world)).text).toBe('/var/log/app.log.5\n')
    expect((await ctl(['stop'], world)).text).toBe('stopping\n')
    expect(world.said).toEqual(['reload graceful', 'log reopen', 'log rotate', 'stop'])
    expect((await ctl(['log', 'rotate'], world)).text).toBe('opened anew: the file had been moved\n')
  })

  it.each([
    [['cache', 'get', 'k', '--cache', 'other'], "there is no cache 'other': there are first"],
    [['cache', 'set', 'k', ''], 'the item could not be stored: the cache is full, or key or value are empty or too large'],
    [['cache', 'set', 'k', 'v', '--expires', 'soon'], "'soon' is not a number of seconds"],
    [['rpc', 'call', 'nothing'], "there is no rpc function 'nothing'"],
    [['signal', '5'], 'nobody has received signal 5'],
    [['signal', '256'], "'256' is not a signal from 0 to 255"],
    [['reload', 'hard'], "'hard' is not a kind of reload: there are graceful, chain, workers, mules, spoolers"],
  ])('exits with 1 when the server refuses %j', async (args, why) => {
    const { code, text, complaints } = await ctl(args)
    expect([code, text]).toEqual([1, ''])
    expect(complaints).toContain(`polywsgi ctl: ${why}`)
  })

  it.each([
    [[], 'there is no command'],
    [['dance'], "there is no command 'dance'"],
    [['cache'], "'cache' is followed by one of ls, get, set, del, clear"],
    [['cache', 'get'], 'usage: cache get KEY [--cache NAME]'],
    [['stop', 'now'], 'usage: stop'],
    [['rpc', 'call'], 'usage: rpc call NAME ARG...'],
    [['workers', '--cache', 'x'], "'workers' has no option --cache: usage: workers"],
    [['workers', '--loud'], "Unknown option '--loud'"],
  ])('exits with 2 for the command line %j, before anything is asked', async (args, why) => {
    const { code, complaints, asked } = await ctl(args)
    expect([code, asked]).toEqual([2, ''])
    expect(complaints).toContain(`polywsgi ctl: ${why}`)
    expect(complaints).toContain("Try 'polywsgi ctl --help'.")
  })

  it('exits with 3 without a server, whose socket the environment may name', async () => {
    expect(await ctl(['--socket', '/nowhere', 'workers'])).toMatchObject({
      code: 3,
      complaints: 'polywsgi ctl: no server at /nowhere: nobody listens there',
    })
    expect((await ctl(['workers'])).asked).toBe('/from/environment')
  })

  it('has a help that names every command', async () => {
    const { code, text } = await ctl(['--help'])
    expect(code).toBe(0)
    expect(text).toContain('cache set KEY VALUE [--cache NAME] [--expires SECONDS]  Set an item')
  })
})

describe('the lines of control', () => {
  it('are cut wherever they come in pieces', () => {
    const splitter = new LineSplitter()
    expect(splitter.push(Buffer.from('{"a"'))).toEqual([])
    expect(splitter.push(Buffer.from(':1}\n{"b":2}\nrest'))).toEqual(['{"a":1}', '{"b":2}'])
    expect(splitter.push(Buffer.from('\n'))).toEqual(['rest'])
  })

  it('have a longest', () => {
    const splitter = new LineSplitter()
    splitter.push(Buffer.alloc(longestLine, 'x'))
    expect(() => splitter.push(Buffer.from('y'))).toThrow(`a line has more than ${longestLine} bytes`)
  })

  it.each([
    ['nonsense', 'a question is a JSON object on one line'],
    ['3', 'a question is a JSON object'],
    ['{"command":"stop"}', 'the member "command" of a question is a list of texts'],
    ['{"command":[]}', 'the member "command" of a question is a list of texts'],
    ['{"command":["stop"],"options":{"cache":1}}', 'the member "options" of a question is an object of texts'],
  ])('that are no question are refused: %s', (line, why) => {
    expect(() => parseQuestion(line)).toThrow(why)
  })

  it('carry any bytes', () => {
    for (const bytes of [Buffer.from('plain é'), Buffer.from([0, 255, 10]), Buffer.from('\ufeffbom'), Buffer.alloc(0)])
      expect(Buffer.from(bytesFromJson(JSON.parse(JSON.stringify(bytesToJson(bytes)))))).toEqual(bytes)
  })
})

describe('a table', () => {
  it('keeps control characters of names from the terminal', () => {
    expect(table(['NAME', 'N'], [['a\x1b[2Jb\n', 7]])).toBe('NAME     N\na?[2Jb?  7')
  })
})
