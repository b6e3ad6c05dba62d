// Which caches a configuration asks for: `cache2` texts (`key=value,...`), uWSGI's older `cache` options, and what is to be
// in the caches from the beginning. Differs from uWSGI: unknown keys are refused, `lazy=0` is off, `lazy` alone is on.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Settings } from './config/index.ts'
import { nearestName } from './config/nearest.ts'
import { ConfigError } from './errors.ts'
import type { Cache, CacheShape } from './state/cache.ts'

export type CacheSettings = Pick<
  Settings,
  'cache2' | 'cache' | 'cacheBlocksize' | 'cacheStore' | 'cacheStoreSync' | 'cacheNoExpire' | 'cacheUseLastModified'
>

type ShapeKey = keyof CacheShape
interface Key {
  readonly shape: ShapeKey
  readonly kind: 'text' | 'flag' | 'number' | 'int64' | 'hash' | 'path'
  readonly aliases?: readonly string[]
  readonly min?: number
  readonly max?: number
}

/** Item numbers and block numbers are words of 32 bits, and so are the offsets of item records in words. */
const mostItems = 2 ** 26
const largestWord = 2 ** 31 - 1
/** Lengths of keys in the protocol have 16 bits. */
const longestKey = 65_535

const keys: Readonly<Record<string, Key>> = {
  name: { shape: 'name', kind: 'text' },
  max_items: { shape: 'maxItems', kind: 'number', aliases: ['maxitems', 'items'], min: 1, max: mostItems },
  blocksize: { shape: 'blocksize', kind: 'number', min: 1, max: largestWord },
  blocks: { shape: 'blocks', kind: 'number', min: 1, max: largestWord },
  hash: { shape: 'hash', kind: 'hash' },
  hashsize: { shape: 'hashsize', kind: 'number', aliases: ['hash_size'], min: 1, max: mostItems },
  keysize: { shape: 'keysize', kind: 'number', aliases: ['key_size'], min: 1, max: longestKey },
  store: { shape: 'store', kind: 'path' },
  store_sync: { shape: 'storeSync', kind: 'number', aliases: ['storesync'], min: 0, max: 2_147_483 },
  store_delete: { shape: 'storeDelete', kind: 'flag', aliases: ['storedelete'] },
  bitmap: { shape: 'bitmap', kind: 'flag' },
  lastmod: { shape: 'lastmod', kind: 'flag' },
  math_initial: { shape: 'mathInitial', kind: 'int64' },
  ignore_full: { shape: 'ignoreFull', kind: 'flag' },
  purge_lru: { shape: 'purgeLru', kind: 'flag', aliases: ['lru'] },
  lazy_expire: { shape: 'lazyExpire', kind: 'flag', aliases: ['lazy'] },
  sweep_on_full: { shape: 'sweepOnFull', kind: 'flag' },
  clear_on_full: { shape: 'clearOnFull', kind: 'flag' },
  no_expire: { shape: 'noExpire', kind: 'flag' },
}
const keysByName = new Map<string, Key>(
  Object.entries(keys).flatMap(([name, key]) => [name, ...(key.aliases ?? [])].map((spelled) => [spelled, key] as const)),
)

/** uWSGI's keys for caches that copy each other over the network. */
const replication = new Set(['node', 'nodes', 'sync', 'udp', 'udp_servers', 'udp_server', 'udpservers', 'udpserver'])

const hashes = ['djb33x', 'murmur2', 'random', 'rand', 'rr']
const on = new Set(['true', 'on', 'yes', ''])
const off = new Set(['false', 'off', 'no'])

const defaults: Omit<CacheShape, 'name' | 'maxItems' | 'blocks'> = {
  blocksize: 65_536,
  hash: 'djb33x',
  hashsize: 65_536,
  keysize: 2048,
  bitmap: false,
  lastmod: false,
  mathInitial: 0n,
  ignoreFull: false,
  purgeLru: false,
  lazyExpire: false,
  sweepOnFull: false,
  clearOnFull: false,
  noExpire: false,
  store: undefined,
  storeSync: 0,
  storeDelete: false,
}

