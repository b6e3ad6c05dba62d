// Bad programs: each ends with an error that says what is wrong and where, and none of them takes the interpreter along.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCore } from '../../../examples/plugins/forth/core.ts'
import { ForthError } from '../../../examples/plugins/forth/errors.ts'
import { Source } from '../../../examples/plugins/forth/source.ts'
import { createForth, failureOf, run } from './fixture.ts'

/** A program, the class of its error, and its message. */
const failures: readonly (readonly [program: string, fault: string, message: string])[] = [
  ['drop', 'stackUnderflow', 'stack underflow'],
  ['1 +', 'stackUnderflow', 'stack underflow'],
  ['1 swap', 'stackUnderflow', 'stack underflow'],
  ['1 2 rot', 'stackUnderflow', 'stack underflow'],
  ['1 5 pick', 'stackUnderflow', 'stack underflow'],
  ['1 -1 pick', 'stackUnderflow', 'stack underflow'],
  [': t begin 1 again ; t', 'stackOverflow', 'stack overflow'],
  [': t recurse ; t', 'returnStackOverflow', 'return stack overflow'],
  [': t r> ; t', 'returnStackUnderflow', 'return stack underflow'],
  [': t i ; t', 'returnStackUnderflow', 'return stack underflow'],
  [': t 1 >r ; t', 'returnStackImbalance', 'return stack imbalance: a value or a loop was left on the return stack'],
  [': t 3 0 do exit loop ; t', 'returnStackImbalance', 'return stack imbalance: a value or a loop was left on the return stack'],
  ['s" evaluate" 2drop : t s" t" evaluate ; t', 'returnStackOverflow', 'return stack overflow: runs are nested 64 deep'],
  ['1 0 /', 'divisionByZero', 'division by zero'],
  ['1 0 mod', 'divisionByZero', 'division by zero'],
  ['1 0 /mod', 'divisionByZero', 'division by zero'],
  ['1 2 0 */', 'divisionByZero', 'division by zero'],
  ['frob', 'undefinedWord', 'undefined word: frob'],
  [': t frob ;', 'undefinedWord', 'undefined word: frob'],
  ["' frob", 'undefinedWord', 'undefined word: frob'],
  ['-', 'stackUnderflow', 'stack underflow'],
  ['12a', 'undefinedWord', 'undefined word: 12a'],
  ['hex 12g', 'undefinedWord', 'undefined word: 12g'],
  [`1${'0'.repeat(200)}`, 'undefinedWord', `undefined word: 1${'0'.repeat(200)}`],
  ['18446744073709551616', 'outOfRange', 'result out of range: 18446744073709551616 does not fit a cell of 64 bits'],
  ['-9223372036854775809', 'outOfRange', 'result out of range: -9223372036854775809 does not fit a cell of 64 bits'],
  ['x'.repeat(256), 'nameTooLong', `name too long: ${'x'.repeat(20)}...`],
  ['if', 'compileOnly', 'only to be used inside of a definition: if'],
  ['>r', 'compileOnly', 'only to be used inside of a definition: >r'],
  [';', 'compileOnly', 'only to be used inside of a definition: ;'],
  ["' if execute", 'compileOnly', 'only to be used inside of a definition'],
  [':', 'missingName', 'a name is missing'],
  ['variable', 'missingName', 'a name is missing'],
  ["'", 'missingName', 'a name is missing'],
  [': t 1', 'unfinished', 'unexpected end of the source: the definition of t at test.fs:1:3 has no ;'],
  ['s" abc', 'unfinished', 'unexpected end of the source: there is no closing "'],
  ['( abc', 'unfinished', 'unexpected end of the source: there is no closing )'],
  [': t if ;', 'controlStructure', 'control structure mismatch: if at test.fs:1:5 is not completed'],
  [': t then ;', 'controlStructure', 'control structure mismatch: there is no if or else to go with it'],
  [': t else ;', 'controlStructure', 'control structure mismatch: there is no if to go with it'],
  [': t do then ;', 'controlStructure', 'control structure mismatch: it goes with if or else, not with do at test.fs:1:5'],
  [': t if loop ;', 'controlStructure', 'control structure mismatch: it goes with do, not with if at test.fs:1:5'],
  [': t begin repeat ;', 'controlStructure', 'control structure mismatch: it goes with while, not with begin at test.fs:1:5'],
  [': t leave ;', 'controlStructure', 'control structure mismatch: there is no do around it'],
  [': t of ;', 'controlStructure', 'control structure mismatch: there is no case around it'],
  [': t [ : u ;', 'controlStructure', 'control structure mismatch: the definition of t is not completed'],
  ['0 @', 'invalidAddress', 'invalid memory address: 0'],
  ['-1 c@', 'invalidAddress', 'invalid memory address: -1'],
  ['1 here !', 'invalidAddress', 'invalid memory address: 24'.replace('24', '16')],
  ['here 8 type', 'invalidAddress', 'invalid memory address: 16'],
  ['8 -1 type', 'invalidArgument', 'invalid argument: a length of -1'],
  ['-100 allot', 'invalidAddress', 'invalid memory address: more is given back than was taken'],
  ['2000000 allot', 'memoryExhausted', 'memory exhausted: 2000000 bytes more than the limit of 1048576 allows'],
  [
    '9223372036854775807 allot',
    'memoryExhausted',
    'memory exhausted: 9223372036854776000 bytes more than the limit of 1048576 allows',
  ],
  ['5 execute-me', 'undefinedWord', 'undefined word: execute-me'],
  ['-1 execute', 'invalidArgument', 'invalid argument: -1 is no execution token'],
  ['99999 execute', 'invalidArgument', 'invalid argument: 99999 is no execution token'],
  ['5 constant five 6 to five', 'invalidArgument', 'invalid argument: five is no value'],
  ['1 base ! 1 .', 'invalidBase', 'invalid base: 1, not 2 to 36'],
  ['99999999 spaces', 'invalidArgument', 'invalid argument: 99999999 spaces at once'],
  ['abort', 'abort', 'aborted'],
  [': t 1 abort" too bad" ; t', 'abortMessage', 'aborted: too bad'],
  ['7 throw', 'thrown', 'error 7'],
  ['-10 throw', 'divisionByZero', 'division by zero'],
  ['path-info', 'noRequest', 'no request is being served'],
  [': t begin again ; t', 'tooManySteps', 'too many steps: more than 1000000 (forth-max-steps)'],
  [": t begin again ; ' t catch", 'tooManySteps', 'too many steps: more than 1000000 (forth-max-steps)'],
  [": bad 1 0 / ; : t begin ['] bad catch drop again ; t", 'tooManySteps', 'too many steps: more than 1000000 (forth-max-steps)'],
  ['s" é" evaluate', 'undefinedWord', 'undefined word: é'],
]

