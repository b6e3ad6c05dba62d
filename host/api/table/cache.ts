// API group: the caches that all threads of all languages share.
import type { ApiEntry } from '../kinds.ts'

const key = { name: 'key', type: 'bytes', doc: 'The key: up to `keysize` bytes.' } as const
const value = {
  name: 'value',
  type: 'bytes',
  doc: 'The value: up to `blocksize` bytes, with `bitmap` of several blocks.',
} as const
const expires = (doc: string) => ({ name: 'expires', type: 'int', default: 0, min: 0, unit: 'seconds', doc }) as const
const lifetime = expires('When the item is over, from now; 0 never.')
const firstLifetime = expires('When an item that the call creates is over, from now; 0 never. One that exists keeps its own.')
const cacheName = {
  name: 'cache',
  type: 'text',
  default: null,
  doc: 'The name of a cache; `name@address` and `@address` for one of another server; not given: the first one.',
} as const
const localName = { name: 'cache', type: 'text', default: null, doc: 'The name of a cache; not given: the first one.' } as const
const step = { name: 'n', type: 'int64', default: 1n, doc: 'By how much.' } as const
const factor = { name: 'n', type: 'int64', default: 2n, doc: 'By how much.' } as const
const mathRaises = ['ValueError: the numbers of a remote cache cannot be changed'] as const

const unanswered = 'an unknown cache, or a server that does not answer'
const unstored = `an empty or too long key or value, a full cache, ${unanswered}`
const math = `A missing item begins as \`math_initial\`; numbers have 64 bits, a sign, and wrap. Not_defined, with nothing changed,
for a value that is not of 8 bytes, a full cache, an unknown cache. Differs from uWSGI: such a value is not cut to 8 bytes,
and a remote cache is refused, where uWSGI overwrites its item.`