const refused = (option: string, text: string, problem: string, hint = ''): ConfigError =>
  new ConfigError('CONFIG_BAD_VALUE', `${option} = ${text}: ${problem}${hint}`)

/**
 * The caches in their order; the first one is the default.
 * @param cwd where relative paths of stores begin
 * @throws ConfigError naming the text and the key
 */
export const planCaches = (settings: CacheSettings, cwd = process.cwd()): CacheShape[] => {
  const shapes: CacheShape[] = []
  const add = (option: string, text: string, shape: CacheShape): void => {
    if (shapes.some(({ name }) => name === shape.name)) {
      throw refused(option, text, `there is a cache of the name '${shape.name}' already`)
    }
    const sharer = shapes.find(({ store }) => store !== undefined && store === shape.store)
    if (sharer !== undefined) throw refused(option, text, `the store is that of cache '${sharer.name}' already`)
    shapes.push(shape)
  }
  if (settings.cache !== undefined) add('cache', String(settings.cache), legacyShape(settings, settings.cache, cwd))
  for (const text of settings.cache2) add('cache2', text, parseCache2(text, cwd))
  return shapes
}

const legacyShape = (settings: CacheSettings, maxItems: number, cwd: string): CacheShape => ({
  ...defaults,
  name: 'default',
  maxItems,
  blocks: maxItems,
  blocksize: settings.cacheBlocksize ?? defaults.blocksize,
  store: settings.cacheStore === undefined ? undefined : resolve(cwd, settings.cacheStore),
  storeSync: settings.cacheStoreSync ?? defaults.storeSync,
  noExpire: settings.cacheNoExpire,
  lastmod: settings.cacheUseLastModified,
})

const parseCache2 = (text: string, cwd: string): CacheShape => {
  const refuse = (problem: string, hint?: string): ConfigError => refused('cache2', text, problem, hint)
  const given = new Map<ShapeKey, string | number | bigint | boolean>()
  for (const part of text.split(',')) {
    const equals = part.indexOf('=')
    const name = (equals === -1 ? part : part.slice(0, equals)).trim()
    const value = equals === -1 ? undefined : part.slice(equals + 1).trim()
    if (name === '') throw refuse(part.trim() === '' ? 'there is nothing between two commas' : `'${part}' has no key`)
    if (replication.has(name)) throw refuse(`caches are not copied over the network here, so there is no '${name}'`)
    const key = keysByName.get(name)
    if (key === undefined) {
      const nearest = nearestName(name, keysByName.keys())
      throw refuse(`unknown key '${name}'`, nearest === undefined ? '' : ` (did you mean '${nearest}'?)`)
    }
    if (given.has(key.shape)) throw refuse(`'${name}' is given twice`)
    given.set(key.shape, parseKey(key, name, value, cwd, refuse))
  }
  const shape = { ...defaults, ...Object.fromEntries(given) } as Partial<CacheShape> & typeof defaults
  const { name, maxItems } = shape
  if (name === undefined) throw refuse("a cache needs a name: 'name=...'")
  if (maxItems === undefined) throw refuse("a cache needs a size: 'items=...'")
  const blocks = shape.blocks ?? maxItems
  if (blocks < maxItems) throw refuse(`'blocks' must be at least the number of items, ${maxItems}`)
  return { ...shape, name, maxItems, blocks }
}

