// Attempts against the Lua interpreter itself and what the binding keeps in it.
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

export const innerAttempts: Readonly<Record<string, Attempt>> = {
  'libraries that are not there': {
    code: each([
      ...['io.popen', 'io.tmpfile', 'io.stdin', 'io.stdout', 'io.stderr', 'io.input', 'io.output', 'io.read', 'io.write'],
      ...[
        'os.execute',
        'os.exit',
        'os.tmpname',
        'os.setlocale',
        'dofile',
        'loadfile',
        'loadstring',
        'string.dump',
        'package.loadlib',
      ],
      ...['package.cpath', 'package.searchers[3]', 'package.searchers[4]', 'ffi', 'jit', 'bit', 'newproxy', 'setfenv', 'getfenv'],
    ]),
    expected: times(27, 'nil'),
  },
  'the debug library': {
    code: `local names = {}
for name in pairs(debug) do names[#names + 1] = name end
return table.concat(names, ' '), package.loaded.debug == debug, require('debug') == debug`,
    expected: /^200 "traceback" true true$/,
  },
  'libraries by require': {
    code: each([
      `require 'ffi'`,
      `require 'jit'`,
      `require 'lfs'`,
      `require 'socket'`,
      `require '_polywsgi'`,
      `require 'polywsgi'`,
    ]),
    expected: times(6, 'raised'),
  },
  'byte code': {
    code: String.raw`
local header = '\27Lua\x54\0\x19\x93\r\n\x1a\n\x04\x08\x08' .. ('\0'):rep(200)
local said = {}
for _, mode in ipairs { 'b', 'bt', 't', '' } do
  local chunk, message = load(header, '=x', mode)
  said[#said + 1] = tostring(chunk) .. (message:find('binary') and ' binary' or message:find('mode') and ' mode' or message)
end
local pieces = { '\27', 'Lua', header:sub(5) }
local chunk, message = load(function() return table.remove(pieces, 1) end)
said[#said + 1] = tostring(chunk) .. (message:find('binary') and ' binary' or message)
return table.concat(said, ' ')`,
    expected: /^200 "nil mode nil binary nil binary nil mode nil binary"$/,
  },
  'a reader of load that changes its mind': {
    code: String.raw`
local n = 0
local forged = setmetatable({}, { __tostring = function() return '\27Lua' end, __concat = function() return '\27Lua' end })
local chunk, message = load(function() n = n + 1 if n == 1 then return forged end end)
local mode = setmetatable({}, { __index = string })
return tostring(chunk), message, pcall(load, '\27Lua', 'x', mode)`,
    expected: /^200 "nil" "reader function must return a string" (false|true nil)/,
  },
  finalizers: {
    code: each([
      `setmetatable({}, { __gc = function() while true do end end })`,
      `setmetatable({}, { __gc = true })`,
      `setmetatable(setmetatable({}, { __mode = 'k' }), { __gc = print })`,
    ]),
    expected: times(3, 'raised'),
  },
  'finalizers that come later': {
    code: `
local ran = false
local m = { __metatable = false }
local t = setmetatable({}, m)
m.__gc = function() ran = true while true do end end
local u = setmetatable({}, setmetatable({}, { __index = function(_, key) if key == '__gc' then return m.__gc end end }))
t, u = nil, nil
for i = 1, 20 do collectgarbage() end
return ran`,
    expected: /^200 false$/,
  },
  'the metatable of strings': {
    code: `
local m = getmetatable('')
local before = m.__index
m.__index = function(s, key) return before[key] end
m.__call = function() return 'called' end
m.__metatable = nil
local said = ('x'):upper() .. ('x')()
m.__index, m.__call = before, nil
return said`,
    expected: /^200 "Xcalled"$/,
  },
  'metatables of what the host gave': {
    code: each([
      `setmetatable(io.open('data.txt'), {})`,
      `getmetatable(io.open('data.txt')).__index`,
      `setmetatable(uwsgi.worker_id, {})`,
      `getmetatable(uwsgi.worker_id)`,
      `rawset(io.open('data.txt'), 'number', 0)`,
      `io.close(setmetatable({}, { __name = 'FILE*' }))`,
      `io.open('data.txt').read({ number = 0 }, 'a')`,
    ]),
    expected: /^200 "raised (raised|nil|value) raised nil raised raised raised"$/,
  },
  'objects of one kind in the place of another': {
    code: each([
      `io.open('data.txt').read(coroutine.create(print), 'a')`,
      `io.open('data.txt').read(io, 'a')`,
      `io.lines(print)`,
      `coroutine.resume(io.open('data.txt'))`,
      `coroutine.close(uwsgi.worker_id)`,
      `string.rep(io.open('data.txt'), 2)`,
      `table.concat(io.open('data.txt'))`,
      `next(io.open('data.txt'))`,
    ]),
    expected: times(8, 'raised'),
  },
  addresses: {
    code: `
local f = io.open('data.txt')
return (('%p'):format(f) .. tostring(print)):find('/') == nil, pcall(string.pack, 'z', f), pcall(string.unpack, '<I8', 'x', 1 << 60)`,
    expected: /^200 true false false /,
  },
  'memory beyond a string': {
    code: each([
      `string.unpack('<s4', '\\xff\\xff\\xff\\x7fx')`,
      `string.unpack('<s8', ('\\xff'):rep(8) .. 'x')`,
      `string.unpack('z', 'no end')`,
      `string.unpack('<i16', ('\\x7f'):rep(16))`,
      `('x'):rep(1 << 62, 'y')`,
      `('%99999d'):format(1)`,
      `('%' .. ('9'):rep(1000) .. 's'):format('x')`,
      `utf8.char(-1)`,
      `utf8.codepoint('x', 1 << 40)`,
      `table.unpack({}, 1, 1 << 40)`,
      `table.concat({}, '', -(1 << 62), 1 << 62)`,
      `table.move({ 1 }, 1, math.maxinteger, 2)`,
      `table.insert({}, 1 << 40, 1)`,
      `string.byte(('x'):rep(1 << 24), 1, -1)`,
      `select(math.mininteger, 1)`,
    ]),
    expected: times(15, 'raised'),
  },
  'all the memory there is': {
    code: `
local said = {}
for _, take in ipairs {
  function() return ('x'):rep(1 << 31) end,
  function() local t = {} for i = 1, math.huge do t[i] = {} end end,
  function() local s = 'x' while true do s = s .. s end end,
  function() local t = {} for i = 1, math.huge do t[i] = coroutine.create(print) end end,
} do
  local ok, message = pcall(take)
  said[#said + 1] = tostring(ok)
  collectgarbage()
end
return table.concat(said, ' ')`,
    expected: /^200 "false false false false"$/,
  },
  'all of the stack': {
    code: `
local function deep() return 1 + deep() end
local function again() return pcall(again) end
local t = setmetatable({}, {})
getmetatable(t).__index = function(t, key) return t[key .. 'x'] end
local w = coroutine.wrap
local function nest() return w(nest)() end
return pcall(deep), (pcall(again)), (pcall(function() return t.x end)), (pcall(nest)), (pcall(load, ('('):rep(1 << 20))),
  (pcall(string.find, ('x'):rep(1 << 18), ('x?'):rep(1 << 18)))`,
    expected: /^200 false .*$/s,
  },
  'the scheduler, by coroutines': {
    code: `
local said = {}
local main, isMain = coroutine.running()
said[#said + 1] = tostring(coroutine.resume(main))
said[#said + 1] = tostring(pcall(coroutine.close, main))
said[#said + 1] = coroutine.status(main)
local co co = coroutine.create(function()
  said[#said + 1] = tostring(coroutine.resume(co))
  said[#said + 1] = tostring(pcall(coroutine.close, co))
  coroutine.yield(main)
end)
coroutine.resume(co)
said[#said + 1] = tostring(coroutine.close(co))
return table.concat(said, ' ')`,
    expected: /^200 "false false running false false true"$/,
  },
  'a yield to the host': {
    code: `coroutine.yield('500 Mine', { ['X'] = 'y' }, 'body') return 'went on'`,
    expected: /^500 /,
  },
  'threads of the host that lie about': {
    code: `
local found = {}
local function visit(value, seen)
  if seen[value] then return end
  seen[value] = true
  if type(value) == 'thread' then found[#found + 1] = tostring(coroutine.resume(value)) end
  if type(value) ~= 'table' then return end
  for key, item in next, value do
    if key ~= nil then visit(key, seen) end
    if item ~= nil then visit(item, seen) end
  end
  local m = getmetatable(value)
  if m then visit(m, seen) end
end
visit({ _G, getmetatable(''), package }, {})
return #found`,
    expected: /^200 0$/,
  },
  "the host's table of functions": {
    code: `
local names, seen = {}, {}
local function visit(value)
  if type(value) ~= 'table' or seen[value] then return end
  seen[value] = true
  for key, item in next, value do names[tostring(key)] = true visit(key) visit(item) end
  if type(getmetatable(value)) == 'table' then visit(getmetatable(value)) end
end
visit(_G) visit(getmetatable('')) visit(getmetatable(uwsgi))
local reached = {}
for _, name in ipairs { 'readModule', 'findModule', 'openFile', 'readFile', 'writeFile', 'keep', 'arguments', 'newObject', 'newEnv', 'beginModule', 'randomInteger' } do
  if names[name] then reached[#reached + 1] = name end
end
return #reached`,
    expected: /^200 0$/,
  },
  'functions of the library that were replaced': {
    code: `
local kept = { string.gsub, string.find, table.concat, next, pcall, type, setmetatable, tostring, string.sub }
local stolen = {}
local function thief(name) return function(...) stolen[#stolen + 1] = name return nil end end
string.gsub, string.find, table.concat, string.sub = thief 'gsub', thief 'find', thief 'concat', thief 'sub'
local saved = { next, pcall, type, setmetatable, tostring }
next, pcall, type, setmetatable, tostring = thief 'next', thief 'pcall', thief 'type', thief 'setmetatable', thief 'tostring'
local ok = saved[2](require, '../outside/secret')
local okload = saved[2](load, 'return 1')
local file = io.open('../outside/secret')
string.gsub, string.find, table.concat, string.sub = kept[1], kept[2], kept[3], kept[9]
next, pcall, type, setmetatable, tostring = kept[4], kept[5], kept[6], kept[7], kept[8]
return #stolen, ok, file`,
    expected: /^200 0 false nil$/,
  },
  'errors that are objects': {
    code: `
local said
local thrown = setmetatable({}, { __tostring = function() said = debug.traceback() return 'text' end, __metatable = 'x' })
local ok, caught = pcall(error, thrown)
tostring(caught)
local _, traced = xpcall(error, function() return debug.traceback() end, thrown)
return rawequal(caught, thrown), (traced .. said .. tostring(caught)):find('(polywsgi)', 1, true)`,
    expected: /^200 true nil$/,
  },
  'an error that is no text, uncaught': {
    code: `error(setmetatable({}, { __tostring = function() error(setmetatable({}, { __tostring = error })) end }))`,
    expected: /^500 /,
  },
  'what is to be closed when the request ends': {
    code: `
local x <close> = setmetatable({}, { __close = function() error('closing ' .. tostring(io.open('../outside/secret'))) end })
error('first')`,
    expected: /^500 .*closing nil$/s,
  },
  'catastrophic patterns within bounds': {
    code: `return (pcall(string.find, ('a'):rep(1 << 20), ('(a)'):rep(33))), (pcall(string.gsub, 'x', '', ('%9'):rep(10)))`,
    expected: /^200 false false$/,
  },
  'environments of others': {
    code: `
local other = load('return _ENV', '=x', 't', setmetatable({}, { __index = _G }))()
other.mine = 1
return mine, _G.mine, package.loaded._G == _G, load('return _ENV')() == _G`,
    expected: /^200 nil nil true true$/,
  },
}
