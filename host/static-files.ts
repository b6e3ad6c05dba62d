// The options `static-*` of a configuration as a plan: their texts as values, checked.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Settings } from './config/index.ts'
import { ConfigError } from './errors.ts'
import { MimeTypes, parseMimeTypes } from './files/mime-types.ts'
import type { ExpiresRule, ExpiresType, StaticMapping, StaticPlan } from './static/static-plan.ts'

/** @throws ConfigError naming the option and its text */
export const planStaticFiles = (settings: Settings, cwd: string): StaticPlan => {
  const mappings = (texts: readonly string[], keepsPrefix: boolean): StaticMapping[] =>
    texts.map((text) => {
      const equals = text.indexOf('=')
      const prefix = text.slice(0, equals).replace(/\/+$/, '')
      return { prefix, target: resolve(cwd, text.slice(equals + 1)), keepsPrefix }
    })
  const rules = (name: string, texts: readonly string[], subject: ExpiresRule['subject'], fromChange: boolean): ExpiresRule[] =>
    texts.map((text) => expiresRule(name, text, subject, fromChange))
  const expiresByType = new Map<string, ExpiresType>()
  for (const text of settings.staticExpiresType) addExpiresType(expiresByType, 'static-expires-type', text, false)
  for (const text of settings.staticExpiresTypeMtime) addExpiresType(expiresByType, 'static-expires-type-mtime', text, true)
  return {
    directories: settings.checkStatic.map((directory) => resolve(cwd, directory)),
    mappings: [...mappings(settings.staticMap, false), ...mappings(settings.staticMap2, true)],
    usesDocumentRoot: settings.checkStaticDocroot,
    indexes: settings.staticIndex.map(indexName),
    skippedEnds: settings.staticSkipExt,
    safe: settings.staticSafe.map((directory) => resolve(cwd, directory)),
    expires: [
      ...rules('static-expires', settings.staticExpires, 'file', false),
      ...rules('static-expires-mtime', settings.staticExpiresMtime, 'file', true),
      ...rules('static-expires-uri', settings.staticExpiresUri, 'uri', false),
      ...rules('static-expires-uri-mtime', settings.staticExpiresUriMtime, 'uri', true),
      ...rules('static-expires-path-info', settings.staticExpiresPathInfo, 'path-info', false),
      ...rules('static-expires-path-info-mtime', settings.staticExpiresPathInfoMtime, 'path-info', true),
    ],
    expiresByType,
    mimeTypes: new MimeTypes(new Map(settings.mimefile.flatMap((file) => [...readMimeTypes(resolve(cwd, file), file)]))),
  }
}

/** The directories that hold what anybody may see: guests may send files from there too. */
export const publicRoots = (plan: StaticPlan): string[] => [
  ...plan.directories,
  ...plan.mappings.map(({ target }) => target),
  ...plan.safe,
]

const bad = (option: string, text: string, problem: string): ConfigError =>
  new ConfigError('CONFIG_BAD_VALUE', `${option} = ${text}: ${problem}`)

const indexName = (name: string): string => {
  if (/^\.{0,2}$|\//.test(name)) throw bad('static-index', name, 'it must be the name of a file, without a directory')
  return name
}

/** The seconds are the last word: an expression may hold blanks. */
const expiresRule = (option: string, text: string, subject: ExpiresRule['subject'], fromChange: boolean): ExpiresRule => {
  const match = /^(.*\S)[\s=]+(\d{1,10})\s*$/.exec(text)
  if (match === null) throw bad(option, text, 'it must be a regular expression and a number of seconds: \\.png$ 3600')
  try {
    return { subject, pattern: new RegExp(match[1] as string), seconds: Number(match[2]), fromChange }
  } catch (error) {
    throw bad(option, text, `the regular expression is none: ${(error as Error).message}`)
  }
}

const addExpiresType = (types: Map<string, ExpiresType>, option: string, text: string, fromChange: boolean): void => {
  const match = /^\s*([^\s=]+\/[^\s=]+)\s*[=\s]\s*(\d{1,10})\s*$/.exec(text)
  if (match === null) throw bad(option, text, 'it must be a content type and a number of seconds: image/png=3600')
  if (!types.has(match[1] as string)) types.set(match[1] as string, { seconds: Number(match[2]), fromChange })
}

const readMimeTypes = (path: string, text: string): Map<string, string> => {
  try {
    return parseMimeTypes(readFileSync(path, 'latin1'))
  } catch (error) {
    throw bad('mimefile', text, (error as Error).message)
  }
}
