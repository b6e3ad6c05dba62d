// Bounds the memory that V8 sets aside in this thread for objects that die young. Its default grows to 64 MB under load and
// never shrinks; what a request leaves behind is gone before a quarter of that is full.
// For the command only: the flag is the whole process's, and an embedding program's memory is not ours to rule.

import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Both halves of the young generation together, in bytes. */
const enough = 16 * 1024 * 1024

const youngGenerationSize = (): number =>
  getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')?.space_size ?? 0

/** Lets the young generation double, as V8 does after a collection that many objects survive, until it is large enough. */
export const boundNursery = (): void => {
  const observer = new PerformanceObserver(() => {
    if (youngGenerationSize() < enough) return
    observer.disconnect()
    // V8 reads this one at each growth, unlike the maximum, which it reads once at its start.
    setFlagsFromString('--semi-space-growth-factor=1')
  })
  observer.observe({ entryTypes: ['gc'] })
}
