// Every word of the core, by small programs: what they leave on the stack, or what they write. One more test holds that no word is
// missing here.
import { describe, expect, it } from 'vitest'
import { createCore } from '../../../examples/plugins/forth/core.ts'
import { run } from './fixture.ts'

const max = 2n ** 63n - 1n
const min = -(2n ** 63n)

/** A program, and the stack it leaves, from the bottom. */
const stacks: readonly (readonly [program: string, ...stack: (number | bigint)[]])[] = [
  // Arranging.
  ['1 2 dup', 1, 2, 2],
  ['0 ?dup 5 ?dup', 0, 5, 5],
  ['1 2 drop', 1],
  ['1 2 swap', 2, 1],
  ['1 2 over', 1, 2, 1],
  ['1 2 3 rot', 2, 3, 1],
  ['1 2 3 -rot', 3, 1, 2],
  ['1 2 nip', 2],
  ['1 2 tuck', 2, 1, 2],
  ['1 2 2dup', 1, 2, 1, 2],
  ['1 2 3 2drop', 1],
  ['1 2 3 4 2swap', 3, 4, 1, 2],
  ['1 2 3 4 2over', 1, 2, 3, 4, 1, 2],
  ['1 2 3 0 pick', 1, 2, 3, 3],
  ['1 2 3 2 pick', 1, 2, 3, 1],
  ['depth 7 depth', 0, 7, 2],
  // Arithmetic wraps; division rounds down.
  ['1 2 +', 3],
  [`${max} 1 +`, min],
  ['1 2 -', -1],
  ['-3 4 *', -12],
  ['$4000000000000000 2 *', min],
  ['7 2 / -7 2 / 7 -2 / -7 -2 /', 3, -4, -4, 3],
  ['7 2 mod -7 2 mod 7 -2 mod -7 -2 mod', 1, 1, -1, -1],
  ['-7 2 /mod', 1, -4],
  [`${min} -1 /`, min],
  ['$4000000000000000 10 20 */', 2n ** 61n],
  ['5 1+ 5 1-', 6, 4],
  ['-3 2* -3 2/', -6, -2],
  ['5 negate', -5],
  ['-5 abs 5 abs', 5, 5],
  ['1 -2 min 1 -2 max', -2, 1],
  ['%1100 %1010 and %1100 %1010 or %1100 %1010 xor', 8, 14, 6],
  ['0 invert', -1],
  ['1 4 lshift -1 60 rshift 1 64 lshift 1 64 rshift 1 63 lshift', 16, 15, 0, 0, min],
  // Comparing.
  ['1 1 = 1 2 =', -1, 0],
  ['1 1 <> 1 2 <>', 0, -1],
  ['-1 1 < 1 1 < 1 -1 >', -1, 0, -1],
  ['1 1 <= 2 1 <= 1 1 >= 1 2 >=', -1, 0, -1, 0],
  ['-1 1 u< -1 1 u>', 0, -1],
  ['0 0= 3 0= 0 0<> 3 0<>', -1, 0, 0, -1],
  ['-1 0< 1 0< -1 0> 1 0>', -1, 0, 0, -1],
  ['true false', -1, 0],
  // Numbers in the source.
  ["$fF #10 %101 'A' $-10", 255, 10, 5, 65, -16],
  ['hex ff 10 decimal 10', 255, 16, 10],
  ['2 base ! 101 decimal base @', 5, 10],
  [`${max} ${min} 18446744073709551615`, max, min, -1],
  // Memory.
  ['variable v 5 v ! 3 v +! v @', 8],
  ['create b 2 allot 300 b c! 7 b 1+ c! b c@ b 1+ c@', 44, 7],
  ['here 3 allot here swap -', 3],
  ['create t 1 , 2 , -3 , t @ t cell+ @ t 2 cells + @', 1, 2, -3],
  ['create t 65 c, 66 c, t c@ t char+ c@ 4 chars', 65, 66, 4],
  [': t s" abc" here -rot s, here swap - ; t', 3],
  ['unused 8 allot unused -', 8],
  ['create t 4 allot t 4 7 fill t c@ t 3 + c@', 7, 7],
  ['create t 1 c, 2 c, 3 c, 0 c, t t 1+ 3 move t c@ t 1+ c@ t 3 + c@', 1, 1, 3],
  ['create t 8 allot s" abc" t place t count nip t c@ t 1+ c@', 3, 3, 97],
  ['bl', 32],
  // Strings.
  ['s" a" s" b" compare s" b" s" a" compare s" a" s" a" compare s" a" s" ab" compare', -1, 1, 0, -1],
  ['s" abc" s" abc" s= s" abc" s" abd" s=', -1, 0],
  ['s" abc" 1 /string nip s" abc" 9 /string nip', 2, 0],
  ['s" a,b" s" ," search rot drop s" ab" s" ," search rot drop', 2, -1, 2, 0],
  ['s" -42" s>n s" x" s>n s" " s>n', -42, -1, 0, 0, 0, 0],
  // Control.
  [': t if 1 else 2 then ; 5 t 0 t', 1, 2],
  [': t dup if drop 1 then ; 0 t 3 t', 0, 1],
  [': t 0 begin 1+ dup 5 = until ; t', 5],
  [': t 0 begin dup 3 < while 1+ repeat ; t', 3],
  [': t 0 begin 1+ dup 4 = if exit then again ; t', 4],
  [': t 0 5 0 do i + loop ; t', 10],
  [': t 10 0 do i 3 +loop ; t', 0, 3, 6, 9],
  [': t 0 3 do i -1 +loop ; t', 3, 2, 1, 0],
  [': t 0 0 ?do 1 loop 2 0 ?do i loop ; t', 0, 1],
  [': t 10 0 do i 2 = if leave then i loop 99 ; t', 0, 1, 99],
  [': t 2 0 do 12 10 do j i loop loop ; t', 0, 10, 0, 11, 1, 10, 1, 11],
  [': t 9 0 do i 3 = if i unloop exit then loop ; t', 3],
  [': t case 1 of 10 endof 2 of 20 endof 30 swap endcase ; 1 t 2 t 3 t', 10, 20, 30],
  [': fact dup 1 > if dup 1- recurse * then ; 20 fact', 2432902008176640000n],
  [': t 1 >r 2 r@ r> ; t', 2, 1, 1],
  // Defining.
  ['5 constant five five', 5],
  ['1 2 2constant pair pair', 1, 2],
  ['5 value v v 6 to v v : t 7 to v ; t v', 5, 6, 7],
  [': const create , does> @ ; 5 const five 6 const six five six', 5, 6],
  ['create here1 here here1 =', -1],
  [':noname 42 ; execute', 42],
  [": sq dup * ; 7 ' sq execute : t ['] sq execute ; 3 t", 49, 9],
  [': t [char] A ; t char B', 65, 66],
  [': t [ 2 3 * ] literal ; t', 6],
  [': five 5 ; immediate : t [ five ] literal ; t', 5],
  [': my-if postpone if ; immediate : t my-if 1 else 2 then ; 0 t', 2],
  [': plus postpone + ; immediate : t 1 2 plus ; t', 3],
  [': t 1 ; : u t ; : t 2 ; u t', 1, 2],
  ['s" 1 2 +" evaluate', 3],
  ['1 ( a comment ) 2 \\ another\n3', 1, 2, 3],
  ['1 \\\n2', 1, 2],
  ['1 DUP : Twice 2 * ; twICE', 1, 2],
  // Errors caught.
  [": bad 1 0 / ; ' bad catch", -10],
  [": fine 7 ; ' fine catch", 7, 0],
  [": t 5 throw ; 1 2 ' t catch", 1, 2, 5],
  [": t 0 throw 6 ; ' t catch", 6, 0],
  ["' abort catch", -1],
  [': t abort" no" 8 ; 0 t \' t catch nip', -2],
  [": bad 1 0 / ; ' bad catch error-message nip", -10, 16],
]

