// Runs the command of a cron job in a shell of its own, beside the server, and tells when it has ended.
import { spawn } from 'node:child_process'

export interface RunningCommand {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined
  /** Resolves when it has ended; with the reason when it could not be started. */
  readonly ended: Promise<Error | undefined>
}

/** @param outputFd where what it prints goes, both streams: the descriptor of the log */
export const runCommand = (command: string, outputFd: number): RunningCommand => {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', outputFd, outputFd] })
  // Whoever embeds the server decides when the process ends; the command then goes on by itself.
  child.unref()
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once('error', resolve)
    child.once('exit', () => resolve(undefined))
  })
  return { pid: child.pid, ended }
}
