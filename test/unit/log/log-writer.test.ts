// Where log lines go: whole lines, in order, nothing after the close, and a count of what a full disk swallowed.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { type LogTarget, LogWriter } from '../../../host/log/log-writer.ts'

const folder = mkdtempSync(join(tmpdir(), 'polywsgi-log-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Counts what was taken and not given back. */
const counting = (fd: () => number): LogTarget & { taken: number } => ({
  taken: 0,
  take() {
    this.taken += 1
    return fd()
  },
  giveBack() {
    this.taken -= 1
  },
})
const only = (fd: number): LogTarget => ({ take: () => fd, giveBack: () => {} })

const open = (name: string): { path: string; fd: number } => {
  const path = join(folder, name)
  return { path, fd: openSync(path, 'a') }
}

it('gathered lines are written before a line that may not wait, in the order they came', () => {
  const { path, fd } = open('order')
  const writer = new LogWriter(only(fd))
  writer.gather('one')
  writer.gather('two \xff')
  writer.text('three é')
  writer.bytes(Uint8Array.of(0, 255))
  writer.gather('four')
  writer.flush()
  expect(readFileSync(path, 'latin1')).toBe(`one\ntwo \xff\nthree ${Buffer.from('é').toString('latin1')}\n\0\xff\nfour\n`)
  closeSync(fd)
})

it('nothing is written after the close, whoever the descriptor belongs to by then', () => {
  const { path, fd } = open('closed')
  const writer = new LogWriter(only(fd))
  writer.gather('last')
  writer.close()
  writer.text('late')
  writer.gather('late too')
  writer.flush()
  expect(readFileSync(path, 'utf8')).toBe('last\n')
  closeSync(fd)
})

it('lines that could not be written are counted, and told when writing works again', () => {
  const { path, fd } = open('lost')
  const writer = new LogWriter(only(fd))
  closeSync(fd)
  writer.text('lost')
  writer.text('lost too')
  expect(openSync(path, 'a')).toBe(fd)
  writer.text('back')
  expect(readFileSync(path, 'utf8')).toBe('[log] 2 earlier lines could not be written\nback\n')
  closeSync(fd)
})

it('each line of what was gathered counts when it is lost, and who listens hears of it once until lines can be written', () => {
  const fd = openSync('/dev/full', 'a')
  const writer = new LogWriter(only(fd))
  const heard: string[] = []
  writer.onLost = ({ message }) => heard.push(message)
  writer.gather('one')
  writer.gather('two')
  writer.flush()
  writer.text('three')
  expect(heard).toEqual([expect.stringContaining('ENOSPC')])
  closeSync(fd)
  const { path, fd: working } = open('working')
  // The descriptor is the writer's still: now of a file that takes lines.
  expect(working).toBe(fd)
  writer.text('back')
  expect(readFileSync(path, 'utf8')).toBe('[log] 3 earlier lines could not be written\nback\n')
  closeSync(working)
})

it('each write goes where the log is then, and what was gathered before goes there whole', () => {
  const first = open('first')
  const second = open('second')
  let fd = first.fd
  const target = counting(() => fd)
  const writer = new LogWriter(target)
  writer.text('one')
  writer.gather('two')
  fd = second.fd
  writer.gather('three')
  writer.flush()
  expect(writer.lend((number) => [number, target.taken])).toEqual([second.fd, 1])
  expect(target.taken).toBe(0)
  expect(readFileSync(first.path, 'utf8')).toBe('one\n')
  expect(readFileSync(second.path, 'utf8')).toBe('two\nthree\n')
  closeSync(first.fd)
  closeSync(second.fd)
})

it('the number is given back when whoever has borrowed it fails', () => {
  const target = counting(() => 1)
  const writer = new LogWriter(target)
  expect(() =>
    writer.lend(() => {
      throw new Error('no process')
    }),
  ).toThrow('no process')
  expect(target.taken).toBe(0)
})
