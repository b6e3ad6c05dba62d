// How an option is shown to people, the same in --help and in docs/options.md: its value's name, its default, its range.
import { hasSetting, type Option } from './option.ts'
import { formatMode } from './value.ts'

/** The name of the value: `FILE`; undefined when the option takes none. */
export const valueName = (option: Option): string | undefined => {
  switch (option.type) {
    case 'flag':
    case 'action':
      return undefined
    case 'integer':
      return 'N'
    case 'size':
      return 'BYTES'
    case 'seconds':
      return 'SECONDS'
    case 'mode':
      return 'MODE'
    case 'text':
    case 'list':
      return option.value
    case 'file':
      return 'FILE[:SECTION]'
    case 'definition':
      return 'NAME=VALUE'
  }
}

/** A size in the largest unit that gives a whole number: `256m`. */
export const formatSize = (bytes: number): string => {
  for (const [letter, unit] of [
    ['g', 1024 ** 3],
    ['m', 1024 ** 2],
    ['k', 1024],
  ] as const) {
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${letter}`
  }
  return String(bytes)
}

/** The default with its unit, as in `60 seconds`; undefined when there is none worth a word. */
export const defaultText = (option: Option): string | undefined => {
  if (!hasSetting(option) || option.type === 'list' || option.type === 'flag' || option.default === undefined) return undefined
  switch (option.type) {
    case 'integer':
      return option.unit === undefined ? String(option.default) : quantity(option.default, option.unit)
    case 'size':
      return formatSize(option.default).replace(/\d$/, '$& bytes')
    case 'seconds':
      return quantity(option.default, 'seconds')
    case 'mode':
      return formatMode(option.default)
    case 'text':
      return option.default
  }
}

const quantity = (count: number, unit: string): string => `${count} ${count === 1 ? unit.replace(/s$/, '') : unit}`

/** The names as typed: `-p`, `--workers`, `--processes`. */
export const spelledNames = (option: Option): readonly string[] => [
  ...(option.shortcut === undefined ? [] : [`-${option.shortcut}`]),
  `--${option.name}`,
  ...(option.aliases ?? []).map((alias) => `--${alias}`),
  ...(option.type === 'flag' ? (option.negations ?? []).map((name) => `--${name}`) : []),
]

export const isRepeatable = (option: Option): boolean =>
  option.type === 'list' || option.type === 'file' || option.type === 'definition'
