// Watches the resident memory of a server while something happens to it, so that a rise between two looks is not missed.
import { processTree, residentBytes } from './proc-files.ts'

const samplingIntervalMs = 20

/** Resident bytes of the process and its descendants now: the start that `watchMemory` counts from. */
export function memoryNow(pid: number): number {
  return residentBytes(processTree(pid))
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