const parseKey = (
  { kind, min = 0, max = 0 }: Key,
  name: string,
  value: string | undefined,
  cwd: string,
  refuse: (problem: string, hint?: string) => ConfigError,
): string | number | bigint | boolean => {
  if (kind === 'flag') return parseFlag(name, value ?? '', refuse)
  if (value === undefined || value === '') throw refuse(`'${name}' needs a value`)
  switch (kind) {
    case 'path':
      return resolve(cwd, value)
    case 'text':
      // An API call that names `cache@address` means a cache of another server.
      if (value.includes('@')) throw refuse(`the name '${value}' has an '@', which stands between a name and an address`)
      return value
    case 'hash': {
      if (hashes.includes(value)) return value
      const nearest = nearestName(value, hashes)
      const hint = nearest === undefined ? `one of ${hashes.join(', ')}` : `did you mean '${nearest}'?`
      throw refuse(`unknown hash '${value}'`, ` (${hint})`)
    }
    case 'int64': {
      const number = /^-?\d{1,30}$/.test(value) ? BigInt(value) : undefined
      if (number === undefined || BigInt.asIntN(64, number) !== number) {
        throw refuse(`'${name}' must be a whole number of 64 bits, not '${value}'`)
      }
      return number
    }
    case 'number': {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
      if (!(number >= min && number <= max)) {
        throw refuse(`'${name}' must be a whole number from ${min} to ${max}, not '${value}'`)
      }
      return number
    }
  }
}

/** Any number but 0 is on: uWSGI's `sweep_on_full` is often given as one. */
const parseFlag = (name: string, value: string, refuse: (problem: string) => ConfigError): boolean => {
  const word = value.toLowerCase()
  if (on.has(word)) return true
  if (off.has(word)) return false
  if (/^\d+$/.test(word)) return Number(word) !== 0
  throw refuse(`'${name}' must be on or off, not '${value}'`)
}

const utf8 = new TextEncoder()

/**
 * Puts `add-cache-item` and `load-file-in-cache` into the caches. An item that is there already, since a store kept it,
 * stays as it is.
 * @param cwd where relative paths begin; the key is the path as configured
 * @throws ConfigError naming the option
 */
export const fillCaches = async (
  caches: ReadonlyMap<string, Cache>,
  settings: Pick<Settings, 'addCacheItem' | 'loadFileInCache'>,
  cwd = process.cwd(),
): Promise<void> => {
  for (const text of settings.addCacheItem) {
    const match = /^(?:([^ =]+) +)?([^=]+)=(.+)$/s.exec(text)
    if (match === null) throw refused('add-cache-item', text, 'it is not [CACHE ]KEY=VALUE')
    add('add-cache-item', text, cacheOf(caches, match[1], 'add-cache-item', text), match[2]!, utf8.encode(match[3]))
  }
  for (const text of settings.loadFileInCache) {
    const space = text.indexOf(' ')
    // A path may hold a space: only the name of a cache before it is one.
    const named = space > 0 && caches.has(text.slice(0, space)) ? text.slice(0, space) : undefined
    const path = named === undefined ? text : text.slice(space).trimStart()
    const cache = cacheOf(caches, named, 'load-file-in-cache', text)
    let content: Uint8Array
    try {
      content = await readFile(resolve(cwd, path))
    } catch (error) {
      throw refused('load-file-in-cache', text, `the file cannot be read: ${(error as Error).message}`)
    }
    add('load-file-in-cache', text, cache, path, content)
  }
}

const cacheOf = (caches: ReadonlyMap<string, Cache>, name: string | undefined, option: string, text: string): Cache => {
  const cache = name === undefined ? caches.values().next().value : caches.get(name)
  if (cache === undefined) throw refused(option, text, name === undefined ? 'there is no cache' : `there is no cache '${name}'`)
  return cache
}

const add = (option: string, text: string, cache: Cache, key: string, value: Uint8Array): void => {
  const bytes = utf8.encode(key)
  if (cache.exists(bytes) || cache.set(bytes, value)) return
  const { keysize, maxItems } = cache.handle.shape
  const limits = `keys of ${keysize} bytes, values of 1 to ${cache.maxValue} bytes, ${maxItems} items`
  throw refused(option, text, `the item does not fit into cache '${cache.name}' (${limits})`)
}
