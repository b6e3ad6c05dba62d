// What a configuration asks for of the log's file: where it is, when and under which name it is moved away.
import { resolve } from 'node:path'
import type { Settings } from './config/index.ts'
import { settingName } from './config/option.ts'
import { ConfigError } from './errors.ts'

export interface LogPlan {
  /** As the operator wrote it. */
  readonly text: string
  /** Absolute. */
  readonly path: string
  /** Absolute; undefined: the file's own name with the time behind it. */
  readonly backupPath: string | undefined
  /** Bytes from which on the file is moved away; 0: never. */
  readonly maxSize: number
}

type LogFileSettings = Pick<Settings, 'logto' | 'logMaxsize' | 'logBackupname' | 'touchLogreopen' | 'touchLogrotate'>

const needFile = ['log-maxsize', 'log-backupname', 'touch-logreopen', 'touch-logrotate'] as const

/** @returns undefined when the log goes to standard error @throws ConfigError naming the option */
export const planLog = (settings: LogFileSettings, cwd: string): LogPlan | undefined => {
  const { logto, logMaxsize = 0, logBackupname } = settings
  if (logto === undefined) {
    for (const option of needFile) {
      const value = settings[settingName(option) as keyof LogFileSettings]
      const [given] = Array.isArray(value) ? value : [value]
      if (given !== undefined && given !== 0) throw refusal(option, given, 'there is no file of the log: give logto = FILE too')
    }
    return undefined
  }
  const path = resolve(cwd, logto)
  const backupPath = logBackupname === undefined ? undefined : resolve(cwd, logBackupname)
  if (logBackupname !== undefined && backupPath === path)
    throw refusal('log-backupname', logBackupname, 'this is the file of logto')
  return { text: logto, path, backupPath, maxSize: logMaxsize }
}

const refusal = (option: string, value: string | number, why: string): ConfigError =>
  new ConfigError('CONFIG_BAD_VALUE', `${option} = ${value}: ${why}`)
