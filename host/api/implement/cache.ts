// Implementations of the group `cache`: a cache of this server is shared memory, one of another server is asked through the
// master. Whatever is not there or does not fit is not_defined, whichever of the two it is.
import { type CacheCommand, type CacheReply, decodeCacheReply, encodeCacheRequest } from '../../../protocol/cache-packets.ts'
import { ProtocolError } from '../../../protocol/errors.ts'
import { ApiError, PolywsgiError } from '../../errors.ts'
import type { Cache, CacheOperator } from '../../state/cache.ts'
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { cache } from '../table/cache.ts'
import { oneWait, outcomeOf, type Steps, type Waiting, waiting } from '../waiting.ts'

interface RemoteCache {
  /** Empty: the first one of that server. */
  readonly name: string
  readonly address: string
}

interface RemoteCall {
  readonly cmd: CacheCommand
  readonly key?: Uint8Array
  readonly value?: Uint8Array
  readonly expires?: number
}

const numberBytes = 8
const noBytes = new Uint8Array(0)

/** `name@address`. The address of an abstract socket has an `@` of its own: the first one counts. */
const remoteOf = (name: string | undefined): RemoteCache | undefined => {
  const at = name?.indexOf('@') ?? -1
  return name === undefined || at < 0 ? undefined : { name: name.slice(0, at), address: name.slice(at + 1) }
}

const localOf = ({ caches }: ApiContext, name: string | undefined): Cache | undefined =>
  name === undefined || name === '' ? caches.values().next().value : caches.get(name)

/** @param read makes the result of what was answered; undefined: it was refused there, or there is no answer */
const ask = <T>(
  context: ApiContext,
  remote: RemoteCache,
  call: RemoteCall,
  read: (reply: CacheReply | undefined) => T,
): Waiting<T> =>
  waiting(function* () {
    return read(yield* replyTo(context, remote, call))
  })

function* replyTo(
  context: ApiContext,
  { name, address }: RemoteCache,
  { cmd, key = noBytes, value, expires = 0 }: RemoteCall,
): Steps<CacheReply | undefined> {
  // What a server would refuse anyhow needs no journey.
  if ((key.length === 0 && cmd !== 'clear') || value?.length === 0) return undefined
  const { master, socketTimeoutMs: timeoutMs } = context
  try {
    const request = encodeCacheRequest({ cmd, key, expires, cache: name }, value)
    const call = { address, request, reply: 'packet', timeoutMs } as const
    const answer = oneWait(
      () => master.call('remote', call),
      () => master.callAsync('remote', call),
    )
    const reply = yield* outcomeOf(answer)
    return reply && decodeCacheReply(reply)
  } catch (error) {
    // As in uWSGI a cache out of reach is a cache that has nothing; why, only the log can tell.
    const isNoAnswer = error instanceof ProtocolError || (error instanceof PolywsgiError && error.code === 'API_IO')
    if (!isNoAnswer) throw error
    context.log.text(`cache ${cmd} from ${name}@${address}: ${error.message}`)
    return undefined
  }
}

const isTrue = (success: boolean): true | undefined => (success ? true : undefined)

const wasDone = (reply: CacheReply | undefined): true | undefined => isTrue(reply !== undefined)

type Success = true | undefined | Waiting<true | undefined>
type Store = (context: ApiContext, key: Uint8Array, value: Uint8Array, expires: number, name: string | undefined) => Success

const store =
  (cmd: 'set' | 'update'): Store =>
  (context, key, value, expires, name) => {
    const remote = remoteOf(name)
    if (remote !== undefined) return ask(context, remote, { cmd, key, value, expires }, wasDone)
    return isTrue(localOf(context, name)?.[cmd](key, value, expires) === true)
  }

type Calculate = (context: ApiContext, key: Uint8Array, n: bigint, expires: number, name: string | undefined) => true | undefined

const calculate =
  (operator: CacheOperator): Calculate =>
  (context, key, n, expires, name) => {
    if (remoteOf(name) !== undefined) {
      throw new ApiError(`cache_${operator}`, 'API_REFUSED', 'the numbers of a remote cache cannot be changed')
    }
    return isTrue(localOf(context, name)?.calculate(operator, key, n, expires) !== undefined)
  }

export const cacheImplementation: ImplementationOf<typeof cache, ApiContext> = {
  cache_get: (context, key, name) => {
    const remote = remoteOf(name)
    if (remote !== undefined) return ask(context, remote, { cmd: 'get', key }, (reply) => reply?.value)
    return localOf(context, name)?.get(key)
  },
  cache_exists: (context, key, name) => {
    const remote = remoteOf(name)
    if (remote !== undefined) return ask(context, remote, { cmd: 'exists', key }, wasDone)
    return isTrue(localOf(context, name)?.exists(key) === true)
  },
  cache_set: store('set'),
  cache_update: store('update'),
  cache_del: (context, key, name) => {
    const remote = remoteOf(name)
    if (remote !== undefined) return ask(context, remote, { cmd: 'del', key }, wasDone)
    return isTrue(localOf(context, name)?.del(key) === true)
  },
  cache_inc: calculate('inc'),
  cache_dec: calculate('dec'),
  cache_mul: calculate('mul'),
  cache_div: calculate('div'),
  cache_num: (context, key, name) => {
    const remote = remoteOf(name)
    if (remote === undefined) return localOf(context, name)?.num(key) ?? 0n
    return ask(context, remote, { cmd: 'get', key }, (reply) => {
      const value = reply?.value
      return value?.length === numberBytes ? new BigInt64Array(Uint8Array.from(value).buffer)[0]! : 0n
    })
  },
  cache_clear: (context, name) => {
    const remote = remoteOf(name)
    if (remote !== undefined) return ask(context, remote, { cmd: 'clear' }, wasDone)
    const cache = localOf(context, name)
    cache?.clear()
    return isTrue(cache !== undefined)
  },
  cache_keys: (context, name) => {
    const cache = localOf(context, name)
    if (cache === undefined) throw new ApiError('cache_keys', 'API_REFUSED', 'no local uWSGI cache available')
    return cache.keys()
  },
}
