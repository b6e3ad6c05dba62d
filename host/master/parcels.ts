// Bytes that threads send beside an order to offload: they come by message, the order by the ring, and either may be first.
// Invariant: a parcel is here at most until its order takes it, or its thread has ended.
import { PolywsgiError } from '../errors.ts'

export class Parcels {
  readonly #arrived = new Map<string, Uint8Array>()
  readonly #awaited = new Map<string, PromiseWithResolvers<Uint8Array>>()

  arrived(thread: number, id: number, bytes: Uint8Array): void {
    const key = `${thread}:${id}`
    const waiter = this.#awaited.get(key)
    if (waiter === undefined) this.#arrived.set(key, bytes)
    else {
      this.#awaited.delete(key)
      waiter.resolve(bytes)
    }
  }

  /** Rejects when the thread ends before it has sent it. */
  take(thread: number, id: number): Promise<Uint8Array> {
    const key = `${thread}:${id}`
    const bytes = this.#arrived.get(key)
    if (bytes !== undefined) {
      this.#arrived.delete(key)
      return Promise.resolve(bytes)
    }
    const waiter = Promise.withResolvers<Uint8Array>()
    this.#awaited.set(key, waiter)
    return waiter.promise
  }

  /** All that the thread has said has been heard: a successor numbers its own anew. */
  threadEnded(thread: number): void {
    const isIts = (key: string): boolean => key.startsWith(`${thread}:`)
    for (const key of [...this.#arrived.keys()].filter(isIts)) this.#arrived.delete(key)
    for (const [key, waiter] of [...this.#awaited].filter(([each]) => isIts(each))) {
      this.#awaited.delete(key)
      waiter.reject(new PolywsgiError('WORKER_DIED', 'the worker died before it had handed over its response'))
    }
  }
}
