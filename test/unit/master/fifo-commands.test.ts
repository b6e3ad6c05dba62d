// The letters of a master FIFO.
import { expect, it } from 'vitest'
import { mostAtOnce, readCommands } from '../../../host/master/fifo-commands.ts'

const read = (text: string) => readCommands(Buffer.from(text, 'latin1'))

it('are carried out in the order in which they come, whatever blanks are between them', () => {
  expect(read('r\nc w+-\n')).toEqual({
    commands: [
      { kind: 'reload', how: 'graceful' },
      { kind: 'reload', how: 'chain' },
      { kind: 'reload', how: 'workers' },
      { kind: 'more' },
      { kind: 'fewer' },
    ],
    complaints: [],
  })
  expect(read('RWspP').commands.map(({ kind }) => kind)).toEqual(['reload', 'reload', 'stats', 'pause', 'pidfile'])
  expect(read('qQ').commands).toEqual([
    { kind: 'stop', isUrgent: false },
    { kind: 'stop', isUrgent: true },
  ])
  expect(read('lL').commands).toEqual([
    { kind: 'log', how: 'reopen' },
    { kind: 'log', how: 'rotate' },
  ])
  expect(read('09').commands).toEqual([
    { kind: 'slot', slot: 0 },
    { kind: 'slot', slot: 9 },
  ])
})

it('say why they do nothing here, each once', () => {
  expect(read('EEf')).toEqual({
    commands: [],
    complaints: ["'E' does nothing: there is no emperor", "'f' does nothing: the master is no process of its own: reload with r"],
  })
  for (const letter of 'BCEfS') expect(read(letter).complaints[0]).toMatch(new RegExp(`^'${letter}' does nothing: .`))
})

it('are named when they are none, bytes that cannot be shown by their number', () => {
  expect(read('?\x00\xff').complaints).toEqual([
    "'?' is no command",
    'the byte 0x00 is no command',
    'the byte 0xff is no command',
  ])
})

it('are dropped past the first ones of much at once', () => {
  const { commands, complaints } = read('s'.repeat(100_000))
  expect(commands.length).toBe(mostAtOnce)
  expect(complaints).toEqual([`what comes after the first ${mostAtOnce} bytes is dropped`])
})
