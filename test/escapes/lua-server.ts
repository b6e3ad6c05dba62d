// Attempts of Lua guests by what the server gives them: modules, files, its module, responses, the log.
import type { Attempt } from './attempt.ts'

/** A list of how each of these Lua expressions ended: `nil`, `value`, or `raised`. */
const each = (expressions: readonly string[]): string => `
local said = {}
for _, try in ipairs { ${expressions.map((expression) => `function() return ${expression} end`).join(',\n')} } do
  local ok, value = pcall(try)
  said[#said + 1] = not ok and 'raised' or value == nil and 'nil' or 'value'
end
return table.concat(said, ' ')`

const times = (count: number, word: string): RegExp => new RegExp(`^200 "${Array(count).fill(word).join(' ')}"$`)

const outside = [
  '/etc/passwd',
  '../outside/secret',
  'ROOM/outside/secret',
  'ROOM/app/../outside/secret',
  './/..//outside/./secret',
  'link',
  'directory-link/secret',
  'root-link/etc/passwd',
  'ROOM/writable/out/secret',
  '/proc/self/environ',
  '/proc/self/mem',
  '/proc/self/fd/0',
  '/dev/zero',
  '/dev/stdin',
  'file:///etc/passwd',
  'data.txt\\0../outside/secret',
  '..\\\\outside\\\\secret',
  '%2e%2e/outside/secret',
  '\\xc0\\xae\\xc0\\xae/outside/secret',
  '',
  '.',
  'ROOM/options.ini',
]

