// What async cores need of the JavaScript engine: room on its own stacks, beside the C stacks in the interpreter's memory (each core
// has one of each), and code that many cores may stand in at the same time.
// Invariant: CPython's limit is reached first. It counts what lies on the C stack only, so the engine's stacks have to hold what
// as much C stack as core-stacks.ts gives comes with; one that overflows ends the interpreter.
import { setFlagsFromString } from 'node:v8'

/**
 * KiB of address space per core; of memory a core takes what it has used. The engine keeps stacks for the next core up to 4 MiB in
 * all: with larger ones each request would pay for a new one (1 to 2 us against 15 to 30).
 */
const stackKilobytes = 3900

/** Counts for stacks and code that are made from now on, in all threads. */
export const prepareEngineForCores = (): void => {
  // The engine takes the smaller one of the two numbers.
  setFlagsFromString(`--stack-size=${stackKilobytes}`)
  setFlagsFromString(`--wasm-stack-switching-stack-size=${stackKilobytes}`)
  // Optimized code that has guessed wrong is left frame by frame, and for each the engine compiles the function anew: the one that
  // runs Python's code takes 5 ms, and every suspended core has a frame of it.
  setFlagsFromString('--no-wasm-deopt')
}