describe('a bad program', () => {
  it.each(failures)('%s', (program, fault, message) => {
    // Sources are bytes, one to a character.
    const error = failureOf(Buffer.from(program).toString('latin1'))
    expect([error.fault, error.message]).toEqual([fault, message])
    expect(error.traceback).toMatch(/^(?:test\.fs|\(evaluate\)):\d+:\d+: /)
  })

  it('is told where it went wrong, and who called', () => {
    const error = failureOf(': half ( n -- n )\n  2 swap\n  0 / ;\n: outer 1 half ;\n\n  1 outer')
    expect(error.traceback).toBe(
      [
        'test.fs:3:5: division by zero',
        '  in half (test.fs:3:5)',
        '  in outer (test.fs:4:11)',
        '  in the source (test.fs:6:5)',
      ].join('\n'),
    )
  })

  it('is stopped in the loop that does not end', () => {
    const error = failureOf(': other ;\n: t begin\n  again ;\n: u t ;\nu')
    expect(error.traceback.split('\n')[0]).toMatch(/^test\.fs:3:3: too many steps/)
  })

  it('names words of other words by where their own code lies', () => {
    const error = failureOf(': maker create , does> @ 0 / ;\n5 maker made\n: t made ;\n:noname t ; execute')
    expect(error.traceback.split('\n').slice(1)).toEqual([
      '  in maker (test.fs:1:28)',
      '  in t (test.fs:3:5)',
      '  in :noname (test.fs:4:9)',
      '  in the source (test.fs:4:13)',
    ])
  })

  it('has a trace that stays short, however deep it went', () => {
    const { traceback } = failureOf(': t recurse ; t')
    expect(traceback.split('\n').length).toBeLessThan(25)
    expect(traceback).toMatch(/\.\.\. called by \d{4} more$/)
  })

  it('leaves nothing of a definition that was not completed, and an interpreter that goes on', () => {
    let output = ''
    const forth = createForth((bytes) => {
      output += Buffer.from(bytes).toString()
    })
    const read = (text: string): void => forth.enter(() => forth.compiler.interpret(new Source('test.fs', text)))
    read(': t 1 . ;')
    for (const bad of [': t 2 . frob ;', ': t 2 . [ 1 0 /', ': t if 2 . ;', '1 2 3 drop drop drop drop']) {
      expect(() => read(bad)).toThrow(ForthError)
      read('t depth . : u 7 ; u .')
    }
    expect(output).toBe('1 0 7 '.repeat(4))
  })
})

describe('the limits', () => {
  it('hold for steps, however they are spent', () => {
    for (const loop of ['8 8 fill', 's" " 2drop', '." x"', 'pad-me']) {
      const program = `create pad 100 allot : pad-me pad 100 0 fill ; : t begin ${loop.replace('8 8', 'pad 100 0')} again ; t`
      expect(failureOf(program, { maxSteps: 10_000 }).fault).toBe('tooManySteps')
    }
  })

  it('hold for memory, however it is taken', () => {
    for (const loop of ['100 allot', '1 ,', '1 c,', 's" abcdefghijklmnop" 2dup s+ 2drop', 's" : x 1 2 3 4 ;" evaluate']) {
      const limits = { memoryLimit: 100_000, maxSteps: 100_000_000 }
      expect(failureOf(`: t begin ${loop} again ; t`, limits).fault).toBe('memoryExhausted')
    }
  })

  it('give the memory of answers back after each call', () => {
    const forth = createForth(() => {}, { memoryLimit: 100_000 })
    const read = (text: string): void => forth.enter(() => forth.compiler.interpret(new Source('test.fs', text)))
    read('create pad 30000 allot variable where')
    const { free } = forth.memory
    for (let n = 0; n < 10; n += 1) read('pad 30000 pad 0 s+ drop where !')
    expect(free - forth.memory.free).toBeLessThan(100)
    // What was kept of it is an address of nothing.
    expect(() => read('where @ c@')).toThrow('invalid memory address')
  })

  it('hold for whatever is thrown at it', () => {
    const names = [...createCore({ functions: [], attributes: [], hooks: [] }, { name: 'forth' }).names()]
    const part = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...names) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          '0',
          '1',
          '-1',
          '8',
          '16',
          '4294967296',
          '9223372036854775807',
          'x',
          'y',
          ': x',
          ';',
          '"',
          ')',
        ),
      },
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        try {
          run(parts.join(' '), { maxSteps: 10_000, memoryLimit: 100_000 })
        } catch (error) {
          if (!(error instanceof ForthError)) throw error
        }
      }),
      { numRuns: 3000 },
    )
  })
})
