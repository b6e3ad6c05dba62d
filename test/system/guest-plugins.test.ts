// Plugins written as a Lua or a Python file, from the command line: described, loaded by every thread, served, reloaded,
// refused.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PolywsgiError } from '../../host/errors.ts'
import { type Described, describeGuestPlugins } from '../../host/master/describe-plugins.ts'
import { Server } from '../support/server.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

const example = (name: string): string => fileURLToPath(new URL(`../apps/plugins/${name}`, import.meta.url))
const dist = new URL('../../dist/', import.meta.url)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-guest-plugins-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const write = (name: string, source: string): string => {
  writeFileSync(join(folder, name), source)
  return join(folder, name)
}

describe('the description of plugin files', () => {
  const described = (language: 'lua' | 'python', files: readonly string[], limitMs?: number): Promise<readonly Described[]> =>
    describeGuestPlugins(
      files.map((file) => ({ text: file, url: pathToFileURL(file).href, isRequired: true })),
      {
        entry: new URL('describe-entry.js', dist).href,
        languageUrl: new URL(`bindings/${language}.js`, dist).href,
        memoryLimit: 64 * 1024 * 1024,
        pythonPath: [],
        version: '1.2.3',
        opt: new Map([['set', ['x']]]),
        ...(limitMs === undefined ? {} : { limitMs }),
      },
    )

  const sources = {
    lua: {
      ends: 'lua',
      registers: "uwsgi.register_rpc('f', print) uwsgi.log('x') return { name = 'r', alias = uwsgi.opt.set .. #uwsgi.version }",
      asks: "\nreturn { name = uwsgi.cache_get('name') }",
      loops: 'while true do end',
      swells: "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end",
      fails: '\n\nlocal x = nil + 1',
      traps: "return { name = ('x'):rep(10) }",
    },
    python: {
      ends: 'py',
      registers:
        "import uwsgi\nuwsgi.register_rpc('f', print)\nuwsgi.log('x')\nname, alias = 'r', uwsgi.opt['set'].decode() + str(len(uwsgi.version))",
      asks: "\nimport uwsgi\nname = uwsgi.cache_get('name')",
      loops: 'while True: pass',
      swells: "t = []\nwhile True: t.append(b'x' * 1000000)",
      fails: '\n\nx = None + 1',
      traps: 'import os\nos.abort()',
    },
  } as const

  it.each(['lua', 'python'] as const)('is what each says, however others fail, in %s', async (language) => {
    const { ends, ...named } = sources[language]
    const { traps, ...others } = named
    const file = (name: string): string => join(folder, `${name}.${ends}`)
    for (const [name, source] of Object.entries(named)) write(`${name}.${ends}`, source)
    const files = [...Object.keys(others).map(file), ...(language === 'python' ? [file('traps')] : []), example(`hello.${ends}`)]
    const outcomes = await described(language, files, 5000)
    expect(outcomes).toHaveLength(files.length)
    expect(outcomes.at(-1)).toEqual({
      name: `hello-${language}`,
      modifier1: language === 'lua' ? 250 : 251,
      options: [expect.objectContaining({ name: `hello-${language}-greeting`, type: 'text' })],
      hooks: ['init', 'request'],
    })
    expect(outcomes[0]).toEqual({ name: 'r', alias: 'x5', options: [], hooks: [] })
    const messages = outcomes.slice(1, -1).map((outcome) => {
      expect(outcome).toBeInstanceOf(PolywsgiError)
      return (outcome as PolywsgiError).message
    })
    expect(messages[0]).toContain('uwsgi.cache_get(): not while the file is loaded to learn what the plugin is')
    expect(messages[1]).toBe(`${file('loops')}: the file does not come to an end: it was stopped after 5 seconds`)
    expect(messages[2]).toMatch(/not enough memory|MemoryError/)
    expect(messages[3]).toMatch(/fails\.lua:3: attempt to perform arithmetic|fails\.py: TypeError[\s\S]*fails\.py", line 3/)
    if (language === 'python') expect(messages[4]).toContain('the Python interpreter died')
  })

  it('tells of a thread that does not come up', async () => {
    const [outcome] = await describeGuestPlugins(
      [{ text: 'x', url: pathToFileURL(example('hello.lua')).href, isRequired: true }],
      {
        entry: new URL('describe-entry.js', dist).href,
        languageUrl: new URL('bindings/none.js', dist).href,
        memoryLimit: 64 * 1024 * 1024,
        pythonPath: [],
        version: '1.2.3',
      },
    )
    expect((outcome as PolywsgiError).message).toContain('Cannot find module')
  })
})

describe('a server with plugin files', () => {
  const words = {
    lua: `local n = 0
      return { name = 'words', modifier1 = 252,
        on_load = function(ctx) print('on_load', ctx.thread) end,
        post_fork = function(ctx) uwsgi.register_rpc('lua_word', function(x) return 'word ' .. x end) end,
        mule_msg = function(message) print('mule got ' .. message) return true end,
        spooler = function(file, vars, body) print('job ' .. vars.what .. ' ' .. body) return -2 end,
        atexit = function() print('words at exit') end,
        request = function(req)
          if req:get('PATH_INFO') == '/fail' then error('as asked') end
          if req:get('PATH_INFO') == '/work' then
            uwsgi.mule_msg('hi', 1)
            uwsgi.spool({ what = 'x', body = 'b' })
          end
          n = n + 1
          req:write('version 1 ' .. n)
        end,
        after_request = function(req) print('after ' .. req.vars.PATH_INFO) end }`,
    python: `import uwsgi
name, modifier1, app_extensions = 'forms', 253, ['.form']
def post_fork(ctx): print('post_fork', ctx.thread)
def mount_app(mountpoint, file):
  with open(file) as form: return form.read().encode()
def request(req):
  if req.get('PATH_INFO') == b'/fail': raise ValueError('as asked')
  req.write(req.app + uwsgi.call('lua_word', 'up'))
`,
  }

  it('loads them in every thread, serves by them, and loads a changed file anew', async () => {
    const lua = write('words.lua', words.lua)
    const python = write('forms.py', words.python)
    const form = write('a.form', 'a form, ')
    await using server = await Server.start({
      args: [
        ...['--socket', '127.0.0.1:0', '--http-socket', '127.0.0.1:0', '--workers', '1', '--mule', '--spooler', folder],
        ...['--plugin', lua, '--plugin', python, '--mount', `/form=${form}`],
      ],
    })
    const ask = async (path: string): Promise<string> => {
      const answer = await uwsgiRequest(server.uwsgi, getVars(path, { HTTP_HOST: 'localhost' }), undefined, 252)
      return answer
    }
    expect(await ask('/x')).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*version 1 1$/)
    expect(await ask('/fail')).toMatch(/^HTTP\/1\.1 500 /)
    expect(await ask('/x')).toMatch(/version 1 2$/)
    expect(await (await fetch(`${server.http}/form`)).text()).toBe('a form, word up')
    expect((await fetch(`${server.http}/form/fail`)).status).toBe(500)
    for (const thread of ['worker', 'mule', 'spooler']) {
      expect(server.log).toContain(`on_load\t${thread}\n`)
      expect(server.log).toContain(`post_fork ${thread}\n`)
    }
    await server.logged('after /fail')
    expect(server.log).toMatch(/plugin words: request hook raised: \S*words\.lua:9: as asked\nstack traceback:/)
    expect(server.log).toMatch(
      /plugin forms: request hook raised: Traceback[\s\S]*forms\.py", line 7, in request[\s\S]*ValueError: as asked/,
    )

    await ask('/work')
    await server.logged('mule got hi')
    await server.logged('job x b')

    appendFileSync(python, "def init(ctx): print('anew')\n")
    write('words.lua', words.lua.replace('version 1', 'version 2'))
    server.kill('SIGHUP')
    await server.logged('anew', 3)
    await server.logged('reload complete')
    expect(await ask('/x')).toMatch(/version 2 1$/)
    expect(await server.stop()).toBe(0)
    expect(server.log).toContain('words at exit')
  })

  it('have options of their own, and are listed', async () => {
    const files = [example('hello.lua'), example('hello.py')]
    await using server = await Server.start({
      args: [
        ...['--socket', '127.0.0.1:0', '--plugin', files[0] as string, '--plugin', `77:${files[1]}`],
        ...['--hello-lua-greeting', 'good day', '--log-format', 'for %(whom)'],
      ],
    })
    const body = Buffer.from('one\ntwo')
    const ask = (modifier1: number): Promise<string> => uwsgiRequest(server.uwsgi, getVars('/bob'), body, modifier1)
    expect(await ask(250)).toMatch(/X-Served: 1\r\n\r\ngood day, bob\n> one\n> two$/)
    expect(await ask(77)).toMatch(/\r\n\r\nhello, bob\n> one\n> two$/)
    expect(await ask(251)).toMatch(/^HTTP\/1\.\d 501 /)
    await server.logged('for bob', 2)
    expect(await server.stop()).toBe(0)

    const list = Server.spawn({ args: ['--plugin', files.join(','), '--plugins-list'] })
    expect(await list.exited()).toBe(0)
    expect(list.output).toContain('\n250: hello-lua\n251: hello-python\n')
    const help = Server.spawn({ args: ['--plugin', files.join(','), '--help'] })
    expect(await help.exited()).toBe(0)
    expect(help.output).toMatch(/--hello-python-greeting.*\n?.*The word to greet with/)
  })

  it('finds its modules on the Python path while it is read', async () => {
    write('word_of_the_day.py', "word = 'sesame'")
    const file = join(mkdtempSync(join(folder, 'elsewhere-')), 'on_path.py')
    writeFileSync(
      file,
      "import word_of_the_day\nname, alias = 'path', word_of_the_day.word\ndef post_fork(ctx): print(alias, 'it is')\n",
    )
    await using server = await Server.start({ args: ['--pythonpath', folder, '--need-plugin', file] })
    await server.logged('sesame it is')
  })

  it('goes on without one that is not needed', async () => {
    const looping = write('looping.py', 'while True: pass')
    await using server = await Server.start({
      args: ['--plugin', looping, '--plugin', example('hello.lua'), '--socket', '127.0.0.1:0'],
    })
    expect(server.log).toContain(
      `!!! UNABLE to load plugin ${looping}: ${looping}: the file does not come to an end: it was stopped after 10 seconds !!!`,
    )
    expect(await uwsgiRequest(server.uwsgi, getVars('/x'), undefined, 250)).toContain('hello, x')
  })

  it('stops a hook of the start that does not end, and goes on with a fresh interpreter', async () => {
    const loops = {
      lua: "return { name = 'loops-lua', init = function() local t = {} while true do t[#t % 1000 + 1] = ('x'):rep(100) end end }",
      py: "name = 'loops-python'\ndef post_fork(ctx):\n  while True: str(ctx)",
    }
    const files = Object.entries(loops).map(([ends, source]) => write(`loops.${ends}`, source))
    const aborts = write('aborts.py', "import os\nname = 'aborts'\ndef init(ctx): os.abort()")
    const calmToo = write('calm_too.py', "name = 'calm-too'\ndef post_fork(ctx): print('calm too')")
    const calm = write('calm.lua', "return { name = 'calm', modifier1 = 61, request = function(req) req:write('calm') end }")
    const app = write('app.py', "def application(environ, start):\n  start('200 OK', [])\n  return [b'an app']")
    await using server = await Server.start({
      args: [
        ...['--socket', '127.0.0.1:0', '--http-socket', '127.0.0.1:0', '--plugin-timeout', '2'],
        ...['--plugin', [files[0], calm, aborts, calmToo, files[1]].join(','), '--mount', `/=${app}`],
      ],
    })
    expect(server.log).toContain('!!! plugin loops-lua: init hook has not returned within 2 seconds')
    expect(server.log).toContain('!!! plugin loops-python: postFork hook has not returned within 2 seconds')
    expect(server.log).toContain('!!! plugin aborts: init hook raised: the Python interpreter died')
    expect(server.log.match(/lua booted/g)).toHaveLength(2)
    expect(server.log).toContain('calm too')
    expect(await uwsgiRequest(server.uwsgi, getVars('/x'), undefined, 61)).toMatch(/calm$/)
    expect(await (await fetch(server.http)).text()).toBe('an app')
  })

  it.each(['preinit_apps', 'init_apps', 'postinit_apps'])(
    'starts a thread anew without one that has cost it an interpreter in %s, when others had begun to use that',
    async (hook) => {
      const late = write(
        `late_${hook}.py`,
        `name = 'late'\nmodifier1 = 59\ndef request(req): pass\ndef ${hook}(ctx):\n  while True: str(ctx)`,
      )
      const app = write('app.py', "def application(environ, start):\n  start('200 OK', [])\n  return [b'an app']")
      const args = [
        '--plugin-timeout',
        '2',
        '--workers',
        '2',
        '--mount',
        `/=${app}`,
        '--socket',
        '127.0.0.1:0',
        '--http-socket',
        '127.0.0.1:0',
      ]
      await using server = await Server.start({ args: [...args, '--plugin', late] })
      expect(server.log).toMatch(
        /worker \d: plugin late: \w+ hook has failed, and the interpreter that it ran in cannot be used any more: it is started anew without plugin late/,
      )
      for (let count = 0; count < 10; count += 1) expect(await (await fetch(server.http)).text()).toBe('an app')
      expect(await uwsgiRequest(server.uwsgi, getVars('/x'), undefined, 59)).toMatch(/^HTTP\/1\.\d 501 /)
      expect(await server.stop()).toBe(0)
      const needed = Server.spawn({ args: [...args, '--need-plugin', late] })
      expect(await needed.exited()).toBe(1)
      expect(needed.log).toMatch(/plugin late: \w+ hook has not returned within 2 seconds/)
    },
  )

  it('goes on without one that was broken since, and answers for it', async () => {
    const file = write('breaks.lua', words.lua.replace("'words', modifier1 = 252", "'breaks', modifier1 = 60"))
    await using server = await Server.start({ args: ['--socket', '127.0.0.1:0', '--plugin-timeout', '2', '--plugin', file] })
    expect(await uwsgiRequest(server.uwsgi, getVars('/x'), undefined, 60)).toContain('version 1 1')
    writeFileSync(file, 'while true do end')
    server.kill('SIGHUP')
    await server.logged('reload complete')
    expect(server.log).toContain('breaks.lua: the file has not returned within 2 seconds !!!')
    writeFileSync(file, '\nreturn {')
    server.kill('SIGHUP')
    await server.logged('reload complete', 2)
    expect(server.log).toMatch(/!!! UNABLE to load plugin \S+: \S*breaks\.lua:2: /)
    expect(await uwsgiRequest(server.uwsgi, getVars('/x'), undefined, 60)).toMatch(/^HTTP\/1\.\d 501 /)
  })

  it('goes on without one that loops since, in Python, where an app goes on', async () => {
    const file = write('loops_later.py', "name = 'later'")
    const app = write('app.py', "def application(environ, start):\n  start('200 OK', [])\n  return [b'an app']")
    await using server = await Server.start({
      args: ['--http-socket', '127.0.0.1:0', '--plugin-timeout', '2', '--plugin', file, '--mount', `/=${app}`],
    })
    writeFileSync(file, 'while True: pass')
    server.kill('SIGHUP')
    await server.logged('reload complete')
    expect(server.log).toContain('loops_later.py: the file has not returned within 2 seconds !!!')
    expect(await (await fetch(server.http)).text()).toBe('an app')
  })

  it('does not start with one that cannot be loaded', async () => {
    const broken = write('broken.lua', "return { name = 'broken',\n harakiri = function() end }")
    const server = Server.spawn({ args: ['--http-socket', '127.0.0.1:0', '--need-plugin', broken] })
    expect(await server.exited()).not.toBe(0)
    expect(server.log).toContain("broken.lua:2: a plugin file cannot have the hook 'harakiri': it runs in the master")
  })
})
