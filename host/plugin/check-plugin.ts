// Whether an object is a plugin, before anything of it is called: all checks of one plugin by itself run here. What it claims
// against others is the registry's business, its options that of the configuration.
import { refusalOf } from './hook-table.ts'
import type { Plugin } from './plugin.ts'

/**
 * @returns why it cannot be loaded, undefined when it can
 * @throws what one of its members throws when it is read
 */
export const checkPlugin = (candidate: unknown): string | undefined => {
  if (typeof candidate !== 'object' || candidate === null) return 'its default export is not a plugin object'
  const refusal = refusalOf(candidate)
  if (refusal !== undefined) return refusal
  const { name, alias, modifier1, request, options } = candidate as Readonly<Record<keyof Plugin, unknown>>
  if (typeof name !== 'string' || name === '') return 'it has no name'
  if (alias !== undefined && (typeof alias !== 'string' || alias === '')) return 'its alias is not a text'
  if (modifier1 !== undefined && !isModifier1(modifier1)) {
    return `its modifier1 is ${String(modifier1)}, not a whole number from 0 to 255`
  }
  if (request !== undefined && modifier1 === undefined) return 'it has a request hook but no modifier1'
  if (options !== undefined && !Array.isArray(options)) return 'its options are not an array'
  // Read once, so that a member that throws is found here.
  for (const option of (options as readonly object[] | undefined) ?? []) void { ...option }
  for (const member of ['appExtensions', 'pluginExtensions'] as const) {
    const value = (candidate as Readonly<Record<string, unknown>>)[member]
    if (value !== undefined && !isExtensions(value)) return `its ${member} are not an array of texts like '.lua'`
  }
  for (const member of ['functions', 'hookActions'] as const) {
    const fault = functionsFault(member, (candidate as Readonly<Record<string, unknown>>)[member])
    if (fault !== undefined) return fault
  }
  return undefined
}

const isModifier1 = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255

const isExtensions = (value: unknown): boolean =>
  Array.isArray(value) && value.every((extension) => typeof extension === 'string' && /^\.[^/]+$/.test(extension))

const functionsFault = (member: string, value: unknown): string | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null) return `its ${member} are not an object`
  const wrong = Object.entries(value).find(([, held]) => typeof held !== 'function')?.[0]
  return wrong === undefined ? undefined : `its ${member} hold '${wrong}', which is not a function`
}
