// The configuration formats by name and by extension.
import type { ConfigFormat } from '../option.ts'
import { parseIni } from './ini.ts'
import { parseJson } from './json.ts'
import type { ParseFormat } from './raw.ts'
import { parseToml } from './toml.ts'
import { parseXml } from './xml.ts'
import { parseYaml } from './yaml.ts'

export const formats: Readonly<Record<ConfigFormat, ParseFormat>> = {
  ini: parseIni,
  yaml: parseYaml,
  json: parseJson,
  toml: parseToml,
  xml: parseXml,
}

const byExtension: Readonly<Record<string, ConfigFormat>> = {
  '.ini': 'ini',
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.json': 'json',
  '.toml': 'toml',
  '.xml': 'xml',
}

export const configExtensions = Object.keys(byExtension)

export const formatOfPath = (path: string): ConfigFormat | undefined =>
  byExtension[/\.[a-z]+$/i.exec(path)?.[0].toLowerCase() ?? '']
