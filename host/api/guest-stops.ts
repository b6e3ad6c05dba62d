// How running guest code is stopped from outside. The master cannot reach into an interpreter: it sets a word in shared memory,
// and the binding looks at it by whatever its interpreter has for that (an interrupt handler, a signal check, a count hook).
// Invariant: only the code that overran is stopped. A word that comes late, when other code runs, stops nothing.

/** Whose the CPU time of this thread is (`cpu-limit`). Requests are told by themselves, as a plugin has them in its hook. */
export interface CpuOwners {
  readonly current: object | undefined
  /** Something to count code by that runs for no request. Undefined: it is not limited, as while apps are loaded. */
  run(): object | undefined
  /**
   * From now on code of another owner runs: where it begins or goes on, and, with what this has returned, where it returns or waits.
   * @param owner a request, or what `run` gave; undefined: nobody whose time is limited
   * @returns who was counted until now
   */
  switchTo(owner: object | undefined): object | undefined
}

export interface GuestStops {
  /** One word: not 0 when something in this thread overran. To be looked at as often as running code allows. */
  readonly word: Int32Array
  /**
   * Whether means are wanted that cost running code more than a tenth of its speed (`soft-harakiri`). A binding whose means
   * cost less does not ask.
   */
  readonly isWanted: boolean
  /** To be told whenever a binding lets other code go on by itself. Undefined: nothing is limited by its CPU time. */
  readonly cpu?: CpuOwners | undefined
  /**
   * The word is set: takes it back, and judges the code that runs at this moment. The request that it runs for, if it does for one,
   * is over then (`isOver`): nothing is to be taken from the guest as its answer.
   * @returns why it is to be stopped; undefined: it may go on
   */
  judge(): string | undefined
  /**
   * The code that `judge` condemned is stopped; the hook that ran it ends by a PolywsgiError of code HARAKIRI.
   * @param trace the guest's own stack, files and lines; '' when there is none
   */
  stopped(trace: string): void
}
