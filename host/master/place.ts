// What stands behind one thread number, worker, mule or spooler: the thread that serves now, one that boots to follow it, and those
// that have served before and still finish what they had begun.
// Invariant: a thread of the place is in exactly one of the three.

import { PolywsgiError } from '../errors.ts'
import type { Account } from '../state/worker-slots.ts'
import type { ThreadPlan } from '../worker/messages.ts'
import type { ThreadHandle } from './thread-handle.ts'

export class Place {
  readonly plan: ThreadPlan
  /** It may still boot, when there was none before it. */
  current: ThreadHandle | undefined
  successor: ThreadHandle | undefined
  readonly leaving = new Set<ThreadHandle>()
  /** In a row. */
  failedStarts = 0
  nextStart: NodeJS.Timeout | undefined
  /** False: the place is to stay empty for now. */
  isWanted = true
  /** It is to have a thread as soon as one of those that have served before is gone: there is room for two. */
  awaitsRoom = false
  /** What is under way to renew its thread. */
  renewal: Promise<void> | undefined
  /** A thread that could not be renewed is not tried again before this (`performance.now`). */
  notRenewedBefore = 0
  failedRenewals = 0
  readonly #accounts = new Map<ThreadHandle, Account>()
  #ready: PromiseWithResolvers<void> | undefined

  constructor(plan: ThreadPlan) {
    this.plan = plan
  }

  get number(): number {
    return this.plan.identity.number
  }

  get isWorker(): boolean {
    return this.plan.identity.kind === 'worker'
  }

  /** Resolves when the next thread of the place is ready. Rejects when one ends before it is, or the server stops. */
  whenReady(): Promise<void> {
    this.#ready ??= Promise.withResolvers<void>()
    // Whoever asked may still be busy with something else.
    this.#ready.promise.catch(() => {})
    return this.#ready.promise
  }

  isReady(): void {
    this.#ready?.resolve()
    this.#ready = undefined
  }

  isNotReady(error: unknown): void {
    this.#ready?.reject(error)
    this.#ready = undefined
  }

  /** What a thread counts its sums in: the one that no other thread of the place uses. */
  account(handle: ThreadHandle): Account {
    const taken = new Set(this.#accounts.values())
    const account = taken.has(0) ? 1 : 0
    this.#accounts.set(handle, account)
    return account
  }

  /** All that have served before are gone. */
  async allLeft(): Promise<void> {
    await Promise.all([...this.leaving].map(({ ended }) => ended))
  }

  /** It serves no more, and finishes what it had begun. */
  leaves(handle: ThreadHandle): void {
    if (this.successor === handle) this.successor = undefined
    if (this.current === handle) this.current = undefined
    this.leaving.add(handle)
  }

  /** The thread is gone. @returns what it was here */
  remove(handle: ThreadHandle): 'current' | 'successor' | 'leaving' | undefined {
    this.#accounts.delete(handle)
    if (this.leaving.delete(handle)) return 'leaving'
    if (this.successor === handle) {
      this.successor = undefined
      return 'successor'
    }
    if (this.current !== handle) return undefined
    this.current = undefined
    return 'current'
  }
}

export const serverStopped = (): PolywsgiError => new PolywsgiError('HOST_CLOSED', 'the server is stopped')
