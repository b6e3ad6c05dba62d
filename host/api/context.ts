// What an API implementation may know about its caller: the thread it runs in, the instance it belongs to, and the parts
// of that thread that functions of the API work on. Interfaces only: host/worker/ makes them.
import type { Cache } from '../state/cache.ts'
import type { Locks } from '../state/locks.ts'
import type { Metrics } from '../state/metrics.ts'
import type { SharedQueue } from '../state/shared-queue.ts'
import type { SharedArea } from '../state/sharedarea.ts'
import type { StateMap } from '../state/state-map.ts'
import type { GuestAccess } from './guest-access.ts'
import type { GuestFunction } from './guest-function.ts'
import type { BytesMap, OptionMap } from './kinds.ts'
import type { MasterCalls } from './master-calls.ts'
import type { Wait } from './waiting.ts'

/** The server's log as guests and plugins see it. Both add a newline; neither waits for the disk. */
export interface Log {
  text(line: string): void
  /** The bytes are written unchanged: a log line of a guest may be no valid UTF-8. */
  bytes(line: Uint8Array): void
}

export type ThreadKind = 'worker' | 'mule' | 'spooler'

export interface ThreadIdentity {
  readonly kind: ThreadKind
  /** What it is among the threads of the server: workers from 1, then mules, then spoolers; the master is 0, and so is a spare. */
  readonly number: number
  /** Its own among living threads, whatever its number: what it holds is held by its seat. The master's is 0. */
  readonly seat: number
  /** From 1; 0 outside workers. */
  readonly workerId: number
  /** From 1; 0 outside mules. */
  readonly muleId: number
  /** From 1; 0 outside spoolers. */
  readonly spoolerId: number
  /** True until the apps have been loaded. */
  readonly isLoading: boolean
}

/** The request that guest code is running for. */
export interface CurrentRequest {
  /** Number of the client's connection in the host's table; stays the same after a disconnect. */
  readonly connectionFd: number
  readonly coreId: number
  /** Writes bytes to the client as they are, past the response's head. False: the client is gone. */
  sendRaw(data: Uint8Array): boolean
  sendRawAsync(data: Uint8Array): Promise<boolean>
  /** The next bytes of the body, at most `max`; undefined at the end. */
  receive(max: number): Uint8Array | undefined
  receiveAsync(max: number): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Its handler waits, and is given the CPU once more afterwards. */
  suspended(): void
  /** True once its core is done with it: what has waited for it in vain is to be let go. */
  readonly isOver: boolean
  disconnect(): void
  readonly isConnected: boolean
  readonly contentLength: number
  /**
   * Makes a file, from `offset` on and `length` bytes of it (0: all), the body of the response. False: there is none to be read.
   * @throws PolywsgiError API_REFUSED for one that guests may not send
   */
  sendFile(path: string, offset: number, length: number): boolean
  setLogvar(name: string, value: Uint8Array): void
  getLogvar(name: string): Uint8Array | undefined
  /** Its line is logged even with `disable-logging`. */
  logThisRequest(): void
}

export interface Signals {
  /** @returns false when the queue is full and the signal was dropped */
  raise(signum: number): boolean
  /** @throws ApiError API_REFUSED */
  register(signum: number, receiver: string, handler: GuestFunction): void
  /** Looks at the calling thread's own registrations, as uWSGI looks at the process's own row. */
  isRegistered(signum: number): boolean
  /** Runs handlers of arriving signals until `signum` (undefined: any) has come. */
  wait(signum: number | undefined): void
  /**
   * Resolves when `signum` (undefined: any) has come, and its handler has been run, as ever, by the thread's loop; or when the
   * request that waits is over.
   */
  waitAsync(signum: number | undefined, request?: CurrentRequest): Promise<void>
  /** The signal whose handler the thread of a number is running. */
  handling(thread: number): number | undefined
  /** How many signals a thread has handled. */
  handled(thread: number): number
  /** The last one handled here; 0 before the first. */
  readonly lastReceived: number
}

export interface Rpc {
  /** @throws ApiError API_REFUSED when the table is full */
  register(name: string, handler: GuestFunction, argc: number): void
  /**
   * In this thread if it is registered here, else by the master.
   * @returns undefined when there is no such function or it answered nothing
   * @throws GuestError naming the function when it raised; ApiError for a wrong number of arguments
   */
  call(name: string, args: readonly Uint8Array[]): Uint8Array | undefined
  /** As `call`, for a caller that can wait: the answer of an asynchronous function, or of another thread's, is a promise. */
  callAsync(name: string, args: readonly Uint8Array[]): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /**
   * @returns undefined when the node cannot be reached, or closes without an answer: it has no such function, or it failed
   * @throws ApiError API_IO when what it answers is cut off, or no answer to a call
   */
  callRemote(node: string, name: string, args: readonly Uint8Array[]): Uint8Array | undefined
  callRemoteAsync(
    node: string,
    name: string,
    args: readonly Uint8Array[],
  ): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Names known to this thread. */
  names(): string[]
}

