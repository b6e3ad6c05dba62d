// Which directories of jobs a configuration asks to be run: `--spooler`, checked before anything is started.
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Settings } from './config/index.ts'
import { ConfigError } from './errors.ts'

/**
 * Absolute paths in the order given; the first one takes jobs that name no spooler.
 * @throws ConfigError for a directory that is not there, cannot be written, or is given twice: two spoolers of one directory
 *   would run its jobs twice
 */
export const planSpoolers = (settings: Pick<Settings, 'spooler'>, cwd: string): string[] => {
  const seen = new Map<string, string>()
  return settings.spooler.map((given) => {
    const refuse = (why: string): never => {
      throw new ConfigError('CONFIG_BAD_VALUE', `spooler = ${given}: ${why}`)
    }
    const directory = resolve(cwd, given)
    const stat = statSync(directory, { throwIfNoEntry: false })
    if (stat === undefined) refuse('there is no such directory')
    else if (!stat.isDirectory()) refuse('it is no directory')
    try {
      accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK)
    } catch {
      refuse('jobs cannot be read and written there: permission denied')
    }
    const real = realpathSync(directory)
    const other = seen.get(real)
    if (other !== undefined) refuse(`it is the same directory as ${other}`)
    seen.set(real, given)
    return directory
  })
}
