// The file that the log goes to (`logto`), opened before anything else, so that whatever fails afterwards is told there.
import { openSync } from 'node:fs'
import { ConfigError } from './errors.ts'

/** @throws ConfigError when it cannot be opened */
export const openLog = (path: string): number => {
  try {
    return openSync(path, 'a', 0o640)
  } catch (error) {
    throw new ConfigError('CONFIG_BAD_VALUE', `logto = ${path}: the file cannot be opened: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
