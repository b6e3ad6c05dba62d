// What the tests of stopped code look at.
import type { TestStops } from '../../support/test-stops.ts'

/** The functions of overruns.py in the trace that was told first, the outermost first. */
export const functionsOf = ({ traces }: TestStops): (string | undefined)[] =>
  [...(traces[0] ?? '').matchAll(/File "[^"]*\/overruns\.py", line \d+, in (\w+)/g)].map(([, name]) => name)
