// Who answers the calls of other threads: one function per row of the table, gathered from the parts of the master.
import type { MasterCallTable, MasterNoticeTable } from '../api/master-calls.ts'

/** The thread that calls. */
export interface Caller {
  /** As in `ThreadIdentity.seat`. */
  readonly thread: number
}

/** A rejected promise, or a throw, becomes the caller's error: PolywsgiErrors keep their code and message. */
export type CallHandlers = {
  readonly [Name in keyof MasterCallTable]: (
    args: MasterCallTable[Name]['args'],
    caller: Caller,
  ) => MasterCallTable[Name]['result'] | Promise<MasterCallTable[Name]['result']>
}

export type NoticeHandlers = {
  readonly [Name in keyof MasterNoticeTable]: (notice: MasterNoticeTable[Name], caller: Caller) => void
}
