// Runs the command of a cron job in a shell of its own, beside the server, and tells when it has ended.
import { spawn } from 'node:child_process'

export interface RunningCommand {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined
  /** Resolves when it has ended; with the reason when it could not be started. */
  readonly ended: Promise<Error | undefined>
}

export interface CommandLimit {
  /** How long it may take; 0: for ever. */
  readonly harakiriMs: number
  /** It has taken longer, and is killed. */
  onHarakiri(pid: number): void
}

/** @param outputFd where what it prints goes, both streams: the descriptor of the log */
export const runCommand = (command: string, outputFd: number, limit?: CommandLimit): RunningCommand => {
  const harakiriMs = limit?.harakiriMs ?? 0
  // What is to be killed with all that it has started is a process group of its own.
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', outputFd, outputFd], detached: harakiriMs > 0 })
  const timer =
    harakiriMs > 0 ? setTimeout(() => killGroup(child.pid as number, (pid) => limit?.onHarakiri(pid)), harakiriMs) : undefined
  timer?.unref()
  // Whoever embeds the server decides when the process ends; the command then goes on by itself.
  child.unref()
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once('error', (error) => {
      clearTimeout(timer)
      resolve(error)
    })
    child.once('exit', () => {
      clearTimeout(timer)
      resolve(undefined)
    })
  })
  return { pid: child.pid, ended }
}

const killGroup = (pid: number, onKill: (pid: number) => void): void => {
  onKill(pid)
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}
