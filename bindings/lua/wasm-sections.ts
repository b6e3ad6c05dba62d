// Reads the binary format of WebAssembly modules as far as rewriting glue.wasm needs it.

export interface Section {
  readonly id: number
  /** Where its id stands; its content; where the next section begins. */
  readonly at: number
  readonly start: number
  readonly end: number
}

export const sectionIds = { type: 1, memory: 5, code: 10 } as const

const headerSize = 8

/** @throws Error when the module ends in the middle of a section */
export const readSections = (module: Uint8Array): Section[] => {
  const sections: Section[] = []
  let at = headerSize
  while (at < module.length) {
    const [size, start] = readUleb(module, at + 1)
    sections.push({ id: module[at] as number, at, start, end: start + size })
    at = start + size
  }
  return sections
}

/** @throws Error when the bytes end in the middle of the number */
export const readUleb = (bytes: Uint8Array, offset: number): [value: number, next: number] => {
  let value = 0
  let shift = 0
  let at = offset
  for (;;) {
    const byte = bytes[at++]
    if (byte === undefined) throw new Error('the module ends in the middle of a number')
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return [value >>> 0, at]
    shift += 7
  }
}