export const serverAttempts: Readonly<Record<string, Attempt>> = {
  'reading files elsewhere': { code: each(outside.map((path) => `io.open("${path}")`)), expected: times(outside.length, 'nil') },
  'lines of files elsewhere': {
    code: each(outside.map((path) => `io.lines("${path}")`)),
    expected: times(outside.length, 'raised'),
  },
  'writing files elsewhere': {
    code: each([
      ...outside.flatMap((path) => ['w', 'a', 'r+', 'w+', 'a+'].map((mode) => `io.open("${path}", "${mode}")`)),
      `io.open('console.lua', 'w')`,
      `io.open('new', 'w')`,
    ]),
    expected: times(outside.length * 5 + 2, 'nil'),
  },
  'modes that are none': {
    code: each([
      `io.open('data.txt', 'x')`,
      `io.open('data.txt', 'w\\0')`,
      `io.open('data.txt', 'r,ccs=UTF-8')`,
      `io.open('data.txt', {})`,
    ]),
    expected: times(4, 'raised'),
  },
  'removing and moving files': {
    code: each([
      ...['data.txt', 'console.lua', '../outside/secret', 'link', 'ROOM/writable/out/secret', 'ROOM/writable/out', '.', '/'].map(
        (path) => `os.remove("${path}")`,
      ),
      ...[
        ['data.txt', 'ROOM/writable/data.txt'],
        ['../outside/secret', 'ROOM/writable/secret'],
        ['link', 'ROOM/writable/secret'],
        ['ROOM/writable', 'ROOM/elsewhere'],
        ['ROOM/writable/out/secret', 'ROOM/writable/secret'],
      ].map(([from, to]) => `os.rename("${from}", "${to}")`),
    ]),
    // A link in a directory that may be written is the guest's to remove, without what it leads to.
    expected: /^200 "(nil ){5}(nil|value)( nil){7}"$/,
  },
  'modules elsewhere': {
    code: each(
      [
        '../outside/secret',
        '..outside.secret',
        '/etc/passwd',
        'directory-link.secret',
        'link',
        'outside/secret\\0.lua',
        'a/../../outside/secret',
        '....outside.secret',
        '.%2e.outside',
        'data.txt',
      ].map((name) => `require("${name}")`),
    ),
    expected: times(10, 'raised'),
  },
  'paths of modules': {
    code: each([
      ...['/etc/?', 'ROOM/outside/?', '../outside/?', './directory-link/?', '?', '/etc/passwd', 'ROOM/outside/secret', '\\0'].map(
        (path) => `package.searchpath('secret', "${path}")`,
      ),
      `package.searchpath('../outside/secret', './?', '', '')`,
      `package.searchpath('.', '?', '.', '../outside/secret')`,
      `(function() local kept = package.path package.path = 'ROOM/outside/?;/etc/?' local ok = pcall(require, 'passwd') package.path = kept return ok or nil end)()`,
    ]),
    expected: times(11, 'nil'),
  },
  'a searcher of its own': {
    code: `
package.searchers[#package.searchers + 1] = function(name) return io.open, '../outside/secret' end
local ok, value = pcall(require, 'anything')
package.searchers[#package.searchers] = nil
return ok, value == true, io.open('../outside/secret')`,
    expected: /^200 false false nil /,
  },
  'the environment': {
    code: `return os.getenv('HOST_SECRET'), os.getenv('PATH'), os.getenv(''), os.getenv('HOST_SECRET\\0x'), pcall(os.getenv)`,
    expected: /^200 nil nil nil nil false /,
  },
  'options of the server': {
    code: `
local names = {}
for name in pairs(uwsgi.opt) do names[#names + 1] = name end
return #names, uwsgi.magic_table`,
    expected: /^200 0 nil$/,
  },
  'acting on the whole server': {
    code: each([
      'uwsgi.reload()',
      'uwsgi.stop()',
      'uwsgi.set_spooler_frequency(1)',
      `uwsgi.add_file_monitor(3, '/etc/passwd')`,
      `uwsgi.add_file_monitor(3, '../outside/secret')`,
    ]),
    expected: times(5, 'raised'),
  },
  'sending files': {
    code: each(
      [
        '/etc/passwd',
        'ROOM/outside/secret',
        'ROOM/app/../outside/secret',
        'ROOM/app/link',
        '/proc/self/environ',
        '/dev/zero',
        'ROOM/app',
        'ROOM/app/data.txt\\0',
      ].map((path) => `uwsgi.sendfile("${path}") or nil`),
    ),
    expected: /^200 "((raised|nil) ?){8}"$/,
  },
  'a file in the place of the body': {
    code: `
local ok, message = pcall(uwsgi.sendfile, 'ROOM/outside/secret')
return ok and message or 'refused'`,
    expected: /^200 (false|nil|"refused")$/,
  },
  'jobs in directories that are no spooler': {
    code: each([
      `uwsgi.spool { spooler = 'ROOM/outside', a = 'b' }`,
      `uwsgi.spool { spooler = '/etc', a = 'b' }`,
      `uwsgi.spool { priority = '../../outside', a = 'b' }`,
      `uwsgi.spool { a = 'b' }`,
      `uwsgi.spooler_get_task('ROOM/outside/secret')`,
      `uwsgi.spooler_get_task('/etc/passwd')`,
      `uwsgi.spooler_get_task('../../etc/passwd')`,
    ]),
    expected: times(7, 'raised'),
  },
  connections: {
    code: each([
      `uwsgi.connect('127.0.0.1:22')`,
      `uwsgi.async_connect('[::1]:22')`,
      `uwsgi.connect('/var/run/docker.sock')`,
      `uwsgi.rpc('127.0.0.1:3031', 'x')`,
      `uwsgi.signal(1, '127.0.0.1:3031')`,
      `uwsgi.cache_get('x', 'default@127.0.0.1:3031')`,
    ]),
    expected: times(6, 'raised'),
  },
  'connections of others by their numbers': {
    code: `
local own, said = uwsgi.connection_fd(), {}
for fd = 0, 200 do
  if fd ~= own then
    for _, call in ipairs { uwsgi.recv, uwsgi.send, uwsgi.is_connected, uwsgi.wait_fd_read } do
      local ok, value = pcall(call, fd, 'x')
      if ok and value then said[#said + 1] = fd end
    end
  end
end
return #said`,
    expected: /^200 0$/,
  },
  'caches, areas and locks out of their bounds': {
    code: each([
      `uwsgi.cache_get('x', 'other')`,
      `uwsgi.cache_set('k', ('v'):rep(1 << 24))`,
      `uwsgi.cache_set(('k'):rep(1 << 20), 'v')`,
      `uwsgi.sharedarea_read(0, -1, 10)`,
      `uwsgi.sharedarea_read(0, 0, 1 << 40)`,
      `uwsgi.sharedarea_read(0, 1 << 40, 1)`,
      `uwsgi.sharedarea_read(99, 0, 1)`,
      `uwsgi.sharedarea_write(0, 4096, 'x')`,
      `uwsgi.sharedarea_wlock(-1)`,
      `uwsgi.lock(99)`,
      `uwsgi.unlock(-1)`,
    ]),
    expected: /^200 "((raised|nil) ?){11}"$/,
  },
  'arguments that are none': {
    code: `
local took = 0
local bad = setmetatable({}, { __index = function() error('x') end, __len = error, __tostring = error, __call = print, __pairs = error })
for name, call in pairs(uwsgi) do
  if type(call) == 'function' and not ({ reload = 1, stop = 1, disconnect = 1, suspend = 1, green_schedule = 1, wait_for_any = 1, signal_wait = 1, lock = 1, unlock = 1, mule_get_msg = 1, farm_get_msg = 1 })[name] then
    pcall(call, bad, bad, bad, bad)
    pcall(call, 0 / 0, -math.huge, math.mininteger, math.maxinteger)
    pcall(call, ('x'):rep(100000), '\\0', '', '__proto__')
    took = took + 1
  end
end
return took > 50`,
    expected: /^200 true$/,
  },
  'names that mean something to the host': {
    code: `
local said = {}
for _, name in ipairs { '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__' } do
  pcall(uwsgi.register_rpc, name, function() return 'mine' end)
  pcall(uwsgi.cache_set, name, name)
  pcall(uwsgi.set_logvar, name, name)
  pcall(uwsgi.spool, { [name] = name })
  said[#said + 1] = tostring(uwsgi.opt[name]) .. tostring(uwsgi[name])
end
return table.concat(said, ' ')`,
    expected: times(7, 'nilnil'),
  },
  'results of RPC functions that are no text': {
    code: `
uwsgi.register_rpc('odd', function() return setmetatable({}, { __tostring = function() return 'x' end }) end)
uwsgi.register_rpc('long', function() return ('x'):rep(1 << 26) end)
uwsgi.register_rpc('self', function() return uwsgi.call('self') end)
return (pcall(uwsgi.call, 'odd')), (pcall(uwsgi.call, 'long')), (pcall(uwsgi.call, 'self'))`,
    expected: /^200 false (true|false) false$/,
  },
  'lines of the log': {
    code: String.raw`
print('\r\n[pid: 1|app: 0|req: 1/1] forged')
uwsgi.log('\27[2J\27]0;title\7')
uwsgi.set_logvar('mine', 'x\r\nPOST /forged')
return 'logged'`,
    expected: /^200 "logged"$/,
  },
  'the time that it has': {
    code: each([`uwsgi.set_user_harakiri(-1)`, `uwsgi.set_user_harakiri(0 / 0)`, `uwsgi.set_user_harakiri(math.maxinteger)`]),
    expected: /^200 "((raised|nil|value) ?){3}"$/,
  },
}

/** Answers of an app of their own: the status, a header. */
export const forgedResponses: readonly (readonly [what: string, returned: string])[] = [
  ['a status of two lines', `'200 OK\\r\\nX-Evil: 1', {}, ''`],
  ['a header of two lines', `200, { X = 'a\\r\\nX-Evil: 1' }, ''`],
  ['a header with a NUL', `200, { X = 'a\\0X-Evil\\0001' }, ''`],
  ['a name of two lines', `200, { ['X\\r\\nX-Evil'] = '1' }, ''`],
  ['a name with a colon', `200, { ['X-Evil: 1\\r\\nX'] = '1' }, ''`],
  ['a header among values', `200, { X = { 'a', 'b\\nX-Evil: 1' } }, ''`],
  [
    'a body that passes for the next response',
    `200, { ['Content-Length'] = '1' }, 'xHTTP/1.1 200 OK\\r\\nX-Evil: 1\\r\\n\\r\\n'`,
  ],
  ['two lengths', `200, { ['Content-Length'] = { '1', '2' } }, 'x'`],
  ['a length and chunks', `200, { ['Content-Length'] = '5', ['Transfer-Encoding'] = 'chunked' }, 'x'`],
]
