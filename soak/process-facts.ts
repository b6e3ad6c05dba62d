// What the kernel says of a server: memory, descriptors, threads. And how long it is until figures no longer change, since
// threads end and connections close a moment after the last answer.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

export interface ProcessFacts {
  readonly rssBytes: number
  readonly descriptors: number
  readonly threads: number
}

export const factsOf = (pid: number): ProcessFacts => {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return {
    rssBytes: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
  }
}

/** The facts when descriptors and threads have come down to `most`, or have not in so many seconds. */
export const settledFacts = async (
  pid: number,
  most: Pick<ProcessFacts, 'descriptors' | 'threads'>,
  seconds = 10,
): Promise<ProcessFacts> => {
  for (let tries = 0; ; tries += 1) {
    const facts = factsOf(pid)
    if ((facts.descriptors <= most.descriptors && facts.threads <= most.threads) || tries >= seconds * 10) return facts
    await delay(100)
  }
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