/** A program, and what it writes. */
const outputs: readonly (readonly [program: string, output: string])[] = [
  ['1 . -2 . 255 hex .', '1 -2 FF '],
  ['-1 u.', '18446744073709551615 '],
  ['1 2 .s', '<2> 1 2 '],
  ['65 emit 0 emit 255 emit', 'A\0\xff'],
  ['s" abc" type', 'abc'],
  ['cr space 3 spaces 0 spaces', '\n    '],
  ['." now" : t ." later" ; t', 'nowlater'],
  ['s" ab" s" cd" s+ type', 'abcd'],
  ['-255 hex n>s type', '-FF'],
  ['s" a,b" s" ," search drop type', ',b'],
  [': t -1 abort" it failed" ; \' t catch drop error-message type', 'aborted: it failed'],
  [': mine ; words', 'mine '],
]

describe('a program', () => {
  it.each(stacks.map(([program, ...stack]) => ({ program, stack })))('$program', ({ program, stack }) => {
    expect(run(program).stack).toEqual(stack.map(BigInt))
  })

  it.each(outputs)('%s', (program, output) => {
    const written = run(program).output
    if (program.includes('words')) expect(written.startsWith(output)).toBe(true)
    else expect(written).toBe(output)
  })
})

describe('the core', () => {
  it('has no word that no program here uses', () => {
    const used = new Set([...stacks, ...outputs].flatMap(([program]) => program.toLowerCase().split(/\s+/)))
    const core = createCore({ functions: [], attributes: [], hooks: [] }, { name: 'forth' })
    const tested =
      /^(?:var"?|\(.+|rpc"|request-method|script-name|path-info|query-string|status|header|write|body(?:-read)?|as-int|register-.+|pairs-get)$/
    expect([...core.names()].filter((name) => !used.has(name) && !tested.test(name))).toEqual([])
  })
})
