// Lines for the log out of whatever pieces a guest writes.
import { expect, test } from 'vitest'
import { LineJoiner } from '../../../host/plugin/line-joiner.ts'

const joiner = () => {
  const lines: string[] = []
  const log = {
    text: (line: string) => void lines.push(line),
    bytes: (line: Uint8Array) => void lines.push(Buffer.from(line).toString('latin1')),
  }
  const joined = new LineJoiner(log)
  return { lines, write: (text: string) => joined.write(Buffer.from(text, 'latin1')), flush: () => joined.flush() }
}

test('a line is logged when it ends, however it was cut', () => {
  const { lines, write } = joiner()
  for (const char of 'one\ntwo\n\nthr') write(char)
  expect(lines).toEqual(['one', 'two', ''])
  write('ee\nfour\n')
  expect(lines.slice(3)).toEqual(['three', 'four'])
})

test('bytes stay as they are', () => {
  const { lines, write } = joiner()
  const text = String.fromCharCode(...Array(256).keys()).replace('\n', '')
  write(`${text}\n`)
  expect(lines).toEqual([text])
})

test('a line that was begun is held back until it is flushed, and flushed once', () => {
  const { lines, write, flush } = joiner()
  write('begun')
  expect(lines).toEqual([])
  flush()
  flush()
  expect(lines).toEqual(['begun'])
})

test('the caller may reuse its buffer', () => {
  const lines: string[] = []
  const joined = new LineJoiner({ text: () => {}, bytes: (line) => void lines.push(Buffer.from(line).toString()) })
  const buffer = Buffer.from('first')
  joined.write(buffer)
  buffer.fill('x')
  joined.write(Buffer.from('\n'))
  expect(lines).toEqual(['first'])
})

test('a line without end is logged in pieces of 64 KiB', () => {
  const { lines, write, flush } = joiner()
  write('x'.repeat(150_000))
  expect(lines.map((line) => line.length)).toEqual([65_536, 65_536])
  write('y\n')
  flush()
  expect(lines.at(-1)).toBe(`${'x'.repeat(150_000 - 131_072)}y`)
})
