// Each action does what its row says; what fails says why.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type HookEnvironment, HookExit } from '../../../host/hooks/action.ts'
import { actions } from '../../../host/hooks/actions/index.ts'
import { splitQuoted } from '../../../host/hooks/split-quoted.ts'
import { World } from './environment.ts'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world[Symbol.dispose]())

const run = async (name: string, argument: string, changes: Partial<HookEnvironment> = {}): Promise<void> =>
  await actions.get(name)?.prepare(argument)(world.environment(changes))

const read = (name: string): string => readFileSync(world.path(name), 'latin1')
const mode = (name: string): number => statSync(world.path(name)).mode & 0o7777

describe('files', () => {
  it.each([
    ['write', 'ab'],
    ['writen', 'ab\n'],
    ['append', 'oldab'],
    ['appendn', 'oldab\n'],
  ])('%s', async (name, expected) => {
    writeFileSync(world.path('f'), 'old')
    await run(name, `${world.path('f')} ab`)
    expect(read('f')).toBe(expected)
  })

  it('write takes the text as it is', async () => {
    await run('write', `${world.path('f')}  "a  b" é`)
    expect(read('f')).toBe(Buffer.from(' "a  b" é').toString('latin1'))
  })

  it.each(['create', 'creat'])('%s makes a file, or empties it', async (name) => {
    await run(name, world.path('f'))
    expect(read('f')).toBe('')
    writeFileSync(world.path('f'), 'old')
    await run(name, world.path('f'))
    expect(read('f')).toBe('')
  })

  it('mkdir fails for one that is there, unlink for one that is not', async () => {
    await run('mkdir', world.path('d'))
    expect(statSync(world.path('d')).isDirectory()).toBe(true)
    await expect(run('mkdir', world.path('d'))).rejects.toThrow('EEXIST')
    writeFileSync(world.path('f'), '')
    await run('unlink', world.path('f'))
    expect(existsSync(world.path('f'))).toBe(false)
    await expect(run('unlink', world.path('f'))).rejects.toThrow('ENOENT')
  })

  it('chmod and sticky', async () => {
    await run('mkdir', world.path('d'))
    await run('chmod', `${world.path('d')} 750`)
    expect(mode('d')).toBe(0o750)
    await run('sticky', world.path('d'))
    expect(mode('d')).toBe(0o1750)
  })

  it('chown by name and number', async () => {
    writeFileSync(world.path('f'), '')
    const { uid, gid } = statSync(world.path('f'))
    await run('chown2', `${world.path('f')} ${uid} ${gid}`)
    await expect(run('chown', `${world.path('f')} nobody-of-that-name root`)).rejects.toThrow(
      'unable to find uid nobody-of-that-name',
    )
    if (process.getuid?.() !== 0) return
    await run('chown', `${world.path('f')} daemon 0`)
    expect(statSync(world.path('f')).uid).toBe(Number(execFileSync('id', ['-u', 'daemon'])))
    await run('chown2', `${world.path('f')} 3 4`)
    expect(statSync(world.path('f'))).toMatchObject({ uid: 3, gid: 4 })
  })
})

describe('named pipes', () => {
  const fifo = (): string => {
    execFileSync('mkfifo', [world.path('p')])
    return world.path('p')
  }

  it('writefifo passes over one that nobody reads, and fails for none', async () => {
    await expect(run('writefifo', `${world.path('p')} x`)).rejects.toThrow('ENOENT')
    await run('writefifo', `${fifo()} x`)
    expect(world.lines).toEqual([`nobody reads ${world.path('p')}: nothing is written to it`])
  })

  it('writefifo writes more than the pipe holds, as it is read', async () => {
    const path = fifo()
    const reader = await open(path, 'r+')
    const text = 'x'.repeat(200_000)
    const written = run('writefifo', `${path} ${text}`)
    let got = 0
    while (got < text.length) got += (await reader.read(Buffer.alloc(65_536))).bytesRead
    await written
    await reader.close()
    expect(got).toBe(text.length)
  })

  it('spinningfifo waits for the pipe and its reader', async () => {
    const written = run('spinningfifo', `${world.path('p')} x`)
    const reader = await open(fifo(), 'r+')
    await written
    expect((await reader.read(Buffer.alloc(9))).bytesRead).toBe(1)
    await reader.close()
  })

  it('spinningfifo ends with the server', async () => {
    const written = run('spinningfifo', `${world.path('p')} x`)
    world.stopping.abort()
    await expect(written).rejects.toThrow('the server is stopping')
  })
})

