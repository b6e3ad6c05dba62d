// What is read from /proc: the memory of the interpreters, which lies before the range that is reserved for it to grow into.
import { describe, expect, it } from 'vitest'
import { residentBeforeReserved, wasmResidentBytes } from '../../../bench/proc-files.ts'
import { wasm } from '../../../host/plugin/web-assembly.ts'

const mapping = (range: string, access: string, rssKb: number): string =>
  `${range} ${access} 00000000 00:00 0 \nSize:  10 kB\nRss:  ${rssKb} kB\nPss:  1 kB\nVmFlags: rd wr \n`

describe('residentBeforeReserved', () => {
  it('adds up the mappings that a reserved range of 4 GB or more follows', () => {
    const smaps = [
      mapping('0082e000-03489000', 'r-xp', 40_000),
      mapping('7f7360000000-7f7360a00000', 'rw-p', 100),
      mapping('7f7360a00000-7f7560000000', '---p', 0),
      mapping('7f7560000000-7f7562000000', 'rw-p', 20),
      mapping('7f7562000000-7f7762000000', '---p', 0),
      mapping('7f7762000000-7f7762001000', 'rw-p', 7),
    ].join('')
    expect(residentBeforeReserved(smaps)).toBe(120 * 1024)
  })

  it('leaves out what stands before a small range, with a gap before it, or cannot be written', () => {
    const smaps = [
      mapping('7f0000000000-7f0000001000', 'rw-p', 1),
      mapping('7f0000001000-7f00ffff0000', '---p', 0),
      mapping('7f1000000000-7f1000001000', 'rw-p', 2),
      mapping('7f1000002000-7f1200000000', '---p', 0),
      mapping('7f2000000000-7f2000001000', 'r-xp', 3),
      mapping('7f2000001000-7f2200000000', '---p', 0),
    ].join('')
    expect(residentBeforeReserved(smaps)).toBe(0)
    expect(residentBeforeReserved('')).toBe(0)
  })
})

describe('wasmResidentBytes', () => {
  it('sees what this process has written to a memory of WebAssembly', () => {
    const before = wasmResidentBytes(process.pid)
    const memory = new wasm.Memory({ initial: 256, maximum: 65536 })
    new Uint8Array(memory.buffer).fill(1)
    expect(wasmResidentBytes(process.pid) - before).toBe(256 * 65536)
  })
})
