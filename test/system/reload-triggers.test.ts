// What has a running server reload, pause, tell of itself: touched files, changed code, letters, signals.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-triggers-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)
const write = (name: string, text: string): void => writeFileSync(at(name), text)

interface Language {
  readonly language: string
  readonly app: string
  readonly module: string
  /** An app that answers with what its module says. */
  readonly appCode: string
  moduleCode(answer: string): string
}

const languages: readonly Language[] = [
  {
    language: 'python',
    app: 'app.py',
    module: 'words.py',
    appCode: [
      'import words',
      'def application(environ, start_response):',
      "    start_response('200 OK', [('Content-Type', 'text/plain')])",
      '    return [words.answer.encode()]',
      '',
    ].join('\n'),
    moduleCode: (answer) => `answer = '${answer}'\n`,
  },
  {
    language: 'lua',
    app: 'app.lua',
    module: 'words.lua',
    appCode: [
      "local words = require 'words'",
      'return function(environ)',
      "  return '200 OK', { ['Content-Type'] = 'text/plain' }, coroutine.wrap(function() coroutine.yield(words) end)",
      'end',
      '',
    ].join('\n'),
    moduleCode: (answer) => `return '${answer}'\n`,
  },
  {
    language: 'js',
    app: 'app.mjs',
    module: 'words.mjs',
    appCode: "import { answer } from './words.mjs'\nexport default { fetch: () => new Response(answer) }\n",
    moduleCode: (answer) => `export const answer = '${answer}'\n`,
  },
]

const start = async ({ app, appCode, module, moduleCode }: Language, ...args: readonly string[]): Promise<Server> => {
  mkdirSync(at('app'))
  write(`app/${app}`, appCode)
  write(`app/${module}`, moduleCode('first'))
  return await Server.start({
    cwd: folder,
    args: ['--http-socket', '127.0.0.1:0', '--mount', `/=app/${app}`, '--workers', '2', ...args],
  })
}
const answer = async (server: Server): Promise<string> => await (await fetch(server.http)).text()

describe.each(languages)('$language with autoreload', (language) => {
  const { app, module, moduleCode } = language

  it('serves what a module says after it has changed, also when an editor renames it into its place', async () => {
    await using server = await start(language, '--autoreload')
    expect(await answer(server)).toBe('first')
    write(`app/${module}`, moduleCode('second'))
    await server.logged('reload complete')
    expect(server.log).toContain(`[autoreload] ${at(`app/${module}`)} has changed: reloading`)
    expect(await answer(server)).toBe('second')
    write(`app/.${module}.new`, moduleCode('the third'))
    renameSync(at(`app/.${module}.new`), at(`app/${module}`))
    await server.logged('reload complete', 2)
    expect(await answer(server)).toBe('the third')
    expect(await server.stop()).toBe(0)
  })

  it('goes on with what it has when the new code is broken, and takes the next change', async () => {
    await using server = await start(language, '--py-autoreload', '1')
    write(`app/${app}`, '}{ this is no code of any language (')
    await server.logged('reload given up')
    expect(await answer(server)).toBe('first')
    write(`app/${module}`, moduleCode('mended'))
    write(`app/${app}`, language.appCode)
    await server.logged('reload complete')
    expect(await answer(server)).toBe('mended')
  })
})

const [python] = languages as [Language, ...Language[]]

it('a touched file has the server reload in its own way', async () => {
  mkdirSync(at('spool'))
  await using server = await start(
    languages[1] as Language,
    ...['--touch-reload', 'all', '--touch-chain-reload', 'chain', '--touch-workers-reload', 'workers'],
    ...['--touch-mules-reload', 'mules', '--touch-spoolers-reload', 'spoolers', '--mule', '--spooler', 'spool'],
  )
  write('app/words.lua', "return 'second'")
  write('chain', '')
  await server.logged('*** chain has been touched: chain reload ***')
  await server.logged('chain reloading complete')
  expect(await answer(server)).toBe('second')
  write('mules', '')
  await server.logged('...gracefully reloading mules...')
  await server.logged('reload complete')
  write('spoolers', '')
  await server.logged('...gracefully reloading spoolers...')
  await server.logged('reload complete', 2)
  write('app/words.lua', "return 'third'")
  write('workers', '')
  await server.logged('...gracefully reloading workers...')
  await server.logged('reload complete', 3)
  expect(await answer(server)).toBe('third')
  write('all', '')
  await server.logged('...gracefully reloading...')
  await server.logged('reload complete', 4)
  utimesSync(at('all'), 1, 1)
  await server.logged('reload complete', 5)
  expect(await server.stop()).toBe(0)
})

