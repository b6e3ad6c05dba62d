// What the supervisor is told of its server: the threads that are to run, how patient it is, and whom it tells what.
// Invariant: nothing here is kept from one call to the next.
import type { AppFailure, ThreadPlan } from '../worker/messages.ts'
import type { ThreadHandle } from './thread-handle.ts'
import type { ThreadsOptions } from './threads.ts'

export interface SupervisorOptions extends ThreadsOptions {
  readonly plans: readonly ThreadPlan[]
  /** How many threads are kept ready to stand for a worker. */
  readonly spares?: number
  /** How long a thread that was followed by another may take to finish what it had begun. */
  readonly mercyMs: number
  /** A reload waits for the one that runs. */
  isReloadAwaited?(): boolean
  /** How long a thread may load while a reload waits for it; for tests. */
  readonly loadPatienceMs?: number
  /** How long what overran its deadline may take to end. */
  readonly harakiriGraceMs: number
  readonly isCpuLimited?: boolean
  /** Worker `workerId` is about to be ended for what it overran. */
  harakiri?(workerId: number): void
  appFailed(plan: ThreadPlan, failure: AppFailure): void
  pluginLost(plan: ThreadPlan, name: string, reason: string): void
  /** A spare stands for a number now. @returns whether that does not take the place of one that has died */
  isFirstStart?(number: number): boolean
  /** A thread is told to begin its work: what it says is to be heard. */
  attached(handle: ThreadHandle): void
  /** A thread takes nothing more. */
  leaves(handle: ThreadHandle): void
  /** @throws when what a thread has loaded is no worthy successor of what served before */
  judge(successor: ThreadHandle, before: ThreadHandle | undefined): void
  /** A thread has sent bytes beside an order to offload. */
  parcel(handle: ThreadHandle, id: number, bytes: Uint8Array): void
}