/**
 * What the requests of this thread wait for between two of their steps. Each has interests of its own; code outside of
 * requests has one set for the thread.
 */
export interface CoreWaits {
  /** There is more than one core: others go on while one waits. */
  readonly isAsync: boolean
  /** @throws ApiError API_IO for a descriptor that is not the caller's, or one whose direction is registered already */
  addFd(functionName: string, fd: number, direction: 'read' | 'write', timeoutMs: number): void
  /** Of several times the earliest counts. */
  addTimeout(timeoutMs: number): void
  /**
   * Waits for one of what the current request has registered, and forgets all of it; with nothing registered gives each
   * other core a turn. Undefined: there is nothing to wait for, or, with one core, the thread was parked for it.
   */
  commit(): Promise<void> | undefined
  /** The same, but never parks the thread. */
  settled(): Promise<void>
  /** The same by parking the thread, also where there are other cores: these get no turn. */
  park(): void
  /** The descriptor that ended the current request's last wait; -1 when none did. */
  readonly readyFd: number
  /** True when the last wait ended by its time. */
  readonly isTimedOut: boolean
}

/** Connections that guests open. Each belongs to the request that opened it, or, opened outside of one, to the thread. */
export interface Connections {
  connect(address: string, timeoutMs: number): Wait<number>
  /** The connection is under way when its number is there. */
  begin(address: string, timeoutMs: number): Wait<number>
  /** @throws ApiError API_IO for a number that is not the caller's */
  send(fd: number, data: Uint8Array): Wait<boolean>
  receive(fd: number, max: number): Wait<Uint8Array | undefined>
  isConnected(fd: number): Wait<boolean>
  /** A number that is not the caller's is ignored. */
  close(fd: number): void
}

export interface Mules {
  /**
   * @param functionName whom a refusal names: `mule_msg` unless given
   * @returns false when the queue is full
   * @throws ApiError API_REFUSED for no such mule or farm
   */
  send(message: Uint8Array, target: number | string | undefined, functionName?: string): boolean
  /** In a mule. Undefined after `timeoutMs`; -1 waits for ever. */
  receive(options: { signals: boolean; farms: boolean; timeoutMs: number }): Uint8Array | undefined
  receiveFromFarm(): Uint8Array
  /** Not given a name: in any farm. */
  isInFarm(name: string | undefined): boolean
}

export interface Spool {
  readonly directories: readonly string[]
  /** @returns the path of the job's file */
  submit(job: BytesMap): string
  jobs(): string[]
  read(path: string): { vars: BytesMap; body: Uint8Array } | undefined
  setFrequency(seconds: number): void
}

/** An app of this thread. All threads load the same ones, in the same order. */
export interface AppFacts {
  readonly id: number
  readonly modifier1: number
  readonly mountpoint: string
  readonly startupMs: number
}

export interface ApiContext {
  readonly version: string
  readonly hostname: string
  readonly masterPid: number
  readonly thread: ThreadIdentity
  readonly log: Log
  readonly opt: OptionMap
  /** What guests may have of files and environment. */
  readonly access: GuestAccess
  readonly state: StateMap
  /** Empty until they are loaded. */
  readonly apps: readonly AppFacts[]
  /** The alarms that can be raised. */
  readonly alarmNames: readonly string[]
  /** Requests a worker may hold at once (`async`). */
  readonly cores: number
  readonly bufferSize: number
  /** When the server started, in seconds since the epoch. */
  readonly startedOn: number
  /** True in threads that a reload has started. */
  readonly isReload: boolean
  /** How long network functions wait, in milliseconds (`socket-timeout`). */
  readonly socketTimeoutMs: number
  readonly master: MasterCalls
  readonly waits: CoreWaits
  readonly connections: Connections
  readonly locks: Locks
  /** By name; the first one defined is the default. */
  readonly caches: ReadonlyMap<string, Cache>
  readonly metrics: Metrics
  /** Undefined without `--queue`. */
  readonly queue: SharedQueue | undefined
  readonly sharedareas: readonly SharedArea[]
  readonly signals: Signals
  readonly rpc: Rpc
  readonly mules: Mules
  readonly spool: Spool
  /** What a ping is answered with (`set_warning_message`): at most 80 bytes; absent while nobody has set one. */
  readonly warningMessage?: Uint8Array
  /** Undefined outside of requests. */
  readonly request: CurrentRequest | undefined
  /** When this thread is ended for overrunning, in seconds from now; 0 never. */
  setUserHarakiri(seconds: number): void
}
