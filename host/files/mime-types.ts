// The content type of a file by its extension. `--mimefile` adds types from a file of the form that /etc/mime.types has; of
// an extension that is named twice, the last one counts.
// Differs from uWSGI: types come from a list of our own, so that servers agree whether the machine has a /etc/mime.types or not.
import { mimes } from 'mrmime'

const common = new Map(Object.entries(mimes))

export class MimeTypes {
  readonly own: ReadonlyMap<string, string>

  /** @param own extension (lower case, without a dot) to type; asked before the common ones */
  constructor(own: ReadonlyMap<string, string> = new Map()) {
    this.own = own
  }

  /** Undefined for an extension that is not known, and for none. @param path whatever ends in the file's name */
  typeOf(path: string): string | undefined {
    const dot = path.lastIndexOf('.')
    if (dot <= path.lastIndexOf('/')) return undefined
    const extension = path.slice(dot + 1).toLowerCase()
    return this.own.get(extension) ?? common.get(extension)
  }
}

const typeForm = /^[!#$&^_.+a-zA-Z0-9-]+\/[!#$&^_.+a-zA-Z0-9-]+$/

/**
 * Reads a mime.types file: on each line a type and its extensions, `#` begins a comment.
 * @throws Error naming the line that is none of this
 */
export const parseMimeTypes = (text: string): Map<string, string> => {
  const types = new Map<string, string>()
  text.split('\n').forEach((line, index) => {
    const [type, ...extensions] = line
      .replace(/#.*/, '')
      .split(/\s+/)
      .filter((word) => word !== '')
    if (type === undefined) return
    if (!typeForm.test(type)) throw new Error(`line ${index + 1}: ${JSON.stringify(type.slice(0, 80))} is not a content type`)
    for (const extension of extensions) types.set(extension.toLowerCase().replace(/^\./, ''), type)
  })
  return types
}
