// What Linux says about processes and connections below /proc: family trees, memory, connections of a port. Read-only and
// synchronous, since the files are made on reading and a sample must belong to one moment.
import { readdirSync, readFileSync } from 'node:fs'

export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since boot: with the id it names one process for good, ids alone are used again. */
  readonly startTime: string
}

export interface Memory {
  /** Resident pages, shared ones counted in every process that has them. */
  readonly rssBytes: number
  /** Resident pages, shared ones divided among the processes that have them: the honest sum for a server that forks. */
  readonly pssBytes: number
}

/** The process and all its descendants, the process first; empty when it has ended. */
export function processTree(pid: number): ProcessIdentity[] {
  const known = new Map<number, { startTime: string; parent: number }>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readStat(Number(name))
    if (stat !== undefined) known.set(Number(name), stat)
  }
  const root = known.get(pid)
  if (root === undefined) return []
  const tree = [{ pid, startTime: root.startTime }]
  for (const member of tree) {
    for (const [childPid, { startTime, parent }] of known) {
      if (parent === member.pid) tree.push({ pid: childPid, startTime })
    }
  }
  return tree
}

export function stillAlive(identity: ProcessIdentity): boolean {
  return readStat(identity.pid)?.startTime === identity.startTime
}

function readStat(pid: number): { startTime: string; parent: number } | undefined {
  const text = read(`/proc/${pid}/stat`)
  // The command name, in parentheses, may hold anything, further parentheses too: fields are counted from the last one.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields === undefined || fields[0] === 'Z') return undefined
  return { parent: Number(fields[1]), startTime: fields[19]! }
}

/** Linux counts processor time in hundredths of a second, whatever its own clock is (`getconf CLK_TCK`). */
const ticksPerSecond = 100

/** Seconds of processor time that the process and its descendants have used, in user code and in the kernel. */
export function treeCpuSeconds(pid: number): number {
  let ticks = 0
  for (const member of processTree(pid)) {
    const text = read(`/proc/${member.pid}/stat`) ?? ''
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
  }
  return ticks / ticksPerSecond
}

/** Memory of the process and its descendants, summed. */
export function treeMemory(pid: number): Memory {
  let rssBytes = 0
  let pssBytes = 0
  for (const member of processTree(pid)) {
    const text = read(`/proc/${member.pid}/smaps_rollup`) ?? ''
    rssBytes += kilobytes(text, 'Rss') * 1024
    pssBytes += kilobytes(text, 'Pss') * 1024
  }
  return { rssBytes, pssBytes }
}

/** Resident memory of the given processes; far cheaper than `treeMemory`, so it can be sampled under load. */
export function residentBytes(family: readonly ProcessIdentity[]): number {
  return family.reduce((sum, { pid }) => sum + kilobytes(read(`/proc/${pid}/status`) ?? '', 'VmRSS') * 1024, 0)
}

/** The least that is reserved for a memory of WebAssembly with addresses of 32 bits. */
const wasmReservedBytes = 2 ** 32

/**
 * Resident memory of the interpreters that the process runs: of its WebAssembly memories. A process without any has 0.
 * Costs the kernel some milliseconds, during which the process maps nothing.
 */
export function wasmResidentBytes(pid: number): number {
  return residentBeforeReserved(read(`/proc/${pid}/smaps`) ?? '')
}

/**
 * Of the text of a `smaps`: what is resident of the mappings that end where a reserved range of 4 GB begins or goes on, which is
 * how a WebAssembly memory lies in a process.
 */
export function residentBeforeReserved(smaps: string): number {
  let total = 0
  let last = { end: -1, residentBytes: 0 }
  for (const mapping of smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m)) {
    const [, start, end, access] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(mapping) ?? []
    if (start === undefined || end === undefined) continue
    const [from, to] = [Number.parseInt(start, 16), Number.parseInt(end, 16)]
    if (access === '---p' && from === last.end && to - from >= wasmReservedBytes) total += last.residentBytes
    last = { end: to, residentBytes: access?.startsWith('rw') ? kilobytes(mapping, 'Rss') * 1024 : 0 }
  }
  return total
}

function kilobytes(text: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
}

/** The clients' ports of all TCP connections over IPv4 with `port` on this machine, those lately closed too. */
export function clientPorts(port: number): Set<number> {
  const suffix = port.toString(16).toUpperCase().padStart(4, '0')
  const listening = '0A'
  const ports = new Set<number>()
  for (const line of (read('/proc/net/tcp') ?? '').split('\n').slice(1)) {
    const [, local, remote, state] = line.trim().split(/\s+/)
    if (local === undefined || remote === undefined || state === listening) continue
    const [localPort, remotePort] = [local.slice(-4), remote.slice(-4)]
    if (localPort === suffix) ports.add(Number.parseInt(remotePort, 16))
    else if (remotePort === suffix) ports.add(Number.parseInt(localPort, 16))
  }
  return ports
}

/** A file of /proc as text; undefined when what it is about has ended. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
