// Child processes of the benchmark. Every one that is started is remembered until it has ended, and is ended by its id,
// with whatever it forked, on every way out: the end of a row, a failure, a signal, the exit of the benchmark itself.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { type ProcessIdentity, processTree, stillAlive } from './proc-files.ts'

/** How much of a child's output is kept for error messages. */
const keptOutputBytes = 64 * 1024
const stopPatienceMs = 10_000

export interface Child extends AsyncDisposable {
  readonly name: string
  readonly pid: number
  /** The last of what it printed on stdout and stderr. */
  output(): string
  /** Resolves when the process has ended, whatever the cause, and all it printed has been read. */
  readonly ended: Promise<void>
  hasEnded(): boolean
  /** Resolves when `text` has been printed on stderr or stdout; rejects when the process ends first or time is up. */
  waitForOutput(text: string, timeoutMs: number): Promise<void>
  /**
   * SIGTERM to the process; SIGKILL to what is left of it and its descendants when it has ended, or when patience is over.
   * Never rejects. Disposing of the child does the same.
   */
  stop(): Promise<void>
}

/** Programs that stay until they are stopped. */
const live = new Map<Child, ChildProcess>()
/** Programs that end by themselves, in good time. */
const running = new Set<ChildProcess>()

/** Starts a program that stays; rejects when it cannot be started. */
export async function startChild(name: string, command: string, args: readonly string[], cwd?: string): Promise<Child> {
  const process_ = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(cwd === undefined ? {} : { cwd }) })
  const ended = new Promise<void>((resolve) => process_.once('close', () => resolve()))
  const exited = new Promise<void>((resolve) => process_.once('exit', () => resolve()))
  let output = ''
  const listeners = new Set<() => void>()
  for (const stream of [process_.stdout, process_.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-keptOutputBytes)
      for (const listener of listeners) listener()
    })
  }
  await new Promise<void>((resolve, reject) => {
    process_.once('spawn', resolve)
    process_.once('error', (error) => reject(new Error(`${name} cannot be started: ${error.message}`)))
  })
  let over = false
  const child: Child = {
    name,
    pid: process_.pid!,
    output: () => output,
    ended,
    hasEnded: () => over,
    waitForOutput: (text, timeoutMs) => waitForOutput(child, listeners, text, timeoutMs),
    stop: () => stop(child, process_, exited),
    [Symbol.asyncDispose]: () => child.stop(),
  }
  live.set(child, process_)
  process_.once('exit', () => {
    over = true
  })
  ended.then(() => live.delete(child))
  return child
}

async function waitForOutput(child: Child, listeners: Set<() => void>, text: string, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const look = () => {
    if (child.output().includes(text)) resolve()
  }
  const timer = setTimeout(() => reject(new Error(`${child.name} did not say "${text}" in ${timeoutMs} ms`)), timeoutMs)
  child.ended.then(() => reject(new Error(`${child.name} ended before it said "${text}":\n${child.output().trim()}`)))
  listeners.add(look)
  look()
  try {
    await promise
  } finally {
    clearTimeout(timer)
    listeners.delete(look)
  }
}

async function stop(child: Child, process_: ChildProcess, exited: Promise<void>): Promise<void> {
  // Taken before the signal: once the parent is gone its children belong to init and can no longer be told apart.
  const family = processTree(child.pid)
  process_.kill('SIGTERM')
  const timer = new AbortController()
  await Promise.race([exited, delay(stopPatienceMs, undefined, { signal: timer.signal }).catch(() => undefined)])
  timer.abort()
  // Descendants that outlive it hold its pipes open, so only then can its output end.
  killAll(family)
  await child.ended
}

function killAll(family: readonly ProcessIdentity[]): void {
  for (const member of family) {
    // The start time is part of the identity: an id that was given to somebody else meanwhile is left alone.
    if (!stillAlive(member)) continue
    try {
      process.kill(member.pid, 'SIGKILL')
    } catch {
      // It ended by itself between the look and the signal.
    }
  }
}

/** Stops everything that is still running. */
export async function stopAllChildren(): Promise<void> {
  await Promise.all([...live.keys()].map((child) => child.stop()))
}

process.on('exit', () => {
  for (const child of live.keys()) killAll(processTree(child.pid))
  for (const child of running) child.kill('SIGKILL')
})

/** Runs a program that ends by itself; resolves with its stdout, rejects with its stderr when it fails. */
export async function runToEnd(command: string, args: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = execFile(command, args, { maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
    running.delete(child)
    if (error === null) resolve(stdout)
    else reject(new Error(`${command} failed: ${error.message}\n${stderr.trim()}`))
  })
  running.add(child)
  return await promise
}
