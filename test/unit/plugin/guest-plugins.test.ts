// Plugins written as a Lua or a Python file: the same tests for both languages.
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppLoadError, ClientError, GuestError } from '../../../host/errors.ts'
import { descriptionOf } from '../../../host/plugin/guest-description.ts'
import { guestHooks, refusedGuestHooks } from '../../../host/plugin/guest-hooks.ts'
import { GuestRequests } from '../../../host/plugin/guest-request.ts'
import { GuestPlugins, guestLanguages } from '../../support/guest-plugins.ts'

const example = (name: string): string => fileURLToPath(new URL(`../../apps/plugins/${name}`, import.meta.url))

/** Bytes. */
const memoryLimit = 64 * 1024 * 1024

/** What a promise is rejected with. */
const failureOf = (promise: Promise<unknown>): Promise<AppLoadError | GuestError> =>
  promise.then(
    () => {
      throw new Error('it was not refused')
    },
    (error: AppLoadError) => error,
  )

describe.each(guestLanguages)('a plugin written in %s', (language) => {
  let guests: GuestPlugins
  beforeAll(async () => {
    guests = await GuestPlugins.boot(language, { memoryLimit })
  })
  afterAll(() => guests[Symbol.dispose]())

  /** The body of a request hook; `out` is the text or bytes that it leaves for the response. */
  const serving = (bodies: { lua: string; python: string }, more = { lua: '', python: '' }) =>
    guests.load(
      guests.write({
        lua: `${more.lua}\nreturn { name = 'p', modifier1 = 200, request = function(req)\n${bodies.lua}\nend }`,
        python: `${more.python}\nname, modifier1 = 'p', 200\ndef request(req):\n${bodies.python.replace(/^/gm, '  ')}`,
      }),
    )

  it('serves requests, with what init has left', async () => {
    const plugin = await guests.load(example(language === 'lua' ? 'hello.lua' : 'hello.py'), {
      [`hello-${language}-greeting`]: 'good day',
    })
    expect(descriptionOf(plugin)).toEqual({
      name: `hello-${language}`,
      modifier1: language === 'lua' ? 250 : 251,
      options: [{ name: `hello-${language}-greeting`, type: 'text', help: 'The word to greet with.', default: 'hello' }],
      hooks: ['init', 'request'],
    })
    const first = await guests.ask(plugin, { path: '/bob', body: 'one\ntwo' })
    expect(first).toMatchObject({ status: '200 OK', text: 'good day, bob\n> one\n> two', result: 0 })
    expect(first.headers).toEqual([
      ['Content-Type', 'text/plain'],
      ['X-Served', '1'],
    ])
    expect((await guests.ask(plugin)).headers).toContainEqual(['X-Served', '2'])
  })

  it('has the members of the table in its request object, and no others', async () => {
    const names = new GuestRequests(1).members.map(({ name }) => name)
    const listed = JSON.stringify(names).slice(1, -1)
    const plugin = await serving({
      lua: `for _, name in ipairs({ ${listed} }) do if req[name] == nil then req:write(name .. ' ') end end
        if req.nothing ~= nil then req:write('more') end
        req:finish('done')`,
      python: `missing = [n for n in [${listed}] if not hasattr(req, n)]
own = sorted(set(n for n in dir(req) if not n.startswith('_')) - {${listed}} - {'app'})
req.finish(repr(missing + own))`,
    })
    expect((await guests.ask(plugin)).text).toBe(language === 'lua' ? 'done' : '[]')
  })

  it('keeps bytes as they are: variables, bodies, headers, responses', async () => {
    const plugin = await serving({
      lua: `req:prepare_headers('207 Caf\\xe9')
        req:add_header('X-Raw', req:get('HTTP_RAW'))
        req:write(req.vars.HTTP_RAW .. '|')
        req:write(tostring(req:get('NOT_THERE')))
        req:write(req:read(3) .. '|' .. req:read(0) .. req:readline() .. '|' .. req:readline(2) .. '|' .. req:read() .. req:read() .. req:readline())
        req:finish(table.concat({ req.modifier1, req.modifier2, req.core, tostring(req.client_gone) }, ' '))`,
      python: `req.prepare_headers(b'207 Caf\\xe9')
req.add_header('X-Raw', req.get('HTTP_RAW'))
req.write(req.vars['HTTP_RAW'] + b'|')
req.write('nil' if req.get('NOT_THERE') is None else 'there')
req.write(req.read(3) + b'|' + req.read(0) + req.readline() + b'|' + req.readline(2) + b'|' + req.read() + req.read() + req.readline())
req.finish(' '.join(str(value) for value in [req.modifier1, req.modifier2, req.core, str(req.client_gone).lower()]))`,
    })
    const body = Buffer.from('\xff\0\nab\ncdefg\n\xfe', 'latin1')
    const answer = await guests.ask(plugin, { vars: { HTTP_RAW: '\xfe\xa0x' }, body })
    expect(answer.status).toBe('207 Caf\xe9')
    expect(answer.headers).toEqual([['X-Raw', '\xfe\xa0x']])
    expect(Buffer.from(answer.body).toString('latin1')).toBe('\xfe\xa0x|nil\xff\0\n|ab\n|cd|efg\n\xfe200 0 0 false')
  })

  it('reads a body that comes in pieces by lines, and no line that memory has no room for', async () => {
    const plugin = await serving({
      lua: `local line = req:readline()
        while line ~= '' do req:write(#line .. ' ') line = req:readline() end`,
      python: `while line := req.readline():
  req.write(f'{len(line)} ')`,
    })
    const pieces = ['a'.repeat(70_000), 'b\ncc', '\n\n', 'd'].map((text) => Buffer.from(text))
    const bodySource = {
      contentLength: -1,
      whole: undefined,
      read: () => pieces.shift() ?? new Uint8Array(0),
      readAsync: async () => new Uint8Array(0),
    }
    expect((await guests.ask(plugin, { bodySource })).text).toBe('70002 3 1 1 ')
    let given = 0
    const read = (max: number): Uint8Array => {
      given += max
      return new Uint8Array(max)
    }
    const endless = { ...bodySource, read }
    const error = await failureOf(guests.ask(plugin, { bodySource: endless }))
    expect(error.message).toContain('request.readline(): the line is longer than the limit of')
    expect(given).toBeLessThan(memoryLimit + 1024 * 1024)
  })

  it('answers 200 where it says nothing of its headers, raw bytes as they are, and sets variables of the log', async () => {
    const plugin = await serving({
      lua: `if req.vars.PATH_INFO == '/raw' then return req:raw('plain\\0bytes') end
        req:set_logvar('who', 'me')
        req:write('body')`,
      python: `if req.vars['PATH_INFO'] == b'/raw':
  return req.raw(b'plain\\0bytes')
req.set_logvar('who', 'me')
req.write('body')`,
    })
    expect(await guests.ask(plugin)).toMatchObject({ status: '200 OK', text: 'body', result: 0 })
    expect(await guests.ask(plugin, { path: '/raw' })).toMatchObject({ status: '', text: 'plain\0bytes' })
  })

  it('reads a body anew from a place, and replaces and removes headers', async () => {
    const plugin = await serving({
      lua: `req:add_header('A', '1') req:add_header('a', '2') req:add_header('B', '3') req:add_header('C', '4')
        req:replace_header('A', '5') req:remove_header('b')
        req:write(req:read() .. req.content_length)
        req:seek(2)
        req:write(req:read(2))`,
      python: `req.add_header('A', '1'); req.add_header('a', '2'); req.add_header('B', '3'); req.add_header('C', '4')
req.replace_header('A', '5'); req.remove_header('b')
req.write(req.read() + str(req.content_length).encode())
req.seek(position=2)
req.write(req.read(size=2))`,
    })
    const answer = await guests.ask(plugin, { body: 'abcdef' })
    expect(answer.text).toBe('abcdef6cd')
    expect(answer.headers.map(([name, value]) => `${name.toLowerCase()}=${value}`).sort()).toEqual(['a=5', 'c=4'])
  })

  it('refuses what the declaration of a member does not allow, by name', async () => {
    const calls: readonly (readonly [lua: string, python: string, message: string])[] = [
      ['req:write({})', 'req.write([])', "request.write(): argument 'data'"],
      ['req:write()', 'req.write()', "request.write(): missing argument 'data'"],
      ["req:write('a', 'b')", "req.write('a', 'b')", 'request.write(): takes at most 1 argument'],
      ['req:read(-2)', 'req.read(-2)', "request.read(): argument 'size' must be from -1"],
      ["req:prepare_headers('abc')", "req.prepare_headers('abc')", 'is not a status'],
      ["req:add_header('a b', 'c')", "req.add_header('a b', 'c')", 'request.add_header(): "a b" is not a header name'],
      ["req:add_header('a', 'b\\r\\nc')", "req.add_header('a', 'b\\r\\nc')", 'holds a character that HTTP does not allow'],
      ["req:write('x') req:add_header('a', 'b')", "req.write('x'); req.add_header('a', 'b')", 'have already been sent'],
    ]
    for (const [lua, python, message] of calls) {
      const error = await failureOf(guests.ask(await serving({ lua, python })))
      expect(error).toBeInstanceOf(GuestError)
      expect(error.message).toContain(message)
    }
  })

  it('gives a request object no life beyond its hook', async () => {
    const plugin = await serving(
      {
        lua: `if kept then kept:write('x') end
          kept = req`,
        python: `global kept
if kept is not None:
  kept.write('x')
kept = req`,
      },
      { lua: 'local kept', python: 'kept = None' },
    )
    await guests.ask(plugin)
    const error = await failureOf(guests.ask(plugin))
    expect(error.message).toContain('this request object is of another call')
  })

  it('tells what a hook raised with its file, line and traceback', async () => {
    const plugin = await serving(
      { lua: '  helper()', python: 'helper()' },
      { lua: "local function helper()\n  error('boom')\nend", python: "def helper():\n  raise ValueError('boom')" },
    )
    const error = (await failureOf(guests.ask(plugin))) as GuestError
    expect(plugin.exceptionLog?.(error)?.report).toContain('boom')
    expect(error.report).toMatch(
      language === 'lua' ? /p\d+\.lua:2: boom[\s\S]*traceback:[\s\S]*p\d+\.lua:2:/ : /p\d+\.py", line 2, in helper/,
    )
    expect(error.report).not.toContain('(polywsgi)')
    expect(error.report).not.toContain('<polywsgi>')
  })

  it('is not to blame for a client that is gone', async () => {
    const plugin = await serving({ lua: `req:write('a')`, python: `req.write('a')` })
    const onSend = () => {
      throw new ClientError('CLIENT_GONE', 'the client has closed its connection')
    }
    const sent = guests.ask(plugin, { onSend })
    // The response that the hook had no chance to write is the harness's to end.
    await expect(sent).rejects.toThrow(ClientError)
  })

  it('answers 0, 1, -1 or nothing to a request, and nothing else', async () => {
    const way = { lua: 'return tonumber(req.vars.PATH_INFO:sub(2))', python: "return int(req.vars['PATH_INFO'][1:])" }
    const plugin = await serving(way)
    for (const result of [0, 1, -1]) expect((await guests.ask(plugin, { path: `/${result}` })).result).toBe(result)
    const error = await failureOf(guests.ask(plugin, { path: '/2' }))
    expect(error.message).toMatch(/p\d+\.(lua:2|py:3): the hook 'request' must return 0, 1 or -1, not 2/)
    const wrong = await serving({ lua: "return 'text'", python: "return 'text'" })
    expect((await failureOf(guests.ask(wrong))).message).toContain('must return 0, 1 or -1, not a str')
  })

  it('runs all of its hooks, each with what it is to be told', async () => {
    const lua = `local seen = {}
      local function note(name) return function(...)
        local parts = { name }
        for i = 1, select('#', ...) do
          local value = (select(i, ...))
          if type(value) == 'table' then
            value = value.workers and ('ctx ' .. value.workers .. ' ' .. value.thread .. ' ' .. tostring(value.options.n)) or value.a or value.core
          end
          parts[#parts + 1] = tostring(value)
        end
        seen[#seen + 1] = table.concat(parts, ' ')
        print(seen[#seen])
        if name == 'spooler' then return -2 end
        if name == 'mule' then return 1 end
        if name ~= 'request' then return true end
      end end
      local plugin = { name = 'all', modifier1 = 201 }
      for _, name in ipairs({ ${Object.keys(guestHooks)
        .map((name) => `'${name}'`)
        .join(', ')} }) do plugin[name] = note(name) end
      return plugin`
    const python = `class Hooks:
  name, modifier1 = 'all', 201
def note(name):
  def hook(*args):
    parts = [name]
    for value in args:
      if hasattr(value, 'workers'): value = f"ctx {value.workers} {value.thread} {value.options['n']}"
      elif isinstance(value, dict): value = value['a'].decode()
      elif isinstance(value, bytes): value = value.decode()
      elif hasattr(value, 'core'): value = value.core
      parts.append(str(value))
    print(*parts)
    return {'spooler': -2, 'mule': 1, 'request': None}.get(name, True)
  return hook
for name in [${Object.keys(guestHooks)
      .map((name) => `'${name}'`)
      .join(', ')}]:
  setattr(Hooks, name, staticmethod(note(name)))
plugin = Hooks()`
    const before = guests.harness.logLines.length
    const plugin = await guests.load(guests.write({ lua, python }), { n: 7 })
    const context = guests.contextWith({ n: 7 })
    expect(plugin.worker?.(context)).toBe(true)
    await plugin.preinitApps?.(context)
    await plugin.initApps?.(context)
    const app = await plugin.mountApp?.({ mountpoint: '/m', source: '/a.x', callable: undefined }, context)
    expect(app).toBeDefined()
    await plugin.postinitApps?.(context)
    await plugin.initThread?.(2)
    await plugin.fixup?.(context)
    await plugin.hijackWorker?.(context)
    plugin.spoolerInit?.(context)
    expect(await plugin.mule?.('x.fth', context)).toBe(true)
    await guests.ask(plugin)
    const request = { coreId: 0 } as never
    plugin.suspend?.(request)
    plugin.resume?.(request)
    expect(await plugin.muleMsg?.(Buffer.from('hi'))).toBe(true)
    expect(await plugin.spooler?.('/s/job', new Map([['a', Buffer.from('b')]]), Buffer.from('body'))).toBe(-2)
    plugin.atexit?.()
    expect(guests.harness.logLines.slice(before)).toEqual([
      ...['on_load', 'init', 'post_init', 'post_fork', 'worker', 'preinit_apps', 'init_apps'].map(
        (name) => `${name} ctx 1 worker 7`,
      ),
      'mount_app /m /a.x',
      'postinit_apps ctx 1 worker 7',
      'init_thread 2',
      ...['fixup', 'hijack_worker', 'spooler_init'].map((name) => `${name} ctx 1 worker 7`),
      'mule x.fth ctx 1 worker 7',
      'request 0',
      'after_request 0',
      'suspend 0',
      'resume 0',
      'mule_msg hi',
      'spooler /s/job b body',
      'atexit',
    ])
  })

  it('takes mounts, and finds its own handle of the app in the request', async () => {
    const file = guests.write({
      lua: `return { name = 'mounts', modifier1 = 202, app_extensions = { '.x' },
        mount_app = function(mountpoint, file) if file:find('no') then return -1 end return { file = file } end,
        request = function(req) req:write(tostring(req.app and req.app.file)) end }`,
      python: `name, modifier1, app_extensions = 'mounts', 202, ['.x']
def mount_app(mountpoint, file): return -1 if 'no' in file else {'file': file}
def request(req): req.write('nil' if req.app is None else req.app['file'])`,
    })
    const plugin = await guests.load(file)
    expect(plugin.appExtensions).toEqual(['.x'])
    expect((await guests.ask(plugin, {}, '/srv/a.x')).text).toBe('/srv/a.x')
    expect((await guests.ask(plugin)).text).toBe('nil')
    await expect(guests.ask(plugin, {}, '/srv/no.x')).rejects.toThrow('does not take')
  })

  it('has a world of its own', async () => {
    const source = { lua: 'shared = (shared or 0) + 1\nfunction value() return shared end\nlocal value = value\n', python: '' }
    const one = await serving(
      { lua: 'req:write(tostring(value()))', python: 'global shared\nshared += 1\nreq.write(str(shared))' },
      { ...source, python: 'shared = 0' },
    )
    const other = await serving(
      { lua: 'req:write(tostring(value()))', python: 'global shared\nshared += 1\nreq.write(str(shared))' },
      { ...source, python: 'shared = 0' },
    )
    expect((await guests.ask(one)).text).toBe('1')
    expect((await guests.ask(other)).text).toBe('1')
  })

  describe('is refused, with the file and the line,', () => {
    const refused: Record<string, { lua: string; python: string; message: RegExp }> = {
      'for a syntax error': { lua: '\n\nreturn {', python: '\n\ndef f(:', message: /p\d+\.lua:3: |p\d+\.py, line 3/ },
      'for what it raises': {
        lua: "\nerror('no')",
        python: "\nraise ValueError('no')",
        message: /p\d+\.lua:2: no|p\d+\.py: ValueError: no[\s\S]*line 2/,
      },
      'when it returns nothing': { lua: 'local x = 1', python: 'plugin = 5', message: /returned nothing|must be an object/ },
      'without a name': { lua: 'return {}', python: 'x = 1', message: /p\d+\.\w+: the plugin has no name/ },
      'for a name that is none': {
        lua: 'return { name = 5 }',
        python: 'name = 5',
        message: /p\d+\.\w+: name must be a string, not 5/,
      },
      'for a modifier1 out of range': {
        lua: "return { name = 'a', modifier1 = 256 }",
        python: "name, modifier1 = 'a', 256",
        message: /modifier1 must be a whole number from 0 to 255, not 256/,
      },
      'for a request hook without modifier1': {
        lua: "return { name = 'a',\n request = function() end }",
        python: "name = 'a'\ndef request(req): pass",
        message: /p\d+\.\w+:2: the plugin has a request hook but no modifier1/,
      },
      'for a hook that is no function': {
        lua: "return { name = 'a', init = 'x' }",
        python: "name, init = 'a', 'x'",
        message: /the hook 'init' must be a function, not 'x'/,
      },
      'for a hook that is misspelt': {
        lua: "return { name = 'a',\n post_frok = function() end }",
        python: "name = 'a'\ndef post_frok(ctx): pass",
        message: /p\d+\.\w+:2: there is no hook 'post_frok': did you mean 'post_fork'\?/,
      },
      'for a hook in camelCase': {
        lua: "return { name = 'a', muleMsg = function() end }",
        python: "name = 'a'\ndef muleMsg(m): pass",
        message: /there is no hook 'muleMsg': did you mean 'mule_msg'\?/,
      },
      'for a hook of the master': {
        lua: "return { name = 'a',\n\n master_cycle = function() end }",
        python: "name = 'a'\n\ndef master_cycle(): pass",
        message:
          /p\d+\.\w+:3: a plugin file cannot have the hook 'master_cycle': it runs in the master, which runs no guest code/,
      },
      'for options that are none': {
        lua: "return { name = 'a', options = { { name = 'a-b', type = 'words', help = 'x' } } }",
        python: "name, options = 'a', [{'name': 'a-b', 'type': 'words', 'help': 'x'}]",
        message: /option 'a-b': its type must be one of flag, integer, size, seconds, text, list, not 'words'/,
      },
      'for an option without help': {
        lua: "return { name = 'a', options = { { name = 'a-b', type = 'flag' } } }",
        python: "name, options = 'a', [{'name': 'a-b', 'type': 'flag'}]",
        message: /option 'a-b' has no help text/,
      },
      'for a default of another type': {
        lua: "return { name = 'a', options = { { name = 'n', type = 'integer', help = 'x', default = 'y' } } }",
        python: "name, options = 'a', [{'name': 'n', 'type': 'integer', 'help': 'x', 'default': 'y'}]",
        message: /option 'n': default must be a whole number, not 'y'/,
      },
      'for a function among its options': {
        lua: "return { name = 'a', options = { { name = 'n', type = 'flag', help = 'x', set = print } } }",
        python: "name, options = 'a', [{'name': 'n', 'type': 'flag', 'help': 'x', 'set': print}]",
        message: /option 'n': an option of type flag has no 'set'/,
      },
      'for a member that it has not': {
        lua: "return { name = 'a', modifier = 5 }",
        python: "plugin = {'name': 'a', 'modifier': 5}",
        message: /a plugin has no member 'modifier': did you mean 'modifier1'\?/,
      },
    }
    it.each(Object.entries(refused))('%s', async (_, { lua, python, message }) => {
      const error = (await failureOf(guests.load(guests.write({ lua, python })))) as AppLoadError
      expect(error).toBeInstanceOf(AppLoadError)
      expect(`${error.message}\n${error.details}`).toMatch(message)
    })

    it.each(Object.entries(refusedGuestHooks))('for the hook %s', async (hook, reason) => {
      const file = guests.write({
        lua: `return { name = 'a', ${hook} = function() end }`,
        python: `name = 'a'\ndef ${hook}(*args): pass`,
      })
      expect((await failureOf(guests.load(file))).message).toContain(reason)
    })

    it('where there is no file', async () => {
      expect((await failureOf(guests.load(`/nowhere/x.${language === 'lua' ? 'lua' : 'py'}`))).message).toContain('no such file')
    })
  })
})
