// The plugin that opens the caches to other servers (modifier1 111, modifier2 17): a dictionary says what is wanted, the value
// to be stored follows it as a body, and so does the value that is found.
// Invariant: whatever cannot be done, or is not there, is told by a connection closed without a byte: the protocol has no
// other word for it. Differs from uWSGI: its older forms (modifier2 0 to 6), which answer with garbage there, are closed too.
import { cacheModifier1, cacheModifier2, decodeCacheRequest, encodeCacheReply } from '../../protocol/cache-packets.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { Log } from '../api/context.ts'
import { ClientError } from '../errors.ts'
import type { Plugin, RequestResult } from '../plugin/plugin.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { Cache } from '../state/cache.ts'

const nothing = new Uint8Array(0)

export const createCachePlugin = (): Plugin => {
  let caches: ReadonlyMap<string, Cache>
  let log: Log

  /** The whole reply; undefined: there is none. */
  const replyTo = async (request: WsgiRequest): Promise<Uint8Array | undefined> => {
    if (request.modifier2 !== cacheModifier2) return undefined
    const { cmd, key, size, expires, cache: name } = decodeCacheRequest(request.vars)
    const cache: Cache | undefined = name === '' ? caches.values().next().value : caches.get(name)
    if (cache === undefined) return undefined
    switch (cmd) {
      case 'get':
        return replyWithItem(cache, key)
      case 'exists':
        return replyIf(cache.exists(key))
      case 'del':
        return replyIf(cache.del(key))
      case 'clear':
        cache.clear()
        return replyIf(true)
      case 'set':
      case 'update': {
        // What the cache cannot take is not worth reading.
        const value = size > cache.maxValue ? undefined : await readBody(request, size)
        if (value === undefined) return undefined
        return replyIf(cmd === 'set' ? cache.set(key, value, expires) : cache.update(key, value, expires))
      }
    }
  }

  return {
    name: 'cache',
    modifier1: cacheModifier1,

    postFork(context) {
      caches = context.server.caches
      log = context.log
    },

    async request(request): Promise<RequestResult> {
      let reply: Uint8Array | undefined
      try {
        reply = await replyTo(request)
      } catch (error) {
        if (error instanceof ProtocolError) log.text(`invalid cache request, skipped: ${error.message}`)
        else if (!(error instanceof ClientError)) throw error
      }
      await request.writeRawAsync(reply ?? nothing)
      await request.finishAsync()
      return 0
    },
  }
}

const replyIf = (isDone: boolean): Uint8Array | undefined => (isDone ? encodeCacheReply() : undefined)

const replyWithItem = (cache: Cache, key: Uint8Array): Uint8Array | undefined => {
  const item = cache.getItem(key)
  // A number of whole seconds: one that ends a moment early would be gone before its time.
  return item === undefined ? undefined : encodeCacheReply(item.value, Math.ceil(item.expiresAtMs / 1000))
}

/** Undefined: less came than was announced. */
const readBody = async ({ body }: WsgiRequest, size: number): Promise<Uint8Array | undefined> => {
  const value = new Uint8Array(size)
  let length = 0
  while (length < size) {
    const piece = await body.readAsync(size - length)
    if (piece.length === 0) return undefined
    value.set(piece, length)
    length += piece.length
  }
  return value
}

export default createCachePlugin()
