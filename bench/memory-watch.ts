// Watches the resident memory of a server while something happens to it, by samples: a peak shorter than the time between
// two of them is not seen.
import { setTimeout as delay } from 'node:timers/promises'
import { type Memory, processTree, residentBytes, treeMemory } from './proc-files.ts'

const samplingIntervalMs = 20
const settlingIntervalMs = 250
const settlingTries = 20

/** Resident bytes of the process and its descendants now: the start that `watchMemory` counts from. */
export function memoryNow(pid: number): number {
  return residentBytes(processTree(pid))
}

/**
 * Memory of the process and its descendants once it no longer changes by more than one percent in a quarter of a second, or
 * after five seconds: a server that has said it is ready may still be forking, one after a load still collecting garbage.
 */
export async function settledMemory(pid: number): Promise<Memory> {
  let memory = treeMemory(pid)
  for (let tries = 0; tries < settlingTries; tries++) {
    await delay(settlingIntervalMs)
    const before = memory.pssBytes
    memory = treeMemory(pid)
    if (Math.abs(memory.pssBytes - before) < before / 100) break
  }
  return memory
}

/** Runs `action` while sampling the process and its descendants; `peakBytes` is the most they held together. */
export async function watchMemory<T>(pid: number, action: () => Promise<T>): Promise<{ result: T; peakBytes: number }> {
  const family = processTree(pid)
  let peakBytes = 0
  const sample = () => {
    peakBytes = Math.max(peakBytes, residentBytes(family))
  }
  sample()
  const timer = setInterval(sample, samplingIntervalMs)
  try {
    const result = await action()
    sample()
    return { result, peakBytes }
  } finally {
    clearInterval(timer)
  }
}

/** Bytes as MB of 2^20 bytes. */
export function toMb(bytes: number): number {
  return bytes / 2 ** 20
}
