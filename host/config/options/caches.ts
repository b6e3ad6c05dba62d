// Option group: shared caches.
import type { Option } from '../option.ts'

export const caches = [
  {
    name: 'cache2',
    group: 'subsystems',
    type: 'list',
    item: 'text',
    value: 'KEY=VALUE,...',
    help:
      'Create a cache that all threads share: name=NAME,items=N and any of blocksize, blocks, hash, hashsize, keysize, ' +
      'store, store_sync, store_delete, bitmap, lastmod, math_initial, ignore_full, purge_lru, lazy_expire, sweep_on_full, ' +
      'clear_on_full, no_expire. The first one is the default. Differs from uWSGI: unknown keys are refused, all N items ' +
      'can be used, and a flag is off when its value says so.',
    effect: 'works',
  },
  {
    name: 'cache-expire-freq',
    group: 'subsystems',
    type: 'seconds',
    min: 0.1,
    default: 3,
    help: 'How often expired items are removed from caches. They are never returned in any case.',
    effect: 'works',
  },
  {
    name: 'cache-report-freed-items',
    group: 'subsystems',
    type: 'flag',
    help: 'Log how many expired items were removed.',
    effect: 'works',
  },
  {
    name: 'add-cache-item',
    group: 'subsystems',
    type: 'list',
    item: 'text',
    value: '[CACHE ]KEY=VALUE',
    help: 'Put an item into a cache at start, unless its store holds one of that key.',
    effect: 'works',
  },
  {
    name: 'load-file-in-cache',
    group: 'subsystems',
    type: 'list',
    item: 'text',
    value: '[CACHE ]FILE',
    help: "Put a file into a cache at start, with its path as the key, unless the cache's store holds one of that key.",
    effect: 'works',
  },
  {
    name: 'cache',
    group: 'subsystems',
    type: 'integer',
    min: 1,
    max: 67_108_864,
    unit: 'items',
    help: 'Create a cache of the name default, before those of cache2.',
    effect: 'works',
  },
  {
    name: 'cache-blocksize',
    group: 'subsystems',
    type: 'size',
    min: 1,
    max: 2_147_483_647,
    help: 'The longest value of the cache made by the option cache. Default: 64k.',
    effect: 'works',
  },
  {
    name: 'cache-store',
    group: 'subsystems',
    type: 'text',
    value: 'FILE',
    help: 'Where the cache made by the option cache is kept over a restart.',
    effect: 'works',
  },
  {
    name: 'cache-store-sync',
    group: 'subsystems',
    type: 'integer',
    min: 0,
    max: 2_147_483,
    unit: 'seconds',
    help: 'How often that store is written; 0 is only at the end.',
    effect: 'works',
  },
  {
    name: 'cache-no-expire',
    group: 'subsystems',
    type: 'flag',
    help: 'Never sweep the cache made by the option cache.',
    effect: 'works',
  },
  {
    name: 'cache-use-last-modified',
    group: 'subsystems',
    type: 'flag',
    help: 'Keep the time of the last change of the cache made by the option cache.',
    effect: 'works',
  },
] as const satisfies readonly Option[]
