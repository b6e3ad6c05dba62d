// How much memory this process has, as the kernel counts it.
import { readFileSync } from 'node:fs'

export interface ProcessMemory {
  /** Bytes in RAM. */
  readonly rss: number
  /** Bytes of address space. */
  readonly vsz: number
}

/** Where the kernel tells nothing of the address space, what is known of it: the part in RAM. */
export const readProcessMemory = (): ProcessMemory => {
  try {
    // Not `statm`: that one counts in pages, whose size a script cannot ask for.
    const status = readFileSync('/proc/self/status', 'latin1')
    const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
    const memory = { rss: kibibytes('VmRSS'), vsz: kibibytes('VmSize') }
    if (Number.isFinite(memory.rss + memory.vsz)) return memory
  } catch {
    // No such file here: not Linux.
  }
  const rss = process.memoryUsage.rss()
  return { rss, vsz: rss }
}
