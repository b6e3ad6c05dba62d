// A thread's parts for tests of its signals: real shared memory and doorbells, an owner of functions that the test scripts.
import type { ThreadIdentity } from '../../../host/api/context.ts'
import { type FunctionOwner, GuestFunction } from '../../../host/api/guest-function.ts'
import { Doorbell } from '../../../host/state/doorbell.ts'
import { SignalState } from '../../../host/state/signal-state.ts'
import type { SignalShape } from '../../../host/state/signal-target.ts'
import type { ServiceParts } from '../../../host/worker/service-parts.ts'
import { ThreadSignals, type ThreadSignalsOptions } from '../../../host/worker/thread-signals.ts'

export const shape: SignalShape = { workers: 2, mules: 2, spoolers: 1, farms: [{ name: 'mail', mules: [2] }], bufferSize: 4 }

const newBell = (): Doorbell => new Doorbell(new Int32Array(new SharedArrayBuffer(64)))

export interface TestThread {
  readonly signals: SignalState
  readonly thread: ThreadSignals
  readonly bell: Doorbell
  readonly masterBell: Doorbell
  readonly lines: string[]
  /** `sigN`, or `idle`, each time the thread says so. */
  readonly statuses: (number | 'idle')[]
  readonly fatal: Error[]
  isLoading: boolean
  /** What its clock shows. */
  nowMs: number
  serveInbox: () => void
}

export const newThread = (number = 1, signals = SignalState.create(shape)): TestThread => {
  const bell = newBell()
  const masterBell = newBell()
  const lines: string[] = []
  const statuses: (number | 'idle')[] = []
  const fatal: Error[] = []
  const { workers, mules } = signals.shape
  const identity: ThreadIdentity = {
    kind: number <= workers ? 'worker' : number <= workers + mules ? 'mule' : 'spooler',
    number,
    seat: number,
    workerId: number <= workers ? number : 0,
    muleId: number > workers && number <= workers + mules ? number - workers : 0,
    spoolerId: Math.max(0, number - workers - mules),
    get isLoading() {
      return made.isLoading
    },
  }
  const parts = {
    thread: identity,
    state: { seats: { current: (thread: number) => thread } },
    doorbell: bell,
    masterDoorbell: masterBell,
    log: { text: (line: string) => void lines.push(line), bytes: () => {} },
    serveInbox: () => made.serveInbox(),
  } as unknown as ServiceParts
  const options: ThreadSignalsOptions = {
    signals,
    onFatal: (error) => void fatal.push(error),
    now: () => made.nowMs,
  }
  const setHandling = signals.setHandling.bind(signals)
  signals.setHandling = (of, signum) => {
    statuses.push(signum ?? 'idle')
    setHandling(of, signum)
  }
  const thread = new ThreadSignals(parts, options)
  const made: TestThread = {
    signals,
    thread,
    bell,
    masterBell,
    lines,
    statuses,
    fatal,
    isLoading: false,
    nowMs: 0,
    serveInbox: () => {},
  }
  return made
}

type Handler = (signum: number) => boolean | Promise<boolean>

/** A function whose owner runs it, and notes what it gets back. */
export const newHandler = (handler: Handler, released: unknown[] = []): GuestFunction => {
  const owner: FunctionOwner = {
    name: 'fake',
    modifier1: 6,
    signalHandler: (signum, handle) => (handle as Handler)(signum),
    releaseFunction: (handle) => void released.push(handle),
  }
  return new GuestFunction(owner, handler)
}
