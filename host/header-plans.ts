// The headers that every response gets, or must not have, as the configuration says: their texts as values, checked.
import type { Settings } from './config/index.ts'
import { ConfigError } from './errors.ts'
import type { HeaderPlan } from './request/header-change.ts'
import { checkHeaders } from './request/header-rules.ts'

/** @returns undefined when there is nothing to do @throws ConfigError naming the option and its text */
export const planHeaders = ({ addHeader, remHeader }: Pick<Settings, 'addHeader' | 'remHeader'>): HeaderPlan | undefined => {
  if (addHeader.length === 0 && remHeader.length === 0) return undefined
  return { added: addHeader.map(addedHeader).join('\0'), removed: remHeader.map(removedName) }
}

const addedHeader = (text: string): string => {
  const match = /^([^:]*):[ \t]*(.*)$/s.exec(text)
  if (match === null) throw bad('add-header', text, "write a name, a colon and a value, as in 'X-Frame-Options: DENY'")
  const value = Buffer.from((match[2] as string).trimEnd(), 'utf8').toString('latin1')
  return checked('add-header', text, `${match[1]}\0${value}`)
}

const removedName = (text: string): string => checked('rem-header', text, `${text}\0`).slice(0, -1).toLowerCase()

const checked = (option: string, text: string, header: string): string => {
  try {
    checkHeaders(header, 2)
  } catch (error) {
    throw bad(option, text, (error as Error).message)
  }
  return header
}

const bad = (option: string, text: string, problem: string): ConfigError =>
  new ConfigError('CONFIG_BAD_VALUE', `${option} = ${text.slice(0, 200)}: ${problem}`)