export const cache = [
  {
    shape: 'function',
    name: 'cache_get',
    group: 'cache',
    kind: 'blocking',
    params: [key, cacheName],
    returns: 'bytes',
    raises: [],
    doc: `The value of a key. Not_defined for a missing key, ${unanswered}.
Differs from uWSGI: an item that has expired is never returned, whether it was swept out or not.`,
    example: {
      js: "uwsgi.cacheUpdate('greeting', 'hello')\nreturn uwsgi.cacheGet('greeting').toString() // 'hello'",
      lua: "uwsgi.cache_update('greeting', 'hello')\nreturn uwsgi.cache_get('greeting') -- 'hello'",
      python: "uwsgi.cache_update('greeting', 'hello')\nreturn uwsgi.cache_get('greeting')  # b'hello'",
    },
  },
  {
    shape: 'function',
    name: 'cache_exists',
    group: 'cache',
    kind: 'blocking',
    params: [key, cacheName],
    returns: 'true',
    raises: [],
    doc: `Whether there is an item of that key: true, or not_defined, as for ${unanswered}.`,
    example: {
      js: "return uwsgi.cacheExists('nothing') ?? false",
      lua: "return uwsgi.cache_exists('nothing') or false",
      python: "return uwsgi.cache_exists('nothing') is not None",
    },
  },
  {
    shape: 'function',
    name: 'cache_set',
    group: 'cache',
    kind: 'blocking',
    params: [key, value, lifetime, cacheName],
    returns: 'true',
    raises: [],
    doc: `Adds an item. Not_defined, with nothing changed, for a key that exists, ${unstored}.`,
    example: {
      js: "return uwsgi.cacheSet('session', 'data', 60)",
      lua: "return uwsgi.cache_set('session', 'data', 60)",
      python: "return uwsgi.cache_set('session', 'data', 60)",
    },
  },
  {
    shape: 'function',
    name: 'cache_update',
    group: 'cache',
    kind: 'blocking',
    params: [key, value, lifetime, cacheName],
    returns: 'true',
    raises: [],
    doc: `Adds an item, or gives one that exists another value and another expiry. Not_defined, with nothing changed, for
${unstored}.`,
    example: {
      js: "return uwsgi.cacheUpdate('page', '<h1>hi</h1>', 10, 'default')",
      lua: "return uwsgi.cache_update('page', '<h1>hi</h1>', 10, 'default')",
      python: "return uwsgi.cache_update('page', b'<h1>hi</h1>', 10, 'default')",
    },
  },
  {
    shape: 'function',
    name: 'cache_del',
    group: 'cache',
    kind: 'blocking',
    params: [key, cacheName],
    returns: 'true',
    raises: [],
    doc: `Removes an item. Not_defined for a missing key, ${unanswered}.`,
    example: {
      js: "uwsgi.cacheUpdate('old', '1')\nreturn uwsgi.cacheDel('old') // true",
      lua: "uwsgi.cache_update('old', '1')\nreturn uwsgi.cache_del('old') -- true",
      python: "uwsgi.cache_update('old', '1')\nreturn uwsgi.cache_del('old')  # True",
    },
  },
  {
    shape: 'function',
    name: 'cache_inc',
    group: 'cache',
    kind: 'immediate',
    params: [key, step, firstLifetime, localName],
    returns: 'true',
    raises: mathRaises,
    doc: `Adds to the number that an item is (\`cache_num\`). ${math}`,
    example: {
      js: "uwsgi.cacheInc('visits')\nreturn uwsgi.cacheNum('visits')",
      lua: "uwsgi.cache_inc('visits')\nreturn uwsgi.cache_num('visits')",
      python: "uwsgi.cache_inc('visits')\nreturn uwsgi.cache_num('visits')",
    },
  },
  {
    shape: 'function',
    name: 'cache_dec',
    group: 'cache',
    kind: 'immediate',
    params: [key, step, firstLifetime, localName],
    returns: 'true',
    raises: mathRaises,
    doc: `Subtracts from the number that an item is (\`cache_num\`). ${math}`,
    example: {
      js: "return uwsgi.cacheDec('stock', 2)",
      lua: "return uwsgi.cache_dec('stock', 2)",
      python: "return uwsgi.cache_dec('stock', 2)",
    },
  },
  {
    shape: 'function',
    name: 'cache_mul',
    group: 'cache',
    kind: 'immediate',
    params: [key, factor, firstLifetime, localName],
    returns: 'true',
    raises: mathRaises,
    doc: `Multiplies the number that an item is (\`cache_num\`). ${math}`,
    example: {
      js: "uwsgi.cacheInc('size')\nreturn uwsgi.cacheMul('size', 3)",
      lua: "uwsgi.cache_inc('size')\nreturn uwsgi.cache_mul('size', 3)",
      python: "uwsgi.cache_inc('size')\nreturn uwsgi.cache_mul('size', 3)",
    },
  },
  {
    shape: 'function',
    name: 'cache_div',
    group: 'cache',
    kind: 'immediate',
    params: [key, factor, firstLifetime, localName],
    returns: 'true',
    raises: mathRaises,
    doc: `Divides the number that an item is (\`cache_num\`), towards zero; by zero it becomes 0. ${math}`,
    example: {
      js: "uwsgi.cacheInc('half', 10)\nreturn uwsgi.cacheDiv('half')",
      lua: "uwsgi.cache_inc('half', 10)\nreturn uwsgi.cache_div('half')",
      python: "uwsgi.cache_inc('half', 10)\nreturn uwsgi.cache_div('half')",
    },
  },
  {
    shape: 'function',
    name: 'cache_num',
    group: 'cache',
    kind: 'blocking',
    params: [key, cacheName],
    returns: 'int64',
    always: true,
    raises: [],
    luaAliases: ['cache_getnum'],
    doc: `The number that an item is: its value as 8 bytes in the machine's order. 0 for a missing key, for a value of another
size, for ${unanswered}.`,
    example: {
      js: "uwsgi.cacheInc('hits', 5)\nreturn uwsgi.cacheNum('hits')",
      lua: "uwsgi.cache_inc('hits', 5)\nreturn uwsgi.cache_num('hits')",
      python: "uwsgi.cache_inc('hits', 5)\nreturn uwsgi.cache_num('hits')",
    },
  },
  {
    shape: 'function',
    name: 'cache_clear',
    group: 'cache',
    kind: 'blocking',
    params: [cacheName],
    returns: 'true',
    raises: [],
    doc: `Removes every item of a cache. Not_defined for ${unanswered}.`,
    example: { js: 'return uwsgi.cacheClear()', lua: 'return uwsgi.cache_clear()', python: 'return uwsgi.cache_clear()' },
  },
  {
    shape: 'function',
    name: 'cache_keys',
    group: 'cache',
    kind: 'immediate',
    params: [localName],
    returns: { list: 'bytes', python: 'list' },
    always: true,
    raises: ['ValueError: no local uWSGI cache available'],
    doc: 'The keys of all items of a cache of this server, as they are at one moment, in no order.',
    example: {
      js: "uwsgi.cacheUpdate('a', '1')\nreturn uwsgi.cacheKeys().map(String)",
      lua: "uwsgi.cache_update('a', '1')\nreturn #uwsgi.cache_keys()",
      python: "uwsgi.cache_update('a', '1')\nreturn uwsgi.cache_keys()",
    },
  },
] as const satisfies readonly ApiEntry[]
