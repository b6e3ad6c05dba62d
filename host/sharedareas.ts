// The shared areas a configuration asks for: `--sharedarea 4` is four pages, `--sharedarea size=65536` so many bytes.
import { ConfigError } from './errors.ts'
import { sharedareaPageSize } from './state/sharedarea.ts'

/** More in one piece than machines this is for have to give; it keeps a slip of the pen from asking for all their memory. */
export const longestSharedMemory = 4 * 1024 ** 3

const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** @returns bytes of each area @throws ConfigError naming the option */
export const planSharedareas = (texts: readonly string[]): number[] =>
  texts.map((text) => {
    const refuse = (problem: string): ConfigError => new ConfigError('CONFIG_BAD_VALUE', `sharedarea = ${text}: ${problem}`)
    const size = text.includes('=') ? fieldsSize(text, refuse) : parsePages(text, refuse)
    if (size < 1) throw refuse('an area has at least one byte')
    if (size > longestSharedMemory) throw refuse(`an area has at most ${longestSharedMemory} bytes`)
    return size
  })

const parsePages = (text: string, refuse: (problem: string) => ConfigError): number => {
  if (!/^\s*\d+\s*$/.test(text)) throw refuse(`'${text}' is not a number of pages`)
  return Number(text) * sharedareaPageSize
}

const fieldsSize = (text: string, refuse: (problem: string) => ConfigError): number => {
  let size: number | undefined
  for (const pair of text.split(',')) {
    const [key = '', value = ''] = pair.split('=', 2).map((part) => part.trim())
    if (key !== 'pages' && key !== 'size') throw refuse(`an area is given by pages= or size=, not by '${key}'`)
    if (size !== undefined) throw refuse('its size is given twice')
    if (key === 'pages') size = parsePages(value, refuse)
    else {
      const match = /^(\d+)([kmg]?)$/i.exec(value)
      if (match === null) throw refuse(`'${value}' is not a size: write a number of bytes, or one followed by k, m or g`)
      size = Number(match[1]) * units[match[2]!.toLowerCase()]!
    }
  }
  return size!
}
