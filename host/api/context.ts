// What an API implementation may know about its caller: the worker it runs in and the instance it belongs to.
import type { OptionMap } from './kinds.ts'

/** The server's log as guests and plugins see it. Both add a newline; neither waits for the disk. */
export interface Log {
  text(line: string): void
  /** The bytes are written unchanged: a log line of a guest may be no valid UTF-8. */
  bytes(line: Uint8Array): void
}

export interface ApiContext {
  readonly version: string
  readonly hostname: string
  readonly masterPid: number
  /** From 1; 0 in the master. */
  readonly workerId: number
  readonly log: Log
  readonly opt: OptionMap
}
