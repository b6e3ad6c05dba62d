// What code in a worker, mule or spooler thread may ask of the master: one row per call, types only. A call parks the
// thread until the master has answered, or, asked for as a promise, does not; a notice does not wait. Values must survive a
// structured clone.

import type { AppFacts } from './context.ts'

/** Where a registration was made, so that one repeated by every thread, respawn and reload counts once. */
export interface Registration {
  /** Made while apps load: the same one from another thread, or after a respawn, is the same registration. */
  readonly whileLoading: boolean
  /** With `whileLoading`: how many equal ones this thread has made before it. */
  readonly ordinal: number
}

/** How a reply of another server is read. */
export type RemoteReply =
  /** One uwsgi packet: header and block, and whatever follows until the connection ends. */
  | 'packet'
  /** Everything until the connection ends. */
  | 'all'

export interface MasterCallTable {
  addTimer: { args: { signum: number; seconds: number; registration: Registration }; result: undefined }
  addRbTimer: {
    args: { signum: number; milliseconds: number; iterations: number; registration: Registration }
    result: undefined
  }
  addCron: {
    args: { signum: number; fields: readonly [number, number, number, number, number]; registration: Registration }
    result: undefined
  }
  addFileMonitor: { args: { signum: number; path: string; registration: Registration }; result: undefined }
  /** Runs a function that the calling thread does not have. `found` false: nobody has it. */
  rpc: {
    args: { name: string; args: readonly Uint8Array[] }
    result: { found: boolean; value: Uint8Array | undefined }
  }
  /** Sends bytes to another server and reads its answer. Undefined: it closed without a byte. */
  remote: {
    args: { address: string; request: Uint8Array; reply: RemoteReply; timeoutMs: number }
    result: Uint8Array | undefined
  }
  /** Descriptors are numbers of the host's own table. */
  connect: { args: { address: string; timeoutMs: number }; result: number }
  send: { args: { fd: number; data: Uint8Array; timeoutMs: number }; result: boolean }
  /** Undefined at the end of the stream. */
  recv: { args: { fd: number; max: number; timeoutMs: number }; result: Uint8Array | undefined }
  close: { args: { fd: number }; result: undefined }
  /** False once it has failed; a connection in progress counts as one, as its socket has no error. */
  isConnected: { args: { fd: number }; result: boolean }
  /** As `connect`, but answers at once: whether there is a connection shows when the descriptor is ready. */
  asyncConnect: { args: { address: string; timeoutMs: number }; result: number }
  /**
   * The first of the descriptors that is ready: to read when there is data, the end, or an error; to write when it is connected
   * and takes more. One that is closed or failed is ready. -1 after `timeoutMs` (0: never), or when the wait was cancelled.
   * `id` is the thread's own name for the wait.
   */
  waitFds: { args: { id: number; fds: readonly WaitedFd[]; timeoutMs: number }; result: number }
}

/** A descriptor that somebody waits for, and what for. */
export interface WaitedFd {
  readonly fd: number
  readonly read: boolean
  readonly write: boolean
}

export interface MasterNoticeTable {
  alarm: { name: string; message: Uint8Array }
  /** A function of a name is now there for others, or not any more. */
  rpcRegistered: { name: string }
  /** The apps that this thread has loaded. */
  apps: { apps: readonly AppFacts[] }
  /** How many bytes an interpreter of this thread holds. */
  heap: { language: string; bytes: number }
  /** A wait for descriptors is not wanted any more. */
  cancelWait: { id: number }
  /** The request that opened them has ended. */
  closeFds: { fds: readonly number[] }
  /** Code of this thread took longer than it may, and has ended without its thread. */
  overran: Record<string, never>
  reload: Record<string, never>
  stop: Record<string, never>
}

export interface MasterCalls {
  /**
   * @throws ApiError or whatever PolywsgiError the master answered with
   */
  call<Name extends keyof MasterCallTable>(name: Name, args: MasterCallTable[Name]['args']): MasterCallTable[Name]['result']
  /** Does not park the thread. */
  callAsync<Name extends keyof MasterCallTable>(
    name: Name,
    args: MasterCallTable[Name]['args'],
  ): Promise<MasterCallTable[Name]['result']>
  notify<Name extends keyof MasterNoticeTable>(name: Name, notice: MasterNoticeTable[Name]): void
}
