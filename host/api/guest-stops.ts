// How running guest code is stopped from outside. The master cannot reach into an interpreter: it sets a word in shared memory,
// and the binding looks at it by whatever its interpreter has for that (an interrupt handler, a signal check, a count hook).
// Invariant: only the code that overran is stopped. A word that comes late, when other code runs, stops nothing.

export interface GuestStops {
  /** One word: not 0 when something in this thread overran. To be looked at as often as running code allows. */
  readonly word: Int32Array
  /**
   * Whether means are wanted that cost running code more than a tenth of its speed (`soft-harakiri`). A binding whose means
   * cost less does not ask.
   */
  readonly isWanted: boolean
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