describe('the process', () => {
  it.each(['cd', 'chdir'])('%s', async (name) => {
    // Threads of the test runner have no directory of their own to change.
    await expect(run(name, world.path('none'))).rejects.toThrow(/ENOENT|not supported in workers/)
  })

  it('putenv sets and removes', async () => {
    await run('putenv', 'POLYWSGI_TEST_HOOK=a=b c')
    expect(process.env['POLYWSGI_TEST_HOOK']).toBe('a=b c')
    await run('putenv', 'POLYWSGI_TEST_HOOK')
    expect('POLYWSGI_TEST_HOOK' in process.env).toBe(false)
  })

  it.each([
    ['', 0],
    ['5', 5],
    ['15', 15],
  ])('exit:%s', async (argument, exitCode) => {
    await expect(run('exit', argument)).rejects.toSatisfy((error) => error instanceof HookExit && error.exitCode === exitCode)
  })

  it('unix_signal calls a function with the number', async () => {
    const got: (string | undefined)[] = []
    world.plugins = [{ name: 'p', functions: { f: (text) => void got.push(text) } }]
    await run('unix_signal', '10 f')
    const [name, handler] = world.signals[0] ?? []
    expect(name).toBe('SIGUSR1')
    handler?.()
    expect(got).toEqual(['10'])
    await expect(run('unix_signal', '10 g')).rejects.toThrow('unable to find function "g"')
  })
})

describe('commands', () => {
  it('exec waits for the end and has the output in the log', async () => {
    await run('exec', 'echo out; echo err >&2')
    expect(world.output).toBe('out\nerr\n')
  })

  it('exec fails with the exit code, safeexec tells it', async () => {
    await expect(run('exec', 'exit 3')).rejects.toThrow('command "exit 3" exited with non-zero code: 3')
    await expect(run('exec', 'kill -9 $$')).rejects.toThrow('command "kill -9 $$" was ended by SIGKILL')
    await run('safeexec', 'exit 3')
    expect(world.lines).toEqual(['command "exit 3" exited with non-zero code: 3'])
  })

  it('what a command has started ends with the server', async () => {
    const ended = run('exec', `sleep 600 & echo $! > ${world.path('pid')}; wait`)
    await expect.poll(() => existsSync(world.path('pid')) && read('pid').endsWith('\n')).toBe(true)
    world.stopping.abort()
    await expect(ended).rejects.toThrow('was ended by SIGTERM')
    const isGone = (): boolean => {
      const state = `/proc/${read('pid').trim()}/stat`
      return !existsSync(state) || readFileSync(state, 'latin1').includes(') Z')
    }
    await expect.poll(isGone).toBe(true)
  })
})

describe('functions of plugins', () => {
  const got: (string | undefined)[] = []
  beforeEach(() => {
    got.length = 0
    world.plugins = [
      {
        name: 'first',
        functions: { f: (text) => void got.push(`first ${text}`), three: () => 3, fail: () => Promise.reject(new Error('no')) },
      },
      {
        name: 'second',
        alias: '2nd',
        functions: { f: (text) => void got.push(`second ${text}`), given: (text) => Number(text) },
      },
      { name: 'mute' },
    ]
  })

  it('are found by name in load order, or with their plugin', async () => {
    for (const symbol of ['f', 'f a  b', 'second.f x', '2nd.f y']) await run('call', symbol)
    expect(got).toEqual(['first undefined', 'first a  b', 'second x', 'second y'])
  })

  it.each(['nosuch', 'mute.f', 'nobody.f', '.f', 'toString', 'first.constructor'])('call:%s fails', async (symbol) => {
    await expect(run('call', symbol)).rejects.toThrow(`unable to call function "${symbol}"`)
  })

  it('count with their results for callret and callintret alone', async () => {
    await run('call', 'three')
    await run('callint', 'given 4')
    await run('callintret', 'given 0')
    await run('callret', 'f')
    await expect(run('callret', 'three')).rejects.toThrow('function "three" returned 3')
    await expect(run('callintret', 'given -4')).rejects.toThrow('function "given" returned -4')
  })

  it('fail with what they throw, and when they take too long', async () => {
    await expect(run('call', 'fail')).rejects.toThrow('plugin first: function fail raised: Error: no')
    world.plugins = [{ name: 'p', functions: { spin: () => new Promise(() => {}) } }]
    await expect(run('call', 'spin', { callLimitMs: 20 })).rejects.toThrow('plugin p: function spin has not returned within')
  })

  it('code asks a plugin', async () => {
    world.plugins = [
      { name: 'first' },
      { name: 'second', codeString: (id, file, name, key) => (name === 'f' ? [id, file, name, key].join('|') : undefined) },
    ]
    await run('code', 'second app.lua f key')
    expect(world.lines).toEqual(['[code result from "second"] hook|app.lua|f|key'])
    await expect(run('code', 'second app.lua g key')).rejects.toThrow('plugin second has no answer from g of app.lua')
    await expect(run('code', 'first app.lua f key')).rejects.toThrow('plugin first evaluates no code')
    await expect(run('code', 'third app.lua f key')).rejects.toThrow('there is no plugin third')
  })
})

