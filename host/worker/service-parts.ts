// What the parts of a thread that serve the API are made from: each is a class of its own file in this folder, made once per
// thread, worker, mule or spooler alike.
import type { Log, ThreadIdentity } from '../api/context.ts'
import type { MasterCalls } from '../api/master-calls.ts'
import type { Doorbell } from '../state/doorbell.ts'
import type { StateMap } from '../state/state-map.ts'

export interface ServiceParts {
  readonly state: StateMap
  readonly thread: ThreadIdentity
  /** This thread's own: rung for every signal, message and call that comes. A park loop reads the sequence first. */
  readonly doorbell: Doorbell
  readonly masterDoorbell: Doorbell
  readonly master: MasterCalls
  readonly log: Log
  /** Runs what the master asks of this thread meanwhile. Loops that park the thread themselves call it before each park. */
  serveInbox(): void
}