describe('the master FIFO', () => {
  it('is made for the user of the server alone, takes letters of several writers, and is removed at the end', async () => {
    await using server = await start(python, '--master-fifo', 'fifo')
    expect(statSync(at('fifo')).isFIFO()).toBe(true)
    expect(statSync(at('fifo')).mode & 0o777).toBe(0o600)
    write('app/words.py', python.moduleCode('second'))
    appendFileSync(at('fifo'), 'w')
    await server.logged('reload complete')
    expect(await answer(server)).toBe('second')
    appendFileSync(at('fifo'), 'E\n')
    await server.logged("master-fifo: 'E' does nothing: there is no emperor")
    appendFileSync(at('fifo'), Buffer.alloc(30_000, 0xff))
    await server.logged('master-fifo: what comes after the first 64 bytes is dropped')
    expect(await answer(server)).toBe('second')
    appendFileSync(at('fifo'), 'q')
    expect(await server.exited()).toBe(0)
    expect(server.log).toContain('master-fifo: stopping gracefully')
    expect(existsSync(at('fifo'))).toBe(false)
  })

  it('is refused where something else stands, which is left alone', async () => {
    write('fifo', 'mine')
    await using server = Server.spawn({ cwd: folder, args: ['--http-socket', '127.0.0.1:0', '--master-fifo', 'fifo'] })
    expect(await server.exited()).toBe(1)
    expect(server.log).toContain(`master-fifo = ${at('fifo')}: something stands there that is no named pipe`)
    expect(statSync(at('fifo')).size).toBe(4)
  })

  it('lets requests wait while the server pauses, and answers each when it goes on', async () => {
    await using server = await start(python, '--master-fifo', 'fifo')
    expect(await answer(server)).toBe('first')
    appendFileSync(at('fifo'), 'p')
    await server.logged('*** PAUSE')
    const waiting = Array.from({ length: 5 }, () => answer(server))
    // Who asks for statistics is answered meanwhile, and they tell of those that wait.
    do {
      appendFileSync(at('fifo'), 's')
      await server.logged('*** polywsgi', server.log.split('*** polywsgi').length)
    } while (!server.log.includes('1 requests, 5 not over yet, 5 of these wait for a worker'))
    server.kill('SIGTSTP')
    await server.logged('*** RESUME ***')
    expect(await Promise.all(waiting)).toEqual(new Array(5).fill('first'))
    expect(await server.stop()).toBe(0)
  })

  it('stops a server that pauses, and those that wait are answered', async () => {
    await using server = await start(python, '--master-fifo', 'fifo')
    appendFileSync(at('fifo'), 'p')
    await server.logged('*** PAUSE')
    const waiting = answer(server)
    do {
      appendFileSync(at('fifo'), 's')
      await server.logged('*** polywsgi', server.log.split('*** polywsgi').length)
    } while (!server.log.includes('1 not over yet'))
    appendFileSync(at('fifo'), 'q')
    expect(await waiting).toBe('first')
    expect(await server.exited()).toBe(0)
  })
})

describe('signals', () => {
  it('USR1 has the counters written to the log, and starts no debugger', async () => {
    await using server = await start(python)
    for (let index = 0; index < 3; index += 1) await answer(server)
    server.kill('SIGUSR1')
    await server.logged(/worker 2: idle, \d requests/)
    expect(server.log).toMatch(/\*\*\* polywsgi [\d.]+ \(pid \d+\): 3 requests, 0 not over yet, 0 of these wait/)
    expect(server.log).not.toContain('Debugger')
    expect(await server.stop()).toBe(0)
  })

  it('USR2 has it written what each worker does', async () => {
    mkdirSync(at('slow'))
    const code = [
      'return function(environ)',
      "  if environ.PATH_INFO == '/open' then uwsgi.cache_update('open', 'yes') end",
      "  while environ.PATH_INFO == '/wait' and not uwsgi.cache_exists('open') do",
      '    uwsgi.async_sleep(0.02)',
      '    uwsgi.suspend()',
      '  end',
      "  return '200 OK', {}, coroutine.wrap(function() coroutine.yield('done') end)",
      'end',
    ]
    write('slow/app.lua', code.join('\n'))
    await using server = await Server.start({
      cwd: folder,
      args: [
        ...['--http-socket', '127.0.0.1:0', '--workers', '2', '--mount', '/=slow/app.lua'],
        ...['--cache2', 'name=default,items=10'],
      ],
    })
    const waiting = fetch(`${server.http}/wait?a=%0d%0a`)
    const line = /worker \d: GET \/wait\?a=%0d%0a for 127\.0\.0\.1/
    do {
      server.kill('SIGUSR2')
      await server.logged(/worker 2: .*\n/, server.log.split(/worker 2: .*\n/).length)
    } while (!line.test(server.log))
    expect(server.log).toMatch(/worker \d: idle/)
    await fetch(`${server.http}/open`)
    expect(await (await waiting).text()).toBe('done')
  })
})