describe('messages', () => {
  it.each(['print', 'log'])('%s writes a line as it is', async (name) => {
    await run(name, ' %s a:b')
    expect(world.lines).toEqual([' %s a:b'])
  })

  it('alarm', async () => {
    await run('alarm', 'admin two  words')
    expect(world.alarms).toEqual(['admin: two  words'])
  })
})

describe('rpc', () => {
  it('splits its arguments as uWSGI does', () => {
    // Each was given to uWSGI's own action.
    expect(splitQuoted('a\\ b c')).toEqual(['a b', 'c'])
    expect(splitQuoted(`'a b' "c"d e'f'`)).toEqual(['a b', 'cd', 'ef'])
    expect(splitQuoted('a"b c"d')).toEqual(['ab cd'])
    expect(splitQuoted(`"a'b"`)).toEqual([`a'b`])
    expect(splitQuoted('"a\\"b"')).toEqual(['a"b'])
    expect(splitQuoted("'' \t x")).toEqual(['', 'x'])
  })

  it('logs the result, its bytes as they are', async () => {
    world.answers = ['hi \xff\0']
    await run('rpc', 'hello@127.0.0.1:3031 a "b c"')
    expect(world.calls).toEqual(['127.0.0.1:3031|hello|a|b c'])
    expect(world.lines).toEqual(['[rpc result from "hello@127.0.0.1:3031"] hi \xff\0'])
  })

  it('fails without an answer, retryrpc tries again', async () => {
    await expect(run('rpc', 'hello')).rejects.toThrow('rpc function "hello" has not answered')
    world.answers = [undefined, 'late']
    await run('retryrpc', 'hello')
    expect(world.lines).toEqual(['rpc function "hello" has not answered: trying again', '[rpc result from "hello"] late'])
  })
})

describe('waiting', () => {
  it.each([
    ['wait_for_fs', 'f'],
    ['wait_for_file', 'f'],
    ['wait_for_dir', 'd'],
  ])('%s', async (name, what) => {
    const path = world.path(what)
    const waited = run(name, path)
    await run(what === 'd' ? 'mkdir' : 'create', path)
    await waited
    expect(world.lines).toEqual([`waiting for ${path} (max 60 seconds) ...`, `${path} found`])
  })

  it('tells files from directories, and does not wait for ever', async () => {
    await expect(run('wait_for_file', world.folder, { waitLimitMs: 1 })).rejects.toThrow(/unavailable after 0.001 seconds/)
    await run('create', world.path('f'))
    await expect(run('wait_for_dir', world.path('f'), { waitLimitMs: 1 })).rejects.toThrow('unavailable')
  })

  it('wait_for_socket asks until somebody listens', async () => {
    const asked: string[] = []
    const canConnect = async (address: string): Promise<boolean> => asked.push(address) === 3
    await run('wait_for_socket', '127.0.0.1:1', { canConnect })
    expect(asked).toHaveLength(3)
  })

  it('ends with the server', async () => {
    const waited = run('wait_for_file', world.path('none'))
    world.stopping.abort()
    await expect(waited).rejects.toThrow('the server is stopping')
  })
})
