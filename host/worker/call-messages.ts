// What travels on the port of calls between a thread and the master, both ways. Types only.
import type { MasterCallTable, MasterNoticeTable } from '../api/master-calls.ts'
import type { ErrorCode } from '../errors.ts'

/** An error as it crosses: its class is made anew on the other side. */
export interface CrossedError {
  readonly code: ErrorCode
  readonly message: string
  /** Of a guest's own error: its language and traceback. */
  readonly guest?: { readonly language: string; readonly traceback: string }
}

export type Outcome<T> = { readonly value: T } | { readonly error: CrossedError }

export type ThreadToMaster =
  | {
      readonly kind: 'call'
      readonly id: number
      readonly name: keyof MasterCallTable
      readonly args: MasterCallTable[keyof MasterCallTable]['args']
    }
  | {
      readonly kind: 'notice'
      readonly name: keyof MasterNoticeTable
      readonly notice: MasterNoticeTable[keyof MasterNoticeTable]
    }
  /** The answer to a `run`. */
  | { readonly kind: 'ran'; readonly id: number; readonly outcome: Outcome<Uint8Array | undefined> }

export type MasterToThread =
  | { readonly kind: 'answer'; readonly id: number; readonly outcome: Outcome<unknown> }
  /** Run a function of this thread, for somebody else. */
  | { readonly kind: 'run'; readonly id: number; readonly name: string; readonly args: readonly Uint8Array[] }
